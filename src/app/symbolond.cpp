// symbolond: the server. OpenID Provider and enrolment at the id origin, the phone API at the phone origin.
//
// Everything is made here, by name, in the order in which it depends on each other.

#include "app/command_line.hpp"
#include "app/config.hpp"
#include "app/state_directory.hpp"
#include "bank/banks.hpp"
#include "base/json.hpp"
#include "crypto/hash.hpp"
#include "crypto/push_encryption.hpp"
#include "device/history.hpp"
#include "device/routes.hpp"
#include "device/vault_client.hpp"
#include "edge/http_client.hpp"
#include "edge/json_log.hpp"
#include "edge/push_sender.hpp"
#include "edge/server.hpp"
#include "edge/sms_gateway.hpp"
#include "edge/static_files.hpp"
#include "entry/unanswered.hpp"
#include "message/sms.hpp"
#include "oidc/routes.hpp"
#include "page/bank_end_page.hpp"
#include "page/enrolment.hpp"
#include "page/reader.hpp"
#include "page/sign_in.hpp"
#include "page/web_eid.hpp"
#include "store/sqlite/sqlite_engine.hpp"
#include "store/store.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>

namespace {

using namespace symbolon;
namespace fs = std::filesystem;

constexpr auto sweep_every = 30s;
constexpr auto sign_head_every = 60s;
constexpr auto read_keys_every = 30s;

// ---- the machine ------------------------------------------------------------------------------------------------

class SystemClock final : public ports::Clock {
public:
    [[nodiscard]] Instant now() const override { return std::chrono::floor<Seconds>(std::chrono::system_clock::now()); }
};

std::chrono::nanoseconds stopwatch() { return std::chrono::steady_clock::now().time_since_epoch(); }

/// The signals that ask for the end or for a new log file, blocked in every thread that is made from now on.
sigset_t signals_to_wait_for()
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    return signals;
}

