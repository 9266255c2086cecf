// bench-login: what a login costs the servers, against the floor of its cryptographic operations (docs/benchmarks.md).
//
// The servers run on one core as an operator runs them, every commit on the disk. Browser, partner and phones of the
// holders are this program, on the other core, and speak HTTP as any others would.

#include "app/registration.hpp"
#include "app/state_directory.hpp"
#include "base/http.hpp"
#include "base/text.hpp"
#include "crypto/aead.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/seal.hpp"
#include "device/messages.hpp"
#include "device/phone.hpp"
#include "device/vault_client.hpp"
#include "phone/curl_transport.hpp"
#include "store/store_testing.hpp"
#include "vault/socket.hpp"
#include "vault/statement.hpp"

#include <CLI/CLI.hpp>
#include <curl/curl.h>
#include <fmt/format.h>

#include <arpa/inet.h>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace symbolon;
namespace fs = std::filesystem;
using Stopwatch = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

struct Options {
    int logins = 2000;
    int accounts = 128;
    int concurrency = 128;
    int rounds = 5;
    int seconds = 300;             ///< at most, in all
    std::optional<double> at_most; ///< the ratio, or it fails
    fs::path bin;
};

std::unexpected<Failure> wrong(std::string what, std::source_location where = std::source_location::current())
{
    return fail(Outcome::internal, std::move(what), where);
}

Instant now() { return std::chrono::floor<Seconds>(std::chrono::system_clock::now()); }

// ---- cores and processor time --------------------------------------------------------------------------------------

/// The core of the servers and the one of everything else; the same where there is only one.
struct Cores {
    int servers = 0;
    int others = 0;
};

