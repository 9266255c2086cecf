#include "virtual_card/card_testing.hpp"

#include "base/ensure.hpp"

#include <fmt/format.h>

#include <fstream>
#include <optional>

namespace symbolon::virtual_card {

namespace {

std::string without_blanks(std::string_view text)
{
    std::string out;
    for (char const c : text.substr(0, text.find('#')))
        if (c != ' ' && c != '\t' && c != '\r') out += c;
    return out;
}

std::optional<Byte> nibble(char c)
{
    if (c >= '0' && c <= '9') return static_cast<Byte>(c - '0');
    if (c >= 'A' && c <= 'F') return static_cast<Byte>(c - 'A' + 10);
    if (c >= 'a' && c <= 'f') return static_cast<Byte>(c - 'a' + 10);
    return std::nullopt;
}

std::optional<Bytes> parse_hex(std::string_view hex)
{
    if (hex.size() % 2 != 0) return std::nullopt;
    Bytes bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        auto const high = nibble(hex[i]);
        auto const low = nibble(hex[i + 1]);
        if (!high || !low) return std::nullopt;
        bytes.push_back(static_cast<Byte>(*high << 4U | *low));
    }
    return bytes;
}

} // namespace

std::string hex_of(ByteView bytes)
{
    std::string out;
    for (auto const b : bytes) out += fmt::format("{:02X}", b);
    return out;
}

Bytes bytes_of_hex(std::string_view hex)
{
    auto bytes = parse_hex(without_blanks(hex));
    ENSURE(bytes.has_value());
    return *bytes;
}

Persona const& Bench::persona(std::string_view name) const
{
    auto const found = std::ranges::find(personas, name, &Persona::name);
    ENSURE(found != personas.end()); // a persona of data/personas.toml
    return *found;
}

Card Bench::card(std::string_view name)
{
    auto made = issue(persona(name), pki, photos, now);
    ENSURE(made.has_value());
    return std::move(*made);
}

Bench make_bench(std::filesystem::path const& source_dir, Instant now)
{
    auto const data = source_dir / "data";
    auto personas = load_personas(data / "personas.toml");
    ENSURE(personas.has_value());
    return {.pki = make_pki({.now = now, .rsa_keys = data / "virtual_pki"}),
            .personas = std::move(*personas),
            .photos = data / "photos",
            .now = now};
}

Result<Recording> read_recording(std::filesystem::path const& file)
{
    auto stream = std::ifstream{file};
    if (!stream) return fail(Outcome::configuration_invalid, "cannot read " + file.string());
    Recording recording;
    std::string text;
    auto waits_for_answer = false;
    for (int line = 1; std::getline(stream, text); ++line) {
        auto const wrong = [&](std::string_view expected) {
            return fail(Outcome::configuration_invalid,
                        fmt::format("{}:{}: expected {}", file.string(), line, expected));
        };
        auto const content = without_blanks(text);
        if (content.empty()) continue;
        auto const rest = std::string_view{content}.substr(1);
        if (content[0] == '<') {
            if (!waits_for_answer) return wrong("a command before its answer");
            recording.exchanges.back().expected = rest;
            waits_for_answer = false;
            continue;
        }
        if (waits_for_answer) return wrong("< and the answer");
        if (content[0] == '>') {
            auto command = parse_hex(rest);
            if (!command) return wrong("a command in hex");
            recording.exchanges.push_back({.line = line, .command = std::move(*command)});
            waits_for_answer = true;
        } else if (content == "!reset") {
            recording.exchanges.push_back({.line = line, .reset = true});
        } else if (content.starts_with("!persona")) {
            recording.persona = rest.substr(7);
        } else {
            return wrong("> command, < answer, ! reset or ! persona NAME");
        }
    }
    return recording;
}

bool answers(std::string_view expected, ByteView answer)
{
    std::size_t at = 0;
    while (!expected.empty()) {
        if (expected.starts_with("...")) {
            // Any bytes, then what is written after it.
            auto const tail = parse_hex(expected.substr(3));
            return tail && answer.size() >= at + tail->size() && std::ranges::equal(answer.last(tail->size()), *tail);
        }
        if (expected.front() == '[') {
            auto const end = expected.find(']');
            if (end == std::string_view::npos) return false;
            for (char const c : expected.substr(1, end - 1))
                if (c < '0' || c > '9') return false;
            at += std::stoul(std::string{expected.substr(1, end - 1)});
            if (at > answer.size()) return false;
            expected.remove_prefix(end + 1);
            continue;
        }
        auto const byte = parse_hex(expected.substr(0, 2));
        if (!byte || byte->size() != 1 || at >= answer.size() || answer[at] != byte->front()) return false;
        ++at;
        expected.remove_prefix(2);
    }
    return at == answer.size();
}

std::vector<std::string> replay(Recording const& recording, CardCore& card)
{
    std::vector<std::string> differences;
    for (auto const& exchange : recording.exchanges) {
        if (exchange.reset) {
            card.reset();
            continue;
        }
        auto const answer = card.transmit(exchange.command);
        if (!answers(exchange.expected, answer))
            differences.push_back(fmt::format("line {}: > {}: expected {}, got {}", exchange.line,
                                              hex_of(exchange.command), exchange.expected, hex_of(answer)));
    }
    return differences;
}

} // namespace symbolon::virtual_card
