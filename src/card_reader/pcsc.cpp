#include "card_reader/pcsc.hpp"

#include "base/ensure.hpp"
#include "card_reader/apdu.hpp"
#include "card_reader/belpic.hpp"

#include <winscard.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <future>
#include <reader.h>
#include <thread>

namespace symbolon::card_reader {

namespace {

constexpr std::size_t most_readers = 16;
constexpr std::size_t longest_answer_bytes = 258;
constexpr int most_reconnections = 3;
constexpr auto poll_every = 250ms;
constexpr auto strangers_may_take = 2000ms; ///< other programs, while they keep a card that is hardly ours
constexpr int looks_between_questions = 8;  ///< to a card that could not be asked; some two seconds
constexpr auto removal_is_noticed_within = 1500ms;

std::unexpected<Failure> failed(long error, char const* what)
{
    return fail(outcome_of_pcsc(error), std::string{what} + ": " + pcsc_stringify_error(error));
}

/// Numbers of several bytes are little-endian in PC/SC part 10's structures, and big-endian in its TLV of features.
void append_little_endian(Bytes& to, std::uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; ++i) to.push_back(static_cast<Byte>(value >> (8U * static_cast<unsigned>(i)) & 0xFFU));
}

/// A context with one card in it.
struct Connection {
    SCARDCONTEXT context = 0;
    SCARDHANDLE handle = 0;
    DWORD protocol = SCARD_PROTOCOL_T0;
    bool has_context = false;
    bool has_card = false;
    LONG error = SCARD_S_SUCCESS;

    explicit Connection(std::string const& reader)
    {
        error = SCardEstablishContext(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &context);
        has_context = error == SCARD_S_SUCCESS;
        if (!has_context) return;
        error = SCardConnect(context, reader.c_str(), SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
                             &handle, &protocol);
        has_card = error == SCARD_S_SUCCESS;
    }
    Connection(Connection const&) = delete;
    Connection& operator=(Connection const&) = delete;
    ~Connection()
    {
        if (has_card) SCardDisconnect(handle, SCARD_LEAVE_CARD);
        if (has_context) SCardReleaseContext(context);
    }
};

using Connecting = std::future<std::unique_ptr<Connection>>;

/// The service lets SCardConnect wait, without an end, while another program has a transaction: so it waits in a thread
/// and a context of its own, which close what they opened when their turn comes too late.
Connecting start_connecting(std::string const& reader)
{
    std::packaged_task<std::unique_ptr<Connection>()> task{[reader] { return std::make_unique<Connection>(reader); }};
    auto connecting = task.get_future();
    std::thread{std::move(task)}.detach();
    return connecting;
}

/// What `connecting` came to. It stays valid while its turn has not come.
Result<std::unique_ptr<Connection>> connected_within(std::chrono::milliseconds patience, Connecting& connecting)
{
    if (connecting.wait_for(patience) != std::future_status::ready)
        return failed(SCARD_E_SHARING_VIOLATION, "SCardConnect waits");
    auto connection = connecting.get();
    if (connection->error != SCARD_S_SUCCESS) return failed(connection->error, "SCardConnect");
    return connection;
}

bool is_of_service(long error) { return outcome_of_pcsc(error) == Outcome::reader_service_missing; }

class PcscCard final : public Transceiver {
public:
    PcscCard(std::unique_ptr<Connection> connection, std::string reader, Sleep sleep,
             std::chrono::milliseconds others_may_take)
        : connection_{std::move(connection)},
          reader_{std::move(reader)},
          sleep_{std::move(sleep)},
          others_may_take_{others_may_take},
          verify_on_reader_{find_verify_feature()}
    {}

    Result<Bytes> transmit(ByteView command) override
    {
        std::array<Byte, longest_answer_bytes> answer{};
        DWORD size = answer.size();
        auto const* how = connection_->protocol == SCARD_PROTOCOL_T1 ? SCARD_PCI_T1 : SCARD_PCI_T0;
        auto const error =
            SCardTransmit(connection_->handle, how, command.data(), command.size(), nullptr, answer.data(), &size);
        if (error != SCARD_S_SUCCESS) return failed(cause_of(error), "SCardTransmit");
        return Bytes{answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(size)};
    }

