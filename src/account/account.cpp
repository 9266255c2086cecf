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

} // namespace symbolon::account
