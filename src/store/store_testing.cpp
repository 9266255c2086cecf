#include "store/store_testing.hpp"

#include "crypto/hash.hpp"

#include <unistd.h>

namespace symbolon::store::testing {

void RepeatableRandom::fill(std::span<Byte> bytes)
{
    std::size_t filled = 0;
    while (filled < bytes.size()) {
        auto const block = crypto::sha256(std::to_string(seed_) + '/' + std::to_string(drawn_++));
        auto const part = std::min(block.size(), bytes.size() - filled);
        std::ranges::copy(ByteView{block}.first(part), bytes.subspan(filled).begin());
        filled += part;
    }
}

TemporaryDirectory::TemporaryDirectory()
{
    auto name = (std::filesystem::temp_directory_path() / "symbolon-XXXXXX").string();
    ENSURE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
}

TemporaryDirectory::~TemporaryDirectory()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

Keys keys(std::uint8_t number)
{
    return {.master = SecretBytes{Bytes(32, number)},
            .lookup = SecretBytes{Bytes(32, static_cast<std::uint8_t>(number + 100))}};
}

account::Account account(std::string const& id, std::string phone_number, std::string national_number)
{
    return {
        .id = AccountId{id},
        .state = account::State::active,
        .phone_number = account::PhoneNumber{std::move(phone_number)},
        .email = "jan.janssens@mail.example",
        .language = Language::nl,
        .location_consent = true,
        .person =
            {
                .family_name = "Janssens",
                .given_names = "Jan Pieter",
                .third_initial = "K",
                .birth_date = "1985-07-30",
                .birth_place = "Brugge",
                .sex = account::Sex::male,
                .nationality = "Belg",
                .national_number = std::move(national_number),
                .address = {.street = "Dorpsstraat 1", .zip = "8000", .municipality = "Brugge"},
                .photo = {0xff, 0xd8, 0xff},
            },
        .person_at = noon + 1h,
        .source =
            {
                .kind = account::Source::Kind::card,
                .document_number = "592123456789",
                .document_type = 1,
                .valid_from = "2020-01-01",
                .valid_until = "2030-01-01",
                .issued_by = "Brugge",
                .evidence = "{}",
            },
        .device = DeviceId{"device of " + id},
        .contract = ContractId{"contract of " + id},
        .created_at = noon,
    };
}

account::Device device(std::string id, AccountId account)
{
    return {
        .id = DeviceId{std::move(id)},
        .account = std::move(account),
        .state = account::Device::State::bound,
        .public_key = {1, 2, 3},
        .name = "Chrome on Android",
        .ratchet = Bytes(16, 7),
        .previous_ratchet = Bytes(16, 6),
        .code_version = 2,
        .bound_at = noon,
        .last_seen_at = noon + 5s,
    };
}

enrolment::Enrolment enrolment(std::string const& id, std::string phone_number)
{
    enrolment::Enrolment it;
    it.id = EnrolmentId{id};
    it.state = enrolment::State::token;
    it.browser_hash = crypto::sha256("browser of " + id);
    it.language = Language::de;
    it.phone_number = account::PhoneNumber{std::move(phone_number)};
    it.email = "jan.janssens@mail.example";
    it.location_consent = true;
    it.created_at = noon;
    it.expires_at = noon + 24h;
    it.outcome = Outcome::card_missing;
    it.outcome_open_at = noon + 20min;
    it.ticket_hash = crypto::sha256("ticket of " + id);
    it.ticket_generation = 2;
    it.ticket_expires_at = noon + 10min;
    it.reader_session_hash = crypto::sha256("reader of " + id);
    it.challenge = Bytes(48, 3);
    it.challenge_expires_at = noon + 5min;
    it.symbol = "boat";
    it.symbols = {"boat", "cow"};
    it.progress = {.at = "pin", .outcome = Outcome::pin_wrong, .tries_left = 2};
    it.person = account("", "", "85073003328").person;
    it.source = account("", "", "").source;
    it.chip_number = {1, 2};
    it.signature_certificate = {0x30, 0x03};
    it.certificate_chain = {0x30, 0x04};
    it.ocsp_answers = {{0x30, 0x05}, {0x30, 0x06}};
    it.contract = to_bytes("%PDF-1.7 contract of " + id);
    it.signed_attributes = {0x31};
    it.contract_id = ContractId{"contract of " + id};
    it.token_hash = crypto::sha256("token of " + id);
    it.token_generation = 3;
    it.token_expires_at = noon + 30min;
    it.token_tries = {.failed = 1, .open_at = noon + 1min};
    it.phone_session_hash = crypto::sha256("phone of " + id);
    it.sms_code_hash = crypto::sha256("sms of " + id);
    it.sms_code_expires_at = noon + 10min;
    it.sms_tries = {.failed = 2, .open_at = noon + 2min};
    it.sms_sent_at = {noon, noon + 30s};
    it.sms_lost = true;
    it.device_nonce = Bytes(32, 9);
    it.account = AccountId{"account of " + id};
    it.device = DeviceId{"device of " + id};
    it.device_name = "Safari on iOS";
    it.bound_at = noon + 3min;
    return it;
}

action::Action action(std::string id, std::optional<AccountId> account, std::optional<DeviceId> device)
{
    return {
        .id = ActionId{std::move(id)},
        .account = std::move(account),
        .device = std::move(device),
        .sign_in = SignInId{"sign-in"},
        .client = ClientId{"shop"},
        .partner_names = {{Language::en, "Shop"}, {Language::fr, "Magasin"}},
        .partner_domain = "shop.example",
        .entry = action::Entry::qr,
        .claims = {{.name = "email", .essential = true}, {.name = "phone_number", .essential = false}},
        .browser = "Chromium on Linux",
        .acr = "substantial",
        .symbol = "boat",
        .symbols = {"boat", "cow", "sun", "tree", "dog", "tent"},
        .state = action::State::waiting,
        .outcome = Outcome::symbol_wrong,
        .created_at = noon,
        .expires_at = noon + 3min,
        .shown_at = noon + 1min,
        .decided_at = noon + 2min,
        .shown = to_bytes("{}"),
        .record = {1},
        .evidence = "line",
        .granted_claims = {"email"},
        .achieved_acr = "low",
    };
}

grant::SignIn sign_in(std::string id)
{
    grant::AuthorizationRequest request{
        .client = ClientId{"shop"},
        .redirect_uri = "https://shop.example/cb",
        .response_mode = "query",
        .scopes = {"openid", "profile"},
        .state = "state",
        .nonce = "nonce",
        .code_challenge = "challenge",
        .prompt = {"login"},
        .max_age = 10s,
        .ui_locales = {Language::nl, Language::fr},
        .acr_values = {"low"},
        .login_hint = "+32470123456",
        .id_token_claims = {{.name = "acr", .essential = true, .values = {"\"low\""}}},
        .userinfo_claims = {{.name = "email", .essential = false, .values = {}}},
    };
    return {
        .id = SignInId{std::move(id)},
        .state = grant::SignIn::State::started,
        .browser_hash = Bytes(32, 4),
        .request = std::move(request),
        .language = Language::en,
        .action = ActionId{"action"},
        .symbol = "boat",
        .typed_hint = "56",
        .outcome = Outcome::action_expired,
        .created_at = noon,
        .expires_at = noon + 15min,
    };
}

grant::Grant grant(std::string const& id, AccountId account)
{
    return {
        .id = GrantId{id},
        .state = grant::Grant::State::issued,
        .client = ClientId{"shop"},
        .account = std::move(account),
        .action = ActionId{"action"},
        .redirect_uri = "https://shop.example/cb",
        .nonce = "nonce",
        .code_challenge = "challenge",
        .scopes = {"openid"},
        .id_token_claims = {"sub"},
        .userinfo_claims = {"email"},
        .acr = "low",
        .achieved_acr = "substantial",
        .auth_time = noon,
        .code_hash = crypto::sha256("code of " + id),
        .created_at = noon,
        .expires_at = noon + 60s,
        .access_token_hash = crypto::sha256("token of " + id),
        .access_token_expires_at = noon + 1h,
    };
}

partner::Client client(std::string id)
{
    return {
        .id = ClientId{std::move(id)},
        .partner = PartnerId{"partner"},
        .profile = partner::Profile::plain,
        .names = {{Language::nl, "Winkel"}},
        .domain = "shop.example",
        .redirect_uris = {"https://shop.example/cb", "http://localhost:8403/cb"},
        .authentication = partner::ClientAuthentication::private_key_jwt,
        .secret_hash = Bytes(32, 5),
        .jwks = R"({"keys":[]})",
        .id_token_signed_response_alg = "RS256",
        .userinfo_signed_response_alg = "ES256",
        .sector_identifier = "shop.example",
        .allowed_claims = {"national_number"},
        .requires_pkce = false,
        .created_at = noon,
    };
}

ports::HistoryEntry entry(AccountId account, std::string event)
{
    return {
        .account = std::move(account),
        .at = noon,
        .event = std::move(event),
        .client = ClientId{"shop"},
        .detail = R"({"claims":["email"]})",
    };
}

} // namespace symbolon::store::testing
