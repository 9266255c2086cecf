#include "sim/enrolment_world_testing.hpp"

#include "base/text.hpp"
#include "crypto/encoding.hpp"
#include "crypto/seal.hpp"
#include "device/banks_testing.hpp"
#include "device/code_rules.hpp"
#include "device/messages.hpp"
#include "device/routes.hpp"
#include "device/vault_requests.hpp"
#include "enrolment/phone_number.hpp"
#include "page/enrolment.hpp"
#include "page/papers.hpp"
#include "page/reader.hpp"
#include "sim/beginning_testing.hpp"
#include "store/codec.hpp"
#include "store/store_testing.hpp"
#include "vault/judge.hpp"
#include "vault/statement.hpp"
#include "vault/vault_testing.hpp"

#include <limits>

namespace symbolon::sim {

namespace {

using enrolment::CardFindings;
using page::EnrolmentMeans;
using store::Table;

constexpr auto outside = Whose::outside;
constexpr auto id_url = "https://id.example";
constexpr auto phone_url = "https://phone.example";
constexpr auto first_bank = "kbc";
constexpr auto second_bank = "ing";

/// Nobody asks for it: cards of the World have no certificates.
class NoFetcher final : public card::RevocationFetcher {
public:
    Flow<Bytes> post_ocsp(std::string /*url*/, Bytes /*request*/) override
    {
        co_return fail(Outcome::revocation_unreachable);
    }
    Flow<Bytes> get_crl(std::string /*url*/) override { co_return fail(Outcome::revocation_unreachable); }
    Flow<Bytes> get_certificate(std::string /*url*/) override { co_return fail(Outcome::revocation_unreachable); }
};

/// What every World of enrolments begins with. Made once in a program.
struct EnrolmentBeginning {
    SeededRandom chance{4};
    vault::testing::TestKeys vault_keys{vault::testing::test_keys(chance)};
    card::Anchors anchors;
    NoFetcher fetcher;
    card::CrlCache lists;
    device::PhoneState old_phone = device::new_phone(chance); ///< of who had an account before
    Bytes code_nonce = Bytes(32, 9);
    SecretText old_code{"38214"};
};

EnrolmentBeginning& enrolment_beginning()
{
    static EnrolmentBeginning one;
    return one;
}

Limits limits_with(EnrolmentFault fault)
{
    Limits limits;
    if (fault == EnrolmentFault::waits_are_too_long) limits.identification_token_wait = 25min;
    return limits;
}

std::optional<std::string> text_in(json::Object const& object, std::string_view name)
{
    auto text = json::optional_text(object, name);
    return text ? *std::move(text) : std::nullopt;
}

/// What a page shows of a failure.
struct ShownOutcome {
    std::string name;
    std::optional<Instant> open_at;
};
ShownOutcome outcome_on(json::Object const& page)
{
    auto const* const outcome = page.if_contains("outcome");
    if (outcome == nullptr || !outcome->is_object()) return {};
    auto const& object = outcome->get_object();
    ShownOutcome shown{.name = text_in(object, "outcome").value_or(""), .open_at = {}};
    if (auto const at = json::optional_integer(object, "open_at"); at && *at) shown.open_at = instant_of(**at);
    return shown;
}

bool is_lost_on_the_way(Outcome outcome)
{
    switch (outcome) {
    case Outcome::upstream_unreachable:
    case Outcome::store_failed:
    case Outcome::vault_unreachable:
    case Outcome::conflict:
    case Outcome::unavailable:
    case Outcome::internal:
    case Outcome::too_many_requests:
    case Outcome::bank_unreachable: return true;
    default: return false;
    }
}

account::Person person_named(std::string const& national_number, std::string const& birth_date)
{
    auto person = store::testing::account("", "", national_number).person;
    person.birth_date = birth_date;
    return person;
}

} // namespace

// ---- what a planted fault takes the place of

namespace {

bool updates(store::Write const& write, Table table, std::string_view state)
{
    auto const* const update = std::get_if<store::Update>(&write);
    return update != nullptr && update->table == table && update->record.state == state;
}

/// What is unique of an account is forgotten where a planted fault lets it repeat.
void forget_keys(store::Write& write, EnrolmentFault fault)
{
    auto const forget = [&](Table table, store::Record& record) {
        if (table != Table::account) return;
        if (fault == EnrolmentFault::store_lets_numbers_repeat)
            record.keys[store::columns::account_phone_number.index].reset();
        if (fault == EnrolmentFault::store_lets_persons_repeat)
            record.keys[store::columns::account_national_number.index].reset();
    };
    if (auto* const insert = std::get_if<store::Insert>(&write)) forget(insert->table, insert->record);
    if (auto* const update = std::get_if<store::Update>(&write)) forget(update->table, update->record);
}

} // namespace

Flow<store::Committed> EnrolmentWorld::commit(std::vector<store::Write> writes)
{
    for (auto& write : writes) forget_keys(write, fault_);
    if (fault_ == EnrolmentFault::store_forgets_to_unbind)
        std::erase_if(writes, [](auto const& write) { return updates(write, Table::device, "unbound"); });
    if (fault_ == EnrolmentFault::store_ends_enrolments_alone &&
        std::ranges::any_of(writes, [](auto const& write) { return updates(write, Table::enrolment, "done"); }))
        std::erase_if(writes, [](auto const& write) { return updates(write, Table::account, "active"); });
    co_return co_await engine_.commit(std::move(writes));
}

/// Accounts, and what a planted fault makes of them: that nobody ever blocked one, or that no number is anybody's.
class EnrolmentWorld::LyingAccounts final : public ports::Accounts {
public:
    explicit LyingAccounts(EnrolmentWorld& world) : world_{world} {}

