// symbolon: the operator's command (docs/operating.md).

#include "app/command_line.hpp"
#include "app/config.hpp"
#include "app/registration.hpp"
#include "app/state_directory.hpp"
#include "bank/check.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/jws.hpp"
#include "device/vault_client.hpp"
#include "edge/http_client.hpp"
#include "edge/json_log.hpp"
#include "edge/loops.hpp"
#include "embedded/symbolon_toml.hpp"
#include "store/log.hpp"
#include "store/sqlite/sqlite_engine.hpp"
#include "store/store.hpp"

#include <CLI/CLI.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace symbolon;
namespace fs = std::filesystem;

Instant now() { return std::chrono::floor<Seconds>(std::chrono::system_clock::now()); }

/// "2026-09-23T12:00:00Z" (RFC 3339).
std::string written(Instant at)
{
    if (at == crypto::no_end) return "-";
    auto const day = std::chrono::floor<std::chrono::days>(at);
    std::chrono::year_month_day const date{day};
    std::chrono::hh_mm_ss const time{at - day};
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()));
    return text.data();
}

void say(std::string const& line) { std::printf("%s\n", line.c_str()); }

/// Everything that works on the store of a state directory.
struct Opened {
    std::unique_ptr<crypto::Random> random = crypto::system_random();
    std::unique_ptr<store::SqliteEngine> engine;
    std::unique_ptr<store::Store> store;
    crypto::SigningKey record_key;
};

/// Files that this command writes must stay those of the server.
Result<app::Configuration> own_configuration(fs::path const& config)
{
    auto configuration = TRY(app::read_configuration(config));
    struct stat found{};
    auto const& directory = configuration.state_directory;
    if (::stat(directory.c_str(), &found) == 0 && found.st_uid != ::geteuid())
        return fail(Outcome::configuration_invalid, directory.string() +
                                                        ": belongs to another user; run this as that one (uid " +
                                                        std::to_string(found.st_uid) + ')');
    return configuration;
}

/// What happens to a command where the store is not there.
enum class Missing : std::uint8_t { refused, made };

Result<Opened> open_store(fs::path const& config, Missing missing = Missing::refused)
{
    auto const configuration = TRY(own_configuration(config));
    auto state = TRY(app::read_state(configuration.state_directory, now()));
    std::error_code error;
    if (missing == Missing::refused && !fs::exists(configuration.store.path, error))
        return fail(Outcome::configuration_invalid, configuration.store.path.string() + ": is not there");
    Opened opened;
    opened.engine = TRY(store::SqliteEngine::open(configuration.store.path));
    opened.store = std::make_unique<store::Store>(
        *opened.engine, std::move(state.keys), *opened.random,
        [directory = configuration.state_directory] { return app::read_store_keys(directory); });
    opened.record_key = std::move(state.record_key);
    return opened;
}

// ---- commands
// --------------------------------------------------------------------------------------------------------

Result<void> init(fs::path const& directory)
{
    auto const random = crypto::system_random();
    // The array ends with a zero that is not part of the text.
    TRY(app::make_state_directory(directory, {symbolon_toml, sizeof(symbolon_toml) - 1}, *random, now()));
    say("Made " + directory.string() + " with new keys. Keep a copy of it where no copy of the database lies.");
    say("Next: read " + (directory / "symbolon.toml").string() + ", then start symbolon-vault and symbolond.");
    return {};
}

void say_keys(std::vector<crypto::TimedKey> const& rows)
{
    auto const at = now();
    for (auto const& row : rows) {
        auto const* state = at >= row.published_until ? "over"
                            : at >= row.signs_until   ? "published"
                            : at >= row.signs_from    ? "signs"
                                                      : "announced";
        say(std::string{name_of(row.key.algorithm)} + "  " + row.key.key_id + "  " + state + "  signs " +
            written(row.signs_from) + " to " + written(row.signs_until) + ", published until " +
            written(row.published_until));
    }
}

