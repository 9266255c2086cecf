// A stand-in for the server, for work on the pages and for their tests: the two origins with our files, the headers of the
// real edge, and a small world behind them that tests steer. It checks what the phone signs and seals as the real one does.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomBytes } from 'node:crypto';
import { b64, concat, equal, unb64, utf8, type Bytes } from '../shared/bytes.ts';
import * as device from '../shared/device-protocol.ts';
import { leafHash, type Detail } from '../shared/log-proof.ts';

const { subtle } = globalThis.crypto;
const ecdsa = { name: 'ECDSA', hash: 'SHA-256' };
const p256 = { name: 'ECDSA', namedCurve: 'P-256' };

export type Refusal = { status: number; body: Record<string, unknown> };
export type Action = {
  id: string;
  created_at: number;
  expires_at: number;
  state: string;
  tx: Record<string, unknown>;
  right: string;
  muted: boolean;
  record?: device.Answer;
};

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.png': 'image/png',
  '.txt': 'text/plain; charset=utf-8',
};

const csp =
  "default-src 'self'; require-trusted-types-for 'script'; trusted-types app; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

const now = () => Math.floor(Date.now() / 1000);

export class Mock {
  readonly #servers: Server[] = [];
  readonly #dist: string;
  idUrl = '';
  phoneUrl = '';
  bankUrl = '';

  // ---- what tests steer ----
  testPki = true;
  enrolment: Record<string, unknown> | null = null;
  /** Answers given once instead of the usual one, by "METHOD /path". */
  readonly refuseOnce = new Map<string, Refusal>();
  token = 'aB3+kR7?';
  /** What the page last sent of Web eID. */
  webEidToken = '';
  smsCode = '482913';
  smsAgainAt = 0;
  smsFailure: { outcome: string; text: string } | null = null;
  codeTries = 3;
  banks: { id: string; name: string; app_first: boolean; app_url?: string; minors: boolean; down_until?: number }[] = [
    { id: 'bnpparibasfortis', name: 'BNP Paribas Fortis', app_first: false, minors: true },
    { id: 'hellobank', name: 'Hello bank!', app_first: false, minors: false },
    { id: 'fintro', name: 'Fintro', app_first: false, minors: false },
    { id: 'belfius', name: 'Belfius', app_first: true, app_url: 'https://belfius.example/app', minors: true },
    { id: 'kbc', name: 'KBC', app_first: true, app_url: 'https://kbc.example/app', minors: true },
    { id: 'cbc', name: 'CBC', app_first: false, minors: false },
    { id: 'ing', name: 'ING', app_first: true, app_url: 'https://ing.example/app', minors: true },
  ];
  /** How the next visit at a bank ends; null: the bank says who it is. */
  bankOutcome: Json | null = null;
  /** The person whom the bank names has an account. */
  moves = false;
  /** The number is another account's. */
  takesNumber = false;
  landingCode = '730154';
  actions: Action[] = [];
  account: 'active' | 'blocked' = 'active';
  /** '' once somebody else has it. */
  phoneNumber = '+32470123456';
  /** The log of the installation, oldest first; it holds nothing but this account. */
  history: { kind: string; at: number; detail: Detail }[] = [];
  /** Of the account, and of the sentences of refusals. */
  language = 'fr';
  /** Who asked when the holder said "this was not me". */
  mutes: { domain: string; at: number; until: number }[] = [];
  /** Notifications of the bound phone, and what it subscribes with. */
  push: { state: 'on' | 'off' | 'ended'; given: Json | null } = { state: 'off', given: null };
  pushKey = b64(randomBytes(65));
  /** A comment at the end of the worker: another version of the app. */
  workerVersion = '';
  /** What came in, for assertions. */
  readonly seen: { method: string; path: string; body: unknown }[] = [];

  // ---- the phone that is bound ----
  bound: {
    jwk: device.PublicJwk;
    did: string;
    pk: Bytes;
    name: string;
    ratchet: Bytes;
    previous: Bytes | null;
  } | null = null;
  #session: MockSession | null = null;
  #finished: { body: string; answer: unknown } | null = null;
  #vault!: CryptoKeyPair;
  #vaultJwk!: device.PublicJwk;
  readonly #onAnswered: (() => void)[] = [];
  readonly #nonces = new Set<string>();
  readonly #pageStreams = new Set<ServerResponse>();
  /** What /d/enrol/finish or /d/passkey/on brought, while the fingerprint is on. */
  passkey: string | null = null;
  #passkeyChallenge = '';
  readonly #phoneStreams = new Set<ServerResponse>();
  readonly #signInStreams = new Set<ServerResponse>();

  private constructor(dist: string) {
    this.#dist = dist;
  }