    Flow<std::optional<ports::Stored<account::Account>>> find(AccountId id) override
    {
        co_return unblocked(co_await accounts().find(std::move(id)));
    }
    Flow<std::optional<ports::Stored<account::Account>>> find_by_phone_number(account::PhoneNumber number) override
    {
        auto found = co_await accounts().find_by_phone_number(std::move(number));
        if (world_.fault_ == EnrolmentFault::store_lets_numbers_repeat) found.reset();
        co_return unblocked(std::move(found));
    }
    Flow<std::optional<ports::Stored<account::Account>>> find_by_national_number(std::string number) override
    {
        co_return unblocked(co_await accounts().find_by_national_number(std::move(number)));
    }
    Flow<void> open(account::Account account, account::Device device, Bytes contract_pdf,
                    ports::Stored<enrolment::Enrolment> enrolment, ports::HistoryEntry entry,
                    std::optional<ports::NumberLost> number_lost, std::optional<ports::Once> credential) override
    {
        return accounts().open(std::move(account), std::move(device), std::move(contract_pdf), std::move(enrolment),
                               std::move(entry), std::move(number_lost), std::move(credential));
    }
    Flow<void> move(ports::AccountMove move) override { return accounts().move(std::move(move)); }
    Flow<void> undo_open(ports::Stored<account::Account> account, ports::Stored<account::Device> device,
                         ports::Stored<enrolment::Enrolment> enrolment, ports::HistoryEntry entry) override
    {
        return accounts().undo_open(std::move(account), std::move(device), std::move(enrolment), std::move(entry));
    }
    Flow<void> undo_move(ports::Stored<account::Account> account, ports::Stored<account::Device> device,
                         ports::Stored<enrolment::Enrolment> enrolment, ports::HistoryEntry entry) override
    {
        return accounts().undo_move(std::move(account), std::move(device), std::move(enrolment), std::move(entry));
    }
    Flow<void> save(ports::Stored<account::Account> account, ports::HistoryEntry entry) override
    {
        return accounts().save(std::move(account), std::move(entry));
    }

private:
    using Found = std::optional<ports::Stored<account::Account>>;
    [[nodiscard]] Found unblocked(Found found) const
    {
        auto const is_planted = world_.fault_ == EnrolmentFault::blocked_accounts_look_active;
        if (is_planted && found && found->value.state == account::State::blocked)
            found->value.state = account::State::active;
        return found;
    }
    ports::Accounts& accounts() { return world_.world_->services().accounts; }

    EnrolmentWorld& world_;
};

/// Enrolments that count a try of the SMS code whenever something is written.
class EnrolmentWorld::StrictEnrolments final : public ports::Enrolments {
    using Found = std::optional<ports::Stored<enrolment::Enrolment>>;

public:
    explicit StrictEnrolments(EnrolmentWorld& world) : world_{world} {}

    Flow<void> add(enrolment::Enrolment enrolment) override { return all().add(std::move(enrolment)); }
    Flow<Found> find(EnrolmentId id) override { return all().find(std::move(id)); }
    Flow<Found> find_by_browser(Bytes hash) override { return all().find_by_browser(std::move(hash)); }
    Flow<Found> find_by_ticket(Bytes hash) override { return all().find_by_ticket(std::move(hash)); }
    Flow<Found> find_by_reader_session(Bytes hash) override { return all().find_by_reader_session(std::move(hash)); }
    Flow<Found> find_by_phone_session(Bytes hash) override { return all().find_by_phone_session(std::move(hash)); }
    Flow<std::vector<ports::Stored<enrolment::Enrolment>>> waiting_for_phone(account::PhoneNumber number) override
    {
        return all().waiting_for_phone(std::move(number));
    }
    Flow<void> save(ports::Stored<enrolment::Enrolment> enrolment) override
    {
        if (enrolment.value.state == enrolment::State::sms) ++enrolment.value.sms_tries.failed;
        return all().save(std::move(enrolment));
    }

private:
    ports::Enrolments& all() { return world_.world_->services().enrolments; }
    EnrolmentWorld& world_;
};

// ---- cards, bank, vault, phones

/// Cards without certificates: the identity file names the person, and the card answers a challenge with itself.
class EnrolmentWorld::SimulatedPapers final : public page::Papers {
public:
    explicit SimulatedPapers(EnrolmentWorld& world) : world_{world} {}

    Flow<CardFindings> judge(card::CardReading reading, card::Challenge challenge, std::array<Byte, 32> /*chance*/,
                             Instant /*now*/) override
    {
        co_await world_.world_->scheduler().turn();
        if (world_.happens(world_.mistakes_)) co_return fail(Outcome::revocation_unreachable, "simulated");
        if (!std::ranges::equal(reading.internal_authenticate, challenge.bytes))
            co_return fail(Outcome::card_not_genuine);
        auto const identity = co_await json::parse_object(text_of(reading.identity));
        CardFindings findings;
        findings.person =
            person_named(co_await json::text(identity, "national_number"), co_await json::text(identity, "birth_date"));
        findings.source = store::testing::account("", "", "").source;
        findings.chip_number = chip_of(findings.person.national_number);
        findings.signature_certificate = Bytes{0x30, 0x00};
        co_return findings;
    }
    Flow<std::vector<Bytes>> signing_status(contract::Signer /*signer*/, Bytes /*nonce*/, Instant /*now*/) override
    {
        co_await world_.world_->scheduler().turn();
        if (world_.happens(world_.mistakes_)) co_return fail(Outcome::revocation_unreachable, "simulated");
        co_return std::vector<Bytes>{};
    }
    Result<Bytes> draft(contract::ContractData const& data) override { return to_bytes(data.reference); }
    Result<contract::PreparedContract> prepare(contract::ContractData const& data, contract::Signer const& /*signer*/,
                                               std::vector<Bytes> const& /*ocsp_answers*/) override
    {
        auto pdf = to_bytes(data.reference + data.phone_number);
        auto attributes = crypto::sha256(pdf);
        return contract::PreparedContract{.pdf = std::move(pdf), .signed_attributes = std::move(attributes)};
    }
    Result<contract::SignatureDigest> digest_to_sign(ByteView signed_attributes, ByteView /*certificate*/) override
    {
        return contract::SignatureDigest{.algorithm = crypto::HashAlgorithm::sha256,
                                         .value = crypto::sha256(signed_attributes)};
    }
    Result<Bytes> complete(contract::PreparedContract const& prepared, contract::Signer const& /*signer*/,
                           ByteView signature, ByteView /*certificate*/) override
    {
        if (crypto::sha256(prepared.pdf) != prepared.signed_attributes) return fail(Outcome::data_damaged);
        if (!std::ranges::equal(signature, crypto::sha256(prepared.signed_attributes)))
            return fail(Outcome::contract_signature_invalid);
        return prepared.pdf;
    }

