#include "device/vectors.hpp"

#include "base/ensure.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/seal.hpp"
#include "device/code_rules.hpp"
#include "device/fingerprint.hpp"
#include "device/messages.hpp"
#include "device/phone.hpp"
#include "device/shown.hpp"
#include "vault/statement.hpp"

namespace symbolon::device {

namespace {

using crypto::base64url;
using crypto::KeyType;
using crypto::PrivateKey;
using crypto::PublicKey;
using crypto::SignatureAlgorithm;

constexpr auto es256 = SignatureAlgorithm::es256;
constexpr auto eddsa = SignatureAlgorithm::eddsa;
constexpr std::string_view birth_date = "1985-07-30";
constexpr std::string_view number = "+32470123456";

json::Object key_pair(PrivateKey const& key)
{
    return {{"public", key.public_key().jwk()}, {"pkcs8", base64url(key.der().reveal())}};
}

json::Array array_of(std::initializer_list<std::string_view> texts)
{
    json::Array array;
    for (auto const text : texts) array.emplace_back(text);
    return array;
}

action::Action sample_action()
{
    action::Action action;
    action.id = ActionId{"AZrPcuVAT2uMlr7kE0dHfQ"};
    action.partner_names = {{Language::fr, "Banque Démo"}, {Language::en, "Demo Bank"}};
    action.partner_domain = "bank.example";
    action.claims = {{"given_name", true}, {"family_name", true}, {"email", false}};
    action.browser = "Firefox on Windows";
    action.symbols = {"boat", "cow", "sun", "tree", "dog", "tent"};
    action.created_at = instant_of(1'790'000'000);
    action.expires_at = instant_of(1'790'000'180);
    return action;
}

struct Keys {
    PrivateKey device = PrivateKey::generate(KeyType::ec_p256);
    PrivateKey vault = PrivateKey::generate(KeyType::ec_p256);
    PrivateKey grants = PrivateKey::generate(KeyType::ed25519);
    SecretBytes kh{crypto::system_random()->bytes(32)};
    DeviceId did{device.public_key().thumbprint()};
};

json::Object answer_vector(Keys const& keys, Answer answer, ActionId const& action, PrivateKey const& code_key)
{
    auto const message = message_of(answer);
    auto const context = vault::code_proof_context(action, keys.did, 1);
    Bytes code_signature;
    if (answer.decision == Answer::Decision::approve) {
        code_signature = code_key.sign(eddsa, message);
        answer.proof = crypto::seal_to(keys.vault.public_key(), code_signature, context);
    }
    auto const signed_bytes = answer_statement(message, answer.proof);
    answer.signature = keys.device.sign(es256, signed_bytes);
    return {{"body", *json::parse(write(answer))},
            {"m", base64url(message)},
            {"code_signature", base64url(code_signature)},
            {"proof_context", base64url(context)},
            {"signed", base64url(signed_bytes)}};
}

/// A passkey that is turned on with the code, and one approval with it.
json::Object passkey_vector(Keys const& keys, Shown const& shown, ByteView shown_bytes, PrivateKey const& code_key,
                            crypto::Random& random)
{
    PhonePasskey passkey{.authenticator = passkey::new_authenticator(random.bytes(nonce_bytes)),
                         .party = passkey::relying_party_at("https://phone.example")};
    PhoneState phone;
    phone.device_key = keys.device;
    phone.device = keys.did;
    phone.kh = SecretBytes{keys.kh.reveal()};
    phone.vault_key = keys.vault.public_key();
    phone.ratchet = random.bytes(ratchet_bytes);

    auto const nonce = random.bytes(nonce_bytes);
    auto const on = make_passkey_on(phone, passkey, nonce, SecretText{"38214"});
    auto const message = message_of(on);
    phone.passkey = passkey;
    auto const answer = make_answer(phone, shown, shown_bytes,
                                    {.decision = Answer::Decision::approve,
                                     .symbol = "boat",
                                     .code = {},
                                     .claims = std::vector<std::string>{"given_name", "family_name"},
                                     .reason = {}});
    auto const answered = message_of(answer);
    return {{"origin", passkey.party.origin},
            {"rp_id", passkey.party.id},
            {"nonce", base64url(nonce)},
            {"challenge", base64url(passkey_challenge(nonce, keys.did))},
            {"registration", base64url(on.passkey)},
            {"key", key_pair(passkey.authenticator.key)},
            {"on",
             json::Object{{"body", *json::parse(write(on))},
                          {"m", base64url(message)},
                          {"code_signature", base64url(code_key.sign(eddsa, message))},
                          {"proof_context", base64url(vault::code_proof_context(passkey_on_name(nonce), keys.did, 1))},
                          {"signed", base64url(passkey_on_statement(message, on.proof))}}},
            {"approve", json::Object{{"body", *json::parse(write(answer))},
                                     {"m", base64url(answered)},
                                     {"challenge", base64url(crypto::sha256(answered))},
                                     {"signed", base64url(answer_statement(answered, answer.proof))}}}};
}

// ---- checks ------------------------------------------------------------------------------------------------------

Result<Bytes> bytes_in(json::Object const& object, std::string_view name)
{
    return crypto::from_base64url(TRY(json::text(object, name)));
}

Result<void> same(ByteView expected, json::Object const& object, std::string_view name)
{
    if (string_of(TRY(bytes_in(object, name))) != text_of(expected))
        return fail(Outcome::request_malformed, "differs: " + std::string{name});
    return {};
}

Result<void> holds(bool what, std::string name)
{
    if (!what) return fail(Outcome::request_malformed, std::move(name));
    return {};
}

Result<PrivateKey> private_key(json::Object const& vectors, std::string_view name)
{
    auto const pair = TRY(json::object(vectors, name));
    auto key = TRY(PrivateKey::from_der(SecretBytes{TRY(bytes_in(pair, "pkcs8"))}));
    TRY(holds(key.public_key().jwk() == TRY(PublicKey::from_jwk(TRY(json::object(pair, "public")))).jwk(),
              "halves of " + std::string{name}));
    return key;
}

Result<void> check_answer(json::Object const& vector, json::Object const& vectors, Keys const& keys)
{
    auto const code = TRY(json::object(vectors, "code_key"));
    auto const pk = code_key(keys.kh, keys.did, 1, SecretText{TRY(json::text(code, "code"))}).public_key();
    auto const answer = TRY(parse_answer(json::write(TRY(json::object(vector, "body")))));
    TRY(holds(answer.device == keys.did, "did of an answer"));
    auto const message = message_of(answer);
    TRY(same(message, vector, "m"));
    auto const shown = TRY(json::object(vectors, "tx"));
    auto const action = TRY(parse_shown(TRY(bytes_in(shown, "bytes")))).action;
    auto const context = vault::code_proof_context(action, keys.did, 1);
    TRY(same(context, vector, "proof_context"));
    if (answer.decision == Answer::Decision::approve) {
        auto const signature = TRY(crypto::open_seal(keys.vault, answer.proof, context));
        TRY(same(signature.reveal(), vector, "code_signature"));
        TRY(holds(pk.verifies(eddsa, message, signature.reveal()), "code signature"));
    }
    auto const signed_bytes = answer_statement(message, answer.proof);
    TRY(same(signed_bytes, vector, "signed"));
    return holds(keys.device.public_key().verifies(es256, signed_bytes, answer.signature), "signature of an answer");
}

Result<void> check_passkey(json::Object const& vector, Keys const& keys, PublicKey const& code_key)
{
    passkey::RelyingParty const party{.origin = TRY(json::text(vector, "origin")),
                                      .id = TRY(json::text(vector, "rp_id"))};
    TRY(holds(passkey::relying_party_at(party.origin).id == party.id, "rp_id"));
    auto const nonce = TRY(bytes_in(vector, "nonce"));
    auto const challenge = passkey_challenge(nonce, keys.did);
    TRY(same(challenge, vector, "challenge"));
    auto const registration = TRY(passkey::parse_registration(TRY(bytes_in(vector, "registration"))));
    auto const credential = TRY(passkey::verify(registration, challenge, party));
    TRY(holds(credential.key.key.jwk() == TRY(private_key(vector, "key")).public_key().jwk(), "key of a passkey"));

    auto const turned = TRY(json::object(vector, "on"));
    auto const on = TRY(parse_passkey_on(json::write(TRY(json::object(turned, "body")))));
    TRY(same(on.passkey, vector, "registration"));
    auto const message = message_of(on);
    TRY(same(message, turned, "m"));
    auto const context = vault::code_proof_context(passkey_on_name(on.challenge), keys.did, 1);
    TRY(same(context, turned, "proof_context"));
    auto const signature = TRY(crypto::open_seal(keys.vault, on.proof, context));
    TRY(holds(code_key.verifies(eddsa, message, signature.reveal()), "code signature of a passkey"));
    auto const signed_bytes = passkey_on_statement(message, on.proof);
    TRY(same(signed_bytes, turned, "signed"));
    TRY(holds(keys.device.public_key().verifies(es256, signed_bytes, on.signature), "signature of a passkey"));

    auto const approved = TRY(json::object(vector, "approve"));
    auto const answer = TRY(parse_answer(json::write(TRY(json::object(approved, "body")))));
    auto const answered = message_of(answer);
    TRY(same(answered, approved, "m"));
    TRY(same(crypto::sha256(answered), approved, "challenge"));
    TRY(same(answer_statement(answered, answer.proof), approved, "signed"));
    TRY(holds(keys.device.public_key().verifies(es256, answer_statement(answered, answer.proof), answer.signature),
              "signature of an answer"));
    auto const used =
        TRY(passkey::verify(TRY(passkey::parse_assertion(answer.proof)), credential, crypto::sha256(answered), party));
    return holds(passkey::may_follow(credential.sign_count, used.sign_count), "counter of a passkey");
}

} // namespace

json::Object make_vectors()
{
    Keys const keys;
    SecretText const code{"38214"};
    auto const random = crypto::system_random();
    auto const pk = code_key(keys.kh, keys.did, 1, code);
    json::Object vectors;

    vectors["about"] = "Test vectors of device-protocol.md. Binary values are base64url. Keys and people are invented. "
                       "Made by `symbolon-phone vectors`.";
    vectors["statement"] = json::Object{
        {"domain", "symbolon-example-v1"},
        {"fields", array_of({base64url(to_bytes("abc")), "", base64url(Bytes(300, 7))})},
        {"bytes", base64url(vault::statement("symbolon-example-v1", {bytes_of("abc"), ByteView{}, Bytes(300, 7)}))}};
    std::vector<std::string> const items{"given_name", "é", ""};
    vectors["list"] =
        json::Object{{"items", array_of({"given_name", "é", ""})}, {"bytes", base64url(vault::list_of(items))}};

    vectors["device_key"] = key_pair(keys.device);
    vectors["did"] = keys.did.text();
    vectors["vault_key"] = key_pair(keys.vault);
    vectors["grant_key"] = key_pair(keys.grants);
    vectors["code_key"] = json::Object{{"kh", base64url(keys.kh.reveal())},
                                       {"ver", 1},
                                       {"code", code.reveal()},
                                       {"seed", base64url(code_key_seed(keys.kh, keys.did, 1, code).reveal())},
                                       {"pk", base64url(raw_public_key(pk.public_key()))}};

    auto const plain = to_bytes("a proof that nobody reads");
    auto const context = to_bytes("what it is bound to");
    vectors["seal"] = json::Object{{"plain", base64url(plain)},
                                   {"aad", base64url(context)},
                                   {"sealed", base64url(crypto::seal_to(keys.vault.public_key(), plain, context))}};

    std::string const nonce = base64url(random->bytes(24));
    auto const request = request_statement("POST", "/d/actions/AZrPcuVAT2uMlr7kE0dHfQ/show", nonce, bytes_of("{}"));
    vectors["request"] =
        json::Object{{"method", "POST"},
                     {"path", "/d/actions/AZrPcuVAT2uMlr7kE0dHfQ/show"},
                     {"nonce", nonce},
                     {"body", "{}"},
                     {"statement", base64url(request)},
                     {"authorization", write(Authorization{keys.did, nonce, keys.device.sign(es256, request)})}};

    auto const enrol_nonce = random->bytes(nonce_bytes);
    auto const e = vault::code_key_statement(enrol_nonce, keys.did, 1);
    auto opened = raw_public_key(pk.public_key());
    append(opened, pk.sign(eddsa, e));
    EnrolFinish finish{.session = SecretText{base64url(random->bytes(32))},
                       .device_key = keys.device.public_key(),
                       .code_key = crypto::seal_to(keys.vault.public_key(), opened, e),
                       .name = "Chrome on Android"};
    auto const enrol = enrol_statement(enrol_nonce, keys.did, 1, finish.code_key, finish.name);
    finish.signature = keys.device.sign(es256, enrol);
    vectors["enrol"] = json::Object{{"nonce", base64url(enrol_nonce)},
                                    {"e", base64url(e)},
                                    {"opened", base64url(opened)},
                                    {"statement", base64url(enrol)},
                                    {"body", *json::parse(write(finish))}};

    auto const action = sample_action();
    auto const shown = shown_bytes(action, keys.did, random->bytes(16));
    auto const h = crypto::sha256(shown);
    vectors["tx"] = json::Object{{"bytes", base64url(shown)}, {"text", text_of(shown)}, {"h", base64url(h)}};

    auto const ratchet = random->bytes(ratchet_bytes);
    using Decision = Answer::Decision;
    vectors["approve"] = answer_vector(keys,
                                       {.device = keys.did,
                                        .shown = h,
                                        .decision = Decision::approve,
                                        .symbol = "boat",
                                        .method = "code",
                                        .ratchet = ratchet,
                                        .claims = {"given_name", "family_name"}},
                                       action.id, pk);
    vectors["refuse"] = answer_vector(
        keys, {.device = keys.did, .shown = h, .decision = Decision::refuse, .ratchet = ratchet, .reason = "not_me"},
        action.id, pk);

    vectors["passkey"] = passkey_vector(keys, parse_shown(shown).value(), shown, pk, *random);

    // The other entries: what a camera saw has no symbols, what a link opened is matched afterwards.
    auto seen = action;
    seen.entry = action::Entry::qr;
    seen.tie = action::Tie::scan;
    vectors["tx_qr"] = json::Object{{"text", text_of(shown_bytes(seen, keys.did, random->bytes(16)))}};
    auto linked = action;
    linked.entry = action::Entry::link;
    linked.tie = action::Tie::browser;
    auto const linked_bytes = shown_bytes(linked, keys.did, random->bytes(16));
    vectors["tx_link"] = json::Object{{"text", text_of(linked_bytes)}};
    Match match{.device = keys.did, .shown = crypto::sha256(linked_bytes), .symbol = "boat", .signature = {}};
    auto const matched = match_statement(match);
    match.signature = keys.device.sign(es256, matched);
    vectors["match"] = json::Object{{"statement", base64url(matched)}, {"body", *json::parse(write(match))}};
    json::Array claims;
    for (auto const& claim :
         {Claim{Claim::By::scan, "AZrPcuVAT2uMlr7kE0dHfQ.41.MDEyMzQ1Njc4OUFCQ0RFRg"},
          Claim{Claim::By::address, "AZrPcuVAT2uMlr7kE0dHfQ.41.MDEyMzQ1Njc4OUFCQ0RFRg"},
          Claim{Claim::By::link, "AZrPcuVAT2uMlr7kE0dHfQ.MDEyMzQ1Njc4OUFCQ0RFRg"}, Claim{Claim::By::code, "ACDE-FHJK"}})
        claims.emplace_back(*json::parse(write(claim)));
    vectors["claims"] = std::move(claims);

    AccountId const account{"AZrPcuVAQ2eQx1eZ0c1N3Q"};
    auto const message = *crypto::from_base64url(*json::text(*json::object(vectors, "approve"), "m"));
    auto grant =
        vault::grant_statement(account, keys.did, 1, action.id, crypto::sha256(message), instant_of(1'790'000'042));
    append(grant, keys.grants.sign(eddsa, grant));
    vectors["grant"] = json::Object{{"account", account.text()}, {"at", 1'790'000'042}, {"bytes", base64url(grant)}};

    json::Array cases;
    auto const rules = code_rules(birth_date, account::PhoneNumber{std::string{number}});
    for (std::string_view const tried : {"38214", "11111", "12121", "77377", "12345",  "54321", "89012", "10987",
                                         "13579", "24680", "30785", "19850", "85073",  "73019", "01234", "23456",
                                         "04701", "24701", "25800", "1234",  "123456", "1234a", "",      "40817"}) {
        auto const judged = check_code(SecretText{std::string{tried}}, rules);
        json::Value refused = nullptr;
        if (!judged) refused = judged.error().detail.empty() ? "code_malformed" : judged.error().detail.c_str();
        cases.push_back(json::Object{{"code", tried}, {"refused", std::move(refused)}});
    }
    vectors["codes"] = json::Object{
        {"birth_date", birth_date}, {"number", number}, {"code_rules", write(rules)}, {"cases", std::move(cases)}};
    return vectors;
}

Result<void> check_vectors(json::Object const& vectors)
{
    Keys keys;
    keys.device = TRY(private_key(vectors, "device_key"));
    keys.vault = TRY(private_key(vectors, "vault_key"));
    keys.grants = TRY(private_key(vectors, "grant_key"));
    keys.did = DeviceId{TRY(json::text(vectors, "did"))};
    TRY(holds(keys.device.public_key().thumbprint() == keys.did.text(), "did"));

    auto const statement = TRY(json::object(vectors, "statement"));
    std::vector<Bytes> fields;
    for (auto const& field : TRY(json::array(statement, "fields")))
        fields.push_back(TRY(crypto::from_base64url(field.as_string())));
    TRY(holds(fields.size() == 3, "fields"));
    TRY(same(vault::statement(TRY(json::text(statement, "domain")), {fields[0], fields[1], fields[2]}), statement,
             "bytes"));
    auto const list = TRY(json::object(vectors, "list"));
    std::vector<std::string> items;
    for (auto const& item : TRY(json::array(list, "items"))) items.emplace_back(item.as_string());
    TRY(same(vault::list_of(items), list, "bytes"));

    auto const code = TRY(json::object(vectors, "code_key"));
    keys.kh = SecretBytes{TRY(bytes_in(code, "kh"))};
    SecretText const typed{TRY(json::text(code, "code"))};
    auto const pk = code_key(keys.kh, keys.did, 1, typed).public_key();
    TRY(same(code_key_seed(keys.kh, keys.did, 1, typed).reveal(), code, "seed"));
    TRY(same(raw_public_key(pk), code, "pk"));

    auto const seal = TRY(json::object(vectors, "seal"));
    auto const aad = TRY(bytes_in(seal, "aad"));
    auto sealed = TRY(bytes_in(seal, "sealed"));
    TRY(same(TRY(crypto::open_seal(keys.vault, sealed, aad)).reveal(), seal, "plain"));
    sealed.back() ^= 1;
    TRY(holds(!crypto::open_seal(keys.vault, sealed, aad), "a changed seal opens"));

    auto const request = TRY(json::object(vectors, "request"));
    auto const authorization = TRY(parse_authorization(TRY(json::text(request, "authorization"))));
    auto const asked = request_statement(TRY(json::text(request, "method")), TRY(json::text(request, "path")),
                                         TRY(json::text(request, "nonce")), bytes_of(TRY(json::text(request, "body"))));
    TRY(same(asked, request, "statement"));
    TRY(holds(authorization.device == keys.did, "did of a request"));
    TRY(holds(keys.device.public_key().verifies(es256, asked, authorization.signature), "signature of a request"));

    auto const enrol = TRY(json::object(vectors, "enrol"));
    auto const finish = TRY(parse_enrol_finish(json::write(TRY(json::object(enrol, "body")))));
    auto const nonce = TRY(bytes_in(enrol, "nonce"));
    auto const e = vault::code_key_statement(nonce, keys.did, 1);
    TRY(same(e, enrol, "e"));
    auto const opened = TRY(crypto::open_seal(keys.vault, finish.code_key, e));
    TRY(same(opened.reveal(), enrol, "opened"));
    TRY(holds(pk.verifies(eddsa, e, ByteView{opened.reveal()}.subspan(32)), "signature of the code key"));
    auto const bound = enrol_statement(nonce, keys.did, 1, finish.code_key, finish.name);
    TRY(same(bound, enrol, "statement"));
    TRY(holds(keys.device.public_key().verifies(es256, bound, finish.signature), "signature of an enrolment"));

    auto const tx = TRY(json::object(vectors, "tx"));
    auto const shown = TRY(bytes_in(tx, "bytes"));
    TRY(holds(text_of(shown) == TRY(json::text(tx, "text")), "text of tx"));
    TRY(same(crypto::sha256(shown), tx, "h"));
    TRY(holds(TRY(parse_shown(shown)).device == keys.did, "did of tx"));
    TRY(check_answer(TRY(json::object(vectors, "approve")), vectors, keys));
    TRY(check_answer(TRY(json::object(vectors, "refuse")), vectors, keys));

    TRY(check_passkey(TRY(json::object(vectors, "passkey")), keys, pk));
    auto const seen = TRY(parse_shown(bytes_of(TRY(json::text(TRY(json::object(vectors, "tx_qr")), "text")))));
    TRY(holds(seen.symbols.empty() && !seen.wants_symbol(), "symbols of a QR code"));
    auto const linked = TRY(json::text(TRY(json::object(vectors, "tx_link")), "text"));
    TRY(holds(!TRY(parse_shown(bytes_of(linked))).wants_symbol(), "symbols of a link"));
    auto const matching = TRY(json::object(vectors, "match"));
    auto const match = TRY(parse_match(json::write(TRY(json::object(matching, "body")))));
    TRY(holds(match.shown == crypto::sha256(linked), "shown of a match"));
    auto const matched = match_statement(match);
    TRY(same(matched, matching, "statement"));
    TRY(holds(keys.device.public_key().verifies(es256, matched, match.signature), "signature of a match"));
    for (auto const& claim : TRY(json::array(vectors, "claims")))
        TRY(holds(json::parse(write(TRY(parse_claim(json::write(claim))))).value() == claim, "claims"));

    auto const grant = TRY(json::object(vectors, "grant"));
    auto const message = TRY(bytes_in(TRY(json::object(vectors, "approve")), "m"));
    auto const payload = vault::grant_statement(AccountId{TRY(json::text(grant, "account"))}, keys.did, 1,
                                                TRY(parse_shown(shown)).action, crypto::sha256(message),
                                                instant_of(TRY(json::integer(grant, "at"))));
    auto const whole = TRY(bytes_in(grant, "bytes"));
    TRY(holds(whole.size() == payload.size() + signature_bytes, "size of a grant"));
    TRY(holds(std::ranges::equal(ByteView{whole}.first(payload.size()), payload), "payload of a grant"));
    TRY(holds(keys.grants.public_key().verifies(eddsa, payload, ByteView{whole}.subspan(payload.size())),
              "signature of a grant"));

    auto const codes = TRY(json::object(vectors, "codes"));
    auto const given = TRY(json::object(codes, "code_rules"));
    auto const rules = TRY(parse_code_rules(given));
    TRY(holds(write(code_rules(TRY(json::text(codes, "birth_date")),
                               account::PhoneNumber{TRY(json::text(codes, "number"))})) == given,
              "code rules"));
    for (auto const& value : TRY(json::array(codes, "cases"))) {
        auto const& one = value.as_object();
        auto const tried = TRY(json::text(one, "code"));
        auto const judged = check_code(SecretText{tried}, rules);
        std::string found;
        if (!judged)
            found = judged.error().outcome == Outcome::code_malformed ? "code_malformed" : judged.error().detail;
        auto const expected = one.at("refused").is_null() ? "" : std::string_view{one.at("refused").get_string()};
        TRY(holds(found == expected, "code " + tried));
    }
    return {};
}

} // namespace symbolon::device
