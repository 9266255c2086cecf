#include "card/tlv.hpp"

#include "card/reading.hpp"

namespace symbolon::card {

namespace {

constexpr Byte structure_version = 0x00;

} // namespace

std::size_t size_without_zeros(ByteView file)
{
    auto size = file.size();
    while (size > 0 && file[size - 1] == 0) --size;
    return size;
}

Result<std::vector<TlvField>> parse_tlv(ByteView file, std::size_t most_bytes)
{
    if (file.size() > most_bytes + max_padding_bytes) return fail(Outcome::card_data_malformed, "file too long");

    std::vector<TlvField> fields;
    std::size_t at = 0;
    while (at < file.size()) {
        auto const tag = file[at];
        auto const first = at == 0;
        // A zero tag is padding, or at the start of a file the version of its structure, which has two bytes.
        if (tag == structure_version && !(first && file.size() > 1 && file[1] == 2)) break;
        ++at;

        std::size_t length = 0;
        Byte part = 0;
        do {
            if (at == file.size()) return fail(Outcome::card_data_malformed, "length cut off");
            part = file[at++];
            length += part;
        } while (part == 0xFF);

        if (length > file.size() - at) return fail(Outcome::card_data_malformed, "value cut off");
        if (!fields.empty() && tag <= fields.back().tag)
            return fail(Outcome::card_data_malformed, "tags not ascending");
        fields.push_back({tag, file.subspan(at, length)});
        at += length;
        if (at > most_bytes) return fail(Outcome::card_data_malformed, "fields too long");
    }

    if (size_without_zeros(file.subspan(at)) != 0) return fail(Outcome::card_data_malformed, "padding not zero");
    return fields;
}

} // namespace symbolon::card