    static Bytes chip_of(std::string const& national_number)
    {
        auto chip = crypto::sha256(national_number);
        chip.resize(16);
        return chip;
    }

private:
    EnrolmentWorld& world_;
};

/// Two banks that know everybody: the code that a browser brings back is the national number of who was there.
class EnrolmentWorld::SimulatedBank final : public ports::Banks {
public:
    explicit SimulatedBank(EnrolmentWorld& world) : world_{world} {}

    std::vector<ports::BankStanding> list() override { return fakes_.standing; }
    std::string public_keys() override { return fakes_.public_keys(); }
    Flow<std::string> begin(ports::BankVisit visit, Language /*language*/) override
    {
        co_await world_.world_->scheduler().turn();
        if (world_.happens(world_.mistakes_)) co_return fail(Outcome::bank_unreachable, "simulated");
        co_return visit.bank + "/" + visit.state;
    }
    Flow<enrolment::BankAnswer> redeem(ports::BankVisit visit, ports::BankReturn back) override
    {
        co_await world_.world_->scheduler().turn();
        if (!back.error.empty()) co_return fail(Outcome::bank_cancelled);
        if (world_.happens(world_.mistakes_)) co_return fail(Outcome::bank_unreachable, "simulated");
        auto answer = device::testing::good_answer(back.code);
        for (auto const& person : world_.people_)
            if (person.national_number == back.code) answer.birth_date = person.birth_date;
        answer.bank = visit.bank;
        co_await world_.world_->scheduler().turn();
        co_return answer;
    }

private:
    EnrolmentWorld& world_;
    device::testing::FakeBanks fakes_;
};

/// The judge of codes in a process of its own. Its file stays.
class EnrolmentWorld::Vault final : public device::VaultRequests {
public:
    explicit Vault(EnrolmentWorld& world)
        : world_{world},
          judge_{*vault::Judge::open(":memory:", enrolment_beginning().vault_keys.keys, random_)}
    {}

    /// Whether that phone's holder would be believed with that code.
    bool believes(AccountId const& account, device::PhoneState const& phone, SecretText const& code)
    {
        ActionId const action{"action " + std::to_string(++actions_)};
        auto const message = to_bytes(action.text());
        auto const key = device::code_key(phone.kh, phone.device, phone.code_version, code);
        auto proof = crypto::seal_to(phone.vault_key, key.sign(crypto::SignatureAlgorithm::eddsa, message),
                                     vault::code_proof_context(action, phone.device, phone.code_version));
        auto const verdict = run_now(judge(account, phone.device, action, message, std::move(proof)));
        return verdict && verdict->right;
    }

private:
    Flow<vault::Reply> ask(vault::Request request) override
    {
        // It lies about somewhere on the way, for longer than the whole next journey of its person may take.
        auto const* sent = std::get_if<vault::RegisterCode>(&request);
        if (sent != nullptr && !sent->permit.empty() && world_.happens(world_.permits_late_)) {
            constexpr std::uint32_t latest = 3600;
            auto& scheduler = world_.world_->scheduler();
            ++world_.watcher_->count["replacements that lay about"];
            scheduler.at(
                scheduler.now() + Seconds{1 + world_.below(latest)},
                [this, request] {
                    auto const late = reply_to(request);
                    if (!late && late.error().outcome == Outcome::moved_meanwhile)
                        ++world_.watcher_->count["replacements that came too late"];
                },
                outside);
            co_return fail(Outcome::vault_unreachable, "simulated: it lies about");
        }
        co_return reply_to(std::move(request));
    }

    Result<vault::Reply> reply_to(vault::Request request)
    {
        // A vault that knows no order carries out what comes.
        if (world_.fault_ == EnrolmentFault::vault_knows_no_order)
            if (auto* numbered = std::get_if<vault::RegisterCode>(&request); numbered && !numbered->permit.empty()) {
                numbered->move = 0;
                *numbered = vault::permitted(*numbered, *permits());
            }
        auto reply = judge_.answer(std::span{&request, 1}, world_.world_->clock_now()).front();
        auto* code = std::get_if<vault::RegisterCode>(&request);
        if (code != nullptr && reply.outcome && world_.fault_ == EnrolmentFault::vault_asks_for_no_permit) {
            code->reason = "card";
            code->move = std::numeric_limits<std::int64_t>::max();
            request = vault::permitted(*code, *permits());
            code = std::get_if<vault::RegisterCode>(&request);
            reply = judge_.answer(std::span{&request, 1}, world_.world_->clock_now()).front();
        }
        // The same permit again changes nothing.
        if (code != nullptr && !reply.outcome && (code->permit.empty() || permits_used_.insert(code->permit).second))
            world_.watcher_->vault_takes_code(code->account, code->device);
        if (reply.outcome) return fail(*reply.outcome);
        return reply;
    }
    [[nodiscard]] crypto::PrivateKey const* permits() const override
    {
        return &enrolment_beginning().vault_keys.permits;
    }

    EnrolmentWorld& world_;
    SeededRandom random_{2};
    std::set<Bytes> permits_used_;
    int actions_ = 0;
    vault::Judge judge_;
};

/// How a phone reaches the server, with the browser that it is.
class EnrolmentWorld::Transport final : public device::Transport {
public:
    Transport(EnrolmentWorld& world, std::string address) : world_{world}, address_{std::move(address)} {}