Cores two_cores()
{
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    ENSURE(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
    std::vector<int> found;
    for (int core = 0; core < CPU_SETSIZE && found.size() < 2; ++core)
        if (CPU_ISSET(core, &allowed)) found.push_back(core);
    ENSURE(!found.empty());
    return {found.front(), found.back()};
}

/// The calling thread, and what it starts from now on.
void stay_on(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    sched_setaffinity(0, sizeof set, &set);
}

Microseconds time_of(clockid_t clock)
{
    timespec at{};
    ENSURE(clock_gettime(clock, &at) == 0);
    return std::chrono::seconds{at.tv_sec} + std::chrono::nanoseconds{at.tv_nsec};
}

template <class T>
T median(std::vector<T> values)
{
    ENSURE(!values.empty());
    auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

// ---- the servers ---------------------------------------------------------------------------------------------------

/// A program of ours as a child on its core. Goes with this one, however that ends.
class Program {
public:
    static Result<Program> start(fs::path const& program, std::vector<std::string> arguments, int core,
                                 Stopwatch::time_point until)
    {
        std::array<int, 2> said{};
        if (::pipe2(said.data(), O_CLOEXEC) != 0) return wrong("pipe");
        std::vector<char*> argv;
        auto name = program.string();
        argv.push_back(name.data());
        for (auto& argument : arguments) argv.push_back(argument.data());
        argv.push_back(nullptr);
        auto const parent = ::getpid();
        auto const pid = ::fork();
        if (pid < 0) return wrong("fork");
        if (pid == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (::getppid() != parent) ::_exit(1);
            stay_on(core);
            ::dup2(said[1], STDERR_FILENO);
            ::execv(argv.front(), argv.data());
            ::_exit(127);
        }
        ::close(said[1]);
        Program started{pid, said[0]};
        TRY(started.wait_until_ready(program, until));
        return started;
    }

    Program(Program&& other) noexcept : pid_{std::exchange(other.pid_, -1)}, said_{std::exchange(other.said_, -1)} {}
    Program(Program const&) = delete;
    Program& operator=(Program const&) = delete;
    Program& operator=(Program&&) = delete;
    ~Program()
    {
        kill();
        if (said_ >= 0) ::close(said_);
    }

    /// At once, as if the machine had stopped.
    void kill()
    {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }

    /// Processor time of all its threads since it began.
    [[nodiscard]] Microseconds used() const
    {
        clockid_t clock{};
        ENSURE(clock_getcpuclockid(pid_, &clock) == 0);
        return time_of(clock);
    }

private:
    Program(pid_t pid, int said) : pid_{pid}, said_{said} {}

    Result<void> wait_until_ready(fs::path const& program, Stopwatch::time_point until) const
    {
        std::string text;
        while (text.find("ready") == std::string::npos) {
            pollfd watched{.fd = said_, .events = POLLIN, .revents = 0};
            auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Stopwatch::now()).count();
            if (left <= 0 || ::poll(&watched, 1, static_cast<int>(left)) <= 0)
                return wrong(program.string() + " does not become ready: " + text);
            std::array<char, 4096> part{};
            auto const size = ::read(said_, part.data(), part.size());
            if (size <= 0) return wrong(program.string() + " has ended: " + text);
            text.append(part.data(), static_cast<std::size_t>(size));
        }
        return {};
    }

    pid_t pid_;
    int said_;
};

/// Ports on loopback that are free now.
Result<std::vector<int>> free_ports(int many)
{
    std::vector<vault::Descriptor> held; // until all are found
    std::vector<int> ports;
    for (int i = 0; i < many; ++i) {
        vault::Descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const at = reinterpret_cast<sockaddr*>(&address); // as the interface wants it
        if (::bind(socket.get(), at, size) != 0 || ::getsockname(socket.get(), at, &size) != 0)
            return wrong("no port on loopback");
        ports.push_back(ntohs(address.sin_port));
        held.push_back(std::move(socket));
    }
    return ports;
}

struct Addresses {
    std::string id;
    std::string phone;
    std::string desk;
};

/// What an operator would write, but for the limits: here all people sit at one address.
std::string settings_text(Addresses const& addresses)
{
    return fmt::format(
        "[server]\nid_url = \"{}\"\nphone_url = \"{}\"\ndesk_url = \"{}\"\nthreads = 1\n\n"
        "[limits]\nsign_ins_a_minute_per_address = 10000000\n"
        "authorization_requests_a_minute_per_address = 10000000\nlookups_a_minute_per_address = 10000000\n"
        "open_connections_per_address = 20000\n\n"
        "[log]\nfile = \"symbolond.log\"\n",
        addresses.id, addresses.phone, addresses.desk);
}

// ---- who logs in, and where ----------------------------------------------------------------------------------------

SecretText const code{"38214"};

struct Holder {
    AccountId account;
    std::string number; ///< as typed, without the calling code
    device::PhoneState phone;
};

struct Partner {
    ClientId client;
    std::string redirect_uri = "https://partner.example/callback";
    crypto::SigningKey key;
};

/// Accounts with bound phones, as the end of an enrolment leaves them (device::finish_enrolment).
class Registrar {
public:
    static Result<Registrar> open(fs::path const& directory, crypto::Random& random)
    {
        auto const state = TRY(app::read_state(directory, now()));
        auto engine = TRY(store::SqliteEngine::open(directory / "store.db"));
        return Registrar{std::move(engine), state.keys, random};
    }

    store::Store& store() { return *store_; }

    Result<Partner> add_partner()
    {
        Partner partner;
        partner.key = {.key_id = "1",
                       .algorithm = crypto::SignatureAlgorithm::es256,
                       .key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256)};
        auto jwk = partner.key.key.public_key().jwk();
        jwk["kid"] = partner.key.key_id;
        app::Registration registration;
        registration.names = {{Language::en, "Bench"}, {Language::fr, "Banc d'essai"}};
        registration.redirect_uris = {partner.redirect_uri};
        registration.token_endpoint_auth_method = "private_key_jwt";
        registration.jwks = json::write(json::Object{{"keys", json::Array{jwk}}});
        auto const registered = TRY(app::register_client(registration, random_, now()));
        TRY(run_now(store_->clients().add(registered.client)));
        partner.client = registered.client.id;
        return partner;
    }

    Result<Holder> add_holder(int number, device::VaultClient& vault)
    {
        constexpr std::size_t photo_bytes = 3500; // of a card
        constexpr std::size_t contract_bytes = 60'000;
        constexpr std::size_t evidence_bytes = 2000;
        auto const at = now();
        Holder holder;
        holder.account = AccountId{crypto::time_ordered_id(at, random_)};
        holder.number = fmt::format("0470{:06}", number);
        holder.phone = device::new_phone(random_);
        holder.phone.vault_key = TRY(device::public_key_at(TRY(run_now(vault.public_key()))));
        holder.phone.enrol_nonce = random_.bytes(device::nonce_bytes);
        holder.phone.ratchet = random_.bytes(device::ratchet_bytes);
        holder.phone.enrolled = true;
        auto const finish = device::make_finish(holder.phone, code, "Bench");
        TRY(run_now(vault.register_code(holder.account, holder.phone.device, holder.phone.code_version,
                                        holder.phone.enrol_nonce, finish.code_key)));

        auto const e164 = "+32" + holder.number.substr(1);
        auto enrolment = store::testing::enrolment(crypto::time_ordered_id(at, random_), e164);
        enrolment.expires_at = at + 24h;
        TRY(run_now(store_->enrolments().add(enrolment)));
        enrolment.state = enrolment::State::done;

        auto account = store::testing::account(holder.account.text(), e164, fmt::format("850730{:05}", number));
        account.device = holder.phone.device;
        account.person.photo = random_.bytes(photo_bytes);
        account.source.evidence = std::string(evidence_bytes, '.');
        account.created_at = at;
        account::Device const device{.id = holder.phone.device,
                                     .account = holder.account,
                                     .state = account::Device::State::bound,
                                     .public_key = holder.phone.device_key.public_key().der(),
                                     .name = "Bench",
                                     .ratchet = holder.phone.ratchet,
                                     .previous_ratchet = {},
                                     .code_version = holder.phone.code_version,
                                     .bound_at = at,
                                     .last_seen_at = at};
        ports::HistoryEntry const entry{
            .account = holder.account, .at = at, .event = "enrolled", .client = {}, .detail = "{}"};
        constexpr std::int64_t first_version = 1;
        TRY(run_now(store_->accounts().open(account, device, random_.bytes(contract_bytes), {enrolment, first_version},
                                            entry)));
        return holder;
    }

    /// How many approvals stand in a holder's history.
    Result<int> approvals_of(Holder const& holder, int at_most)
    {
        auto const entries = TRY(run_now(store_->history().list(holder.account, at_most)));
        return static_cast<int>(std::ranges::count(entries, "approved", &ports::HistoryEntry::event));
    }

private:
    Registrar(std::unique_ptr<store::SqliteEngine> engine, store::Keys keys, crypto::Random& random)
        : random_{random},
          engine_{std::move(engine)},
          store_{std::make_unique<store::Store>(*engine_, std::move(keys), random)}
    {}

    crypto::Random& random_;
    std::unique_ptr<store::SqliteEngine> engine_;
    std::unique_ptr<store::Store> store_;
};

