#pragma once

#include "action/action.hpp"
#include "base/limits.hpp"
#include "crypto/random.hpp"
#include "grant/sign_in.hpp"
#include "partner/client.hpp"

namespace symbolon::entry {

/// The question of a sign-in for a phone, without account, device and symbols: whoever knows whom it is for adds them.
action::Action new_action(grant::SignIn const& sign_in, partner::Client const& client, Limits const& limits,
                          Instant now, crypto::Random& random);

/// The question with its symbols; `last_right` are not among them (action/symbols.hpp).
action::Action with_symbols(action::Action action, std::initializer_list<std::string_view> last_right,
                            crypto::Random& random);

/// The sign-in that waits for that action, with time enough for it and for the way back.
grant::SignIn waiting_for(grant::SignIn sign_in, action::Action const& action, Limits const& limits);

} // namespace symbolon::entry