    Flow<Reply> send(Call call) override
    {
        auto const response = co_await world_.network_->send(request_of(call, address_));
        for (auto const& [name, value] : response.headers)
            if (name == "Set-Cookie") cookie = value.substr(0, value.find(';'));
        co_return Reply{.status = response.status, .headers = {}, .body = response.body};
    }

    std::string cookie; ///< of the visit at a bank

private:
    EnrolmentWorld& world_;
    std::string address_;
};

// ---- the server

EnrolmentWorld::EnrolmentWorld(std::uint64_t seed, EnrolmentFault fault, bool keeps_journal)
    : StormyWorld{seed, store::MemoryEngine{},
                  fault == EnrolmentFault::store_loses_its_last_commit ? Commits::may_be_lost : Commits::are_kept},
      fault_{fault},
      same_chance_{std::make_unique<SameChance>()},
      lying_accounts_{std::make_unique<LyingAccounts>(*this)},
      strict_enrolments_{std::make_unique<StrictEnrolments>(*this)},
      papers_{std::make_unique<SimulatedPapers>(*this)},
      bank_{std::make_unique<SimulatedBank>(*this)}
{
    auto& begin = enrolment_beginning();
    vault_ = std::make_unique<Vault>(*this);
    world_->set_vault(vault_.get());
    means_ = std::make_unique<EnrolmentMeans>(EnrolmentMeans{
        .id_url = id_url,
        .phone_url = phone_url,
        .reader_page = {},
        .operator_name = "Symbolon",
        .is_test_system = false,
        .key = SecretBytes{Bytes(32, 1)},
        .counter_key = SecretBytes{Bytes(32, 2)},
        .person_check = {.key = SecretBytes{Bytes(32, 3)}, .cost = 1, .prefix = ""},
        .fonts = {},
        .cards = {begin.anchors, begin.fetcher, begin.lists},
        .limits = limits_with(fault),
        .texts = beginning().texts,
        .calling_codes = {},
        .papers = papers_.get(),
    });
    auto settings = std::make_shared<device::Settings>(*beginning().settings);
    settings->limits = limits_with(fault);
    settings->banks = bank_.get();
    settings->bank_end_page = [](ports::BankEnd const& end) { return end.code; };
    settings_ = settings;

    watcher_ = std::make_unique<EnrolmentWatcher>(*world_, engine_, beginning().keys, Limits{});
    watcher_->keeps_journal = keeps_journal;
    start_server(*watcher_);
    world_->on_sms = [this](std::string const& number, std::string const& text) { sms_leaves(number, text); };
}

EnrolmentWorld::~EnrolmentWorld() { world_.reset(); }

ports::Services EnrolmentWorld::services()
{
    World::Doubles doubles;
    if (fault_ == EnrolmentFault::chance_is_always_the_same) doubles.random = same_chance_.get();
    if (fault_ == EnrolmentFault::blocked_accounts_look_active || fault_ == EnrolmentFault::store_lets_numbers_repeat)
        doubles.accounts = lying_accounts_.get();
    if (fault_ == EnrolmentFault::failures_count_double) doubles.enrolments = strict_enrolments_.get();
    return world_->services(doubles);
}

http::Routes EnrolmentWorld::routes(http::Origin origin)
{
    http::Routes all;
    if (origin == http::Origin::phone) {
        for (auto& route : device::device_routes(services(), settings_)) all.push_back(watched(std::move(route)));
        return all;
    }
    all = page::enrolment_routes(*means_, services());
    for (auto& route : page::reader_routes(*means_, services())) all.push_back(std::move(route));
    return all;
}

/// The Watcher hears of what arrives, copies too, before the server does.
http::Route EnrolmentWorld::watched(http::Route route)
{
    if (route.pattern == "/d/enrol/start") {
        route.handler = [this, handler = std::move(route.handler)](http::Request request) {
            auto const start = device::parse_enrol_start(request.body).value();
            auto const number = enrolment::parse_phone_number(start.calling_code, start.number).value();
            watcher_->token_arrives(number.e164(), crypto::sha256(start.token.reveal()));
            return handler(std::move(request));
        };
    } else if (route.pattern == "/d/enrol/sms" || route.pattern == "/d/enrol/bank/landing") {
        route.handler = [this, handler = std::move(route.handler)](http::Request request) {
            auto const given = device::parse_enrol_sms(request.body).value();
            watcher_->sms_code_arrives(crypto::sha256(given.session.reveal()), crypto::sha256(given.code.reveal()));
            return handler(std::move(request));
        };
    }
    return route;
}

/// Somebody enrolled long ago, with another phone.
void EnrolmentWorld::add_account(Person const& person, std::string const& number, account::State state,
                                 std::string const& bank)
{
    auto const& begin = enrolment_beginning();
    AccountId const id{"old account of " + person.national_number};
    auto account = store::testing::account(id.text(), number, person.national_number);
    account.person = person_named(person.national_number, person.birth_date);
    account.device = begin.old_phone.device;
    if (!bank.empty()) {
        account.source.kind = account::Source::Kind::bank;
        account.source.bank = bank;
        account.source.valid_from = "2025-06-01";
    }
    auto device = store::testing::device(begin.old_phone.device.text(), id);
    device.public_key = begin.old_phone.device_key.public_key().der();
    auto enrolment = store::testing::enrolment("old enrolment", number);
    enrolment.state = enrolment::State::done;
    store::Store store{engine_, beginning().keys, *same_chance_};
    ENSURE(run_now(store.enrolments().add(enrolment)).has_value());
    ENSURE(run_now(store.accounts().open(account, device, {}, {enrolment, 1}, store::testing::entry(id, "enrolled")))
               .has_value());
    if (state != account::State::active) {
        auto stored = run_now(store.accounts().find(id)).value().value();
        stored.value.state = state;
        ENSURE(run_now(store.accounts().save(stored, store::testing::entry(id, "blocked"))).has_value());
        account.state = state;
    }
    auto phone = begin.old_phone;
    phone.vault_key = begin.vault_keys.keys.seal.public_key();
    phone.enrol_nonce = begin.code_nonce;
    auto const code_key = device::make_finish(phone, begin.old_code, "Old phone").code_key;
    ENSURE(
        run_now(vault_->register_code(id, phone.device, phone.code_version, begin.code_nonce, code_key)).has_value());
    watcher_->knows(account);
}

void EnrolmentWorld::begin_storm()
{
    StormyWorld::begin_storm();
    sms_lost_ = 20 * strength();
    sms_doubled_ = 20 * strength();
    sms_late_ = 20 * strength();
    mistakes_ = 6 * strength();
    permits_late_ = 25 * strength();
    if (fault_ == EnrolmentFault::vault_knows_no_order) permits_late_ = 600;
    if (fault_ == EnrolmentFault::messages_never_arrive) sms_lost_ = 1000;
    // Where a planted fault lies in wait for a mistake, people make more of them.
    if (fault_ != EnrolmentFault::none) mistakes_ = 72;
}

void EnrolmentWorld::end_storm()
{
    StormyWorld::end_storm();
    mistakes_ = 0;
    permits_late_ = 0;
    if (fault_ != EnrolmentFault::messages_never_arrive) sms_lost_ = 0;
    sms_doubled_ = 0;
    sms_late_ = 0;
}

/// The gateway took it; what becomes of it on the way to the phone is the World's.
void EnrolmentWorld::sms_leaves(std::string const& number, std::string const& text)
{
    constexpr std::size_t digits = 6;
    std::string code;
    for (std::size_t at = 0; at + digits <= text.size() && code.empty(); ++at)
        if (is_digits(text.substr(at, digits))) code = text.substr(at, digits);
    if (code.empty()) {
        ++watcher_->count["old numbers told"];
        return;
    }
    if (happens(sms_lost_)) {
        ++watcher_->count["SMS lost"];
        return;
    }
    auto const copies = happens(sms_doubled_) ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) {
        constexpr std::uint32_t latest = 900;
        auto const late = happens(sms_late_) ? below(latest) : below(8);
        world_->scheduler().at(
            world_->scheduler().now() + Seconds{late}, [this, number, code] { inboxes_[number].push_back(code); },
            outside);
    }
    if (copies > 1) ++watcher_->count["SMS doubled"];
}

