#include "partner/client.hpp"

#include "base/ensure.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace symbolon::partner {

namespace {

constexpr std::array methods{
    std::pair{ClientAuthentication::none, std::string_view{"none"}},
    std::pair{ClientAuthentication::client_secret_basic, std::string_view{"client_secret_basic"}},
    std::pair{ClientAuthentication::client_secret_post, std::string_view{"client_secret_post"}},
    std::pair{ClientAuthentication::private_key_jwt, std::string_view{"private_key_jwt"}},
};

} // namespace

std::string_view name_of(ClientAuthentication method) { return methods.at(static_cast<std::size_t>(method)).second; }

std::optional<ClientAuthentication> client_authentication_named(std::string_view name)
{
    for (auto const& [method, method_name] : methods)
        if (method_name == name) return method;
    return std::nullopt;
}

std::string const& Client::name_in(Language language) const
{
    ENSURE(!names.empty());
    if (auto const found = names.find(language); found != names.end()) return found->second;
    if (auto const english = names.find(Language::en); english != names.end()) return english->second;
    return names.begin()->second;
}

} // namespace symbolon::partner