    Result<void> begin_transaction() override
    {
        auto waited = 0ms;
        for (int reconnections = 0;;) {
            auto error = SCardBeginTransaction(connection_->handle);
            if (error == SCARD_S_SUCCESS) return {};
            if (error == SCARD_E_SHARING_VIOLATION && waited < others_may_take_) {
                sleep_(poll_every);
                waited += poll_every;
                continue;
            }
            // Another program reset the card: what it had selected is gone, and this connection wants to be told that
            // we know.
            if (error != SCARD_W_RESET_CARD || reconnections++ == most_reconnections)
                return failed(cause_of(error), "SCardBeginTransaction");
            error = SCardReconnect(connection_->handle, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
                                   SCARD_LEAVE_CARD, &connection_->protocol);
            if (error != SCARD_S_SUCCESS) return failed(cause_of(error), "SCardReconnect");
        }
    }

    void end_transaction() noexcept override { SCardEndTransaction(connection_->handle, SCARD_LEAVE_CARD); }

    [[nodiscard]] bool has_pin_pad() const override { return verify_on_reader_.has_value(); }

    Result<Bytes> verify_on_pin_pad(ByteView verify_template) override
    {
        ENSURE(verify_on_reader_.has_value());
        auto const structure = pin_verify_structure(verify_template);
        std::array<Byte, longest_answer_bytes> answer{};
        DWORD size = 0;
        auto const error = SCardControl(connection_->handle, *verify_on_reader_, structure.data(), structure.size(),
                                        answer.data(), answer.size(), &size);
        if (error != SCARD_S_SUCCESS) return failed(cause_of(error), "SCardControl");
        return Bytes{answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(size)};
    }

    void pause(std::chrono::milliseconds time) override { sleep_(time); }

private:
    /// What is behind a failure. pcsc-lite tells a card that was pulled out in several ways, and looks into the reader
    /// a few times a second only: so this waits for its word.
    [[nodiscard]] long cause_of(long error) const
    {
        if (is_of_service(error)) return error;
        for (auto waited = 0ms; waited <= removal_is_noticed_within; waited += poll_every) {
            SCARD_READERSTATE state{};
            state.szReader = reader_.c_str();
            auto const asked = SCardGetStatusChange(connection_->context, 0, &state, 1);
            if (asked != SCARD_S_SUCCESS) return is_of_service(asked) ? asked : SCARD_W_REMOVED_CARD;
            if ((state.dwEventState & SCARD_STATE_PRESENT) == 0) return SCARD_W_REMOVED_CARD;
            sleep_(poll_every);
        }
        return error;
    }

    /// PC/SC part 10 §2.2: the reader's features, each a tag, a length of 4 and a control code.
    [[nodiscard]] std::optional<DWORD> find_verify_feature() const
    {
        std::array<Byte, longest_answer_bytes> features{};
        DWORD size = 0;
        if (SCardControl(connection_->handle, CM_IOCTL_GET_FEATURE_REQUEST, nullptr, 0, features.data(),
                         features.size(), &size) != SCARD_S_SUCCESS)
            return std::nullopt;
        for (std::size_t at = 0; at + 6 <= size; at += 6) {
            if (features.at(at) != FEATURE_VERIFY_PIN_DIRECT || features.at(at + 1) != 4) continue;
            DWORD code = 0;
            for (std::size_t i = 2; i < 6; ++i) code = code << 8U | features.at(at + i);
            return code;
        }
        return std::nullopt;
    }

    std::unique_ptr<Connection> connection_;
    std::string reader_;
    Sleep sleep_;
    std::chrono::milliseconds others_may_take_;
    std::optional<DWORD> verify_on_reader_;
};

/// What is in a reader now.
struct Slot {
    std::string reader;
    bool has_card = false;
    bool is_mute = false; ///< a card that does not answer to reset
    unsigned events = 0;  ///< insertions and removals so far: it tells this card from the next of its kind
    bool is_seen = false; ///< the service told of it this time
    Bytes atr;

    friend bool operator==(Slot const&, Slot const&) = default;
};

/// A card without a Belgian answer to reset, for as long as it stays in its reader.
struct OtherCard {
    Slot slot;
    bool is_stranger = false; ///< it answered that it has no applet: nobody disturbs it again
    int looks_to_rest = 0;    ///< before it, which could not be asked, is asked again
    Connecting connecting;    ///< valid while another program's transaction keeps us waiting
};

} // namespace

struct Readers::State {
    SCARDCONTEXT context = 0;
    Sleep sleep;
    std::chrono::milliseconds others_may_take;
    std::vector<OtherCard> other_cards; ///< those that were asked for the applet and are still there

