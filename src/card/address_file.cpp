#include "card/address_file.hpp"

#include "base/text.hpp"
#include "card/reading.hpp"
#include "card/tlv.hpp"

namespace symbolon::card {

Result<AddressFile> parse_address_file(ByteView file)
{
    AddressFile address;
    for (auto const& field : TRY(parse_tlv(file, max_address_bytes))) {
        auto const read_into = [&](std::string& text, std::size_t most_bytes) -> Result<void> {
            auto const value = text_of(field.value);
            if (value.size() > most_bytes || !displayable(value, most_bytes))
                return fail(Outcome::card_data_malformed, "text of the address");
            text = value;
            return {};
        };
        switch (field.tag) {
        case 0x01: TRY(read_into(address.street_and_number, 80)); break;
        case 0x02: TRY(read_into(address.zip, 6)); break;
        case 0x03: TRY(read_into(address.municipality, 80)); break;
        default: break; // the Register may add some
        }
    }
    return address;
}

} // namespace symbolon::card