void prepare_process()
{
    ::umask(0077);
    rlimit const none{0, 0};
    setrlimit(RLIMIT_CORE, &none); // no key in a core file
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max; // a descriptor a connection
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

// ---- from the settings to what is made of them --------------------------------------------------------------------

Result<std::unique_ptr<edge::Log>> make_log(app::Configuration::Log const& settings)
{
    using edge::LogLevel;
    constexpr std::array levels{std::pair{"debug", LogLevel::debug}, std::pair{"info", LogLevel::info},
                                std::pair{"warning", LogLevel::warning}, std::pair{"error", LogLevel::error},
                                std::pair{"none", LogLevel::none}};
    auto const* const level = std::ranges::find(levels, settings.level, [](auto const& row) { return row.first; });
    ENSURE(level != levels.end());
    return edge::make_log({.level = level->second,
                           .format = settings.format == "json" ? edge::LogFormat::json : edge::LogFormat::text,
                           .file = settings.file});
}

Result<edge::TrustedProxies> trusted_proxies(app::Configuration::Server const& server)
{
    return edge::TrustedProxies::of(server.trusted_proxies, server.forwarded_header == "forwarded"
                                                                ? edge::ForwardedHeader::forwarded
                                                                : edge::ForwardedHeader::x_forwarded_for);
}

Result<card::Anchors> anchors_of(app::Configuration::Card const& settings)
{
    card::Anchors anchors;
    anchors.revocation_hosts = settings.revocation_hosts;
    anchors.accept_test_pki = settings.test_pki;
    anchors.accept_sha1 = settings.accept_sha1;
    for (auto const& configured : settings.anchors) {
        auto const named = [&](Failure const& failure) {
            return fail(Outcome::configuration_invalid,
                        configured.file.string() + ": no root certificate: " + std::string{name_of(failure.outcome)} +
                            ' ' + failure.detail);
        };
        auto const roots = card::certificates_of_pem(TRY(app::content_of(configured.file)));
        if (!roots) return named(roots.error());
        if (roots->empty()) return named(fail(Outcome::certificate_malformed, "no certificate in it").error());
        for (auto const& der : *roots) {
            auto anchor = card::make_anchor(der, configured.arc, false); // its name says whether it is for tests
            if (!anchor) return named(anchor.error());
            if (anchor->is_test_pki && !settings.test_pki)
                return fail(Outcome::configuration_invalid,
                            configured.file.string() + ": a root for tests, and card.test_pki is not true");
            anchors.roots.push_back(*std::move(anchor));
        }
    }
    return anchors;
}

/// The CAs of `card.issuers`. Whether a root issued them is seen when a card of theirs comes.
Result<void> keep_issuers(app::Configuration::Card const& settings, card::KnownIssuers& issuers)
{
    for (auto const& file : settings.issuers) {
        auto const wrong = [&](std::string const& why) {
            return fail(Outcome::configuration_invalid, file.string() + ": no certificate of a CA: " + why);
        };
        auto const certificates = card::certificates_of_pem(TRY(app::content_of(file)));
        if (!certificates) return wrong(certificates.error().detail);
        if (certificates->empty()) return wrong("no certificate in it");
        for (auto const& der : *certificates) {
            auto const issuer = card::Certificate::parse(der);
            if (!issuer) return wrong(issuer.error().detail);
            issuers.keep(*issuer);
        }
    }
    return {};
}

/// Where no gateway is configured.
class NoMessages final : public ports::Messages {
public:
    Flow<void> send_sms(ports::Sms /*sms*/) override { co_return fail(Outcome::sms_not_sent, "no gateway in [sms]"); }
};

Result<std::unique_ptr<ports::Messages>> make_messages(app::Configuration::Sms const& sms, edge::HttpClient& client,
                                                       ports::Log& log)
{
    if (sms.gateway.empty()) return std::make_unique<NoMessages>();
    auto const url = TRY(http::parse_url(sms.gateway));
    if (url.scheme != "https" && !url.is_loopback())
        return fail(Outcome::configuration_invalid, "sms.gateway: plain http is for this machine only");
    auto password = TRY(app::content_of(sms.password_file));
    while (password.ends_with('\n') || password.ends_with('\r')) password.pop_back();
    return edge::sms_gateway(client,
                             {sms.gateway, sms.user, SecretText{std::move(password)}, sms.sender, sms.report_url}, log);
}

// ---- what every origin answers ------------------------------------------------------------------------------------

/// GET /health: 200 while requests can be served, else 503. For the proxy before us; tells nothing else.
http::Route health(ports::Services services)
{
    return {"GET", "/health", [services](http::Request) -> Flow<http::Response> {
                // What can't be written any more (a full disk) serves nobody, though it can be read. One row a day.
                auto const store =
                    co_await outcome_of(services.counters.add("health", crypto::sha256(""), 24h, services.clock.now()));
                auto const vault = co_await outcome_of(services.vault.public_key());
                if (!store) services.log.failure("health_failed", store.error(), {{"of", "store"}});
                if (!vault) services.log.failure("health_failed", vault.error(), {{"of", "vault"}});
                auto const word = [](bool good) { return good ? "ok" : "failed"; };
                json::Object answer;
                answer["status"] = word(store && vault);
                answer["store"] = word(store.has_value());
                answer["vault"] = word(vault.has_value());
                co_return http::json(store && vault ? 200 : 503, json::write(answer));
            }};
}

/// GET /site: what static pages can't know when they are built.
http::Route site(app::Configuration const& configuration)
{
    json::Object answer;
    answer["test_pki"] = configuration.card.test_pki;
    answer["id_url"] = configuration.server.id_url;
    answer["phone_url"] = configuration.server.phone_url;
    http::Response response;
    response.with("Content-Type", "application/json").with("Cache-Control", "public, max-age=60");
    response.body = json::write(answer);
    return {"GET", "/site", [response](http::Request) -> Flow<http::Response> { co_return response; }};
}

void append(http::Routes& to, http::Routes more) { std::ranges::move(more, std::back_inserter(to)); }

/// Removes what is over, again and again; but no request before its end is in the history.
Flow<void> sweep(store::Store& store, ports::Services services)
{
    constexpr std::size_t many = 100;
    auto& log = services.log;
    for (;;) {
        auto const closed = co_await outcome_of(entry::tell_of_unanswered({}, services));
        if (!closed) {
            log.failure("unanswered_not_told", closed.error(), {});
            co_await edge::pause_for(sweep_every);
            continue;
        }
        if (*closed >= many) continue; // there may be more
        auto const gone = co_await outcome_of(store.sweep(services.clock.now()));
        if (!gone) log.failure("sweep_failed", gone.error(), {});
        if (gone && *gone > 0) log.event("swept", {{"records", std::to_string(*gone)}});
        if (!gone || *gone < 1000) co_await edge::pause_for(sweep_every);
    }
}

/// Signs a head of the log whenever there are new entries, so that what was written can be held against us.
Flow<void> sign_heads(ports::Services services, crypto::SigningKey key)
{
    for (;;) {
        auto const head = co_await outcome_of(device::current_head(services, key));
        if (!head) services.log.failure("log_head_failed", head.error(), {});
        co_await edge::pause_for(sign_head_every);
    }
}

/// Takes over what `symbolon keys rotate` made.
Flow<void> follow_keys(fs::path directory, oidc::Provider& provider, ports::Services services)
{
    for (;;) {
        co_await edge::pause_for(read_keys_every);
        auto keys = app::keys_of_provider(directory, services.clock.now());
        if (keys) provider.use_keys(*std::move(keys));
        else services.log.failure("signing_keys_not_read", keys.error(), {}); // what is known stays good
    }
}

// ---- the program --------------------------------------------------------------------------------------------------

Result<void> run(app::Configuration const& configuration, sigset_t const& signals)
{
    auto const& server_settings = configuration.server;
    auto const& limits = configuration.limits;
    SystemClock clock;
    auto const random = crypto::system_random();
    auto const log = TRY(make_log(configuration.log));
    Texts const texts;
    texts.require_outcomes();

    auto const state = TRY(app::read_state(configuration.state_directory, clock.now()));
    auto const anchors = TRY(anchors_of(configuration.card));
    auto proxies = TRY(trusted_proxies(server_settings));

    // What waits on the loops is made after them, and goes before them.
    edge::Loops loops{server_settings.threads != 0 ? server_settings.threads
                                                   : std::max(1U, std::thread::hardware_concurrency())};
    auto const wakeups = edge::local_wakeups(clock);
    auto const engine = TRY(store::SqliteEngine::open(configuration.store.path));
    store::Store store{*engine, state.keys, *random,
                       [&] { return app::read_store_keys(configuration.state_directory); }};
    device::VaultClient vault{configuration.vault.socket, state.permit_key};
    edge::HttpClient client{loops, app::local_hosts(configuration)};
    auto const fetcher = edge::revocation_fetcher(client);
    auto const messages = TRY(make_messages(configuration.sms, client, *log));
    auto const bank_fetcher = edge::bank_fetcher(client);
    std::optional<bank::Banks> banks;
    if (!configuration.banks.empty())
        banks.emplace(app::bank_settings(configuration, TRY(app::read_bank_keys(configuration.state_directory))),
                      bank::Means{.fetcher = *bank_fetcher, .clock = clock, .random = *random, .log = *log});

    push::Settings const push_settings{.key = state.push_key,
                                       .contact = configuration.push.contact,
                                       .hosts = configuration.push.hosts,
                                       .phone_url = server_settings.phone_url,
                                       .texts = texts};
    edge::PushSender push{{.loops = loops,
                           .client = client,
                           .actions = store.actions(),
                           .devices = store.devices(),
                           .subscriptions = store.push_subscriptions(),
                           .clock = clock,
                           .random = *random,
                           .log = *log,
                           .settings = push_settings}};

    ports::Services const services{.accounts = store.accounts(),
                                   .devices = store.devices(),
                                   .push_subscriptions = store.push_subscriptions(),
                                   .enrolments = store.enrolments(),
                                   .contracts = store.contracts(),
                                   .actions = store.actions(),
                                   .sign_ins = store.sign_ins(),
                                   .grants = store.grants(),
                                   .clients = store.clients(),
                                   .nonces = store.nonces(),
                                   .counters = store.counters(),
                                   .consents = store.consents(),
                                   .history = store.history(),
                                   .ledger = store.ledger(),
                                   .vault = vault,
                                   .messages = *messages,
                                   .push = push,
                                   .wakeups = *wakeups,
                                   .clock = clock,
                                   .random = *random,
                                   .log = *log};

    // What protocols are made of.
    oidc::Provider provider{{.issuer = server_settings.id_url,
                             .keys = state.signing_keys,
                             .pairwise_secret = state.pairwise_secret,
                             .limits = limits}};
    page::SignInPages const sign_in{.provider = provider,
                                    .texts = texts,
                                    .app_url = server_settings.phone_url + "/app/",
                                    .record_key = state.record_key,
                                    .is_test_system = configuration.card.test_pki};
    card::CrlCache lists;
    page::EnrolmentMeans const enrolment{
        .id_url = server_settings.id_url,
        .phone_url = server_settings.phone_url,
        .reader_page = configuration.enrolment.reader_page,
        .operator_name = configuration.enrolment.operator_name,
        .is_test_system = configuration.card.test_pki,
        .key = app::derived_key(state, "enrolment"),
        .counter_key = app::derived_key(state, "enrolment_counter"),
        .person_check = {.key = app::derived_key(state, "person_check")},
        .fonts = {},
        .cards = {.anchors = anchors, .fetcher = *fetcher, .lists = lists},
        .limits = limits,
        .texts = texts,
        .calling_codes = configuration.enrolment.calling_codes,
    };
    TRY(keep_issuers(configuration.card, *enrolment.issuers));
    auto const sms_key = app::derived_key(state, "sms_reference");
    auto const device = std::make_shared<device::Settings const>(
        device::Settings{.origin = server_settings.phone_url,
                         .id_origin = server_settings.id_url,
                         .nonce_key = app::derived_key(state, "device_nonce"),
                         .counter_key = app::derived_key(state, "device_counter"),
                         .sms_key = sms_key,
                         .record_key = state.record_key,
                         .push_key = crypto::push_point(state.push_key.key.public_key()),
                         .push_hosts = configuration.push.hosts,
                         .limits = limits,
                         .texts = texts,
                         .banks = banks ? &*banks : nullptr,
                         .bank_end_page = [&](ports::BankEnd const& end) {
                             return page::bank_end_page(end, limits, configuration.card.test_pki, texts);
                         }});

    // The tables of the three origins.
    http::Routes id_routes;
    append(id_routes, oidc::routes(provider, services));
    append(id_routes, page::sign_in_routes(sign_in, services));
    append(id_routes, page::enrolment_routes(enrolment, services));
    append(id_routes, page::reader_routes(enrolment, services));
    append(id_routes, page::web_eid_routes(enrolment, services));
    append(id_routes, message::gateway_routes(sms_key, services));
    http::Routes phone_routes = device::device_routes(services, device);
    http::Routes desk_routes;
    for (auto* const routes : {&id_routes, &phone_routes, &desk_routes}) {
        routes->push_back(health(services));
        routes->push_back(site(configuration));
    }
    if (auto const& web = configuration.web.directory) {
        append(id_routes, TRY(edge::static_routes(*web / "id")));
        append(phone_routes, TRY(edge::static_routes(*web / "phone")));
    }
    edge::Router const id{std::move(id_routes)};
    edge::Router const phone{std::move(phone_routes)};
    edge::Router const desk{std::move(desk_routes)};

    edge::Server server{{.loops = loops,
                         .limits = limits,
                         .texts = texts,
                         .log = *log,
                         .clock = clock,
                         .random = *random,
                         .stopwatch = stopwatch,
                         .proxies = std::move(proxies),
                         .is_test_system = configuration.card.test_pki,
                         .logs_requests = configuration.log.requests}};
    auto const listen = [&](std::vector<std::string> const& addresses, http::Origin origin, std::string const& url,
                            edge::Router const& router) -> Result<void> {
        for (auto const& address : addresses) {
            auto const port =
                TRY(server.listen({.address = address, .origin = origin, .base_url = url, .router = router}));
            log->event("listening", {{"url", url}, {"address", address}, {"port", std::to_string(port)}});
        }
        return {};
    };
    TRY(listen(server_settings.id_listen, http::Origin::id, server_settings.id_url, id));
    TRY(listen(server_settings.phone_listen, http::Origin::phone, server_settings.phone_url, phone));
    TRY(listen(server_settings.desk_listen, http::Origin::desk, server_settings.desk_url, desk));

    std::optional<Flow<void>> sweeping;
    std::optional<Flow<void>> signing_heads;
    std::optional<Flow<void>> following_keys;
    std::optional<Flow<void>> ringing; // what waited when the server stopped
    auto const on_first_loop = [&](std::function<void()> const& work) {
        edge::run_on<int>(loops.at(0), [&]() -> Flow<int> {
            work();
            co_return 0;
        }).value();
    };
    on_first_loop([&] {
        sweeping = sweep(store, services);
        sweeping->start([] {});
        signing_heads = sign_heads(services, state.record_key);
        signing_heads->start([] {});
        following_keys = follow_keys(configuration.state_directory, provider, services);
        following_keys->start([] {});
        ringing = push.ring_what_waits();
        ringing->start([] {});
    });

    log->event("started", {{"threads", std::to_string(loops.size())},
                           {"anchors", std::to_string(anchors.roots.size())},
                           {"banks", std::to_string(configuration.banks.size())},
                           {"test_pki", configuration.card.test_pki ? "true" : "false"}});
    std::fputs("symbolond: ready\n", stderr);

    for (;;) {
        int signal = 0;
        sigwait(&signals, &signal);
        if (signal != SIGHUP) break;
        log->reopen();
        log->event("log_reopened", {});
    }
    log->event("stopping", {{"open_connections", std::to_string(server.open_connections())}});
    server.stop(server_settings.stop_grace);
    on_first_loop([&] {
        sweeping.reset();
        signing_heads.reset();
        following_keys.reset();
        ringing.reset();
    });
    push.stop();
    log->event("stopped", {});
    return {};
}

int complain(Failure const& failure)
{
    std::fprintf(stderr, "symbolond: %s [%s]\n", failure.detail.c_str(), std::string{name_of(failure.outcome)}.c_str());
    return 1;
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App program{"The server of Symbolon."};
    fs::path config = "symbolon.toml";
    bool only_checks = false;
    program.add_option("--config", config, "the settings, in the state directory that `symbolon init` made")
        ->capture_default_str();
    program.add_flag("--check", only_checks, "read the settings, say what is wrong with them, and end");
    if (auto const end = app::end_of_command_line(program, argc, argv)) return *end;

    prepare_process();
    auto const signals = signals_to_wait_for();
    auto const configuration = app::read_configuration(config);
    if (!configuration) return complain(configuration.error());
    if (only_checks) return 0;
    try {
        auto const ran = run(*configuration, signals);
        return ran ? 0 : complain(ran.error());
    } catch (std::exception const& exception) {
        std::fprintf(stderr, "symbolond: %s\n", exception.what());
        return 1;
    }
}
