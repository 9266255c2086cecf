#pragma once

#include "base/flow.hpp"
#include "crypto/random.hpp"
#include "device/code_rules.hpp"
#include "device/messages.hpp"
#include "device/shown.hpp"
#include "passkey/software_authenticator.hpp"

#include <optional>
#include <string>
#include <vector>

/// A phone as a library: the client's side of docs/device-protocol.md. What it keeps is a value, how its messages
/// travel is given to it, so that a test, symbolon-phone and a load of thousands of phones use the same one.
namespace symbolon::device {

// ---- what a phone keeps, and what it makes of it (nothing waits, nothing is sent)
// ---------------------------------------

/// The fingerprint of a phone without fingers.
struct PhonePasskey {
    passkey::SoftwareAuthenticator authenticator;
    passkey::RelyingParty party; ///< the phone origin
};

/// What is left of a phone when it is switched off.
struct PhoneState {
    crypto::PrivateKey device_key; ///< DK
    DeviceId device;               ///< its thumbprint
    SecretBytes kh;                ///< KH, 32 bytes
    int code_version = 1;
    crypto::PublicKey vault_key; ///< V, pinned at enrolment
    Bytes ratchet;               ///< 16 bytes; empty before the enrolment's end
    std::string phone_number;    ///< E.164, as the server said
    std::string language = "en";
    bool enrolled = false;
    crypto::PublicKey log_key;           ///< that signs heads of the log; pinned when first seen
    std::string log_head;                ///< the last head that was seen (JWS); empty before
    std::optional<PhonePasskey> passkey; ///< the fingerprint is on

    // while it is being enrolled
    SecretText session;
    Bytes enrol_nonce;
};

/// A phone out of its box: new keys.
PhoneState new_phone(crypto::Random& random);

/// For a file that only its owner reads: it holds the phone's secrets.
SecretText write(PhoneState const& state);
Result<PhoneState> parse_phone_state(std::string_view text); ///< Fails with data_damaged.

/// The last message of the enrolment, with the passkey that the state has. Needs session, enrol_nonce and vault_key.
EnrolFinish make_finish(PhoneState const& state, SecretText const& code, std::string name);

/// The Authorization header of a signed request.
std::string sign_request(PhoneState const& state, std::string_view method, std::string_view path,
                         std::string_view nonce, std::string_view body);

/// What the holder does with an action that is shown.
struct Choice {
    Answer::Decision decision = Answer::Decision::approve;
    std::string symbol;
    SecretText code;                                ///< empty: the fingerprint instead, which must be on
    std::optional<std::vector<std::string>> claims; ///< ticked; none: every claim that is shown
    std::string reason;                             ///< of a refusal
};

/// The message that turns a passkey on. `challenge` as the server gave it.
PasskeyOn make_passkey_on(PhoneState const& state, PhonePasskey const& passkey, ByteView challenge,
                          SecretText const& code);

/// The signed answer. With the fingerprint the passkey's count is the next one; keeping it is the caller's.
/// `shown_bytes` as the server sent them, `shown` read from them.
Answer make_answer(PhoneState const& state, Shown const& shown, ByteView shown_bytes, Choice const& choice);

// ---- the phone at work ----------------------------------------------------------------------------------------------

/// How messages reach the server.
class Transport {
public:
    struct Call {
        std::string method;
        std::string path;
        std::vector<std::pair<std::string, std::string>> headers; ///< besides content type
        std::string body;
    };
    struct Reply {
        int status = 0;
        std::vector<std::pair<std::string, std::string>> headers; ///< names in small letters
        std::string body;
    };

    virtual ~Transport() = default;
    /// Fails with upstream_unreachable.
    virtual Flow<Reply> send(Call call) = 0;
};

struct PendingAction {
    ActionId id;
    Instant created_at;
    Instant expires_at;
    bool shown = false;
    bool returning = false;          ///< approved: its page has yet to be tied to it
    bool returned_elsewhere = false; ///< and another browser than the one that began came back
    bool rings = true;               ///< of one at most; the others wait silently
    bool muted = false;
};

/// What a phone makes of an address that it scanned or that opened it: "ORIGIN/app/#qr=…" or "#link=…"; of what stands
/// behind it alone, too. `scanned`: by its own camera. Fails with entry_unknown.
Result<Claim> claim_of_address(std::string_view address, bool scanned);

/// The actions of a /d/pending answer, or of an event of /d/events. Fails with json_malformed.
Result<std::vector<PendingAction>> parse_pending(std::string_view text);

/// One phone. Not for two threads at once; calls that are under way must not overlap.
///
/// Every flow fails with what the server said (its outcome, tries_left, open_at), with upstream_unreachable, or with
/// json_malformed: an answer that isn't of the protocol.
class Phone {
public:
    Phone(PhoneState state, Transport& transport) : state_{std::move(state)}, transport_{transport} {}