// ---- the story

EnrolmentWorld::Person& EnrolmentWorld::new_person(std::string national_number, std::string birth_date,
                                                   std::string number, std::string code)
{
    return people_.emplace_back(Person{.national_number = std::move(national_number),
                                       .birth_date = std::move(birth_date),
                                       .number = std::move(number),
                                       .code = SecretText{std::move(code)}});
}

EnrolmentWorld::Journey EnrolmentWorld::new_journey(Person& person)
{
    auto const number = std::to_string(computers_.size() + 1);
    auto& computer =
        computers_.emplace_back(Computer{.name = "computer " + number, .address = "192.0.2." + number, .cookie = {}});
    auto& handset = handsets_.emplace_back();
    handset.name = "phone " + number;
    handset.transport = std::make_unique<Transport>(*this, "198.51.100." + number);
    handset.phone =
        std::make_unique<device::Phone>(device::new_phone(enrolment_beginning().chance), *handset.transport);
    // Of two phones of one person, one may go through the bank while the other one waits for the card.
    handset.is_at_bank = person.by_bank != happens(200);
    journeys_.push_back({.person = &person, .computer = &computer, .handset = &handset});
    return journeys_.back();
}

void EnrolmentWorld::run()
{
    constexpr auto old_number = "+32470123456";
    begin_storm();
    auto& first = new_person("85073003328", "1985-07-30", old_number, "38214");
    first.by_bank = happens(350);
    if (happens(450)) {
        constexpr std::array states{account::State::active, account::State::blocked, account::State::deactivated};
        auto const state = states.at(below(states.size()));
        auto const by_bank = happens(400);
        add_account(first, old_number, state, by_bank ? first_bank : "");
    }
    if (happens(400)) {
        auto& second = new_person("90010100123", "1990-01-01", "+32470654321", "61937");
        second.by_bank = happens(350);
        // The operator gave the number to somebody else (E10).
        if (happens(500)) std::swap(first.number, second.number);
    }
    for (auto& person : people_) {
        auto const journeys = happens(300) ? 2 : 1;
        for (int i = 0; i < journeys; ++i) world_->start(enrol_sometime(new_journey(person)), outside);
    }
    world_->start(set_clocks(400), outside);
    world_->run();

    end_storm();
    auto const has_phone = [&](Person const& person) {
        auto const account = watcher_->account_of_person(person.national_number);
        return account && account->state == account::State::active && account->phone_number.e164() == person.number &&
               std::ranges::any_of(handsets_, [&](auto const& handset) {
                   return handset.phone->state().enrolled && handset.phone->state().device == account->device;
               });
    };
    for (auto& person : people_) {
        if (has_phone(person)) continue;
        ++watcher_->count["journeys that went on in the calm"];
        auto const open = std::ranges::find_if(journeys_, [&](auto const& journey) {
            return journey.person == &person && !journey.handset->phone->state().enrolled;
        });
        auto const journey = open != journeys_.end() ? *open : new_journey(person);
        constexpr int patience = 60;
        world_->start(go_on(journey, patience), outside);
        world_->run();
    }
    for (auto const& person : people_)
        if (!has_phone(person))
            watcher_->violated(EnrolmentInvariant::person_ends_enrolled, "the owner of " + person.number);
    for (auto& handset : handsets_)
        for (auto const& person : people_)
            if (auto const account = watcher_->account_of_person(person.national_number);
                account && handset.phone->state().enrolled && account->device == handset.phone->state().device)
                judge_code_of(handset, person);
    watcher_->judge();
}

void EnrolmentWorld::judge_code_of(Handset& handset, Person const& person)
{
    auto const account = watcher_->account_of_person(person.national_number);
    if (!account || account->device != handset.phone->state().device) return;
    if (!vault_->believes(account->id, handset.phone->state(), person.code))
        watcher_->violated(EnrolmentInvariant::winner_keeps_the_code, handset.name + " has another code");
}