// ---- a login -------------------------------------------------------------------------------------------------------

/// Requests to one origin over one connection that stays.
class HttpClient {
public:
    using Headers = std::vector<std::string>;
    struct Answer {
        long status = 0;
        std::string location;
        std::string cookie; ///< name=value, of the last Set-Cookie
        std::string body;
    };

    explicit HttpClient(std::string origin) : origin_{std::move(origin)}, handle_{curl_easy_init()} {}

    Result<Answer> get(std::string const& path, Headers const& headers = {})
    {
        return send(path, std::nullopt, headers);
    }
    Result<Answer> post(std::string const& path, http::Parameters const& form, Headers const& headers = {})
    {
        return send(path, http::write_parameters(form), headers);
    }

private:
    Result<Answer> send(std::string const& path, std::optional<std::string> const& form, Headers const& headers)
    {
        auto* const handle = handle_.get();
        curl_easy_reset(handle);
        Answer answer;
        auto const url = origin_ + path;
        auto* list = curl_slist_append(nullptr, "Expect:");
        for (auto const& line : headers) list = curl_slist_append(list, line.c_str());
        std::unique_ptr<curl_slist, decltype([](curl_slist* it) { curl_slist_free_all(it); })> const owner{list};
        curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
        curl_easy_setopt(handle, CURLOPT_HTTPHEADER, list);
        curl_easy_setopt(handle, CURLOPT_PROXY, "");
        curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(handle, CURLOPT_TIMEOUT, 60L);
        if (form) {
            curl_easy_setopt(handle, CURLOPT_POST, 1L);
            curl_easy_setopt(handle, CURLOPT_POSTFIELDS, form->data());
            curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(form->size()));
        }
        curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &HttpClient::take_body);
        curl_easy_setopt(handle, CURLOPT_WRITEDATA, &answer);
        curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &HttpClient::take_header);
        curl_easy_setopt(handle, CURLOPT_HEADERDATA, &answer);
        auto const sent = curl_easy_perform(handle);
        if (sent != CURLE_OK) return fail(Outcome::upstream_unreachable, path + ": " + curl_easy_strerror(sent));
        curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &answer.status);
        return answer;
    }

    static std::size_t take_body(char const* data, std::size_t /*one*/, std::size_t size, void* answer)
    {
        static_cast<Answer*>(answer)->body.append(data, size);
        return size;
    }

    static std::size_t take_header(char const* data, std::size_t /*one*/, std::size_t size, void* answer)
    {
        std::string_view const line{data, size};
        auto const colon = line.find(':');
        if (colon == std::string_view::npos) return size;
        auto const name = in_small_letters(line.substr(0, colon));
        auto value = line.substr(colon + 1);
        while (value.ends_with('\n') || value.ends_with('\r')) value.remove_suffix(1);
        if (name == "location") static_cast<Answer*>(answer)->location = trimmed(value);
        if (name == "set-cookie") static_cast<Answer*>(answer)->cookie = trimmed(value.substr(0, value.find(';')));
        return size;
    }

    std::string origin_;
    std::unique_ptr<CURL, decltype([](CURL* it) { curl_easy_cleanup(it); })> handle_;
};

