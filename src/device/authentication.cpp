#include "device/authentication.hpp"

#include "base/recent_map.hpp"
#include "device/messages.hpp"
#include "device/nonce.hpp"

#include <mutex>

namespace symbolon::device {

namespace {

/// Keys of phones that spoke a moment ago, decoded: a login brings three signatures of one phone. A key is what its
/// bytes say, so nothing here can be out of date or differ from one server to another: one for the process. For any
/// number of threads.
class KnownKeys {
public:
    Result<crypto::PublicKey> at(Bytes const& der)
    {
        auto place = string_of(der);
        {
            std::scoped_lock const lock{mutex_};
            if (auto const* known = keys_.find(place)) return *known;
        }
        auto key = TRY(crypto::PublicKey::from_der(der));
        std::scoped_lock const lock{mutex_};
        keys_.put(std::move(place), key);
        return key;
    }

private:
    static constexpr std::size_t most = 4096;

    std::mutex mutex_;
    RecentMap<crypto::PublicKey> keys_{most};
};

Result<crypto::PublicKey> key_of(account::Device const& device)
{
    static KnownKeys known;
    return known.at(device.public_key);
}

} // namespace

Result<void> check_device(account::Device const& device)
{
    switch (device.state) {
    case account::Device::State::bound: return {};
    case account::Device::State::suspended: return fail(Outcome::device_suspended);
    case account::Device::State::unbound: return fail(Outcome::device_unbound);
    }
    return fail(Outcome::device_unbound);
}

Flow<ports::Stored<account::Account>> account_of(account::Device device, ports::Services services)
{
    auto account = co_await services.accounts.find(device.account);
    if (!account) co_return fail(Outcome::account_deactivated);
    using enum account::State;
    auto const state = account->value.state;
    if (state == deactivated || state == closed) co_return fail(Outcome::account_deactivated);
    // One account has one phone; what an older one says no longer counts.
    if (account->value.device != device.id) co_return fail(Outcome::device_unbound);
    co_return *std::move(account);
}

http::Response signed_answer(json::Object const& object, ports::Services const& services, Settings const& settings)
{
    auto response = http::json(200, json::write(object));
    response.with("Symbolon-Nonce", make_nonce(settings.nonce_key, services.clock.now()));
    return response;
}

Flow<AuthenticatedDevice> signer_of(DeviceId id, Bytes statement, Bytes signature, ports::Services services)
{
    auto device = co_await services.devices.find(std::move(id));
    if (!device) co_return fail(Outcome::device_unknown);
    auto key = co_await key_of(device->value);
    if (!key.verifies(crypto::SignatureAlgorithm::es256, statement, signature))
        co_return fail(Outcome::device_signature_invalid);
    co_await check_device(device->value);
    auto account = co_await account_of(device->value, services);
    co_return AuthenticatedDevice{*std::move(device), std::move(account), std::move(key)};
}

Flow<AuthenticatedDevice> authenticate(http::Request request, ports::Services services, SharedSettings settings)
{
    auto const authorization = co_await parse_authorization(request.header("authorization"));
    co_await check_nonce(settings->nonce_key, authorization.nonce, services.clock.now(),
                         settings->limits.device_nonce_lifetime);
    auto statement = request_statement(request.method, request.path, authorization.nonce, bytes_of(request.body));
    co_return co_await signer_of(authorization.device, std::move(statement), authorization.signature, services);
}

} // namespace symbolon::device
