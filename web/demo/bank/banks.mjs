// The seven banks of B2 as the demo plays them: their rules, how they sign, and colours of our own.

/** What a bank can say of a person, by its ordinary name. */
export const claimNames = ['family_name', 'given_name', 'birthdate', 'gender', 'place_of_birth', 'nationality', 'phone_number', 'address', 'national_number',
  'document_number', 'document_valid_until', 'card_read_on'];

const GCM = { alg: ['RSA-OAEP-256', 'ECDH-ES+A256KW', 'ECDH-ES'], enc: 'A256GCM' };
const CBC = { alg: ['ECDH-ES', 'ECDH-ES+A256KW', 'RSA-OAEP-256'], enc: 'A128CBC-HS256' };

/**
 * id, name · minors: may enrol people of 16 and 17 · appFirst: its app must be installed before (B2) · sign: of its ID tokens · encrypt: the first `alg` for which the
 * client has a key · claims: where it has a name of its own for one · colour: [in light, in dark], both 4.5:1 against the text on them (white, near black).
 */
export const banks = [
  { id: 'bnpparibasfortis', name: 'BNP Paribas Fortis', minors: true, appFirst: false, sign: 'PS256', colour: ['#6a2c70', '#d9a9de'] },
  { id: 'hellobank', name: 'Hello bank!', minors: false, appFirst: false, sign: 'ES256', colour: ['#9a3f12', '#f2b48c'] },
  { id: 'fintro', name: 'Fintro', minors: false, appFirst: false, sign: 'RS256', colour: ['#3d3f8f', '#b4b6f2'] },
  { id: 'belfius', name: 'Belfius', minors: true, appFirst: true, sign: 'RS256', encrypt: GCM, colour: ['#4f5d14', '#c8d67f'] },
  { id: 'kbc', name: 'KBC', minors: true, appFirst: true, sign: 'ES256', encrypt: CBC, colour: ['#7d3a3a', '#eab0b0'] },
  { id: 'cbc', name: 'CBC', minors: false, appFirst: false, sign: 'PS256', claims: { national_number: 'https://cbc.example/claims/register_number' }, colour: ['#6b4e16', '#e2c583'] },
  { id: 'ing', name: 'ING', minors: true, appFirst: true, sign: 'EdDSA', colour: ['#1f5a5e', '#93d3d6'] },
];

export const loa = (level) => `http://eidas.europa.eu/LoA/${level}`;

/** The `[[bank]]` tables of symbolon.toml, for banks that run at `url`. */
export const bankTables = (url) => banks.map(({ id, name, minors, appFirst, claims }) => `
[[bank]]
id = "${id}"
name = "${name}"
issuer = "${url}/${id}"
client_id = "symbolon"
minors = ${minors}
app_first = ${appFirst}
${appFirst ? `app_url = "${url}/${id}/app"\n` : ''}${claims ? `claims = { ${Object.entries(claims).map(([ours, theirs]) => `${ours} = "${theirs}"`).join(', ')} }\n` : ''}`).join('');
