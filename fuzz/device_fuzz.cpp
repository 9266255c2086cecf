// links: device
//
// What a phone or the front may send: whatever the bytes are, they are judged, and what is accepted is written back the
// same.
#include "base/ensure.hpp"
#include "device/messages.hpp"
#include "device/phone.hpp"
#include "device/shown.hpp"
#include "entry/offer.hpp"
#include "vault/protocol.hpp"

using namespace symbolon;

extern "C" int LLVMFuzzerTestOneInput(Byte const* data, std::size_t size)
{
    if (size == 0) return 0;
    auto const which = data[0];
    ByteView const bytes{data + 1, size - 1};
    auto const text = text_of(bytes);
    switch (which % 10) {
    case 0:
        if (auto const answer = device::parse_answer(text)) {
            auto const again = device::parse_answer(device::write(*answer));
            ENSURE(again && device::message_of(*again) == device::message_of(*answer));
        }
        break;
    case 1: static_cast<void>(device::parse_enrol_finish(text)); break;
    case 2: static_cast<void>(device::parse_enrol_start(text)); break;
    case 3: static_cast<void>(device::parse_enrol_sms(text)); break;
    case 4:
        if (auto const authorization = device::parse_authorization(text))
            ENSURE(device::parse_authorization(device::write(*authorization))->device == authorization->device);
        break;
    case 5: static_cast<void>(device::parse_shown(bytes)); break;
    case 6: static_cast<void>(device::parse_pending(text)); break;
    case 7: {
        Bytes buffer{bytes.begin(), bytes.end()};
        for (auto frame = vault::take_frame(buffer); frame && *frame; frame = vault::take_frame(buffer)) {
            if (auto const request = vault::decode_request(**frame)) {
                auto const again = vault::encode(*request);
                ENSURE(vault::decode_request(ByteView{again}.subspan(4)));
            }
            static_cast<void>(vault::decode_reply(**frame));
        }
        break;
    }
    case 8:
        if (auto const claim = device::parse_claim(text)) {
            ENSURE(device::parse_claim(device::write(*claim))->value == claim->value);
            static_cast<void>(entry::parse_qr_value(claim->value));
            static_cast<void>(entry::parse_link_value(claim->value));
            static_cast<void>(entry::parse_short_code(claim->value));
            static_cast<void>(device::claim_of_address(claim->value, true));
        }
        break;
    case 9:
        if (auto const match = device::parse_match(text))
            ENSURE(device::match_statement(*device::parse_match(device::write(*match))) ==
                   device::match_statement(*match));
        break;
    default: break;
    }
    return 0;
}
