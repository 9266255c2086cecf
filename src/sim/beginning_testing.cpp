#include "sim/beginning_testing.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/push_encryption.hpp"
#include "push/delivery.hpp"
#include "sim/world.hpp"
#include "store/store_testing.hpp"
#include "vault/vault_testing.hpp"

namespace symbolon::sim {

namespace {

namespace example = store::testing;

constexpr std::string_view client_secret = "a secret of a partner with 256 bits";
constexpr auto es256 = crypto::SignatureAlgorithm::es256;

crypto::Random& chance()
{
    static SeededRandom one{4};
    return one;
}

crypto::SigningKey signing_key(std::string name)
{
    return {
        .key_id = std::move(name), .algorithm = es256, .key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256)};
}

device::Settings phone_settings()
{
    return {.origin = "https://phone.example",
            .nonce_key = SecretBytes{Bytes(32, 5)},
            .counter_key = SecretBytes{Bytes(32, 6)},
            .sms_key = SecretBytes{Bytes(32, 7)},
            .record_key = signing_key("records-1"),
            .limits = {},
            .texts = {}};
}

} // namespace

Beginning::Beginning()
    : keys{example::keys()},
      vault_keys{vault::testing::test_keys(chance()).keys},
      provider{oidc::Provider::Settings{.issuer = "https://id.example",
                                        .keys = {{.key = signing_key("id-1")}},
                                        .pairwise_secret = SecretBytes{Bytes(32, 7)},
                                        .limits = {}}},
      settings{std::make_shared<device::Settings>(phone_settings())},
      pages{.provider = provider,
            .texts = texts,
            .app_url = "https://phone.example/app/",
            .record_key = settings->record_key,
            .is_test_system = false},
      push{.key = signing_key({}),
           .contact = {},
           .hosts = {"push.example"},
           .phone_url = settings->origin,
           .texts = texts},
      nobodys_subscription{push::nobodys_subscription(push, chance())},
      strangers_phone{device::new_phone(chance())},
      clients_key_{crypto::PrivateKey::generate(crypto::KeyType::ec_p256)}
{
    strangers_phone.vault_key = vault_keys.seal.public_key();
    strangers_phone.ratchet = Bytes(16, 1);
    add_clients();
    add_holder("first", "470123456", "85073003328");
    add_holder("second", "470654321", "85073003329");
    add_fingerprints();
}

void Beginning::add_clients()
{
    using partner::ClientAuthentication;
    auto const registered = [](ClientId const& id, ClientAuthentication authentication) {
        auto client = example::client(id.text());
        client.domain = id.text() + ".example";
        client.redirect_uris = {"https://" + client.domain + "/cb"};
        client.authentication = authentication;
        client.sector_identifier = client.domain;
        client.secret_hash.clear();
        client.jwks.clear();
        client.id_token_signed_response_alg = "ES256";
        client.userinfo_signed_response_alg.clear();
        client.requires_pkce = true;
        return client;
    };
    auto shop = registered(with_secret, ClientAuthentication::client_secret_basic);
    shop.secret_hash = crypto::sha256(client_secret);
    auto bank = registered(with_key, ClientAuthentication::private_key_jwt);
    bank.jwks = json::write(json::Object{{"keys", json::Array{clients_key_.public_key().jwk()}}});
    auto app = registered(ClientId{"app"}, ClientAuthentication::none);
    clients = {shop, bank, app};
    store::Store store{engine, keys, chance()};
    for (auto const& client : clients) ENSURE(run_now(store.clients().add(client)).has_value());
}

void Beginning::add_holder(std::string const& id, std::string const& number, std::string const& national_number)
{
    auto phone = device::new_phone(chance());
    phone.vault_key = vault_keys.seal.public_key();
    phone.enrol_nonce = code_nonce;
    auto code_key = device::make_finish(phone, right_code, "Chrome on Android").code_key;
    phone.enrol_nonce.clear();
    phone.ratchet = chance().bytes(device::ratchet_bytes);
    phone.phone_number = "+32" + number;
    phone.enrolled = true;

    store::Store store{engine, keys, chance()};
    auto enrolment = example::enrolment("enrolment of " + id, phone.phone_number);
    ENSURE(run_now(store.enrolments().add(enrolment)).has_value());
    AccountId const holder{id};
    auto account = example::account(id, phone.phone_number, national_number);
    account.device = phone.device;
    auto device = example::device(phone.device.text(), holder);
    device.public_key = phone.device_key.public_key().der();
    device.ratchet = phone.ratchet;
    device.previous_ratchet.clear();
    device.code_version = phone.code_version;
    auto const opened =
        run_now(store.accounts().open(account, device, {}, {enrolment, 1}, example::entry(holder, "enrolled")));
    ENSURE(opened.has_value());
    auto subscription = nobodys_subscription;
    subscription.device = phone.device;
    subscription.account = holder;
    subscription.endpoint = "https://push.example/" + id;
    subscription.since = World::beginning;
    ENSURE(run_now(store.push_subscriptions().put(std::move(subscription))).has_value());
    holders.push_back(
        {.account = holder,
         .typed_number = number,
         .phone = std::move(phone),
         .code_key = code_key,
         .fingerprint = {.authenticator = passkey::new_authenticator(crypto::sha256("credential of " + id)),
                         .party = passkey::relying_party_at(settings->origin)}});
}

void Beginning::add_fingerprints()
{
    engine_with_fingerprints = engine;
    store::Store store{engine_with_fingerprints, keys, chance()};
    for (auto const& holder : holders) {
        auto const found = run_now(store.devices().find(holder.phone.device));
        ENSURE(found && *found);
        auto device = (*found)->value;
        auto const& authenticator = holder.fingerprint.authenticator;
        device.passkey = account::Passkey{.id = authenticator.credential_id,
                                          .public_key = authenticator.key.public_key().der(),
                                          .algorithm = std::string{name_of(authenticator.algorithm)},
                                          .sign_count = 0,
                                          .backup_eligible = authenticator.backup_eligible,
                                          .backed_up = authenticator.backed_up,
                                          .aaguid = Bytes(16, 0),
                                          .used_counts = {},
                                          .turned_on_by = {},
                                          .registered_at = World::beginning};
        ENSURE(run_now(store.devices().save(changed(**found, std::move(device)))).has_value());
    }
}

std::string Beginning::basic_authorization() const
{
    http::Parameters encoded;
    encoded.add("", std::string{client_secret});
    return "Basic " + crypto::base64(bytes_of(with_secret.text() + ':' + http::write_parameters(encoded).substr(1)));
}

std::string Beginning::assertion(std::string id, Instant now) const
{
    json::Object const claims{{"iss", with_key.text()}, {"sub", with_key.text()},   {"aud", provider.issuer()},
                              {"jti", std::move(id)},   {"iat", numeric_date(now)}, {"exp", numeric_date(now + 60s)}};
    return crypto::sign_jws({.key_id = {}, .algorithm = es256, .key = clients_key_}, json::write(claims));
}

Beginning const& beginning()
{
    static Beginning const one;
    return one;
}

} // namespace symbolon::sim
