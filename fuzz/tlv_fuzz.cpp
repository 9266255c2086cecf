// links: card
#include "card/address_file.hpp"
#include "card/identity_file.hpp"
#include "card/reading.hpp"
#include "card/tlv.hpp"

#include <cstdlib>

using namespace symbolon;
using namespace symbolon::card;

/// An identity or address file from a card that somebody made: fields lie inside the file, ascend, and stay bounded.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    ByteView const file{data, size};
    if (auto const fields = parse_tlv(file, max_identity_bytes)) {
        int last_tag = -1;
        std::size_t bytes = 0;
        for (auto const& field : *fields) {
            if (field.tag <= last_tag) std::abort();
            last_tag = field.tag;
            bytes += field.value.size();
            if (!field.value.empty() &&
                (field.value.data() < data || field.value.data() + field.value.size() > data + size))
                std::abort();
        }
        if (bytes > max_identity_bytes) std::abort();
    }
    if (auto const identity = parse_identity_file(file)) {
        if (identity->surname.empty() || identity->national_number.text().size() != 11) std::abort();
        if (!identity->valid_from.ok() || !identity->valid_until.ok()) std::abort();
        if (!identity->birth_date.earliest().ok() || !identity->birth_date.latest().ok()) std::abort();
        if (identity->birth_date.earliest() > identity->birth_date.latest()) std::abort();
        if (identity->birth_date.iso().size() < 4) std::abort();
    }
    (void)parse_address_file(file);
    if (auto const date = parse_birth_date(text_of(file)); date && !date->latest().ok()) std::abort();
    (void)enrolment::NationalNumber::parse(text_of(file));
    return 0;
}