  static async start(
    dist = fileURLToPath(new URL('../dist', import.meta.url)),
    ports: [number, number] = [0, 0],
  ): Promise<Mock> {
    const mock = new Mock(dist);
    mock.#vault = (await subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, [
      'deriveBits',
    ])) as CryptoKeyPair;
    const { x, y } = await subtle.exportKey('jwk', mock.#vault.publicKey);
    mock.#vaultJwk = { kty: 'EC', crv: 'P-256', x: x!, y: y! };
    mock.idUrl = await mock.#listen(ports[0], (request, response, path, body) =>
      mock.#id(request, response, path, body),
    );
    mock.phoneUrl = await mock.#listen(ports[1], (...io) => mock.#phone(...io));
    mock.bankUrl = await mock.#listen(0, async (request, response) => mock.#bank(request, response));
    return mock;
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  }

  // ---- steering ----

  /** Until the next request is answered. */
  change(): Promise<void> {
    return new Promise((done) => this.#onAnswered.push(done));
  }

  /** The enrolment page hears of it at once. */
  setEnrolment(change: Record<string, unknown> | null): void {
    this.enrolment = change === null ? null : { ...this.enrolment, ...change };
    for (const stream of this.#pageStreams) this.#event(stream, 'state', this.enrolment);
  }

  addAction(
    part: {
      claims?: device.Claim[];
      lifetime?: number;
      right?: string;
      muted?: boolean;
      tx?: Record<string, unknown>;
    } = {},
  ): Action {
    const id = b64(randomBytes(16));
    const expires_at = now() + (part.lifetime ?? 180);
    const right = part.right ?? 'boat';
    const tx = {
      v: 1,
      action: id,
      nonce: b64(randomBytes(16)),
      did: this.bound?.did,
      partner: { name: { fr: 'Banque Démo', nl: 'Demobank', de: 'Demobank', en: 'Demo Bank' }, domain: 'bank.example' },
      verb: 'log_in',
      claims: part.claims ?? [
        { name: 'name', required: true },
        { name: 'birthdate', required: true },
        { name: 'email', required: false },
      ],
      from: { browser: 'Firefox – Windows', place: 'Gent' },
      created_at: now(),
      expires_at,
      entry: 'number',
      symbols: ['sun', right, 'dog', 'pizza', 'guitar', 'bicycle'],
      ...part.tx,
    };
    const action: Action = {
      id,
      created_at: now(),
      expires_at,
      state: 'waiting',
      tx,
      right,
      muted: part.muted ?? false,
    };
    this.actions.push(action);
    this.tellPhones();
    return action;
  }

  tellPhones(): void {
    for (const stream of this.#phoneStreams) this.#event(stream, 'pending', this.#pending());
  }

  /** The phone is bound no more: its stream ends, and its next request is refused. */
  unbind(outcome: string): void {
    this.bound = null;
    for (const stream of this.#phoneStreams) this.#event(stream, 'ended', { outcome });
  }

  signIn(state: Record<string, unknown>): void {
    for (const stream of this.#signInStreams) this.#event(stream, 'state', state);
  }

  /** The stream breaks, as a network does. */
  cutStreams(): void {
    for (const stream of [...this.#pageStreams, ...this.#phoneStreams]) stream.destroy();
  }

  // ---- id origin ----

  async #id(request: IncomingMessage, response: ServerResponse, path: string, body: Json): Promise<void> {
    if (path === '/') return this.#redirect(response, '/fr/');
    if (path === '/enrolment/person-check')
      return this.#json(response, {
        parameters: {
          algorithm: 'PBKDF2/SHA-256',
          cost: 1000,
          expiresAt: now() + 600,
          keyLength: 32,
          keyPrefix: '0',
          nonce: randomBytes(16).toString('hex'),
          salt: randomBytes(16).toString('hex'),
        },
        signature: randomBytes(32).toString('hex'),
      });
    if (path === '/enrolment/events') {
      if (!this.enrolment)
        return this.#refuse(response, 404, 'enrolment_unknown', 'Aucune inscription n’est en cours.');
      return this.#stream(response, this.#pageStreams, 'state', this.enrolment);
    }
    if (path === '/enrolment/contract.pdf') {
      response.writeHead(200, { 'Content-Type': 'application/pdf' });
      return void response.end('%PDF-1.4\n%%EOF\n');
    }
    if (path === '/enrolment' && request.method === 'GET') {
      if (!this.enrolment)
        return this.#refuse(response, 404, 'enrolment_unknown', 'Aucune inscription n’est en cours.');
      return this.#json(response, this.enrolment);
    }
    if (path === '/enrolment' && request.method === 'POST') {
      if (!String(body['number']).includes('470'))
        return this.#refuse(response, 422, 'phone_number_invalid', 'Ce numéro de téléphone n’est pas complet.', {
          field: 'number',
        });
      if (!(body['person_check'] as Json)?.['solution'])
        return this.#refuse(response, 422, 'person_check_failed', 'La vérification n’a pas réussi.');
      this.setEnrolment(cardStep(String(body['language']), String(body['email'])));
      return this.#json(response, this.enrolment, 201);
    }
    switch (path) {
      case '/enrolment/link':
        this.setEnrolment({
          link: 'symbolon-eid://localhost:8400/NEWTICKETNEWTICKET',
          command: 'symbolon-eid symbolon-eid://localhost:8400/NEWTICKETNEWTICKET',
          link_expires_at: now() + 600,
          progress: null,
        });
        return this.#json(response, this.enrolment);
      case '/enrolment/web-eid/nonce':
        return this.#json(response, { nonce: 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=', expires_at: now() + 300 });
      case '/enrolment/web-eid':
        this.webEidToken = String(body['token']);
        this.setEnrolment({ ...phoneStep(this.phoneUrl, this.token), moves: true, web_eid: true });
        return this.#json(response, this.enrolment);
      case '/enrolment/sign':
        this.setEnrolment({ ...signStep() });
        return this.#json(response, this.enrolment);
      case '/enrolment/token':
        this.setEnrolment({ ...phoneStep(this.phoneUrl, this.token) });
        return this.#json(response, this.enrolment);
      case '/enrolment/undo':
        this.setEnrolment({
          step: 'ended',
          outcome: {
            outcome: 'enrolment_undone',
            text: 'Le lien avec ce téléphone a été annulé.',
            way_out: 'start_over',
          },
        });
        return this.#json(response, this.enrolment);
      case '/enrolment/cancel':
        this.setEnrolment({
          step: 'ended',
          outcome: { outcome: 'cancelled', text: 'L’opération a été arrêtée avant la fin.', way_out: 'start_over' },
        });
        return this.#json(response, this.enrolment);
      case '/sign-in/S1':
        return this.#html(response, signInPage(now() + 180));
      case '/sign-in/S1/form':
        return this.#html(response, signInForm());
      case '/sign-in/S1/events':
        return this.#stream(response, this.#signInStreams, 'state', { at: 'waiting' });
      case '/sign-in/S1/continue':
        return this.#html(
          response,
          '<!doctype html><html lang="fr"><title>x</title><body><main><h1 id="arrived">Partenaire</h1></main></body></html>',
        );
    }
    return this.#file(response, 'id', path);
  }

  // ---- phone origin ----

  async #phone(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    body: Json,
    raw: string,
  ): Promise<void> {
    if (path === '/bank/return') return this.#bankReturn(request, response);
    if (!path.startsWith('/d/'))
      return path === '/' ? this.#redirect(response, '/app/') : this.#file(response, 'phone', path);
    switch (path) {
      case '/d/nonce':
        return this.#json(response, { nonce: this.#newNonce(), expires_at: now() + 300 });
      case '/d/enrol/start':
        return this.#enrolStart(response, body);
      case '/d/banks':
        return this.#json(response, { banks: this.banks });
      case '/d/enrol/bank':
        if (!String(body['number']).includes('470'))
          return this.#refuse(response, 422, 'phone_number_invalid', 'Ce numéro n’est pas complet.', { field: 'number' });
        this.#finished = null;
        this.#session = { id: b64(randomBytes(32)), nonce: new Uint8Array(randomBytes(32)), step: 'bank' };
        return this.#json(response, { session: this.#session.id, language: body['language'] });
      case '/d/enrol/bank/visit':
      case '/d/enrol/bank/landing':
      case '/d/enrol/bank/again':
        return this.#bankStep(response, path, body);
      case '/d/enrol/sms-again':
        this.smsAgainAt = now() + 30;
        this.smsFailure = null;
        return this.#json(response, { sms_again_at: this.smsAgainAt });
      case '/d/enrol/sms':
        if (body['session'] !== this.#session?.id)
          return this.#refuse(response, 404, 'enrolment_unknown', 'Session inconnue.');
        if (body['code'] !== this.smsCode)
          return this.#refuse(response, 403, 'sms_code_wrong', 'Ce n’est pas le code du dernier SMS.', {
            tries_left: 2,
          });
        this.#session!.step = 'code';
        return this.#json(response, { code_rules: codeRules, ...(this.takesNumber ? { takes_number: true } : {}) });
      case '/d/enrol/state': {
        if (request.headers['symbolon-enrolment'] !== this.#session?.id)
          return this.#refuse(response, 404, 'enrolment_unknown', 'Session inconnue.');
        const { step, bank, outcome } = this.#session!;
        const early = step === 'bank' || step === 'landed';
        return this.#json(response, {
          ...(early ? { language: this.language } : this.#sessionAnswer()),
          step,
          ...(bank ? { bank } : {}),
          ...(outcome ? { outcome } : {}),
          ...(this.moves && bank && !early ? { moves: true } : {}),
          ...(early || step === 'sms' ? {} : { code_rules: codeRules, ...(this.takesNumber ? { takes_number: true } : {}) }),
          ...(this.smsFailure ? { sms_failure: this.smsFailure } : {}),
        });
      }
      case '/d/enrol/finish':
        return this.#enrolFinish(response, body as unknown as device.EnrolmentFinish & { session: string }, raw);
    }
    if (path === '/d/passkey/on') return this.#passkeyOn(response, body as unknown as device.PasskeyOn);
    const answer = /^\/d\/actions\/([^/]+)\/answer$/.exec(path);
    if (answer) return this.#answer(response, answer[1]!, body as unknown as device.Answer);

    const refused = await this.#judgeRequest(request, path, raw);
    if (refused) return this.#refuse(response, 401, refused, 'Ce téléphone n’est lié à aucun compte.');
    response.setHeader('Symbolon-Nonce', this.#newNonce());
    const show = /^\/d\/actions\/([^/]+)\/show$/.exec(path);
    if (show) {
      const action = this.actions.find(({ id }) => id === show[1]);
      if (!action) return this.#refuse(response, 404, 'action_unknown', 'Cette demande n’existe pas, ou plus.');
      action.state = 'shown';
      return this.#json(response, { tx: b64(this.#txBytes(action)), expires_at: action.expires_at });
    }
    if (path === '/d/passkey/challenge') {
      this.#passkeyChallenge = b64(randomBytes(32));
      return this.#json(response, { challenge: this.#passkeyChallenge, expires_at: now() + 300 });
    }
    if (path === '/d/passkey/off') {
      this.passkey = null;
      return this.#json(response, { passkey: false });
    }
    if (path === '/d/me')
      return this.#json(response, {
        account: { state: this.account, phone_number: this.phoneNumber, language: this.language },
        device: { did: this.bound!.did, name: this.bound!.name, bound_at: now() - 60, code_version: 1, passkey: !!this.passkey },
        mutes: this.mutes,
      });
    if (path === '/d/push' && request.method === 'POST') this.push = { state: 'on', given: body };
    if (path === '/d/push/off') this.push = { state: 'off', given: null };
    if (path.startsWith('/d/push')) return this.#json(response, await this.#pushState());
    if (path === '/d/history') return this.#json(response, await this.#historyAnswer());
    if (path === '/d/pending') return this.#json(response, this.#pending());
    if (path === '/d/events') return this.#stream(response, this.#phoneStreams, 'pending', this.#pending());
    return this.#refuse(response, 404, 'not_found', 'Inconnu.');
  }

  /** docs/device-protocol.md §5: every entry, in a log that begins anew each time. */
  async #historyAnswer() {
    const zeros = b64(new Uint8Array(32));
    const entries = await Promise.all(
      this.history.map(async ({ kind, at, detail }, i) => {
        const body = utf8(JSON.stringify({ event: kind, detail: JSON.stringify(detail) }));
        const content = b64(await device.sha256(body));
        const logged = { sequence: i + 1, at, kind, id: `H${i}`, account: zeros, content, previous: zeros };
        return { ...logged, body: b64(body), leaf: unb64(await leafHash(logged))! };
      }),
    );
    const leaves = entries.map(({ leaf }) => leaf);
    const pair = (await subtle.generateKey(p256, true, ['sign', 'verify'])) as CryptoKeyPair;
    const { kty, crv, x, y } = await subtle.exportKey('jwk', pair.publicKey);
    const said = [
      { alg: 'ES256', typ: 'symbolon-log-head+jws' },
      { size: leaves.length, root: b64(await rootOf(leaves)) },
    ].map((part) => b64(utf8(JSON.stringify(part))));
    const signature = await subtle.sign(ecdsa, pair.privateKey, utf8(said.join('.')));
    const proven = entries.map(async ({ leaf: _, ...entry }, i) => ({
      ...entry,
      path: (await pathOf(i, leaves)).map(b64),
    }));
    return {
      entries: (await Promise.all(proven)).reverse(),
      head: [...said, b64(new Uint8Array(signature))].join('.'),
      key: { kty, crv, x, y },
      consistency: [],
      more: false,
    };
  }

  async #pushState() {
    const { state, given } = this.push;
    const endpoint = state === 'on' ? utf8(String(given!['endpoint'])) : null;
    return {
      state,
      endpoint_hash: endpoint ? b64(await device.sha256(endpoint)) : '',
      language: given?.['language'] ?? '',
      public_key: this.pushKey,
    };
  }

  #sessionAnswer() {
    return {
      nonce: b64(this.#session!.nonce),
      vault_key: this.#vaultJwk,
      language: this.language,
      sms_again_at: this.smsAgainAt,
    };
  }

  #enrolStart(response: ServerResponse, body: Json): void {
    if (body['token'] !== this.token || !String(body['number']).includes('470'))
      return this.#refuse(
        response,
        403,
        'identification_token_wrong',
        'Le numéro et le code d’identification ne correspondent pas.',
        { tries_left: 4 },
      );
    this.smsAgainAt = now() + 30;
    this.#finished = null;
    this.#session = { id: b64(randomBytes(32)), nonce: new Uint8Array(randomBytes(32)), step: 'sms' };
    this.#json(response, { session: this.#session.id, ...this.#sessionAnswer() });
  }

  // ---- the banks ----

  #bankStep(response: ServerResponse, path: string, body: Json): void {
    const session = this.#session;
    if (!session || body['session'] !== session.id)
      return this.#refuse(response, 404, 'enrolment_unknown', 'Session inconnue.');
    if (path.endsWith('again')) {
      // In `bank` what was told stays told.
      if (session.step !== 'bank') delete session.outcome;
      session.step = 'bank';
      delete session.state;
      return this.#json(response, {});
    }
    if (path.endsWith('landing')) {
      const again = session.step === 'sms' && body['code'] === this.landingCode;
      if (session.step !== 'landed' && !again) return this.#refuse(response, 409, 'enrolment_step_wrong', 'Une autre étape.');
      if (body['code'] === this.landingCode) return (this.#identified(), this.#json(response, { sms_again_at: this.smsAgainAt, sms_sent: true }));
      session.landingTries = (session.landingTries ?? 3) - 1;
      if (session.landingTries > 0)
        return this.#refuse(response, 403, 'landing_code_wrong', 'Faux.', { tries_left: session.landingTries });
      session.step = 'bank';
      session.outcome = { ...this.#said('tries_used_up'), open_at: now() };
      return this.#refuse(response, 429, 'tries_used_up', 'Tous les essais sont utilisés.', { open_at: now() });
    }
    const bank = this.banks.find(({ id }) => id === body['bank']);
    if (!bank) return this.#refuse(response, 404, 'bank_unknown', 'Banque inconnue.');
    Object.assign(session, { step: 'bank', bank: { id: bank.id, name: bank.name }, state: b64(randomBytes(32)), outcome: undefined, landingTries: 3 });
    response.setHeader('Set-Cookie', `__Host-symbolon-bank=${session.state}; Path=/; Secure; HttpOnly; SameSite=Lax`);
    this.#json(response, { url: `${this.bankUrl}/${bank.id}?state=${session.state}` });
  }

  #identified(): void {
    this.#session!.step = 'sms';
    this.smsAgainAt = now() + 30;
  }

  #said(outcome: string): Json {
    return { outcome, text: outcomeText(this.language, outcome) ?? outcome, way_out: 'choose_another' };
  }

  #bank(request: IncomingMessage, response: ServerResponse): void {
    const state = new URL(request.url!, this.bankUrl).searchParams.get('state');
    const back = `${this.phoneUrl}/bank/return?state=${state}`;
    this.#html(
      response,
      `<!doctype html><html lang="fr"><title>Banque</title><body><main><h1>Banque</h1>
<p><a id="identify" href="${back}&amp;code=1">Continuer</a></p><p><a id="cancel" href="${back}&amp;error=access_denied">Annuler</a></p></main></body></html>`,
    );
  }

  #bankReturn(request: IncomingMessage, response: ServerResponse): void {
    const query = new URL(request.url!, this.phoneUrl).searchParams;
    const session = this.#session;
    if (!session?.state || query.get('state') !== session.state)
      return this.#html(response, `<!doctype html><html lang="fr"><title>x</title><h1 id="ended">bank_visit_unknown</h1></html>`);
    const here = (request.headers.cookie ?? '').includes(`__Host-symbolon-bank=${session.state}`);
    delete session.state;
    session.outcome = query.has('error') ? this.#said('bank_cancelled') : (this.bankOutcome ?? undefined);
    if (!session.outcome) {
      if (here) this.#identified();
      else session.step = 'landed';
    }
    if (here) return void response.writeHead(303, { Location: '/app/' }).end();
    const said = session.outcome ? `<h1 id="ended">Terminé</h1>` : `<h1>Votre code</h1><p id="landing-code" data-code="${this.landingCode}">${this.landingCode}</p>`;
    this.#html(response, `<!doctype html><html lang="fr"><title>x</title><main>${said}</main></html>`);
  }

  async #enrolFinish(
    response: ServerResponse,
    body: device.EnrolmentFinish & { session: string },
    raw: string,
  ): Promise<void> {
    if (this.#finished?.body === raw) return this.#json(response, this.#finished.answer);
    const session = this.#session;
    if (!session || body.session !== session.id)
      return this.#refuse(response, 404, 'enrolment_unknown', 'Session inconnue.');
    if (session.step !== 'code') return this.#refuse(response, 409, 'enrolment_step_wrong', 'Une autre étape.');
    const did = await device.thumbprint(body.device_key);
    const sealed = unb64(body.code_key)!;
    const x = await device.enrolString(session.nonce, did, 1, sealed, body.name, unb64(body.passkey)!);
    if (!(await verifyDevice(body.device_key, unb64(body.signature)!, x)))
      return this.#refuse(response, 401, 'device_signature_invalid', 'Signature.');
    const e = device.codeKeyString(session.nonce, did, 1);
    const opened = await this.#open(sealed, e);
    const pk = opened?.slice(0, 32);
    if (!pk || !(await verifyCode(pk, opened!.slice(32), e)))
      return this.#refuse(response, 400, 'proof_malformed', 'Preuve.');
    session.step = 'done';
    this.bound = {
      jwk: body.device_key,
      did,
      pk,
      name: body.name,
      ratchet: new Uint8Array(randomBytes(16)),
      previous: null,
    };
    this.passkey = body.passkey || null;
    const answer = {
      account: { phone_number: '+32470123456', language: this.language },
      did,
      ratchet: b64(this.bound.ratchet),
    };
    this.#finished = { body: raw, answer };
    if (this.enrolment) this.setEnrolment(doneStep(body.name));
    this.#json(response, answer);
  }

  async #judgeRequest(request: IncomingMessage, path: string, raw: string): Promise<string | null> {
    const match = /^Symbolon-Device did=([\w-]{43}), nonce=([\w-]+), signature=([\w-]{86})$/.exec(
      request.headers.authorization ?? '',
    );
    if (!match) return 'device_signature_invalid';
    const [, did, nonce, signature] = match;
    if (!this.#nonces.has(nonce!)) return 'device_nonce_needed';
    if (did !== this.bound?.did) return 'device_unknown';
    const text = await device.requestString(request.method!, path, nonce!, utf8(raw));
    return (await verifyDevice(this.bound!.jwk, unb64(signature!)!, text)) ? null : 'device_signature_invalid';
  }

  async #answer(response: ServerResponse, id: string, body: device.Answer): Promise<void> {
    const bound = this.bound;
    if (!bound || body.did !== bound.did)
      return this.#refuse(response, 401, 'device_unknown', 'Ce téléphone n’est lié à aucun compte.');
    const action = this.actions.find((each) => each.id === id);
    if (!action) return this.#refuse(response, 404, 'action_unknown', 'Cette demande n’existe pas, ou plus.');
    const h = await device.sha256(this.#txBytes(action));
    const ratchet = unb64(body.ratchet)!;
    const m = device.answerString(unb64(body.shown)!, body.did, body, ratchet);
    const proof = unb64(body.proof)!;
    if (!(await verifyDevice(bound.jwk, unb64(body.signature)!, await device.answerSignatureString(m, proof))))
      return this.#refuse(response, 401, 'device_signature_invalid', 'Signature.');
    if (!equal(h, unb64(body.shown)!)) return this.#refuse(response, 409, 'action_not_shown', 'Pas affichée.');
    if (!equal(ratchet, bound.ratchet) && !(bound.previous && equal(ratchet, bound.previous)))
      return this.#refuse(response, 403, 'device_clone_suspected', 'Une deuxième copie de ce téléphone a été vue.');
    const close = (state: string) => {
      this.actions = this.actions.filter((each) => each.id !== id);
      Object.assign(action, { state, record: body });
      this.tellPhones();
    };
    if (body.answer === 'refuse') {
      close('refused');
      return this.#json(response, { state: 'refused' });
    }
    if (body.symbol !== action.right) {
      close('failed');
      return this.#refuse(
        response,
        403,
        'symbol_wrong',
        'Ce n’est pas le symbole de la page de connexion ; la demande est donc terminée.',
      );
    }
    if (body.method === 'passkey') {
      if (!this.passkey)
        return this.#refuse(response, 409, 'passkey_unknown', 'L’empreinte n’est pas activée sur ce téléphone.');
      // What was signed, not by whom: that the real server judges.
      if (!Buffer.from(proof).toString('latin1').includes(`"challenge":"${b64(await device.sha256(m))}"`))
        return this.#refuse(response, 403, 'passkey_wrong', 'L’empreinte n’a pas pu être vérifiée.');
    } else if (!(await this.#rightCode(proof, device.proofString(id, body.did, 1), m))) {
      this.codeTries--;
      if (this.codeTries > 0)
        return this.#refuse(response, 403, 'code_wrong', 'Le code est incorrect. Vérifiez-le et retapez-le.', {
          tries_left: this.codeTries,
        });
      this.account = 'blocked';
      close('failed');
      return this.#refuse(
        response,
        403,
        'code_blocked',
        'Le code était erroné trois fois ; le compte est donc bloqué.',
      );
    }
    if (body.method === 'code') this.codeTries = 3;
    bound.previous = ratchet;
    bound.ratchet = new Uint8Array(randomBytes(16));
    close('approved');
    this.#json(response, { state: 'approved', ratchet: b64(bound.ratchet) });
  }

  async #rightCode(proof: Bytes, place: Bytes, m: Bytes): Promise<boolean> {
    const signature = await this.#open(proof, place);
    return !!signature && (await verifyCode(this.bound!.pk, signature, m));
  }

  async #passkeyOn(response: ServerResponse, body: device.PasskeyOn): Promise<void> {
    const bound = this.bound!;
    if (body.challenge !== this.#passkeyChallenge)
      return this.#refuse(response, 410, 'passkey_expired', 'L’activation de l’empreinte a pris trop de temps.');
    const [ratchet, passkey, proof] = [body.ratchet, body.passkey, body.proof].map((text) => unb64(text)!);
    const m = await device.passkeyOnString(unb64(body.challenge)!, body.did, ratchet!, passkey!);
    const place = device.proofString(`passkey-on.${body.challenge}`, body.did, 1);
    if (!(await this.#rightCode(proof!, place, m)))
      return this.#refuse(response, 403, 'code_wrong', 'Le code est incorrect. Vérifiez-le et retapez-le.', {
        tries_left: 2,
      });
    this.#passkeyChallenge = '';
    this.passkey = body.passkey;
    bound.previous = ratchet!;
    bound.ratchet = new Uint8Array(randomBytes(16));
    this.#json(response, { passkey: true, ratchet: b64(bound.ratchet) });
  }

  #txBytes(action: Action): Bytes {
    return utf8(JSON.stringify(action.tx));
  }

  #pending() {
    const open = this.account === 'blocked' ? [] : this.actions.filter(({ expires_at }) => expires_at > now());
    const ringing = open.find(({ muted }) => !muted);
    return {
      actions: open.map((action) => {
        const { id, created_at, expires_at, state, muted, tx } = action;
        const { partner, from } = tx as { partner: unknown; from: { browser: string } };
        const { browser } = from;
        return { id, created_at, expires_at, state, muted, rings: action === ringing, partner, browser };
      }),
      now: now(),
    };
  }

  #newNonce(): string {
    const nonce = b64(randomBytes(24));
    this.#nonces.add(nonce);
    return nonce;
  }

  forgetNonces(): void {
    this.#nonces.clear();
  }

  /** docs/device-protocol.md §2 Seal, from the vault's side. */
  async #open(sealed: Bytes, aad: Bytes): Promise<Bytes | null> {
    try {
      const from = sealed.slice(0, 65);
      const ecdh = { name: 'ECDH', namedCurve: 'P-256' };
      const sender = await subtle.importKey('raw', from, ecdh, true, []);
      const z = await subtle.deriveBits({ name: 'ECDH', public: sender }, this.#vault.privateKey, 256);
      const ikm = await subtle.importKey('raw', z, 'HKDF', false, ['deriveBits']);
      const salt = concat(from, new Uint8Array(await subtle.exportKey('raw', this.#vault.publicKey)));
      const okm = new Uint8Array(
        await subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info: utf8('symbolon-seal-v1') }, ikm, 352),
      );
      const key = await subtle.importKey('raw', okm.slice(0, 32), 'AES-GCM', false, ['decrypt']);
      return new Uint8Array(
        await subtle.decrypt({ name: 'AES-GCM', iv: okm.slice(32), additionalData: aad }, key, sealed.slice(65)),
      );
    } catch {
      return null;
    }
  }

  // ---- HTTP ----

  async #listen(
    port: number,
    handle: (
      request: IncomingMessage,
      response: ServerResponse,
      path: string,
      body: Json,
      raw: string,
    ) => Promise<void>,
  ): Promise<string> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const raw = Buffer.concat(chunks).toString();
        const path = request.url!.split('?')[0]!;
        const body = raw ? (JSON.parse(raw) as Json) : {};
        response.on('finish', () => this.#onAnswered.splice(0).forEach((tell) => tell()));
        this.seen.push({ method: request.method!, path, body });
        const refusal = this.refuseOnce.get(`${request.method} ${path}`);
        if (refusal) {
          this.refuseOnce.delete(`${request.method} ${path}`);
          if (refusal.status === 0) return void response.destroy();
          return this.#json(response, refusal.body, refusal.status);
        }
        if (path === '/site')
          return this.#json(response, { test_pki: this.testPki, phone_url: this.phoneUrl, id_url: this.idUrl });
        handle(request, response, path, body, raw).catch((error: unknown) => {
          console.error(error);
          response.writeHead(500).end();
        });
      });
    });
    this.#servers.push(server);
    await new Promise<void>((done) => server.listen(port, 'localhost', done));
    const address = server.address();
    return `http://localhost:${typeof address === 'object' && address ? address.port : port}`;
  }

  #json(response: ServerResponse, content: unknown, status = 200): void {
    response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
    response.end(JSON.stringify(content));
  }

  #refuse(response: ServerResponse, status: number, outcome: string, text: string, more: Json = {}): void {
    const said = outcomeText(this.language, outcome) ?? text;
    this.#json(response, { outcome, text: said, way_out: 'correct_it', ...more }, status);
  }

  #redirect(response: ServerResponse, to: string): void {
    response.writeHead(302, { Location: to }).end();
  }

  #html(response: ServerResponse, content: string): void {
    response.writeHead(200, {
      'Content-Type': types['.html'],
      'Content-Security-Policy': csp,
      'Cache-Control': 'no-cache',
    });
    response.end(content);
  }

  #stream(response: ServerResponse, streams: Set<ServerResponse>, name: string, first: unknown): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    streams.add(response);
    response.on('close', () => streams.delete(response));
    this.#event(response, name, first);
  }

  #event(response: ServerResponse, name: string, content: unknown): void {
    response.write(`event: ${name}\ndata: ${JSON.stringify(content)}\n\n`);
  }

  async #file(response: ServerResponse, origin: 'id' | 'phone', path: string): Promise<void> {
    const clean = normalize(decodeURIComponent(path));
    const file = join(this.#dist, origin, clean.endsWith('/') ? `${clean}index.html` : clean);
    try {
      const content = await readFile(file);
      const type = types[extname(file)] ?? 'application/octet-stream';
      const headers: Record<string, string> = {
        'Content-Type': type,
        'X-Content-Type-Options': 'nosniff',
        'Cache-Control': 'no-cache',
      };
      if (type.startsWith('text/html')) headers['Content-Security-Policy'] = csp;
      response.writeHead(200, headers).end(clean === '/app/sw.js' ? `${content}\n//${this.workerVersion}` : content);
    } catch {
      this.#refuse(response, 404, 'not_found', 'Cette page n’existe pas, ou plus.');
    }
  }
}