Result<void> list_keys(fs::path const& config)
{
    say_keys(TRY(app::read_signing_keys(TRY(own_configuration(config)).state_directory)));
    return {};
}

Result<void> rotate_keys(fs::path const& config, Seconds notice, Seconds overlap)
{
    TRY(app::rotate_signing_keys(TRY(own_configuration(config)).state_directory, now(), notice, overlap));
    return list_keys(config);
}

void say_registered(app::Registered const& made, bool as_json)
{
    if (as_json) {
        json::Object answer;
        answer["client_id"] = made.client.id.text();
        if (made.secret) answer["client_secret"] = made.secret->reveal();
        say(json::write(answer));
        return;
    }
    say("client_id      " + made.client.id.text());
    if (made.secret) say("client_secret  " + made.secret->reveal() + "   (shown this once)");
}

Result<void> add_partner(fs::path const& config, app::Registration const& registration, bool as_json)
{
    auto opened = TRY(open_store(config, Missing::made));
    auto const made = TRY(app::register_client(registration, *opened.random, now()));
    TRY(run_now(opened.store->clients().add(made.client)));
    say_registered(made, as_json);
    return {};
}

Result<ports::Stored<partner::Client>> client_of(std::string const& id, store::Store& store)
{
    auto found = TRY(run_now(store.clients().find(ClientId{id})));
    if (!found) return fail(Outcome::client_unknown, "no partner has the id " + id);
    return *std::move(found);
}

Result<void> change_partner(fs::path const& config, std::string const& id, app::RegistrationChange const& change,
                            bool as_json)
{
    auto opened = TRY(open_store(config));
    auto const stored = TRY(client_of(id, *opened.store));
    auto const after = TRY(app::change_client(stored.value, change, *opened.random));
    TRY(run_now(opened.store->clients().save(changed(stored, after.client))));
    say_registered(after, as_json);
    return {};
}

Result<void> remove_partner(fs::path const& config, std::string const& id)
{
    auto const opened = TRY(open_store(config));
    TRY(run_now(opened.store->clients().remove(TRY(client_of(id, *opened.store)))));
    say("removed: " + id);
    return {};
}

Result<void> list_partners(fs::path const& config)
{
    auto const opened = TRY(open_store(config));
    for (auto const& client : TRY(run_now(opened.store->clients().list()))) {
        say(client.id.text() + "  " + client.name_in(Language::en) + "  " + client.domain + "  " +
            std::string{name_of(client.authentication)});
        for (auto const& uri : client.redirect_uris) say("    " + uri);
    }
    return {};
}

/// The account of a number, as an operator types it: +32470123456.
Result<ports::Stored<account::Account>> person_of(std::string const& number, store::Store& store)
{
    constexpr std::size_t longest_e164 = 16;
    if (!number.starts_with('+') || number.size() > longest_e164 || !is_digits(std::string_view{number}.substr(1)))
        return fail(Outcome::phone_number_invalid, "a number with its calling code: +32470123456");
    auto found = TRY(run_now(store.accounts().find_by_phone_number(account::PhoneNumber{number})));
    if (!found) return fail(Outcome::not_found, "nobody has that number");
    return *std::move(found);
}

/// What is kept of the person goes, in the vault first: whoever stops in between can say it again.
Result<void> erase_person(fs::path const& config, std::string const& number)
{
    auto const configuration = TRY(own_configuration(config));
    auto const opened = TRY(open_store(config));
    auto const found = TRY(person_of(number, *opened.store));
    edge::Loops loops{1};
    device::VaultClient vault{configuration.vault.socket};
    TRY(edge::run_on<void>(loops.at(0), [&] { return vault.forget(found.value.id); }));
    TRY(run_now(opened.store->erase(found.value.id, now())));
    say("erased: " + found.value.id.text());
    return {};
}