Result<HttpClient::Answer> expect(Result<HttpClient::Answer> answer, long status, std::string_view what)
{
    if (!answer) return answer;
    if (answer->status == status) return answer;
    return wrong(fmt::format("{}: {} in place of {}: {}", what, answer->status, status, answer->body.substr(0, 400)));
}

http::Parameters parameters(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs)
{
    http::Parameters all;
    for (auto const& [name, value] : pairs) all.add(std::string{name}, std::string{value});
    return all;
}

/// A row of people who log in one after the other, at one partner.
class Queue {
public:
    Queue(Addresses addresses, Partner partner, std::vector<Holder> const& holders)
        : addresses_{std::move(addresses)},
          partner_{std::move(partner)}
    {
        for (auto const& holder : holders) people_.push_back({holder.number, {holder.phone, phones_}});
    }

    [[nodiscard]] std::size_t size() const { return people_.size(); }

    /// The next one logs in. Whatever is not as it should be fails.
    Result<void> log_in()
    {
        auto& person = people_.at(next_++ % people_.size());

        // The browser at the partner, then here.
        auto const verifier = random_->token().reveal();
        auto const state = random_->token().reveal();
        auto const request = parameters({{"response_type", "code"},
                                         {"client_id", partner_.client.text()},
                                         {"redirect_uri", partner_.redirect_uri},
                                         {"scope", "openid profile"},
                                         {"state", state},
                                         {"nonce", random_->token().reveal()},
                                         {"code_challenge", crypto::base64url(crypto::sha256(verifier))},
                                         {"code_challenge_method", "S256"}});
        auto const begun =
            TRY(expect(browser_.get("/authorize?" + http::write_parameters(request)), 303, "GET /authorize"));
        auto const& page = begun.location;
        if (!page.starts_with("/sign-in/") || begun.cookie.empty()) return wrong("no sign-in page: " + page);
        auto const cookie = "Cookie: " + begun.cookie;
        TRY(expect(browser_.get(page, {cookie}), 200, "GET /sign-in"));
        auto const typed = parameters({{"calling_code", "32"}, {"identifier", person.number}, {"continue", "1"}});
        TRY(expect(browser_.post(page, typed, {cookie, "Origin: " + addresses_.id}), 303, "POST /sign-in"));
        auto const waiting = TRY(expect(browser_.get(page, {cookie}), 200, "GET /sign-in, waiting"));

        // The phone.
        auto const pending = TRY(run_now(person.phone.pending()));
        if (pending.size() != 1) return wrong(fmt::format("{} actions on the phone", pending.size()));
        auto const shown = TRY(run_now(person.phone.show(pending.front().id)));
        device::Choice const choice{.decision = device::Answer::Decision::approve,
                                    .symbol = TRY(symbol_in(waiting.body)),
                                    .code = code,
                                    .claims = {},
                                    .reason = {}};
        auto const answered = TRY(run_now(person.phone.answer(shown, choice)));
        if (answered != "approved") return wrong("the phone's answer led to " + answered);

        // The browser goes back, the partner redeems.
        auto const back = TRY(expect(browser_.get(page + "/continue", {cookie}), 303, "GET /sign-in/continue"));
        if (!back.location.starts_with(partner_.redirect_uri + '?')) return wrong("not to the partner");
        auto const given = TRY(http::parse_parameters(back.location.substr(partner_.redirect_uri.size() + 1)));
        if (given.value("state") != state) return wrong("another state");
        auto const redemption = parameters({
            {"grant_type", "authorization_code"},
            {"code", given.value("code")},
            {"redirect_uri", partner_.redirect_uri},
            {"code_verifier", verifier},
            {"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
            {"client_assertion", assertion()},
        });
        auto const tokens =
            TRY(json::parse_object(TRY(expect(browser_.post("/token", redemption), 200, "token")).body));
        auto const access = TRY(json::text(tokens, "access_token"));
        auto const info = TRY(expect(browser_.get("/userinfo", {"Authorization: Bearer " + access}), 200, "userinfo"));

        // That it was a login, and of whom.
        auto const claims = TRY(json::parse_object(TRY(crypto::peek_jws(TRY(json::text(tokens, "id_token")))).payload));
        auto const subject = TRY(json::text(TRY(json::parse_object(info.body)), "sub"));
        if (TRY(json::text(claims, "sub")) != subject) return wrong("userinfo of somebody else");
        return {};
    }

private:
    struct Person {
        std::string number;
        device::Phone phone;
    };

    static Result<std::string> symbol_in(std::string const& page)
    {
        constexpr std::string_view before = "symbols.svg#";
        auto const at = page.find(before);
        if (at == std::string::npos) return wrong("no symbol on the page");
        auto const from = at + before.size();
        return page.substr(from, page.find('"', from) - from);
    }

    [[nodiscard]] std::string assertion() const
    {
        auto const at = now();
        return crypto::sign_jws(partner_.key, json::write(json::Object{{"iss", partner_.client.text()},
                                                                       {"sub", partner_.client.text()},
                                                                       {"aud", addresses_.id},
                                                                       {"jti", random_->token().reveal()},
                                                                       {"iat", numeric_date(at)},
                                                                       {"exp", numeric_date(at + 60s)}}));
    }

    Addresses addresses_;
    Partner partner_;
    std::unique_ptr<crypto::Random> random_ = crypto::system_random();
    HttpClient browser_{addresses_.id};
    phone::CurlTransport phones_{{.url = addresses_.phone, .ca_file = {}}};
    std::vector<Person> people_;
    std::size_t next_ = 0;
};

/// All queues at once, until so many logins are done.
Result<void> log_in(std::vector<std::unique_ptr<Queue>>& queues, int logins, Stopwatch::time_point until)
{
    std::atomic<int> left = logins;
    std::mutex mutex;
    Result<void> result;
    {
        std::vector<std::jthread> threads;
        threads.reserve(queues.size());
        for (auto& queue : queues)
            threads.emplace_back([&, queue = queue.get()] {
                while (left.fetch_sub(1) > 0) {
                    auto done = Stopwatch::now() < until ? queue->log_in() : wrong("out of time (--seconds)");
                    if (done) continue;
                    left = 0;
                    std::scoped_lock const lock{mutex};
                    if (result) result = std::move(done);
                }
            });
    }
    return result;
}

// ---- the floor -----------------------------------------------------------------------------------------------------

/// A cryptographic operation of a login, and how often it takes place.
struct Operation {
    int count;
    std::function<bool()> run;
};

/// What one login's cryptography takes: processor time.
struct FloorTimes {
    Microseconds as_run;  ///< each operation as often as a login does it, once, beside whatever else the core does
    Microseconds in_loop; ///< the same again and again: code, tables and keys are in the nearest caches
};

/// With our own keys and messages of the usual size; keys are parsed already.
class Floor {
public:
    explicit Floor(crypto::Random& random)
    {
        using enum crypto::SignatureAlgorithm;
        constexpr std::size_t usual_bytes = 400;
        auto const message = random.bytes(usual_bytes);
        auto const p256 = crypto::PrivateKey::generate(crypto::KeyType::ec_p256);
        auto const ed25519 = crypto::PrivateKey::generate(crypto::KeyType::ed25519);
        auto const es256_signature = p256.sign(es256, message);
        auto const eddsa_signature = ed25519.sign(eddsa, message);
        auto const proof = crypto::seal_to(p256.public_key(), eddsa_signature, message);

        // The phone's two signed requests and its answer; the client's assertion (docs/device-protocol.md, OpenID
        // Connect Core 1.0).
        operations_.push_back(
            {4, [=, key = p256.public_key()] { return key.verifies(es256, message, es256_signature); }});
        // The record; the ID token.
        operations_.push_back({2, [=] { return !p256.sign(es256, message).empty(); }});
        // The vault opens the proof (ECDH, HKDF, AES-GCM), verifies it and signs its grant.
        operations_.push_back({1, [=] { return crypto::open_seal(p256, proof, message).has_value(); }});
        operations_.push_back(
            {1, [=, key = ed25519.public_key()] { return key.verifies(eddsa, message, eddsa_signature); }});
        operations_.push_back({1, [=] { return !ed25519.sign(eddsa, message).empty(); }});

        // Counted in a login (callgrind, docs/benchmarks.md): records sealed for the store, keyed hashes of what they
        // are looked up by and of cookies and nonces, hashes of tokens, answers and the log; the vault's sealed key.
        constexpr std::size_t record_bytes = 1000;
        SecretBytes const key{random.bytes(32)};
        auto const record = random.bytes(record_bytes);
        auto const sealed = crypto::seal_with_key(key, record, message, random);
        operations_.push_back(
            {12, [=, &random] { return !crypto::seal_with_key(key, record, message, random).empty(); }});
        operations_.push_back({1, [=] { return crypto::open_with_key(key, sealed, message).has_value(); }});
        operations_.push_back({20, [=] { return !crypto::hmac_sha256(key, ByteView{message}.first(64)).empty(); }});
        operations_.push_back({24, [=] { return !crypto::sha256(message).empty(); }});
    }

