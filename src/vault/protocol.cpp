#include "vault/protocol.hpp"

#include "base/ensure.hpp"
#include "vault/statement.hpp"

#include <charconv>

namespace symbolon::vault {

namespace {

constexpr std::size_t length_bytes = 4;
constexpr std::size_t most_id_bytes = 64;

void append_number(Bytes& to, std::uint64_t number, int size_bytes)
{
    for (int shift = 8 * (size_bytes - 1); shift >= 0; shift -= 8) to.push_back(static_cast<Byte>(number >> shift));
}

void append_field(Bytes& to, ByteView field)
{
    append_number(to, field.size(), length_bytes);
    append(to, field);
}

void append_field(Bytes& to, std::string_view field) { append_field(to, bytes_of(field)); }

/// Reads one part after another; a part that is not there makes all that follow empty, and `whole` false.
class Reader {
public:
    explicit Reader(ByteView rest) : rest_{rest} {}

    std::uint64_t number(std::size_t size_bytes)
    {
        auto const part = take(size_bytes);
        std::uint64_t number = 0;
        for (auto const byte : part) number = number << 8 | byte;
        return number;
    }

    Bytes field(std::size_t most_bytes = most_frame_bytes)
    {
        auto const size = number(length_bytes);
        if (size > most_bytes) intact_ = false;
        auto const part = take(size);
        return {part.begin(), part.end()};
    }

    std::string text() { return string_of(field(most_id_bytes)); }

    [[nodiscard]] bool more() const { return intact_ && !rest_.empty(); }
    [[nodiscard]] bool whole() const { return intact_ && rest_.empty(); }

private:
    ByteView take(std::size_t size_bytes)
    {
        if (!intact_ || size_bytes > rest_.size()) {
            intact_ = false;
            return {};
        }
        auto const part = rest_.first(size_bytes);
        rest_ = rest_.subspan(size_bytes);
        return part;
    }