/// A new master key for all data keys, while the server runs. `finish`: the one before is forgotten.
Result<void> rotate_master(fs::path const& config, bool finish)
{
    auto const directory = TRY(own_configuration(config)).state_directory;
    if (!finish) {
        auto const random = crypto::system_random();
        TRY(app::begin_master_rotation(directory, *random));
    }
    auto const opened = TRY(open_store(config));
    std::size_t wrapped = 0;
    for (;;) {
        auto const some = TRY(run_now(opened.store->rewrap_some_keys()));
        if (some == 0) break;
        wrapped += some;
    }
    say(std::to_string(wrapped) + " data keys are wrapped with the new master key");
    if (finish) {
        TRY(app::end_master_rotation(directory));
        say("The master key before is forgotten here. Backups of before still need it.");
    } else {
        say("Next, in some minutes: symbolon keys rotate-master --finish");
    }
    return {};
}

/// Takes the account of that number out of use; what waits on its phone can't be answered any more.
Result<void> deactivate_person(fs::path const& config, std::string const& number)
{
    auto const opened = TRY(open_store(config));
    auto& accounts = opened.store->accounts();
    auto const found = TRY(person_of(number, *opened.store));
    auto deactivated = TRY(account::apply(found.value, account::Event::deactivate));
    ports::HistoryEntry entry{
        .account = found.value.id, .at = now(), .event = "deactivated", .client = {}, .detail = R"({"by":"operator"})"};
    TRY(run_now(accounts.save(ports::changed(found, std::move(deactivated)), std::move(entry))));
    say("deactivated: " + found.value.id.text());
    return {};
}

/// `heads`: a file of signed heads that were kept elsewhere, one a line.
Result<void> verify_log(fs::path const& config, fs::path const& heads)
{
    auto const opened = TRY(open_store(config));
    std::vector<std::string> kept;
    if (!heads.empty()) {
        auto const text = TRY(app::content_of(heads));
        for (auto const line : split(text, '\n'))
            if (auto const head = trimmed(line); !head.empty()) kept.emplace_back(head);
    }
    auto const head = TRY(run_now(opened.store->verify_log(opened.record_key.key.public_key(), std::move(kept))));
    say(std::to_string(head.size) + " entries, whole and in their order" +
        (head.size == 0 ? "" : "; the last is " + crypto::hex(head.hash)));
    say(std::to_string(head.evidence) + " records of evidence, all as they were logged");
    say(std::to_string(head.heads) + " signed heads, all of this log; its root is " + crypto::hex(head.root));
    return {};
}

/// The entry of an account's history that holds the hash of that evidence.
Flow<std::optional<ports::LogLine>> entry_of(AccountId account, Bytes record_hash, ports::History& history)
{
    constexpr int at_once = 100;
    auto const hash = crypto::base64url(record_hash);
    auto before = std::numeric_limits<std::int64_t>::max();
    for (;;) {
        auto const lines = co_await history.lines(account, before, at_once);
        for (auto const& line : lines) {
            auto const body = json::parse_object(text_of(line.body)).value_or(json::Object{});
            auto const detail = json::parse_object(json::text(body, "detail").value_or("")).value_or(json::Object{});
            // Entries from before evidence was kept have the hash among their details alone.
            if (json::text(body, "record").value_or("") == hash || json::text(detail, "record").value_or("") == hash)
                co_return line;
            before = line.sequence;
        }
        if (lines.size() < at_once) co_return std::optional<ports::LogLine>{};
    }
}

/// `file`: evidence (docs/device-protocol.md §6) that somebody shows.
Result<void> verify_record(fs::path const& config, fs::path const& file)
{
    auto const opened = TRY(open_store(config));
    auto const content = TRY(app::content_of(file));
    auto const record = trimmed(content);
    crypto::VerificationKey const key{.key_id = opened.record_key.key_id,
                                      .algorithm = opened.record_key.algorithm,
                                      .key = opened.record_key.key.public_key()};
    auto const jws = crypto::verify_jws(record, std::span{&key, 1}, std::array{opened.record_key.algorithm});
    if (!jws || json::text(jws->header, "typ").value_or("") != "symbolon-record+jws")
        return fail(Outcome::data_damaged, "this is no record that was signed here, or it was changed");
    auto const payload = TRY(json::parse_object(jws->payload));
    AccountId const account{TRY(json::text(payload, "account"))};
    auto const entry = TRY(run_now(entry_of(account, crypto::sha256(record), opened.store->history())));
    if (!entry) return fail(Outcome::data_damaged, "it was signed here, and no entry of the log holds its hash");
    say("signed here, and logged as entry " + std::to_string(entry->sequence) + ": " + entry->kind + ", " +
        written(entry->at));
    return {};
}