    State(Sleep how, std::chrono::milliseconds patience) : sleep{std::move(how)}, others_may_take{patience} {}
    State(State const&) = delete;
    State& operator=(State const&) = delete;
    ~State() { SCardReleaseContext(context); }

    /// The readers whose name contains `name`.
    [[nodiscard]] Result<std::vector<Slot>> slots(std::string_view name) const
    {
        DWORD size = 0;
        auto error = SCardListReaders(context, nullptr, nullptr, &size);
        if (error == SCARD_E_NO_READERS_AVAILABLE) return std::vector<Slot>{};
        if (error != SCARD_S_SUCCESS) return failed(error, "SCardListReaders");
        std::string names(size, '\0');
        error = SCardListReaders(context, nullptr, names.data(), &size);
        if (error == SCARD_E_NO_READERS_AVAILABLE) return std::vector<Slot>{};
        if (error != SCARD_S_SUCCESS) return failed(error, "SCardListReaders");

        // A multi-string: each name ends with a zero, the list with one more.
        std::vector<Slot> found;
        for (std::size_t at = 0; at < names.size() && names[at] != '\0' && found.size() < most_readers;) {
            std::string reader{names.c_str() + at};
            at += reader.size() + 1;
            if (reader.find(name) != std::string::npos) found.push_back({.reader = std::move(reader), .atr = {}});
        }
        for (auto& slot : found) {
            SCARD_READERSTATE state{};
            state.szReader = slot.reader.c_str();
            if (SCardGetStatusChange(context, 0, &state, 1) != SCARD_S_SUCCESS) continue;
            slot.is_seen = true;
            slot.has_card = (state.dwEventState & SCARD_STATE_PRESENT) != 0;
            slot.is_mute = (state.dwEventState & SCARD_STATE_MUTE) != 0;
            slot.events = state.dwEventState >> 16U & 0xFFFFU;
            slot.atr.assign(std::begin(state.rgbAtr),
                            std::begin(state.rgbAtr) + std::min<DWORD>(state.cbAtr, MAX_ATR_SIZE));
        }
        return found;
    }

    /// Whether the Belgian applet is on the card. Fails where the card could not be asked.
    [[nodiscard]] Result<bool> has_applet(OtherCard& other) const
    {
        auto const patience = std::min<std::chrono::milliseconds>(others_may_take, strangers_may_take);
        // One thread waits for its turn at a card, however long that takes and however often we look.
        auto const is_waiting = other.connecting.valid();
        if (!is_waiting) other.connecting = start_connecting(other.slot.reader);
        auto connection = TRY(connected_within(is_waiting ? 0ms : patience, other.connecting));
        PcscCard card{std::move(connection), other.slot.reader, sleep, patience};
        auto const transaction = TRY(Transaction::begin(card));
        return TRY(parse_response(TRY(card.transmit(select_applet())))).is_ok();
    }

    [[nodiscard]] OtherCard& known(Slot const& slot)
    {
        auto const at = std::ranges::find(other_cards, slot, &OtherCard::slot);
        return at != other_cards.end() ? *at : other_cards.emplace_back(OtherCard{.slot = slot, .connecting = {}});
    }

    /// The card to take: one with a Belgian answer to reset; a card of tomorrow may answer in another way, so there the
    /// applet decides. While a reader is empty, any other card is there for something else; where none is, it must be
    /// what the holder means.
    [[nodiscard]] std::optional<Slot> choose(std::vector<Slot> const& slots)
    {
        auto const may_be_there = [&](OtherCard const& other) {
            return std::ranges::any_of(slots, [&](Slot const& slot) {
                return slot == other.slot || (slot.reader == other.slot.reader && !slot.is_seen);
            });
        };
        std::erase_if(other_cards, [&](auto const& other) { return !may_be_there(other); });
        for (auto const& slot : slots)
            if (is_belgian_atr(slot.atr)) return slot;

        for (auto const& slot : slots) {
            if (!slot.has_card || slot.is_mute) continue;
            auto& other = known(slot);
            if (other.is_stranger) continue;
            if (!other.connecting.valid() && other.looks_to_rest-- > 0) continue;
            auto const answer = has_applet(other);
            if (answer && *answer) return slot;
            other.is_stranger = answer.has_value();
            other.looks_to_rest = looks_between_questions;
        }
        if (slots.empty() || !std::ranges::all_of(slots, &Slot::has_card)) return std::nullopt;
        return slots.front();
    }