    [[nodiscard]] PhoneState const& state() const { return state_; }

    // Enrolment (A4). Each step also leaves its place in the state, so that it can go on after a restart.
    Flow<void> start_enrolment(std::string calling_code, std::string number, SecretText token);
    Flow<CodeRules> give_sms_code(SecretText code);
    Flow<void> send_sms_again();

    // Enrolment through a bank (B1): start, leave for the bank in a browser, and look where one is when back.
    Flow<void> start_at_bank(std::string calling_code, std::string number, std::string language);
    /// Gives the address at the bank. The cookie that ties the browser to the visit comes with the answer: it is the
    /// transport's to keep.
    Flow<std::string> visit_bank(std::string bank);
    /// What the page shows where the visit ended in another browser.
    Flow<void> give_landing_code(SecretText code);
    /// Back to the choice of bank.
    Flow<void> choose_bank_again();

    /// Where an enrolment is, as the server knows it.
    struct EnrolmentPlace {
        std::string step;                    ///< "bank", "landed", "sms", "code", "done"
        std::optional<Instant> sms_again_at; ///< in sms
        std::optional<CodeRules> code_rules; ///< in code
        std::string bank;                    ///< its name in the configuration; empty: none was chosen
        std::optional<Outcome> outcome;      ///< what came of the visit at the bank, where nothing good did
        std::optional<Instant> open_at;      ///< with it, where there is a time
    };
    /// After a restart, and when the browser is back from a bank.
    Flow<EnrolmentPlace> enrolment_place();

    /// Fails besides: code_malformed, code_trivial (the phone's own judgement, nothing is sent).
    Flow<void> finish_enrolment(SecretText code, CodeRules rules, std::string name);
    /// Before finish_enrolment: the fingerprint will be on.
    void take_passkey(PhonePasskey passkey) { state_.passkey = std::move(passkey); }

    // Actions (D1).
    struct ShownAction {
        Shown shown;
        Bytes bytes;
        std::string return_address; ///< where to bring an approved link back to its page; empty unless it is returning
    };
    Flow<std::vector<PendingAction>> pending();

    /// Goes to a page (D3): gives the id of its action. Fails besides: account_blocked, too_many_requests,
    /// entry_unknown, qr_too_old, entry_closed, entry_taken.
    Flow<ActionId> claim(Claim claim);
    /// Fails besides: request_malformed (not for this phone or not for this action, or of a kind it doesn't know).
    Flow<ShownAction> show(ActionId id);
    /// Gives the state that the action has then: "approved", "refused". Sends the same bytes again, at most twice, when
    /// the answer to them is lost or something came between.
    Flow<std::string> answer(ShownAction action, Choice choice);

    // History (F3).
    struct HistoryEntry {
        std::int64_t sequence = 0;
        Instant at;
        std::string id;
        std::string event;
        std::string client;
        json::Object detail;
    };
    struct HistoryPage {
        std::vector<HistoryEntry> entries; ///< newest first, each proven to be in the log
        std::int64_t log_size = 0;         ///< of the signed head that it was proven by
        bool more = false;
    };
    /// The entries before one (0: the newest). Fails besides with data_damaged: an entry is not proven, the head is not
    /// signed by the pinned key, or the log is not the one that was seen before with something added.
    Flow<HistoryPage> history(std::int64_t before = 0);
    /// The evidence of an entry: the record that its detail names by hash (docs/device-protocol.md §6). Fails besides:
    /// record_unknown, data_damaged (the server gave another one).
    Flow<std::string> record_of(HistoryEntry entry);

    /// Turns the fingerprint on.
    Flow<void> turn_passkey_on(PhonePasskey passkey, SecretText code);
    Flow<void> turn_passkey_off();

    /// The address that the last answer gave to bring a link back to its page; empty: none.
    [[nodiscard]] std::string const& return_address() const { return return_address_; }

    /// The symbol of a page whose browser did not come back. Gives "approved".
    Flow<std::string> match(ShownAction action, std::string symbol);

    /// GET /d/me.
    Flow<json::Object> me();

    /// A signed request, with a nonce that the server takes. Gives the answer whatever its status is.
    Flow<Transport::Reply> send_signed(std::string method, std::string path, std::string body);

    /// A nonce for a request that the caller sends itself (the stream of events).
    Flow<std::string> fresh_nonce();

private:
    Flow<json::Object> post(std::string path, std::string body);
    /// The same bytes again, at most twice, when the answer is lost or something came between.
    Flow<json::Object> post_until_answered(std::string path, std::string body);
    Flow<json::Object> ask(std::string method, std::string path, std::string body);

    PhoneState state_;
    Transport& transport_;
    std::string nonce_;
    std::string return_address_;
};

} // namespace symbolon::device
