#include "account/account.hpp"

namespace symbolon::account {

std::string Person::full_name() const { return given_names.empty() ? family_name : given_names + ' ' + family_name; }

Result<Account> apply(Account account, Event event)
{
    auto const to = next(account.state, event);
    if (!to) return fail(Outcome::conflict, "the account's state has no such move");
    account.state = *to;
    return account;
}

Account with_word_of_bank(Account account, Instant now)
{
    account.card_may_unblock_until = now + word_of_bank_lasts;
    return account;
}

Result<void> check_move(Account const& account, Source const& by, Instant now)
{
    auto const is_same = account.source.kind == by.kind && account.source.bank == by.bank;
    auto const both_spoke = by.kind == Source::Kind::card && now < account.card_may_unblock_until;
    if (account.state == State::blocked && !is_same && !both_spoke) return fail(Outcome::other_source_than_enrolled);
    return {};
}

Result<Account> moved(Account account, Account enrolled)
{
    if (account.state == State::blocked) account = TRY(apply(std::move(account), Event::unblock));
    if (account.state == State::deactivated) account = TRY(apply(std::move(account), Event::reactivate));
    if (account.state != State::active) return fail(Outcome::conflict, "the account is closed");
    enrolled.id = std::move(account.id);
    enrolled.state = account.state;
    enrolled.created_at = account.created_at;
    if (enrolled.source.kind == Source::Kind::bank) {
        enrolled.email = std::move(account.email);
        enrolled.location_consent = account.location_consent;
        enrolled.contract = std::move(account.contract);
    }
    return enrolled;
}

Account without_number(Account account)
{
    account.phone_number = {};
    return account;
}

} // namespace symbolon::account