/// Prints the newest signed head, to be kept where no copy of the database lies.
Result<void> log_head(fs::path const& config)
{
    auto const opened = TRY(open_store(config));
    auto const head = TRY(run_now(opened.store->ledger().newest_head()));
    if (!head) return fail(Outcome::configuration_invalid, "no head was signed yet: the server does, within a minute");
    say(head->jws);
    return {};
}

class SystemClock final : public ports::Clock {
public:
    [[nodiscard]] Instant now() const override { return ::now(); }
};

/// Prints our public keys for the banks, made now where there are none.
Result<void> bank_keys(fs::path const& config)
{
    auto const directory = TRY(own_configuration(config)).state_directory;
    say(bank::public_jwk_set(TRY(app::read_bank_keys(directory)), now()));
    return {};
}

/// Makes a new key towards the banks, and says what is there.
Result<void> rotate_bank_keys(fs::path const& config, Seconds notice, Seconds overlap)
{
    auto const directory = TRY(own_configuration(config)).state_directory;
    TRY(app::rotate_bank_keys(directory, now(), notice, overlap));
    say_keys(TRY(app::read_bank_keys(directory)).signing);
    return {};
}

/// Says line by line what is right and wrong with the connection to a bank.
Result<void> check_bank(fs::path const& config, std::string const& name)
{
    auto const configuration = TRY(own_configuration(config));
    auto const& banks = configuration.banks;
    auto const found = std::ranges::find(banks, name, [](auto const& bank) { return bank.terms.id; });
    if (found == banks.end()) {
        std::string names;
        for (auto const& bank : banks) names += (names.empty() ? "" : ", ") + bank.terms.id;
        return fail(Outcome::bank_unknown, "no [[bank]] has the id \"" + name + "\"" +
                                               (names.empty() ? "; there are none" : "; there are: " + names));
    }
    auto const settings = app::bank_settings(configuration, TRY(app::read_bank_keys(configuration.state_directory)));
    auto const random = crypto::system_random();
    auto const log = TRY(edge::make_log({.level = edge::LogLevel::none}));
    SystemClock clock;
    edge::Loops loops{1};
    edge::HttpClient client{loops, app::local_hosts(configuration)};
    auto const fetcher = edge::bank_fetcher(client);
    auto const findings = TRY(edge::run_on<std::vector<bank::Finding>>(loops.at(0), [&] {
        return bank::check_connection(*found, settings,
                                      {.fetcher = *fetcher, .clock = clock, .random = *random, .log = *log});
    }));
    std::size_t wrong = 0;
    for (auto const& finding : findings) {
        say((finding.wrong.empty() ? "right  " : "WRONG  ") + finding.what +
            (finding.wrong.empty() ? "" : ": " + finding.wrong));
        if (!finding.wrong.empty()) ++wrong;
    }
    if (wrong > 0)
        return fail(Outcome::bank_unreachable, std::to_string(wrong) + " of " + std::to_string(findings.size()) +
                                                   " things about " + name + " are wrong");
    return {};
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App program{"What an operator does with Symbolon besides letting it run."};
    program.require_subcommand(1);
    std::function<Result<void>()> command;

    fs::path config = "symbolon.toml";
    auto const with_config = [&config](CLI::App* sub) {
        sub->add_option("--config", config, "symbolon.toml in the state directory")->capture_default_str();
        return sub;
    };

    fs::path new_directory;
    auto* init_command = program.add_subcommand("init", "make a state directory: keys and a settings file");
    init_command->add_option("DIR", new_directory, "a directory that is not there yet, or empty")->required();
    init_command->callback([&] { command = [&] { return init(new_directory); }; });

    auto* keys_command = program.add_subcommand("keys", "the keys that sign ID tokens, and the master key");
    keys_command->require_subcommand(1);
    with_config(keys_command->add_subcommand("list", "what is there, and what it is for now"))->callback([&] {
        command = [&] { return list_keys(config); };
    });
    std::int64_t notice_minutes = 60;
    std::int64_t overlap_hours = 24;
    auto* rotate = with_config(keys_command->add_subcommand("rotate", "make new keys; the old ones stay known"));
    rotate->add_option("--notice-minutes", notice_minutes, "published so long before they sign")
        ->capture_default_str()
        ->check(CLI::Range(0, 7 * 24 * 60));
    rotate->add_option("--overlap-hours", overlap_hours, "the old ones are published so long after")
        ->capture_default_str()
        ->check(CLI::Range(1, 365 * 24));
    rotate->callback([&] {
        command = [&] {
            return rotate_keys(config, std::chrono::minutes{notice_minutes}, std::chrono::hours{overlap_hours});
        };
    });

    bool finish = false;
    auto* rotate_master_command =
        with_config(keys_command->add_subcommand("rotate-master", "a new master key for the data at rest"));
    rotate_master_command->add_flag("--finish", finish, "forget the one before");
    rotate_master_command->callback([&] { command = [&] { return rotate_master(config, finish); }; });

    auto* partner_command = program.add_subcommand("partner", "the programs that people log in to");
    partner_command->require_subcommand(1);
    app::Registration registration;
    std::map<Language, std::string> names;
    std::string name;
    fs::path jwks;
    std::string pkce = "required";
    bool as_json = false;
    auto* add = with_config(partner_command->add_subcommand("add", "register one; prints its id and secret"));
    add->add_option("--name", name, "what the holder reads (English)")->required();
    for (auto const language : all_languages) {
        if (language == Language::en) continue;
        auto const code = std::string{name_of(language)};
        add->add_option("--name-" + code, names[language], "the same in '" + code + "'");
    }
    add->add_option("--redirect-uri", registration.redirect_uris, "compared sign by sign; may be given again")
        ->required();
    add->add_option("--domain", registration.domain, "shown beside the name; else the host of the redirect URI");
    add->add_option("--auth", registration.token_endpoint_auth_method,
                    "none, client_secret_basic, client_secret_post or private_key_jwt")
        ->capture_default_str();
    add->add_option("--jwks", jwks, "file with its public keys, a JWK Set");
    add->add_option("--id-token-alg", registration.id_token_signed_response_alg, "ES256 or RS256")
        ->capture_default_str();
    add->add_option("--userinfo-alg", registration.userinfo_signed_response_alg, "ES256 or RS256; else plain JSON");
    add->add_option("--sector-identifier", registration.sector_identifier,
                    "host that pairwise subjects are made for; needed with redirect URIs of several hosts");
    add->add_option("--claims", registration.claims,
                    "sensitive ones that it may ask for: national_number,card_number,…")
        ->delimiter(',');
    add->add_option("--pkce", pkce, "required or optional")
        ->capture_default_str()
        ->check(CLI::IsMember({"required", "optional"}));
    add->add_flag("--json", as_json, "print one JSON object");
    add->callback([&] {
        command = [&]() -> Result<void> {
            registration.names[Language::en] = name;
            for (auto const& [language, text] : names)
                if (!text.empty()) registration.names[language] = text;
            if (!jwks.empty()) registration.jwks = TRY(app::content_of(jwks));
            registration.requires_pkce = pkce == "required";
            return add_partner(config, registration, as_json);
        };
    });
    with_config(partner_command->add_subcommand("list", "those that are registered"))->callback([&] {
        command = [&] { return list_partners(config); };
    });
    std::string client_id;
    app::RegistrationChange change;
    auto* change_one = with_config(partner_command->add_subcommand("change", "what isn't given stays as it is"));
    change_one->add_option("CLIENT_ID", client_id)->required();
    change_one->add_option("--redirect-uri", change.redirect_uris, "in place of all that it has; may be given again");
    change_one->add_option("--jwks", jwks, "file with its public keys, a JWK Set, in place of the one before");
    change_one->add_flag("--new-secret", change.new_secret, "print a new one; the one before is over at once");
    change_one->add_flag("--json", as_json, "print one JSON object");
    change_one->callback([&] {
        command = [&]() -> Result<void> {
            if (!jwks.empty()) change.jwks = TRY(app::content_of(jwks));
            return change_partner(config, client_id, change, as_json);
        };
    });
    auto* remove_one = with_config(partner_command->add_subcommand("remove", "nobody logs in there any more"));
    remove_one->add_option("CLIENT_ID", client_id)->required();
    remove_one->callback([&] { command = [&] { return remove_partner(config, client_id); }; });

    auto* bank_command = program.add_subcommand("bank", "the banks that people enrol through");
    bank_command->require_subcommand(1);
    with_config(bank_command->add_subcommand("keys", "print our public keys for the banks, a JWK Set"))->callback([&] {
        command = [&] { return bank_keys(config); };
    });
    std::int64_t bank_notice_days = 14;
    std::int64_t bank_overlap_days = 7;
    auto* rotate_bank = with_config(
        bank_command->add_subcommand("rotate", "make a new key that we sign with; the old one stays known"));
    rotate_bank->add_option("--notice-days", bank_notice_days, "published so long before it signs")
        ->capture_default_str()
        ->check(CLI::Range(0, 365));
    rotate_bank->add_option("--overlap-days", bank_overlap_days, "the old one is published so long after")
        ->capture_default_str()
        ->check(CLI::Range(1, 365));
    rotate_bank->callback([&] {
        command = [&] {
            return rotate_bank_keys(config, std::chrono::days{bank_notice_days}, std::chrono::days{bank_overlap_days});
        };
    });
    std::string bank_name;
    auto* check = with_config(bank_command->add_subcommand("check", "say what is wrong with a connection"));
    check->add_option("NAME", bank_name, "its id in the settings: kbc")->required();
    check->callback([&] { command = [&] { return check_bank(config, bank_name); }; });

    auto* person_command = program.add_subcommand("person", "the accounts of holders");
    person_command->require_subcommand(1);
    std::string number;
    auto* deactivate = with_config(person_command->add_subcommand("deactivate", "take an account out of use"));
    deactivate->add_option("NUMBER", number, "its phone number: +32470123456")->required();
    deactivate->callback([&] { command = [&] { return deactivate_person(config, number); }; });
    auto* erase = with_config(person_command->add_subcommand("erase", "forget all that is kept of a person, for good"));
    erase->add_option("NUMBER", number, "its phone number: +32470123456")->required();
    erase->callback([&] { command = [&] { return erase_person(config, number); }; });

    fs::path heads;
    auto* verify =
        with_config(program.add_subcommand("verify-log", "check the log: entries, order, tree, signed heads"));
    verify->add_option("--heads", heads, "file of signed heads that were kept elsewhere, one a line");
    verify->callback([&] { command = [&] { return verify_log(config, heads); }; });
    fs::path record;
    auto* verify_one =
        with_config(program.add_subcommand("verify-record", "check evidence of an answer: signed, logged"));
    verify_one->add_option("FILE", record, "the record, a JWS")->required();
    verify_one->callback([&] { command = [&] { return verify_record(config, record); }; });
    with_config(program.add_subcommand("log-head", "print the newest signed head of the log"))->callback([&] {
        command = [&] { return log_head(config); };
    });

    if (auto const end = app::end_of_command_line(program, argc, argv)) return *end;
    auto const done = command();
    if (done) return 0;
    std::fprintf(stderr, "symbolon: %s [%s]\n", done.error().detail.c_str(),
                 std::string{name_of(done.error().outcome)}.c_str());
    return 1;
}