    /// Of one login: processor time of this thread.
    [[nodiscard]] FloorTimes sample() const
    {
        constexpr int repeats = 3;
        auto const as_run = time_of_logins(1);
        return {.as_run = as_run, .in_loop = time_of_logins(repeats) / repeats};
    }

private:
    [[nodiscard]] Microseconds time_of_logins(int logins) const
    {
        auto const before = time_of(CLOCK_THREAD_CPUTIME_ID);
        for (auto const& operation : operations_)
            for (int i = 0; i < logins * operation.count; ++i) ENSURE(operation.run());
        return time_of(CLOCK_THREAD_CPUTIME_ID) - before;
    }

    std::vector<Operation> operations_;
};

/// Takes samples of the floor on the servers' core while they work: the clock of a processor, and what others leave of
/// its caches, change within seconds, and are the same for both this way.
class FloorBesides {
public:
    FloorBesides(Floor const& floor, int core)
        : thread_{[this, &floor, core](std::stop_token const& stop) {
              stay_on(core);
              while (!stop.stop_requested() || samples_.size() < fewest) {
                  samples_.push_back(floor.sample());
                  std::unique_lock lock{mutex_};
                  wake_.wait_for(lock, stop, between, [] { return false; });
              }
          }}
    {}

    /// Medians of the samples until now. The last call.
    FloorTimes end()
    {
        thread_.request_stop();
        thread_.join();
        auto const of = [this](auto member) {
            std::vector<Microseconds> values;
            std::ranges::transform(samples_, std::back_inserter(values), member);
            return median(values);
        };
        return {.as_run = of(&FloorTimes::as_run), .in_loop = of(&FloorTimes::in_loop)};
    }

private:
    static constexpr std::size_t fewest = 9;
    static constexpr std::chrono::milliseconds between{40}; ///< some 4 ms each: a tenth of the core

