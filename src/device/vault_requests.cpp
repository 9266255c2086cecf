#include "device/vault_requests.hpp"

namespace symbolon::device {

Flow<Bytes> VaultRequests::public_key()
{
    auto reply = co_await ask(vault::AskKeys{});
    co_return std::move(reply.seal_point);
}

Flow<void> VaultRequests::register_code(AccountId account, DeviceId device, int code_version, Bytes nonce,
                                        Bytes sealed_code_key)
{
    co_await ask(vault::RegisterCode{.account = std::move(account),
                                     .device = std::move(device),
                                     .code_version = code_version,
                                     .nonce = std::move(nonce),
                                     .sealed_code_key = std::move(sealed_code_key),
                                     .reason = {},
                                     .move = 0,
                                     .permit = {}});
    co_return {};
}

Flow<void> VaultRequests::replace_code(AccountId account, DeviceId device, int code_version, Bytes nonce,
                                       Bytes sealed_code_key, std::string by, std::int64_t move)
{
    if (permits() == nullptr) co_return fail(Outcome::configuration_invalid, "no key for permits");
    co_await ask(vault::permitted({.account = std::move(account),
                                   .device = std::move(device),
                                   .code_version = code_version,
                                   .nonce = std::move(nonce),
                                   .sealed_code_key = std::move(sealed_code_key),
                                   .reason = std::move(by),
                                   .move = move,
                                   .permit = {}},
                                  *permits()));
    co_return {};
}

Flow<ports::CodeVerdict> VaultRequests::judge(AccountId account, DeviceId device, ActionId action, Bytes message,
                                              Bytes sealed_proof)
{
    auto reply = co_await ask(vault::JudgeCode{.account = std::move(account),
                                               .device = std::move(device),
                                               .action = std::move(action),
                                               .message = std::move(message),
                                               .proof = std::move(sealed_proof)});
    co_return ports::CodeVerdict{.right = reply.right, .tries_left = reply.tries_left, .grant = std::move(reply.grant)};
}

Flow<int> VaultRequests::tries_left(AccountId account)
{
    auto const reply = co_await ask(vault::AskTries{std::move(account)});
    co_return reply.tries_left;
}

Flow<void> VaultRequests::forget(AccountId account)
{
    co_await ask(vault::ForgetCode{std::move(account)});
    co_return {};
}

} // namespace symbolon::device