Flow<void> EnrolmentWorld::enrol_sometime(Journey journey)
{
    co_await sleep(0, 40);
    constexpr int storm_rounds = 25;
    co_await go_on(journey, storm_rounds);
    if (journey.handset->phone->state().enrolled && happens(40)) co_await undo_by_mistake(journey);
    co_return {};
}

Flow<void> EnrolmentWorld::go_on(Journey journey, int most_rounds)
{
    for (int round = 0; round < most_rounds; ++round) {
        if (journey.handset->phone->state().enrolled) co_return {};
        co_await sleep(1, 12);
        auto const done = co_await outcome_of(one_step(journey));
        if (!done) co_await take_failure(journey, done.error());
    }
    co_return {};
}

Flow<void> EnrolmentWorld::wait_until(Instant when)
{
    auto const wait = when - world_->clock_now();
    if (wait > 0s) co_await world_->scheduler().sleep(wait + 1s, outside);
    co_return {};
}

Flow<void> EnrolmentWorld::take_failure(Journey journey, Failure failure)
{
    watcher_->note(journey.handset->name, " and ", journey.computer->name, ": ", name_of(failure.outcome));
    ++watcher_->count["failures: " + std::string{name_of(failure.outcome)}];
    if (!failure.open_at) co_return {};
    watcher_->is_told_to_wait(*failure.open_at);
    // Who is impatient tries at once again.
    if (happens(300) && !is_calm_) co_return {};
    co_await wait_until(*failure.open_at);
    co_return {};
}

Flow<void> EnrolmentWorld::one_step(Journey journey)
{
    if (happens(mistakes_)) restart_phone(*journey.handset);
    if (happens(mistakes_)) co_await sleep(60, 2400);
    if (happens(mistakes_ / 2)) {
        watcher_->note(journey.computer->name, " is another browser now");
        ++watcher_->count["other browsers"];
        journey.computer->cookie.clear();
    }
    if (journey.handset->is_at_bank) {
        co_await at_phone(journey);
        co_return {};
    }
    auto page = co_await look(journey);
    co_await at_computer(journey, std::move(page));
    co_return {};
}

// ---- at the computer

Flow<json::Object> EnrolmentWorld::ask(Computer& computer, http::Origin origin, std::string method, std::string path,
                                       json::Object body)
{
    http::Request request;
    request.origin = origin;
    request.method = std::move(method);
    request.path = std::move(path);
    request.headers = {{"accept-language", "en"}, {"origin", id_url}};
    if (request.method == "POST") {
        request.headers.emplace_back("content-type", "application/json");
        request.body = json::write(body);
    }
    if (!computer.cookie.empty()) request.headers.emplace_back("cookie", computer.cookie);
    request.remote_address = computer.address;
    auto const response = co_await network_->send(std::move(request));
    for (auto const& [name, value] : response.headers)
        if (name == "Set-Cookie") {
            computer.cookie = value.substr(0, value.find(';'));
            watcher_->page_began(computer.cookie.substr(computer.cookie.find('=') + 1));
        }
    if (response.body.empty()) co_return json::Object{};
    auto answer = co_await json::parse_object(response.body);
    constexpr int first_failure = 400;
    if (response.status < first_failure) co_return answer;
    auto const outcome = outcome_named(text_in(answer, "outcome").value_or(""));
    if (!outcome) co_return fail(Outcome::internal);
    auto failure = fail(*outcome);
    if (auto const at = json::optional_integer(answer, "open_at"); at && *at)
        failure.error().open_at = instant_of(**at);
    co_return failure;
}

Flow<json::Object> EnrolmentWorld::begin(Journey journey)
{
    auto challenge = co_await ask(*journey.computer, http::Origin::id, "GET", "/enrolment/person-check", {});
    auto const& parameters = challenge.at("parameters").as_object();
    Bytes password = co_await crypto::from_hex(parameters.at("nonce").as_string());
    password.insert(password.end(), 4, Byte{});
    auto const salt = co_await crypto::from_hex(parameters.at("salt").as_string());
    auto const key = crypto::hex(crypto::pbkdf2_sha256(password, salt, 1, 32));
    json::Object const solution{{"counter", 0}, {"derivedKey", key}};
    json::Object const check{{"challenge", challenge}, {"solution", solution}};
    ++watcher_->count["journeys begun with the card"];
    auto page = co_await ask(*journey.computer, http::Origin::id, "POST", "/enrolment",
                             {{"calling_code", "32"},
                              {"number", journey.person->number},
                              {"email", "somebody@mail.example"},
                              {"language", "nl"},
                              {"location_consent", false},
                              {"person_check", check}});
    co_return page;
}

Flow<json::Object> EnrolmentWorld::look(Journey journey)
{
    auto& computer = *journey.computer;
    if (computer.cookie.empty()) co_return co_await begin(journey);
    auto const cookie = computer.cookie.substr(computer.cookie.find('=') + 1);
    auto page = co_await outcome_of(ask(computer, http::Origin::id, "GET", "/enrolment", {}));
    if (!page) {
        if (page.error().outcome == Outcome::enrolment_unknown) watcher_->page_is_unknown(cookie);
        if (!is_lost_on_the_way(page.error().outcome)) computer.cookie.clear();
        co_return std::unexpected{page.error()};
    }
    auto const step = text_in(*page, "step").value_or("");
    watcher_->page_sees(computer.name, cookie, step);
    watcher_->note(computer.name, " shows ", step, " ", outcome_on(*page).name);
    co_return *std::move(page);
}

