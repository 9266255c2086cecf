// links: edge
// The head of an HTTP request: whatever is accepted has one meaning.

#include "base/ensure.hpp"
#include "base/text.hpp"
#include "edge/client_address.hpp"
#include "edge/request_head.hpp"

#include <cstddef>
#include <cstdint>

using namespace symbolon;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string_view const input{reinterpret_cast<char const*>(data), size};
    auto const line_end = input.find("\r\n");
    auto const target_text = input.substr(0, line_end);

    if (auto const target = edge::parse_target(target_text)) {
        auto const& path = target->path;
        ENSURE(path == "*" || path.starts_with('/'));
        ENSURE(is_utf8(path) && path.find('\0') == std::string::npos && path.find('\\') == std::string::npos);
        for (auto const part : split(path, '/')) ENSURE(part != "." && part != "..");
        // What was decoded once stays as it is: no second reading of it is shorter.
        ENSURE(path.size() <= target_text.size() + 1);
    }
    if (line_end == std::string_view::npos) return 0;
    auto const block = input.substr(line_end + 2);
    if (edge::check_header_block(block)) {
        edge::Headers headers;
        for (auto const line : split(block, '\n')) {
            ENSURE(line.empty() || line.ends_with('\r'));
            auto const colon = line.find(':');
            if (colon == std::string_view::npos) continue;
            headers.emplace_back(in_small_letters(line.substr(0, colon)),
                                 std::string{trimmed(line.substr(colon + 1, line.size() - colon - 2))});
        }
        if (edge::check_framing(headers, 1)) {
            std::size_t lengths = 0;
            std::size_t encodings = 0;
            for (auto const& [name, value] : headers) {
                lengths += name == "content-length" ? 1 : 0;
                encodings += name == "transfer-encoding" ? 1 : 0;
            }
            ENSURE(lengths + encodings <= 1);
        }
        static auto const proxies =
            edge::TrustedProxies::of({"127.0.0.1", "fd00::/8"}, edge::ForwardedHeader::forwarded).value();
        ENSURE(!proxies.address_of("127.0.0.1", headers).empty());
    }
    return 0;
}
