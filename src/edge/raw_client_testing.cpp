#include "edge/raw_client_testing.hpp"

#include "base/ensure.hpp"
#include "base/text.hpp"

#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace symbolon::edge::testing {

namespace {

void give_up_after_20_seconds(int descriptor)
{
    timeval const time{.tv_sec = 20, .tv_usec = 0};
    ENSURE(::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0);
    ENSURE(::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) == 0);
}

} // namespace

RawClient::RawClient(std::uint16_t port) : descriptor_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}
{
    give_up_after_20_seconds(descriptor_);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(descriptor_, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) close();
}

RawClient::RawClient(std::string const& unix_path) : descriptor_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)}
{
    give_up_after_20_seconds(descriptor_);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    unix_path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(descriptor_, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) close();
}

RawClient::~RawClient() { close(); }

std::string RawClient::Answer::header(std::string_view name) const
{
    for (auto const& [header_name, value] : headers)
        if (header_name == name) return value;
    return {};
}

bool RawClient::send(std::string_view bytes) const
{
    while (!bytes.empty()) {
        auto const sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

void RawClient::end_sending() const { ::shutdown(descriptor_, SHUT_WR); }

void RawClient::reset()
{
    linger const at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
}

void RawClient::close()
{
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
}

bool RawClient::fill()
{
    std::array<char, 16384> block{};
    auto const count = ::recv(descriptor_, block.data(), block.size(), 0);
    if (count <= 0) return false;
    in_.append(block.data(), static_cast<std::size_t>(count));
    return true;
}

bool RawClient::read_until(std::string_view mark, std::string& into)
{
    for (;;) {
        if (auto const at = in_.find(mark); at != std::string::npos) {
            into = in_.substr(0, at);
            in_.erase(0, at + mark.size());
            return true;
        }
        if (!fill()) return false;
    }
}

bool RawClient::read_exactly(std::size_t count, std::string& into)
{
    while (in_.size() < count)
        if (!fill()) return false;
    into = in_.substr(0, count);
    in_.erase(0, count);
    return true;
}

std::optional<RawClient::Answer> RawClient::read_answer_head()
{
    std::string head;
    if (!read_until("\r\n\r\n", head)) return std::nullopt;
    Answer answer;
    for (auto line : split(head, '\n')) {
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (answer.status == 0) {
            if (!line.starts_with("HTTP/1.") || line.size() < 12) return std::nullopt;
            answer.status = std::stoi(std::string{line.substr(9, 3)});
            continue;
        }
        auto const colon = line.find(':');
        answer.headers.emplace_back(in_small_letters(line.substr(0, colon)),
                                    std::string{trimmed(line.substr(colon + 1))});
    }
    return answer;
}

std::optional<std::string> RawClient::read_chunk()
{
    std::string size;
    std::string chunk;
    std::string end;
    if (!read_until("\r\n", size) || !read_exactly(std::stoul(size, nullptr, 16), chunk) || !read_exactly(2, end))
        return std::nullopt;
    if (chunk.empty()) return std::nullopt;
    return chunk;
}

std::optional<RawClient::Answer> RawClient::read_answer(bool of_head)
{
    auto answer = read_answer_head();
    if (!answer || of_head || answer->status < 200 || answer->status == 204 || answer->status == 304) return answer;
    if (answer->header("transfer-encoding") == "chunked") {
        while (auto const chunk = read_chunk()) answer->body += *chunk;
        return answer;
    }
    if (auto const length = answer->header("content-length"); !length.empty()) {
        if (!read_exactly(std::stoul(length), answer->body)) return std::nullopt;
        return answer;
    }
    while (fill()) {}
    answer->body = std::exchange(in_, {});
    return answer;
}

bool RawClient::is_closed_by_server()
{
    while (fill()) {}
    std::array<char, 1> byte{};
    return ::recv(descriptor_, byte.data(), 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET;
}

std::optional<RawClient::Answer> RawClient::ask(std::string_view bytes)
{
    if (!send(bytes)) return std::nullopt;
    return read_answer();
}

} // namespace symbolon::edge::testing