Flow<void> EnrolmentWorld::at_computer(Journey journey, json::Object page)
{
    auto& computer = *journey.computer;
    auto& handset = *journey.handset;
    auto const step = text_in(page, "step").value_or("");
    auto const shown = outcome_on(page);
    if (shown.open_at) watcher_->is_told_to_wait(*shown.open_at);
    auto const click = [&](std::string path) { return ask(computer, http::Origin::id, "POST", std::move(path), {}); };

    if (shown.name == "other_source_than_enrolled" && handset.looks_at_card > 0) {
        --handset.looks_at_card;
    } else if (shown.name == "other_source_than_enrolled") {
        // The way out that the page tells of: what the account was enrolled with.
        handset.is_at_bank = true;
        co_return {};
    }
    if (step == "card" || step == "sign") {
        auto const link = text_in(page, "link");
        if (happens(mistakes_ / 3)) co_await press_again_and_again(journey, "/enrolment/link");
        if (link) co_await read_or_sign(journey, *link, text_in(page, "symbol").value_or(""));
        else co_await click("/enrolment/link");
    } else if (step == "review") {
        co_await click("/enrolment/sign");
    } else if (step == "phone") {
        if (!handset.phone->state().session.reveal().empty()) {
            co_await at_phone(journey);
            co_return {};
        }
        if (happens(mistakes_ / 3)) co_await press_again_and_again(journey, "/enrolment/token");
        if (auto const token = text_in(page, "token")) co_await type_token(journey, *token);
        else if (shown.open_at) co_await wait_until(*shown.open_at);
        else co_await click("/enrolment/token");
    } else if (step == "done" && !handset.phone->state().session.reveal().empty()) {
        co_await at_phone(journey);
    } else {
        // Another phone ended it, or it ended otherwise: anew.
        computer.cookie.clear();
        auto state = handset.phone->state();
        state.session = {};
        handset.phone = std::make_unique<device::Phone>(std::move(state), *handset.transport);
    }
    co_return {};
}

/// E9: a hundred times in a row, as fast as one can.
Flow<void> EnrolmentWorld::press_again_and_again(Journey journey, std::string path)
{
    ++watcher_->count["hundred times in a row"];
    constexpr int times = 100;
    for (int i = 0; i < times; ++i) {
        auto const done = co_await outcome_of(ask(*journey.computer, http::Origin::id, "POST", path, {}));
        if (!done && done.error().open_at) watcher_->is_told_to_wait(*done.error().open_at);
    }
    co_return {};
}

/// The program beside the reader, with the holder's card in it.
Flow<void> EnrolmentWorld::read_or_sign(Journey journey, std::string link, std::string symbol)
{
    Computer reader{.name = "reader", .address = journey.computer->address, .cookie = {}};
    auto const eid = [&](std::string path, json::Object body) {
        return ask(reader, http::Origin::id, "POST", std::move(path), std::move(body));
    };
    json::Object const open{{"ticket", link.substr(link.rfind('/') + 1)}, {"version", "1"}};
    auto const opened = co_await eid("/eid/open", open);
    auto const session = co_await json::text(opened, "session");
    co_await sleep(2, 20);
    // The program is closed, or the card pulled out half way.
    if (happens(mistakes_)) co_return {};
    if (happens(mistakes_)) {
        json::Object const removed{{"session", session}, {"at", "reading"}, {"outcome", "card_removed"}};
        co_await eid("/eid/progress", removed);
        co_return {};
    }
    if (co_await json::text(opened, "purpose") == "sign") {
        auto const digest = co_await json::text(opened, "digest");
        json::Object const signature{
            {"session", session},
            {"signature", digest},
            {"chip_number", crypto::base64url(SimulatedPapers::chip_of(journey.person->national_number))}};
        co_await eid("/eid/sign", signature);
        ++watcher_->count["contracts signed"];
        co_return {};
    }
    json::Object const identity{{"national_number", journey.person->national_number},
                                {"birth_date", journey.person->birth_date}};
    json::Object const files{{"identity", crypto::base64url(bytes_of(json::write(identity)))}};
    json::Object const reading{{"session", session},
                               {"symbol", happens(mistakes_) ? "another" : symbol},
                               {"files", files},
                               {"internal_authenticate", co_await json::text(opened, "challenge")}};
    co_await eid("/eid/read", reading);
    ++watcher_->count["cards read"];
    co_return {};
}

Flow<void> EnrolmentWorld::undo_by_mistake(Journey journey)
{
    if (journey.handset->is_at_bank || journey.computer->cookie.empty()) co_return {};
    co_await sleep(5, 200);
    co_await outcome_of(ask(*journey.computer, http::Origin::id, "POST", "/enrolment/undo", {}));
    co_return {};
}

// ---- at the phone

/// The app is closed, or the phone switched off and on: what it keeps is what it wrote.
void EnrolmentWorld::restart_phone(Handset& handset)
{
    ++watcher_->count["phones restarted"];
    auto state = device::parse_phone_state(device::write(handset.phone->state()).reveal()).value();
    handset.phone = std::make_unique<device::Phone>(std::move(state), *handset.transport);
}

Flow<void> EnrolmentWorld::at_phone(Journey journey)
{
    auto& handset = *journey.handset;
    if (handset.phone->state().session.reveal().empty()) {
        ++watcher_->count["journeys begun at a bank"];
        co_await handset.phone->start_at_bank("32", journey.person->number, "nl");
        co_return {};
    }
    auto const place = co_await outcome_of(handset.phone->enrolment_place());
    if (!place) {
        if (!is_lost_on_the_way(place.error().outcome)) {
            // Another phone typed the token, or the card is to be read again.
            auto state = handset.phone->state();
            state.session = {};
            handset.phone = std::make_unique<device::Phone>(std::move(state), *handset.transport);
        }
        co_return std::unexpected{place.error()};
    }
    watcher_->note(handset.name, " is at ", place->step);
    if (place->sms_again_at) watcher_->is_told_to_wait(*place->sms_again_at);
    if (place->step == "bank") co_await visit_bank(journey, *place);
    else if (place->step == "landed") co_await type_landing_code(journey);
    else if (place->step == "sms") co_await type_sms_code(journey, *place);
    else if (place->code_rules) co_await choose_code(journey, *place->code_rules);
    co_return {};
}

