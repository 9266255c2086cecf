/// A reader with keys of its own, for pcscd: vpcd's driver with a PIN pad put before it (PC/SC part 10,
/// FEATURE_VERIFY_PIN_DIRECT). What the holder types on it comes from the Unix socket that SYMBOLON_PIN_PAD names: the
/// reader says "keys MINIMUM MAXIMUM" there, and reads one line: the digits, or "cancel". Nobody there, or nothing
/// typed in time, is the reader's timeout. The PIN meets the card here, and no program on the computer sees it.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <optional>
#include <reader.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

extern "C" {
#include <ifdhandler.h> // says nothing of C++ itself
}

namespace {

constexpr DWORD verify_control = SCARD_CTL_CODE(2048);
constexpr std::size_t head_bytes = 19; ///< of PIN_VERIFY_STRUCTURE, before the command
constexpr std::size_t longest_command_bytes = 261;
constexpr std::size_t apdu_head_bytes = 5;

// What a reader says by itself, as a status word.
constexpr std::uint16_t timeout = 0x6400;
constexpr std::uint16_t cancelled = 0x6401;
constexpr std::uint16_t wrong_length = 0x6403;

void* driver()
{
    static void* const opened = ::dlopen("/usr/lib/pcsc/drivers/serial/libifdvpcd.so", RTLD_NOW | RTLD_LOCAL);
    return opened;
}

/// The driver's own function of that name.
template <typename... Parameters>
RESPONSECODE pass_on(char const* name, Parameters... parameters)
{
    auto* const function = driver() == nullptr ? nullptr : ::dlsym(driver(), name);
    if (function == nullptr) return IFD_NOT_SUPPORTED;
    return reinterpret_cast<RESPONSECODE (*)(Parameters...)>(function)(parameters...);
}

std::uint32_t little_endian(UCHAR const* at, int bytes)
{
    std::uint32_t value = 0;
    for (int i = bytes; i-- > 0;) value = value << 8U | at[i];
    return value;
}

/// A PIN_VERIFY_STRUCTURE, as far as it says what to do with the digits.
struct Order {
    unsigned first_key_seconds = 0;
    bool is_bcd = false;
    unsigned pin_at = 0;      ///< bytes into the data
    unsigned length_bits = 0; ///< of the field with the number of digits; 0: there is none
    unsigned length_at = 0;   ///< bits into the data
    unsigned block_bytes = 0; ///< where the digits must fit
    unsigned shortest = 0, longest = 0;
    std::vector<UCHAR> command;
};

std::optional<Order> parse(UCHAR const* bytes, std::size_t size)
{
    if (size < head_bytes + apdu_head_bytes) return std::nullopt;
    auto const format = bytes[2];
    auto const block = bytes[3];
    auto const length = bytes[4];
    auto const in_bytes = (format & 0x80U) != 0;
    auto const command_bytes = little_endian(bytes + 15, 4);
    // Left-justified and at a whole byte: the block of the card at hand needs no more.
    if (!in_bytes || (format & 0x04U) != 0 || (format & 0x03U) == 0 || command_bytes != size - head_bytes ||
        command_bytes > longest_command_bytes)
        return std::nullopt;
    Order order{.first_key_seconds = bytes[0],
                .is_bcd = (format & 0x03U) == 1,
                .pin_at = format >> 3U & 0x0FU,
                .length_bits = static_cast<unsigned>(block) >> 4U,
                .length_at = (length & 0x0FU) * ((length & 0x10U) != 0 ? 8U : 1U),
                .block_bytes = block & 0x0FU,
                .shortest = bytes[6],
                .longest = bytes[5],
                .command = {bytes + head_bytes, bytes + size}};
    auto const fits = apdu_head_bytes + order.pin_at + order.block_bytes <= order.command.size() &&
                      (order.length_bits == 0 || (order.length_bits == 4 && order.length_at % 4 == 0 &&
                                                  apdu_head_bytes + order.length_at / 8 < order.command.size()));
    return fits ? std::optional{order} : std::nullopt;
}

/// What is typed. Nothing: nobody did in time.
std::optional<std::string> line_from_keys(Order const& order)
{
    auto const* const path = std::getenv("SYMBOLON_PIN_PAD");
    sockaddr_un address{};
    if (path == nullptr || std::strlen(path) >= sizeof address.sun_path) return std::nullopt;
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path, std::strlen(path));
    auto const keys = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (keys < 0) return std::nullopt;
    timeval const patience{.tv_sec = order.first_key_seconds == 0 ? 15 : order.first_key_seconds, .tv_usec = 0};
    ::setsockopt(keys, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    auto const asks = "keys " + std::to_string(order.shortest) + " " + std::to_string(order.longest) + "\n";
    std::optional<std::string> line;
    if (::connect(keys, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0 &&
        ::send(keys, asks.data(), asks.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(asks.size())) {
        std::string typed;
        for (char c = 0; typed.size() < 64 && ::recv(keys, &c, 1, 0) == 1;) {
            if (c == '\n') {
                line = typed;
                break;
            }
            typed += c;
        }
    }
    ::close(keys);
    return line;
}

/// Puts the digits into the command, where the order says.
void fill(Order& order, std::string_view digits)
{
    auto* const data = order.command.data() + apdu_head_bytes;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        auto const digit = static_cast<UCHAR>(digits[i] - '0');
        if (!order.is_bcd) {
            data[order.pin_at + i] = static_cast<UCHAR>(digits[i]);
            continue;
        }
        auto& byte = data[order.pin_at + i / 2];
        byte = static_cast<UCHAR>(i % 2 == 0 ? (byte & 0x0FU) | static_cast<unsigned>(digit) << 4U
                                             : (byte & 0xF0U) | digit);
    }
    if (order.length_bits == 0) return;
    auto& byte = data[order.length_at / 8];
    byte = static_cast<UCHAR>(order.length_at % 8 == 0 ? (byte & 0x0FU) | digits.size() << 4U
                                                       : (byte & 0xF0U) | digits.size());
}

RESPONSECODE answer(std::uint16_t status, PUCHAR to, DWORD size, LPDWORD returned)
{
    if (size < 2) return IFD_ERROR_INSUFFICIENT_BUFFER;
    to[0] = static_cast<UCHAR>(status >> 8U);
    to[1] = static_cast<UCHAR>(status & 0xFFU);
    *returned = 2;
    return IFD_SUCCESS;
}

RESPONSECODE verify_with_keys(DWORD lun, UCHAR const* structure, DWORD structure_bytes, PUCHAR to, DWORD size,
                              LPDWORD returned)
{
    auto order = parse(structure, structure_bytes);
    if (!order) return IFD_COMMUNICATION_ERROR;
    auto const line = line_from_keys(*order);
    if (!line) return answer(timeout, to, size, returned);
    if (*line == "cancel") return answer(cancelled, to, size, returned);
    auto const is_pin = std::ranges::all_of(*line, [](char c) { return c >= '0' && c <= '9'; }) &&
                        line->size() >= order->shortest && line->size() <= order->longest &&
                        line->size() <= std::size_t{order->block_bytes} * (order->is_bcd ? 2 : 1);
    if (!is_pin) return answer(wrong_length, to, size, returned);

    fill(*order, *line);
    SCARD_IO_HEADER const how{.Protocol = 0, .Length = sizeof how};
    SCARD_IO_HEADER from{};
    DWORD received = size;
    auto const result = IFDHTransmitToICC(lun, how, order->command.data(), order->command.size(), to, &received, &from);
    std::ranges::fill(order->command, UCHAR{0});
    *returned = result == IFD_SUCCESS ? received : 0;
    return result;
}

} // namespace

// The names are those of pcsc-lite's ifdhandler.h.
extern "C" {

RESPONSECODE IFDHControl(DWORD lun, DWORD code, PUCHAR sent, DWORD sent_bytes, PUCHAR to, DWORD size, LPDWORD returned)
{
    *returned = 0;
    if (code == verify_control) return verify_with_keys(lun, sent, sent_bytes, to, size, returned);
    if (code != CM_IOCTL_GET_FEATURE_REQUEST) return IFD_ERROR_NOT_SUPPORTED;
    // PC/SC part 10 §2.2: tag, length, the code to ask with, most significant byte first.
    std::array<UCHAR, 6> const feature{FEATURE_VERIFY_PIN_DIRECT,
                                       4,
                                       static_cast<UCHAR>(verify_control >> 24U & 0xFFU),
                                       static_cast<UCHAR>(verify_control >> 16U & 0xFFU),
                                       static_cast<UCHAR>(verify_control >> 8U & 0xFFU),
                                       static_cast<UCHAR>(verify_control & 0xFFU)};
    if (size < feature.size()) return IFD_ERROR_INSUFFICIENT_BUFFER;
    std::ranges::copy(feature, to);
    *returned = feature.size();
    return IFD_SUCCESS;
}

RESPONSECODE IFDHCreateChannelByName(DWORD lun, LPSTR name) { return pass_on("IFDHCreateChannelByName", lun, name); }

RESPONSECODE IFDHCreateChannel(DWORD lun, DWORD channel) { return pass_on("IFDHCreateChannel", lun, channel); }

RESPONSECODE IFDHCloseChannel(DWORD lun) { return pass_on("IFDHCloseChannel", lun); }

RESPONSECODE IFDHGetCapabilities(DWORD lun, DWORD tag, PDWORD length, PUCHAR value)
{
    return pass_on("IFDHGetCapabilities", lun, tag, length, value);
}

RESPONSECODE IFDHSetCapabilities(DWORD lun, DWORD tag, DWORD length, PUCHAR value)
{
    return pass_on("IFDHSetCapabilities", lun, tag, length, value);
}

RESPONSECODE IFDHSetProtocolParameters(DWORD lun, DWORD protocol, UCHAR flags, UCHAR pts1, UCHAR pts2, UCHAR pts3)
{
    return pass_on("IFDHSetProtocolParameters", lun, protocol, flags, pts1, pts2, pts3);
}

RESPONSECODE IFDHPowerICC(DWORD lun, DWORD action, PUCHAR atr, PDWORD atr_bytes)
{
    return pass_on("IFDHPowerICC", lun, action, atr, atr_bytes);
}

RESPONSECODE IFDHTransmitToICC(DWORD lun, SCARD_IO_HEADER send, PUCHAR command, DWORD command_bytes, PUCHAR to,
                               PDWORD size, PSCARD_IO_HEADER receive)
{
    return pass_on("IFDHTransmitToICC", lun, send, command, command_bytes, to, size, receive);
}

RESPONSECODE IFDHICCPresence(DWORD lun) { return pass_on("IFDHICCPresence", lun); }

} // extern "C"