    ByteView rest_;
    bool intact_ = true;
};

Bytes framed(Bytes content)
{
    ENSURE(content.size() <= most_frame_bytes);
    Bytes frame;
    frame.reserve(length_bytes + content.size());
    append_number(frame, content.size(), length_bytes);
    append(frame, content);
    return frame;
}

// The first byte after the number says what a request is. The order is that of Request.
void append_content(Bytes& /*to*/, AskKeys const& /*request*/) {}

void append_content(Bytes& to, RegisterCode const& request)
{
    append_field(to, request.account.text());
    append_field(to, request.device.text());
    append_number(to, static_cast<std::uint64_t>(request.code_version), 4);
    append_field(to, request.nonce);
    append_field(to, request.sealed_code_key);
    append_field(to, request.reason);
    append_field(to, request.permit);
    // A vault of before knows no such field, and a server of before sends none.
    if (request.move != 0) append_number(to, static_cast<std::uint64_t>(request.move), 8);
}

void append_content(Bytes& to, JudgeCode const& request)
{
    append_field(to, request.account.text());
    append_field(to, request.device.text());
    append_field(to, request.action.text());
    append_field(to, request.message);
    append_field(to, request.proof);
}

void append_content(Bytes& to, ForgetCode const& request) { append_field(to, request.account.text()); }

void append_content(Bytes& to, AskTries const& request) { append_field(to, request.account.text()); }

} // namespace

Bytes permit_statement(AccountId const& account, DeviceId const& device, int code_version, std::string_view reason,
                       ByteView nonce, std::int64_t move)
{
    auto const version = std::to_string(code_version);
    if (move == 0)
        return statement("symbolon-vault-permit-v1", {bytes_of(account.text()), bytes_of(device.text()),
                                                      bytes_of(version), bytes_of(reason), nonce});
    auto const number = std::to_string(move);
    return statement("symbolon-vault-permit-v2", {bytes_of(account.text()), bytes_of(device.text()), bytes_of(version),
                                                  bytes_of(reason), nonce, bytes_of(number)});
}

RegisterCode permitted(RegisterCode request, crypto::PrivateKey const& permits)
{
    request.permit = permits.sign(crypto::SignatureAlgorithm::eddsa,
                                  permit_statement(request.account, request.device, request.code_version,
                                                   request.reason, request.nonce, request.move));
    return request;
}

Bytes encode(NumberedRequest const& request)
{
    Bytes content;
    append_number(content, request.number, 8);
    content.push_back(static_cast<Byte>(request.request.index()));
    std::visit([&content](auto const& one) { append_content(content, one); }, request.request);
    return framed(std::move(content));
}

Bytes encode(NumberedReply const& reply)
{
    Bytes content;
    append_number(content, reply.number, 8);
    append_field(content, reply.reply.outcome ? name_of(*reply.reply.outcome) : std::string_view{});
    append_number(content, reply.reply.right ? 1 : 0, 1);
    append_number(content, static_cast<std::uint64_t>(reply.reply.tries_left), 1);
    append_field(content, reply.reply.grant);
    append_field(content, reply.reply.seal_point);
    append_field(content, reply.reply.grant_key);
    return framed(std::move(content));
}

Result<NumberedRequest> decode_request(ByteView content)
{
    Reader reader{content};
    NumberedRequest numbered;
    numbered.number = reader.number(8);
    switch (reader.number(1)) {
    case 0: numbered.request = AskKeys{}; break;
    case 1: {
        RegisterCode request;
        request.account = AccountId{reader.text()};
        request.device = DeviceId{reader.text()};
        request.code_version = static_cast<int>(reader.number(4) & 0x7fff'ffffU);
        request.nonce = reader.field();
        request.sealed_code_key = reader.field();
        request.reason = reader.text();
        request.permit = reader.field();
        if (reader.more()) request.move = static_cast<std::int64_t>(reader.number(8) & 0x7fff'ffff'ffff'ffffU);
        numbered.request = std::move(request);
        break;
    }
    case 2: {
        JudgeCode request;
        request.account = AccountId{reader.text()};
        request.device = DeviceId{reader.text()};
        request.action = ActionId{reader.text()};
        request.message = reader.field();
        request.proof = reader.field();
        numbered.request = std::move(request);
        break;
    }
    case 3: numbered.request = ForgetCode{AccountId{reader.text()}}; break;
    case 4: numbered.request = AskTries{AccountId{reader.text()}}; break;
    default: return fail(Outcome::request_malformed, "unknown request to the vault");
    }
    if (!reader.whole()) return fail(Outcome::request_malformed, "request to the vault");
    return numbered;
}

Result<NumberedReply> decode_reply(ByteView content)
{
    Reader reader{content};
    NumberedReply numbered;
    numbered.number = reader.number(8);
    auto const outcome = reader.text();
    numbered.reply.right = reader.number(1) == 1;
    numbered.reply.tries_left = static_cast<int>(reader.number(1));
    numbered.reply.grant = reader.field();
    numbered.reply.seal_point = reader.field();
    numbered.reply.grant_key = reader.field();
    if (!reader.whole()) return fail(Outcome::request_malformed, "reply of the vault");
    if (!outcome.empty()) {
        numbered.reply.outcome = outcome_named(outcome);
        if (!numbered.reply.outcome) return fail(Outcome::request_malformed, "outcome of the vault");
    }
    return numbered;
}

Result<std::optional<Bytes>> take_frame(Bytes& buffer)
{
    if (buffer.size() < length_bytes) return std::nullopt;
    auto const size = Reader{ByteView{buffer}.first(length_bytes)}.number(length_bytes);
    if (size > most_frame_bytes) return fail(Outcome::request_malformed, "frame");
    if (buffer.size() < length_bytes + size) return std::nullopt;
    auto const end = buffer.begin() + static_cast<std::ptrdiff_t>(length_bytes + size);
    Bytes content{buffer.begin() + length_bytes, end};
    buffer.erase(buffer.begin(), end);
    return content;
}

} // namespace symbolon::vault
