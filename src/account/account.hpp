#pragma once

#include "account/phone_number.hpp"
#include "base/bytes.hpp"
#include "base/id.hpp"
#include "base/instant.hpp"
#include "base/language.hpp"
#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace symbolon::account {

enum class State : std::uint8_t { active, blocked, deactivated, closed };
enum class Event : std::uint8_t { block, unblock, deactivate, reactivate, close };

struct Move {
    State from;
    Event event;
    State to;
};

// clang-format off
inline constexpr std::array moves{
    //   from                event              to
    Move{State::active,      Event::block,      State::blocked},
    Move{State::active,      Event::deactivate, State::deactivated},
    Move{State::active,      Event::close,      State::closed},
    Move{State::blocked,     Event::unblock,    State::active},
    Move{State::blocked,     Event::deactivate, State::deactivated},
    Move{State::blocked,     Event::close,      State::closed},
    Move{State::deactivated, Event::reactivate, State::active},
    Move{State::deactivated, Event::close,      State::closed},
};
// clang-format on

constexpr std::optional<State> next(State from, Event event)
{
    for (auto const& move : moves)
        if (move.from == from && move.event == event) return move.to;
    return std::nullopt;
}

static_assert(!next(State::closed, Event::reactivate), "a closed account stays closed");
static_assert(!next(State::deactivated, Event::unblock), "unblocking does not bring a deactivated account back");

enum class Sex : std::uint8_t { male, female, unknown };

struct Address {
    std::string street; ///< street and number
    std::string zip;
    std::string municipality;
};

/// Who the holder is, as the source said. Texts are UTF-8 as the source wrote them; dates are ISO 8601.
struct Person {
    std::string family_name;
    std::string given_names;   ///< the first two; may be empty
    std::string third_initial; ///< may be empty
    std::string birth_date;    ///< "1985-07-30", "1985-07" or "1985"
    std::string birth_place;
    Sex sex = Sex::unknown;
    std::string nationality;     ///< as printed, in the language of the card
    std::string national_number; ///< 11 digits
    Address address;
    Bytes photo; ///< JPEG; may be empty

    /// Given names and family name, as one reads them.
    [[nodiscard]] std::string full_name() const;
};

/// What vouched for the person, and until when.
struct Source {
    enum class Kind : std::uint8_t { card, bank };
    Kind kind = Kind::card;
    std::string bank; ///< its name in the configuration; empty: a card
    std::string document_number;
    int document_type = 0;   ///< eID: tag 0F
    std::string valid_from;  ///< ISO 8601; of a bank: the day on which it read the card last
    std::string valid_until; ///< ISO 8601, the last day
    std::string issued_by;   ///< municipality, or the bank's name
    std::string evidence;    ///< JSON: what was judged and the answers believed; for audits
};

/// A person's account.
struct Account {
    AccountId id;
    State state = State::active;
    PhoneNumber phone_number;
    std::string email;
    Language language = Language::fr;
    bool location_consent = false;
    Person person;
    Instant person_at; ///< when `person` was taken from its source
    Source source;
    std::optional<DeviceId> device; ///< the one phone that is bound
    ContractId contract;
    std::int64_t move_number = 0;   ///< of its last move to another phone: the order of its codes, for the vault
    Instant card_may_unblock_until; ///< before it, the card unblocks what a bank enrolled (with_word_of_bank)
    Instant created_at;
};

/// The account after an event. Fails with `conflict` when the table has no such move.
Result<Account> apply(Account account, Event event);

/// How long the word of a bank unblocks for the card: till the holder sits in front of a computer with a reader.
inline constexpr Seconds word_of_bank_lasts = std::chrono::hours{24};

/// A blocked account once the bank that enrolled it has said who its holder is. A bank can't bring a new number (E3),
/// and the card alone doesn't unblock what a bank enrolled (E6): so, for a while, the two of them do it together.
Account with_word_of_bank(Account account, Instant now);

/// Whether its holder, proven by `by` (its kind and its bank count), may bring the account to another phone, and with
/// it to a new code. Fails with other_source_than_enrolled: a blocked account is unblocked with what it was enrolled
/// with, the card or that very bank (E6). A card that was renewed is the same source: it is the person that counts.
Result<void> check_move(Account const& account, Source const& by, Instant now);

/// The account as it is on another phone, which `enrolled` was made for: what the holder has just proven, typed and
/// signed is what counts from then on. It keeps its id (and with it what partners know the holder by), and is active.
/// Through a bank nothing is typed but the number, and nothing signed: e-mail, location consent and contract stay as
/// they were. Fails: conflict (it is closed).
Result<Account> moved(Account account, Account enrolled);

/// The account without its number: somebody else has just proven to have it (E10). Person, phone and code stay.
Account without_number(Account account);

} // namespace symbolon::account
