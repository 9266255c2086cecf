// links: passkey
//
// What authenticators and browsers may say: attestation objects, authenticator data, COSE keys, CBOR. Whatever the
// bytes are, they are judged, and what is accepted is written back the same.
#include "base/ensure.hpp"
#include "passkey/cbor.hpp"
#include "passkey/ceremony.hpp"

#include <algorithm>

using namespace symbolon;

extern "C" int LLVMFuzzerTestOneInput(Byte const* data, std::size_t size)
{
    if (size == 0) return 0;
    ByteView bytes{data + 1, size - 1};
    static auto const party = passkey::relying_party_at("http://localhost:8401");
    switch (data[0] % 6) {
    case 0:
        if (auto const item = passkey::read_item(bytes, passkey::Form::canonical))
            ENSURE(std::ranges::equal(passkey::write(*item), bytes));
        break;
    case 1:
        if (auto const item = passkey::read_item(bytes, passkey::Form::any))
            ENSURE(passkey::read_item(passkey::write(*item), passkey::Form::any) == *item);
        break;
    case 2: {
        auto const whole = bytes;
        if (auto const key = passkey::take_cose_key(bytes))
            ENSURE(std::ranges::equal(passkey::write_cose_key(*key), whole.first(whole.size() - bytes.size())));
        break;
    }
    case 3:
        if (auto const authenticator = passkey::parse_authenticator_data(bytes))
            ENSURE(passkey::parse_authenticator_data(passkey::write(*authenticator)).has_value());
        break;
    case 4:
        if (auto const registration = passkey::parse_registration(bytes)) {
            ENSURE(std::ranges::equal(passkey::write(*registration), bytes));
            static_cast<void>(passkey::verify(*registration, Bytes(32, 0), party));
        }
        break;
    case 5:
        if (auto const assertion = passkey::parse_assertion(bytes)) {
            ENSURE(std::ranges::equal(passkey::write(*assertion), bytes));
            static auto const key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256).public_key();
            passkey::Credential const credential{.id = assertion->credential_id, .key = {.key = key}};
            static_cast<void>(passkey::verify(*assertion, credential, Bytes(32, 0), party));
        }
        break;
    default: break;
    }
    return 0;
}