    std::vector<FloorTimes> samples_; ///< the thread's until it has ended
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::jthread thread_;
};

// ---- the run -------------------------------------------------------------------------------------------------------

struct Round {
    double per_second;
    Microseconds server; ///< a login's
    Microseconds vault;
    FloorTimes floor;
    [[nodiscard]] double ratio() const { return (server + vault) / floor.as_run; }
    [[nodiscard]] double ratio_to_loop() const { return (server + vault) / floor.in_loop; }
    [[nodiscard]] Microseconds floor_as_run() const { return floor.as_run; }
    [[nodiscard]] Microseconds floor_in_loop() const { return floor.in_loop; }
};

std::string_view disk_of(fs::path const& directory)
{
    constexpr auto tmpfs = 0x01021994; // linux/magic.h
    struct statfs found{};
    if (::statfs(directory.c_str(), &found) != 0) return "unknown";
    return found.f_type == tmpfs ? "memory" : "disk";
}

Result<void> run(Options const& options)
{
    auto const until = Stopwatch::now() + std::chrono::seconds{options.seconds};
    auto const cores = two_cores();
    stay_on(cores.others);
    auto const random = crypto::system_random();
    store::testing::TemporaryDirectory const temporary;
    auto const directory = temporary.path() / "state";

    auto const ports = TRY(free_ports(3));
    Addresses const addresses{fmt::format("http://localhost:{}", ports[0]),
                              fmt::format("http://localhost:{}", ports[1]),
                              fmt::format("http://localhost:{}", ports[2])};
    TRY(app::make_state_directory(directory, settings_text(addresses), *random, now()));
    auto vault =
        TRY(Program::start(options.bin / "symbolon-vault", {"--dir", directory / "vault"}, cores.servers, until));

    Partner partner;
    std::vector<Holder> holders;
    {
        auto registrar = TRY(Registrar::open(directory, *random));
        partner = TRY(registrar.add_partner());
        device::VaultClient client{directory / "vault" / "vault.sock"};
        for (int i = 0; i < options.accounts; ++i) holders.push_back(TRY(registrar.add_holder(i, client)));
    }
    auto server =
        TRY(Program::start(options.bin / "symbolond", {"--config", directory / "symbolon.toml"}, cores.servers, until));

    auto const many = static_cast<std::size_t>(std::min(options.concurrency, options.accounts));
    std::vector<std::vector<Holder>> shares(many);
    for (std::size_t i = 0; i < holders.size(); ++i) shares[i % many].push_back(holders[i]);
    std::vector<std::unique_ptr<Queue>> queues;
    queues.reserve(many);
    for (auto const& share : shares) queues.push_back(std::make_unique<Queue>(addresses, partner, share));

    // Everybody once, not counted: connections, nonces of the phones, what the server remembers.
    auto done = options.accounts;
    TRY(log_in(queues, options.accounts, until));

    Floor const floor{*random};
    std::vector<Round> rounds;
    auto const in_a_round = std::max(1, options.logins / options.rounds);
    for (int i = 0; i < options.rounds; ++i) {
        FloorBesides floor_besides{floor, cores.servers};
        auto const begun = Stopwatch::now();
        auto const server_before = server.used();
        auto const vault_before = vault.used();
        TRY(log_in(queues, in_a_round, until));
        Microseconds const took = Stopwatch::now() - begun;
        auto const server_used = server.used() - server_before;
        auto const vault_used = vault.used() - vault_before;
        auto const times = floor_besides.end();
        Round const round{.per_second = in_a_round / (took.count() / 1e6),
                          .server = server_used / in_a_round,
                          .vault = vault_used / in_a_round,
                          .floor = times};
        rounds.push_back(round);
        done += in_a_round;
    }

    // What was answered is there after the servers were stopped without warning.
    server.kill();
    vault.kill();
    auto registrar = TRY(Registrar::open(directory, *random));
    int kept = 0;
    for (auto const& holder : holders) kept += TRY(registrar.approvals_of(holder, done + 1));
    if (kept != done) return wrong(fmt::format("{} logins were answered, {} are in the log", done, kept));

    auto const of = [&](auto member) {
        std::vector<double> values;
        for (auto const& round : rounds) {
            auto const value = std::invoke(member, round);
            if constexpr (requires { value.count(); }) values.push_back(value.count());
            else values.push_back(value);
        }
        return median(values);
    };
    auto const ratio = of(&Round::ratio);
    fmt::print(
        "login: ratio {:.2f} to its cryptography beside the servers, {:.2f} to the same in a loop (server {:.0f} us + "
        "vault {:.0f} us of CPU a login, floors {:.0f} us and {:.0f} us), {:.0f} logins/s, "
        "{} logins in {} rounds, {} accounts, {} at once, every commit on {}, all {} kept after SIGKILL\n",
        ratio, of(&Round::ratio_to_loop), of(&Round::server), of(&Round::vault), of(&Round::floor_as_run),
        of(&Round::floor_in_loop), of(&Round::per_second), in_a_round * options.rounds, options.rounds,
        options.accounts, many, disk_of(directory), kept);
    if (options.at_most && ratio > *options.at_most)
        return wrong(fmt::format("the ratio is above {:.2f}", *options.at_most));
    return {};
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App program{"Measures what a login costs the servers, against the floor of its cryptographic operations."};
    Options options;
    options.bin = fs::read_symlink("/proc/self/exe").parent_path();
    program.add_option("--logins", options.logins, "that are measured")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    program.add_option("--accounts", options.accounts, "that log in, in turn")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    program.add_option("--concurrency", options.concurrency, "logins at once")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    program
        .add_option("--rounds", options.rounds,
                    "in which the logins are measured, each beside its floor; medians are told")
        ->check(CLI::Range(1, 100))
        ->capture_default_str();
    program.add_option("--seconds", options.seconds, "at most, in all")
        ->check(CLI::Range(1, 3600))
        ->capture_default_str();
    program.add_option("--at-most", options.at_most, "the ratio that is still good; above it, this fails");
    program.add_option("--bin", options.bin, "where symbolond and symbolon-vault are")->capture_default_str();
    CLI11_PARSE(program, argc, argv);

    signal(SIGPIPE, SIG_IGN);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    auto const ran = run(options);
    if (ran) return 0;
    fmt::print(stderr, "bench-login: {} [{}] {}:{}\n", ran.error().detail, name_of(ran.error().outcome),
               ran.error().where.file_name(), ran.error().where.line());
    return 1;
}