Flow<void> EnrolmentWorld::type_token(Journey journey, std::string token)
{
    auto const start = [&](std::string const& typed) {
        return journey.handset->phone->start_enrolment("32", journey.person->number, SecretText{typed});
    };
    if (happens(3 * mistakes_)) {
        auto wrong = token;
        wrong.back() = wrong.back() == 'A' ? 'B' : 'A';
        // Who takes one sign for another does so again and again.
        constexpr int stubborn = 6;
        for (auto times = happens(300) ? stubborn : 1; times > 0; --times) {
            ++watcher_->count["tokens mistyped"];
            auto const typed = co_await outcome_of(start(wrong));
            if (!typed) co_await take_failure(journey, typed.error());
        }
    }
    co_await start(token);
    co_return {};
}

Flow<void> EnrolmentWorld::type_sms_code(Journey journey, device::Phone::EnrolmentPlace place)
{
    auto& handset = *journey.handset;
    auto const session = handset.phone->state().session.reveal();
    auto number = journey.person->number;
    if (happens(2 * mistakes_))
        for (auto const& [other, codes] : inboxes_)
            if (other != number && !codes.empty()) {
                ++watcher_->count["codes of other people typed"];
                number = other;
                break;
            }
    std::string code;
    for (auto const& one : inboxes_[number])
        if (!handset.tried.contains(one)) code = one;
    if (happens(2 * mistakes_)) {
        ++watcher_->count["SMS codes mistyped"];
        code = "123456";
        number.clear();
    }
    if (code.empty()) {
        // What is under way may still come.
        if (place.sms_again_at && !(happens(300) && !is_calm_)) co_await wait_until(*place.sms_again_at);
        auto const times = happens(mistakes_ / 3) ? 100 : 1;
        for (int i = 0; i < times; ++i) {
            auto const sent = co_await outcome_of(handset.phone->send_sms_again());
            if (!sent && i + 1 == times) co_return std::unexpected{sent.error()};
        }
        co_await sleep(5, 10);
        co_return {};
    }
    watcher_->phone_types_sms(session, code, number);
    auto const rules = co_await outcome_of(handset.phone->give_sms_code(SecretText{code}));
    if (rules) co_return {};
    if (!is_lost_on_the_way(rules.error().outcome) && rules.error().outcome != Outcome::enrolment_step_wrong)
        handset.tried.insert(code);
    co_return std::unexpected{rules.error()};
}

Flow<void> EnrolmentWorld::choose_code(Journey journey, device::CodeRules rules)
{
    auto& handset = *journey.handset;
    if (happens(mistakes_)) {
        auto const trivial = co_await outcome_of(handset.phone->finish_enrolment(SecretText{"12345"}, rules, "Phone"));
        if (!trivial && trivial.error().outcome == Outcome::code_trivial) ++watcher_->count["trivial codes refused"];
    }
    co_await handset.phone->finish_enrolment(journey.person->code, rules, "Chrome on Android");
    watcher_->note(handset.name, " is told that it is done");
    watcher_->phone_is_told_done(handset.phone->state().device);
    judge_code_of(handset, *journey.person);
    co_return {};
}

Flow<void> EnrolmentWorld::visit_bank(Journey journey, device::Phone::EnrolmentPlace place)
{
    auto& handset = *journey.handset;
    if (place.outcome) {
        ++watcher_->count["visits that came to nothing: " + std::string{name_of(*place.outcome)}];
        if (*place.outcome == Outcome::new_number_needs_card || *place.outcome == Outcome::other_source_than_enrolled) {
            auto const known = watcher_->account_of_person(journey.person->national_number);
            auto const is_the_banks = known && known->source.kind == account::Source::Kind::bank;
            if (!is_the_banks || *place.outcome == Outcome::new_number_needs_card) {
                // The way out that the app tells of: the card.
                handset.is_at_bank = false;
                handset.looks_at_card = 4;
                auto state = handset.phone->state();
                state.session = {};
                handset.phone = std::make_unique<device::Phone>(std::move(state), *handset.transport);
                co_return {};
            }
        }
    }
    auto const url = co_await handset.phone->visit_bank(happens(mistakes_) ? second_bank : first_bank);
    co_await sleep(5, 60);
    // The holder closes the bank's page.
    if (happens(mistakes_)) co_return {};
    auto const state = url.substr(url.find('/') + 1);
    co_await come_back(journey, state);
    if (happens(mistakes_)) co_await outcome_of(come_back(journey, state));
    co_return {};
}

Flow<void> EnrolmentWorld::come_back(Journey journey, std::string state)
{
    auto& handset = *journey.handset;
    auto const elsewhere = happens(200);
    http::Request request;
    request.origin = http::Origin::phone;
    request.method = "GET";
    request.path = "/bank/return";
    request.query.add("state", std::move(state));
    if (happens(mistakes_)) request.query.add("error", "access_denied");
    else request.query.add("code", journey.person->national_number);
    request.query.add("iss", "https://login.bank.example");
    request.headers = {{"accept", "text/html"}};
    if (!elsewhere) request.headers.emplace_back("cookie", handset.transport->cookie);
    request.remote_address = "198.51.100.99";
    auto const response = co_await network_->send(std::move(request));
    constexpr int ok = 200;
    if (response.status == ok && !response.body.empty()) {
        ++watcher_->count["visits that ended in another browser"];
        handset.landing_code = response.body;
    }
    co_return {};
}

Flow<void> EnrolmentWorld::type_landing_code(Journey journey)
{
    auto& handset = *journey.handset;
    if (handset.landing_code.empty() || happens(mistakes_)) {
        watcher_->phone_chooses_again(handset.phone->state().session.reveal());
        handset.landing_code.clear();
        co_await handset.phone->choose_bank_again();
        co_return {};
    }
    auto const code = happens(3 * mistakes_) ? std::string{"123456"} : std::exchange(handset.landing_code, {});
    co_await handset.phone->give_landing_code(SecretText{code});
    co_return {};
}

} // namespace symbolon::sim