    /// The connection that waits for its turn at that card already, or a new one. Others that wait would only be in
    /// other programs' way.
    [[nodiscard]] Connecting connecting_to(Slot const& slot)
    {
        Connecting connecting;
        for (auto& other : other_cards) {
            auto waiting = std::exchange(other.connecting, {});
            if (other.slot == slot) connecting = std::move(waiting);
        }
        return connecting.valid() ? std::move(connecting) : start_connecting(slot.reader);
    }
};

Outcome outcome_of_pcsc(long error)
{
    switch (error) {
    case SCARD_E_NO_SERVICE:
    case SCARD_E_SERVICE_STOPPED:
    case SCARD_F_COMM_ERROR:
    case SCARD_E_INVALID_HANDLE: // the service was started anew and knows nothing of ours
        return Outcome::reader_service_missing;
    case SCARD_E_NO_READERS_AVAILABLE:
    case SCARD_E_READER_UNAVAILABLE:
    case SCARD_E_UNKNOWN_READER: return Outcome::reader_missing;
    case SCARD_E_NO_SMARTCARD: return Outcome::card_missing;
    case SCARD_W_REMOVED_CARD: return Outcome::card_removed;
    case SCARD_E_SHARING_VIOLATION: return Outcome::card_in_use;
    default: return Outcome::card_unresponsive;
    }
}

Bytes pin_verify_structure(ByteView verify_template)
{
    Bytes structure{
        30,   // bTimerOut: seconds for the first key
        30,   // bTimerOut2: seconds after it
        0x89, // bmFormatString: system units are bytes, the PIN one byte into the data, left-justified, BCD
        0x47, // bmPINBlockString: the PIN's length in 4 bits, the block in 7 bytes
        0x04, // bmPINLengthFormat: the length 4 bits into the data
    };
    append_little_endian(structure, 0x040C, 2); // wPINMaxExtraDigit: 4 to 12 digits
    structure.push_back(0x02);                  // bEntryValidationCondition: the OK key
    structure.push_back(0x01);                  // bNumberMessage: one
    append_little_endian(structure, 0x0409, 2); // wLangId: English, the one that every reader has
    structure.push_back(0x00);                  // bMsgIndex
    structure.insert(structure.end(), 3, 0x00); // bTeoPrologue: T=1 only
    append_little_endian(structure, static_cast<std::uint32_t>(verify_template.size()), 4);
    append(structure, verify_template);
    return structure;
}

Readers::Readers(std::unique_ptr<State> state) : state_{std::move(state)} {}
Readers::Readers(Readers&&) noexcept = default;
Readers::~Readers() = default;

Result<Readers> Readers::connect(Sleep sleep, std::chrono::milliseconds others_may_take)
{
    // Else libpcsclite itself asks again, without an end, while another program has a transaction.
    ::setenv("PCSCLITE_NO_BLOCKING", "1", 1);
    auto state = std::make_unique<State>(std::move(sleep), others_may_take);
    auto const error = SCardEstablishContext(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &state->context);
    if (error != SCARD_S_SUCCESS) return failed(error, "SCardEstablishContext");
    return Readers{std::move(state)};
}

Result<std::unique_ptr<Transceiver>> Readers::find_card(std::string_view reader_name, std::chrono::seconds patience,
                                                        std::function<void(Waiting)> const& waiting)
{
    std::optional<Waiting> told;
    for (auto waited = 0ms;; waited += poll_every) {
        auto const slots = TRY(state_->slots(reader_name));
        if (auto const chosen = state_->choose(slots)) {
            if (chosen->is_mute) return fail(Outcome::card_unresponsive, "no answer to reset");
            auto connecting = state_->connecting_to(*chosen);
            auto connection = TRY(connected_within(state_->others_may_take, connecting));
            return std::make_unique<PcscCard>(std::move(connection), chosen->reader, state_->sleep,
                                              state_->others_may_take);
        }

        auto const for_what = slots.empty() ? Waiting::for_reader : Waiting::for_card;
        if (told != for_what && waiting) waiting(for_what);
        told = for_what;
        if (waited >= patience) return fail(slots.empty() ? Outcome::reader_missing : Outcome::card_missing);
        state_->sleep(poll_every);
    }
}

} // namespace symbolon::card_reader
