#include "vault/statement.hpp"

#include "base/ensure.hpp"

#include <limits>

namespace symbolon::vault {

namespace {

void append_with_length(Bytes& to, ByteView part)
{
    ENSURE(part.size() <= std::numeric_limits<std::uint32_t>::max());
    auto const size = static_cast<std::uint32_t>(part.size());
    for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<Byte>(size >> shift));
    append(to, part);
}

} // namespace

Bytes statement(std::string_view domain, std::initializer_list<ByteView> fields)
{
    std::size_t size = 4 + domain.size();
    for (auto const field : fields) size += 4 + field.size();
    Bytes bytes;
    bytes.reserve(size);
    append_with_length(bytes, bytes_of(domain));
    for (auto const field : fields) append_with_length(bytes, field);
    return bytes;
}

Bytes list_of(std::span<std::string const> items)
{
    Bytes bytes;
    for (auto const& item : items) append_with_length(bytes, bytes_of(item));
    return bytes;
}

Bytes code_key_statement(ByteView nonce, DeviceId const& device, int code_version)
{
    auto const version = std::to_string(code_version);
    return statement("symbolon-code-key-v1", {nonce, bytes_of(device.text()), bytes_of(version)});
}

Bytes code_proof_context(ActionId const& action, DeviceId const& device, int code_version)
{
    auto const version = std::to_string(code_version);
    return statement("symbolon-code-proof-v1", {bytes_of(action.text()), bytes_of(device.text()), bytes_of(version)});
}

Bytes grant_statement(AccountId const& account, DeviceId const& device, int code_version, ActionId const& action,
                      ByteView message_hash, Instant at)
{
    auto const version = std::to_string(code_version);
    auto const time = std::to_string(numeric_date(at));
    return statement("symbolon-vault-grant-v1", {bytes_of(account.text()), bytes_of(device.text()), bytes_of(version),
                                                 bytes_of(action.text()), message_hash, bytes_of(time)});
}

} // namespace symbolon::vault