type Json = Record<string, unknown>;
/** `state`: of the visit at the bank that is open. */
type MockSession = {
  id: string;
  nonce: Bytes;
  step: string;
  bank?: { id: string; name: string };
  state?: string;
  outcome?: Json | undefined;
  landingTries?: number;
};

// RFC 9162 §2.1, over hashes of leaves.
const split = (size: number) => 2 ** Math.floor(Math.log2(size - 1));

async function rootOf(leaves: Bytes[]): Promise<Bytes> {
  if (leaves.length < 2) return leaves[0] ?? device.sha256(new Uint8Array());
  const k = split(leaves.length);
  return device.sha256(concat(new Uint8Array([1]), await rootOf(leaves.slice(0, k)), await rootOf(leaves.slice(k))));
}

async function pathOf(index: number, leaves: Bytes[]): Promise<Bytes[]> {
  if (leaves.length < 2) return [];
  const k = split(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return index < k
    ? [...(await pathOf(index, left)), await rootOf(right)]
    : [...(await pathOf(index - k, right)), await rootOf(left)];
}

const outcomeTexts: Record<string, Record<string, string>> = {};

/** What the real server says of an outcome. */
export function outcomeText(language: string, outcome: string): string | undefined {
  const file = new URL(`../../texts/outcomes.${language}.json`, import.meta.url);
  outcomeTexts[language] ??= JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  return outcomeTexts[language][outcome];
}

async function verifyDevice(jwk: device.PublicJwk, signature: Bytes, message: Bytes): Promise<boolean> {
  return subtle.verify(ecdsa, await subtle.importKey('jwk', jwk, p256, true, ['verify']), signature, message);
}

async function verifyCode(pk: Bytes, signature: Bytes, message: Bytes): Promise<boolean> {
  return subtle.verify('Ed25519', await subtle.importKey('raw', pk, 'Ed25519', true, ['verify']), signature, message);
}

export const codeRules = { birth_date: ['30078', '19850'], number: ['04701', '24701'], common: ['11235', '14789'] };

export function cardStep(language = 'fr', email = 'marie@exemple.be'): Json {
  const link = 'symbolon-eid://localhost:8400/q3v8Xb0fJmK2sT7wYz1LpQ';
  return {
    step: 'card',
    language,
    phone_number: '+32470123456',
    email,
    link,
    command: `symbolon-eid ${link}`,
    link_expires_at: now() + 600,
    symbol: 'boat',
    progress: null,
    test_pki: true,
  };
}

export const person = {
  name: 'Marie-Louise Van den Bossche',
  birth_date: '1953-07-30',
  national_number_last: '…60',
  address: 'Rue de la Loi 16, 1000 Bruxelles',
  card_number_last: '…8912',
  valid_until: '2031-05-04',
};

export const reviewStep = (): Json => ({ step: 'review', person, link: undefined, progress: null });
export const signStep = (): Json => ({ ...cardStep(), step: 'sign', person });

export function phoneStep(phoneUrl: string, token: string): Json {
  return {
    step: 'phone',
    person,
    token,
    token_qr: `${phoneUrl}/app/#token=${encodeURIComponent(token)}`,
    token_expires_at: now() + 1800,
    token_tries_left: 5,
    outcome: null,
  };
}

export const doneStep = (name: string): Json => ({
  step: 'done',
  phone: { name, bound_at: now() },
  can_undo: true,
  token: undefined,
});

const signInFrame = (content: string) => `<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Connexion – Symbolon</title>
<link rel="stylesheet" href="/assets/sign-in.css"><script type="module" src="/assets/sign-in.js"></script></head>
<body data-test-banner="Installation d’essai."><header class="top"><a class="brand" href="/fr/">Symbolon</a></header><main id="content">${content}</main></body></html>`;

const signInPage = (expires: number) =>
  signInFrame(`<h1>Connexion à <span class="partner-name">Banque Démo</span></h1>
<section id="waiting" class="stack" data-events="/sign-in/S1/events" data-continue="/sign-in/S1/continue" data-expires="${expires}">
<ol class="steps-list"><li>Ouvrez Symbolon sur votre téléphone.</li><li>Choisissez ce symbole sur votre téléphone :
<p class="symbol-shown"><svg class="symbol" viewBox="0 0 256 256" aria-hidden="true"><use href="/assets/symbols.svg#boat"></use></svg>
<span class="symbol-name">bateau</span></p></li></ol>
<p id="status" role="status" data-shown="Votre téléphone affiche la demande." data-approved="C’est confirmé.">Ouvrez Symbolon sur votre téléphone et choisissez ce symbole.</p>
<p id="countdown" data-text="Encore {time}"></p><p id="announce" class="visually-hidden" role="status"></p>
<p id="hint" hidden>Rien sur votre téléphone ? Ouvrez l’application : la demande s’y trouve.</p></section>
<form method="post"><button class="button" name="cancel" value="1">Annuler</button></form>`);

const signInForm = () =>
  signInFrame(`<h1>Connexion à <span class="partner-name">Banque Démo</span></h1>
<form class="card" method="post" action="/sign-in/S1"><div class="number-fields">
<div class="field"><label for="calling_code">Indicatif</label><select id="calling_code" name="calling_code"><option value="32">Belgique +32</option></select></div>
<div class="field"><label for="identifier">Numéro de mobile</label><input id="identifier" name="identifier" type="tel" autocomplete="tel-national" inputmode="tel"></div></div>
<div class="row"><button class="button main" name="continue" value="1">Continuer</button><button class="button" name="cancel" value="1">Annuler</button></div></form>`);
