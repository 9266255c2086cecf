#include "base/json.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "passkey/cbor.hpp"
#include "passkey/software_authenticator.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace symbolon::passkey {
namespace {

using crypto::SignatureAlgorithm;

RelyingParty const party = relying_party_at("https://phone.example");
Bytes const challenge(32, 9);

template <class T>
std::string outcome(Result<T> const& result)
{
    return result ? "" : std::string{name_of(result.error().outcome)};
}

std::string detail(Result<Credential> const& result) { return result ? "" : result.error().detail; }

std::string with(std::string text, std::string_view what, std::string_view other)
{
    auto const at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), other);
}

Bytes from_hex(std::string_view text) { return crypto::from_hex(text).value(); }

// ---- what an authenticator says that we did not write (docs/passkey-vectors.json) ----------------------------------

json::Object vectors()
{
    std::ifstream const file{std::string{SYMBOLON_SOURCE_DIR} + "/docs/passkey-vectors.json"};
    std::ostringstream text;
    text << file.rdbuf();
    return json::parse_object(text.view()).value();
}

Bytes member(json::Object const& object, std::string_view name)
{
    return crypto::from_base64url(json::text(object, name).value()).value();
}

TEST(Passkeys, of_chromium_are_registered_and_used_with_each_algorithm)
{
    auto const file = vectors();
    auto const browser = relying_party_at(json::text(file, "origin").value());
    EXPECT_EQ(browser.id, "localhost");
    std::vector<std::string> seen;
    for (auto const& value : json::array(file, "cases").value()) {
        auto const& one = value.as_object();
        auto const algorithm = json::text(one, "algorithm").value();
        SCOPED_TRACE(algorithm);
        auto const made = json::object(one, "registration").value();
        Registration const registration{member(made, "attestation_object"), member(made, "client_data")};
        auto const credential = verify(registration, member(made, "challenge"), browser);
        ASSERT_EQ(detail(credential), "");
        EXPECT_EQ(credential->id, member(made, "credential_id"));
        EXPECT_EQ(name_of(credential->key.algorithm), algorithm);
        EXPECT_EQ(credential->key.key.der(), member(made, "public_key"));
        EXPECT_EQ(credential->backup_eligible, json::boolean(one, "backup_eligible").value());
        EXPECT_EQ(credential->backed_up, json::boolean(one, "backup_eligible").value());

        auto const used = json::object(one, "assertion").value();
        Assertion assertion{member(used, "credential_id"), member(used, "authenticator_data"),
                            member(used, "client_data"), member(used, "signature")};
        auto const after = verify(assertion, *credential, member(used, "challenge"), browser);
        ASSERT_EQ(detail(after), "");
        EXPECT_TRUE(may_follow(credential->sign_count, after->sign_count));
        EXPECT_EQ(outcome(verify(assertion, *credential, challenge, browser)), "passkey_wrong") << "another challenge";
        assertion.signature.back() ^= 1;
        EXPECT_EQ(outcome(verify(assertion, *credential, member(used, "challenge"), browser)), "passkey_wrong");
        seen.push_back(algorithm);
    }
    EXPECT_EQ(seen, (std::vector<std::string>{"ES256", "ES256", "EdDSA", "RS256"}));
}

// ---- §7.1 ----------------------------------------------------------------------------------------------------------

class NewPasskeys : public ::testing::Test {
protected:
    SoftwareAuthenticator authenticator = new_authenticator(Bytes(16, 5));
    Registration good = register_with(authenticator, challenge, party);

    Registration with_client_data(std::string_view what, std::string_view other)
    {
        return {good.attestation_object, to_bytes(with(string_of(good.client_data), what, other))};
    }
    /// The attestation object with another member in one place.
    Registration with_member(std::string_view name, Item const& value)
    {
        auto object = read_item(good.attestation_object, Form::any).value();
        for (auto& member : std::get<Item::Map>(object.value))
            if (*member.key.text() == name) member.value = value;
        return {write(object), good.client_data};
    }
    Bytes authenticator_data() { return *read_item(good.attestation_object, Form::any)->member("authData")->bytes(); }
    std::string refusal(Registration const& registration) { return outcome(verify(registration, challenge, party)); }
};

TEST_F(NewPasskeys, are_kept_with_their_key_and_flags)
{
    authenticator.backup_eligible = true;
    authenticator.sign_count = 3'000'000'000;
    auto const credential = verify(register_with(authenticator, challenge, party), challenge, party);
    ASSERT_EQ(detail(credential), "");
    EXPECT_EQ(credential->id, authenticator.credential_id);
    EXPECT_EQ(credential->key.key.jwk(), authenticator.key.public_key().jwk());
    EXPECT_EQ(credential->sign_count, 3'000'000'000);
    EXPECT_TRUE(credential->backup_eligible);
    EXPECT_FALSE(credential->backed_up);
    EXPECT_EQ(credential->aaguid, Bytes(16, 0));
}

TEST_F(NewPasskeys, are_refused_unless_the_browser_did_what_was_asked)
{
    EXPECT_EQ(refusal(good), "");
    EXPECT_EQ(refusal(with_client_data("webauthn.create", "webauthn.get")), "passkey_refused");
    EXPECT_EQ(refusal(with_client_data("https://phone.example", "https://id.example")), "passkey_refused");
    EXPECT_EQ(refusal(with_client_data("https://phone.example", "https://phone.example:444")), "passkey_refused");
    EXPECT_EQ(refusal(with_client_data("https://phone.example", "http://phone.example")), "passkey_refused");
    EXPECT_EQ(refusal(with_client_data("https://phone.example", "https://phone.example/")), "passkey_refused");
    EXPECT_EQ(refusal(with_client_data("\"crossOrigin\":false", "\"crossOrigin\":true")), "passkey_refused");
    EXPECT_EQ(refusal(with_client_data("\"crossOrigin\":false", "\"crossOrigin\":\"no\"")), "passkey_refused");
    EXPECT_EQ(refusal(with_client_data("\"crossOrigin\":false", "\"topOrigin\":\"https://phone.example\"")),
              "passkey_refused");
    EXPECT_EQ(refusal(with_client_data("{", "{\"type\":\"webauthn.create\",")), "passkey_refused") << "a member twice";
    EXPECT_EQ(refusal(with_client_data("{", "[")), "passkey_refused");
    EXPECT_EQ(refusal(with_client_data(crypto::base64url(challenge), crypto::base64url(Bytes(32, 8)))),
              "passkey_refused");
    EXPECT_EQ(refusal(with_client_data("{", "{\"new_member\":[1],")), "") << "members of later versions are left alone";
    EXPECT_EQ(refusal(with_client_data("{", "\xef\xbb\xbf{")), "") << "UTF-8 decode takes the mark away";
    EXPECT_EQ(refusal(with_client_data(",\"crossOrigin\":false", "")), "") << "older browsers don't say it";
}

TEST_F(NewPasskeys, need_a_present_and_verified_holder_and_our_own_id)
{
    auto absent = authenticator;
    absent.user_present = false;
    EXPECT_EQ(refusal(register_with(absent, challenge, party)), "passkey_refused");
    auto unverified = authenticator;
    unverified.user_verified = false;
    EXPECT_EQ(refusal(register_with(unverified, challenge, party)), "passkey_refused");
    auto other = party;
    other.id = "example";
    EXPECT_EQ(refusal(register_with(authenticator, challenge, other)), "passkey_refused");
    auto impossible = authenticator;
    impossible.backed_up = true;
    EXPECT_EQ(refusal(register_with(impossible, challenge, party)), "passkey_refused") << "BS without BE";
}

TEST_F(NewPasskeys, bring_attestation_none_or_sign_for_themselves)
{
    auto const packed = [&](Item::Map statement) {
        auto registration = with_member("attStmt", Item{std::move(statement)});
        auto object = read_item(registration.attestation_object, Form::any).value();
        std::get<Item::Map>(object.value).front().value = Item{std::string{"packed"}};
        registration.attestation_object = write(object);
        return registration;
    };
    auto signed_bytes = authenticator_data();
    append(signed_bytes, crypto::sha256(good.client_data));
    auto const sign = [&](crypto::PrivateKey const& key) {
        return *crypto::ecdsa_der_from_raw(key.sign(SignatureAlgorithm::es256, signed_bytes), 32);
    };
    auto const statement = [](std::int64_t algorithm, Bytes signature) {
        Item::Map map;
        map.push_back({Item{std::string{"alg"}}, Item{algorithm}});
        map.push_back({Item{std::string{"sig"}}, Item{std::move(signature)}});
        return map;
    };
    EXPECT_EQ(refusal(packed(statement(-7, sign(authenticator.key)))), "");
    EXPECT_EQ(refusal(packed(statement(-8, sign(authenticator.key)))), "passkey_refused") << "another algorithm";
    EXPECT_EQ(refusal(packed(statement(-7, sign(crypto::PrivateKey::generate(crypto::KeyType::ec_p256))))),
              "passkey_refused");
    auto with_chain = statement(-7, sign(authenticator.key));
    with_chain.push_back({Item{std::string{"x5c"}}, Item{Item::List{Item{Bytes{1}}}}});
    EXPECT_EQ(refusal(packed(with_chain)), "passkey_refused") << "a statement that nobody here judges";

    EXPECT_EQ(refusal(with_member("attStmt", Item{statement(-7, Bytes{1})})), "passkey_refused") << "none with one";
    EXPECT_EQ(refusal(with_member("attStmt", Item{Bytes{}})), "passkey_refused");
    for (auto const* format : {"fido-u2f", "tpm", "android-key", "apple", "compound", "NONE", ""})
        EXPECT_EQ(refusal(with_member("fmt", Item{std::string{format}})), "passkey_refused") << format;
}

TEST_F(NewPasskeys, are_whole_and_have_nothing_behind_them)
{
    auto const data = authenticator_data();
    for (std::size_t size = 0; size < data.size(); ++size)
        ASSERT_EQ(refusal(with_member("authData", Item{Bytes{data.begin(), data.begin() + std::ptrdiff_t(size)}})),
                  "passkey_refused")
            << size;
    auto longer = data;
    longer.push_back(0xa0);
    EXPECT_EQ(refusal(with_member("authData", Item{longer})), "passkey_refused") << "extensions without their flag";
    longer.at(32) |= 0x80;
    EXPECT_EQ(refusal(with_member("authData", Item{longer})), "") << "extensions nobody asked for are left alone";
    longer.back() = 0x80;
    EXPECT_EQ(refusal(with_member("authData", Item{longer})), "passkey_refused") << "extensions are a map";
    auto without = data;
    without.at(32) &= 0xbf;
    EXPECT_EQ(refusal(with_member("authData", Item{without})), "passkey_refused") << "no credential";

    auto behind = good;
    behind.attestation_object.push_back(0);
    EXPECT_EQ(refusal(behind), "passkey_refused");
    for (std::size_t size = 0; size < good.attestation_object.size(); ++size) {
        auto cut = good;
        cut.attestation_object.resize(size);
        ASSERT_EQ(refusal(cut), "passkey_refused") << size;
    }
}

TEST(CredentialIds, have_at_most_1023_bytes)
{
    auto const refusal = [](std::size_t size) {
        return outcome(verify(register_with(new_authenticator(Bytes(size, 5)), challenge, party), challenge, party));
    };
    EXPECT_EQ(refusal(1), "");
    EXPECT_EQ(refusal(1023), "");
    EXPECT_EQ(refusal(1024), "passkey_refused");
    EXPECT_EQ(refusal(0), "passkey_refused");
}

// ---- COSE keys -----------------------------------------------------------------------------------------------------

class CoseKeys : public ::testing::Test {
protected:
    static Bytes encoded(SignatureAlgorithm algorithm)
    {
        auto const authenticator = new_authenticator({1}, algorithm);
        return write_cose_key({authenticator.key.public_key(), algorithm});
    }
    static std::string refusal(Bytes const& bytes)
    {
        ByteView from{bytes};
        return outcome(take_cose_key(from));
    }
    static Bytes changed(Bytes const& key, std::int64_t label, Item const& value)
    {
        auto item = read_item(key, Form::any).value();
        for (auto& member : std::get<Item::Map>(item.value))
            if (*member.key.integer() == label) member.value = value;
        return write(item);
    }
};

TEST_F(CoseKeys, of_the_three_algorithms_come_back_as_they_were)
{
    for (auto const algorithm : {SignatureAlgorithm::es256, SignatureAlgorithm::eddsa, SignatureAlgorithm::rs256}) {
        auto bytes = encoded(algorithm);
        auto const size = bytes.size();
        bytes.push_back(7); // what stands behind a key is not the key's
        ByteView from{bytes};
        auto const key = take_cose_key(from);
        ASSERT_TRUE(key) << name_of(algorithm);
        EXPECT_EQ(from.size(), 1U);
        EXPECT_EQ(write_cose_key(*key), Bytes(bytes.begin(), bytes.begin() + std::ptrdiff_t(size)));
    }
}

TEST_F(CoseKeys, are_refused_with_anything_that_their_type_does_not_have)
{
    auto const es256 = encoded(SignatureAlgorithm::es256);
    EXPECT_EQ(refusal(es256), "");
    EXPECT_EQ(refusal(changed(es256, 1, Item{std::int64_t{1}})), "passkey_refused") << "kty";
    EXPECT_EQ(refusal(changed(es256, 3, Item{std::int64_t{-35}})), "passkey_refused") << "ES384 was not offered";
    EXPECT_EQ(refusal(changed(es256, 3, Item{std::int64_t{-9}})), "passkey_refused") << "ESP256 was not offered";
    EXPECT_EQ(refusal(changed(es256, -1, Item{std::int64_t{2}})), "passkey_refused") << "another curve";
    EXPECT_EQ(refusal(changed(es256, -3, Item{Item::Simple::yes})), "passkey_refused") << "a compressed point";
    EXPECT_EQ(refusal(changed(es256, -3, Item{Bytes(32, 1)})), "passkey_refused") << "not on the curve";
    EXPECT_EQ(refusal(changed(es256, -2, Item{Bytes(31, 1)})), "passkey_refused");
    EXPECT_EQ(refusal(changed(es256, -2, Item{Bytes(33, 0)})), "passkey_refused");
    EXPECT_EQ(refusal(changed(encoded(SignatureAlgorithm::eddsa), -2, Item{Bytes(31, 1)})), "passkey_refused");
    EXPECT_EQ(refusal(changed(encoded(SignatureAlgorithm::rs256), -1, Item{Bytes(128, 0xff)})), "passkey_refused")
        << "1024 bits";

    auto more = read_item(es256, Form::any).value();
    std::get<Item::Map>(more.value).push_back({Item{std::int64_t{-70000}}, Item{Bytes{1}}});
    EXPECT_EQ(refusal(write(more)), "passkey_refused") << "key_ops and others have no place";
    auto disordered = read_item(es256, Form::any).value();
    auto& members = std::get<Item::Map>(disordered.value);
    std::swap(members.at(0), members.at(1));
    EXPECT_EQ(refusal(write(disordered)), "passkey_refused") << "CTAP2's order of keys";
    EXPECT_EQ(refusal(write(Item{Item::List{}})), "passkey_refused");
}

// ---- CBOR ----------------------------------------------------------------------------------------------------------

TEST(Cbor, is_read_and_written_back_the_same)
{
    // {"a": 1, "b": [-1, h'00ff', true, null, 1000000], "c": {}}
    auto const bytes = from_hex("a3616101616285204200fff5f61a000f42406163a0");
    auto const item = read_item(bytes, Form::canonical);
    ASSERT_TRUE(item);
    EXPECT_EQ(*item->member("a")->integer(), 1);
    EXPECT_EQ(write(*item), bytes);
}

TEST(Cbor, refuses_what_has_no_place_in_webauthn)
{
    for (auto const* hex : {
             "",
             "01 01",                    // two items
             "61",                       // a text that is cut
             "5affffffff00",             // 4 GiB of bytes that are not there
             "9bffffffffffffffff",       // more items than there are bytes
             "bbffffffffffffffff",       //
             "bb7fffffffffffffff00",     //
             "9f01ff",                   // of open length
             "5f4101ff",                 //
             "7f6161ff",                 //
             "bf0101ff",                 //
             "c001",                     // a tag
             "f93c00",                   // floating point
             "f7",                       // undefined
             "f0",                       // another simple value
             "ff",                       // a break of nothing
             "1bffffffffffffffff",       // beyond 2^63
             "a201010102",               // a key twice
             "a201011801 02",            // the same, written otherwise
             "a101",                     // a key without a value
             "818181818181818181818101", // too deep
         }) {
        std::string text{hex};
        std::erase(text, ' ');
        EXPECT_EQ(outcome(read_item(from_hex(text), Form::any)), "passkey_refused") << hex;
    }
}

TEST(Cbor, in_canonical_form_is_short_and_in_order)
{
    for (auto const* hex : {"1817", "190018", "1a00000100", "1b0000000000000001", "580100", "780161", "980101",
                            "b8010101", "a202010101", "a261620161 6101", "a220010101"}) {
        std::string text{hex};
        std::erase(text, ' ');
        EXPECT_EQ(outcome(read_item(from_hex(text), Form::canonical)), "passkey_refused") << hex;
        EXPECT_EQ(outcome(read_item(from_hex(text), Form::any)), "") << hex;
    }
    EXPECT_EQ(outcome(read_item(from_hex("a40101200121012201"), Form::canonical)), "");
}

// ---- §7.2 ----------------------------------------------------------------------------------------------------------

class UsedPasskeys : public ::testing::Test {
protected:
    SoftwareAuthenticator authenticator = new_authenticator(Bytes(16, 5));
    Credential credential = verify(register_with(authenticator, challenge, party), challenge, party).value();
    Assertion good = sign_with(authenticator, challenge, party);

    std::string refusal(Assertion const& assertion) { return outcome(verify(assertion, credential, challenge, party)); }
    /// Signed by the right key all the same: the authenticator itself says so.
    Assertion signed_over(Bytes authenticator_data, std::string_view client_data)
    {
        auto assertion = good;
        assertion.authenticator_data = std::move(authenticator_data);
        assertion.client_data = to_bytes(client_data);
        auto signed_bytes = assertion.authenticator_data;
        append(signed_bytes, crypto::sha256(assertion.client_data));
        assertion.signature =
            *crypto::ecdsa_der_from_raw(authenticator.key.sign(SignatureAlgorithm::es256, signed_bytes), 32);
        return assertion;
    }
};

TEST_F(UsedPasskeys, are_believed_with_their_count)
{
    auto const after = verify(good, credential, challenge, party);
    ASSERT_EQ(detail(after), "");
    EXPECT_EQ(after->sign_count, 1U);
    EXPECT_EQ(outcome(parse_assertion(write(good))), "");
    EXPECT_EQ(refusal(parse_assertion(write(good)).value()), "");
}

TEST_F(UsedPasskeys, say_where_and_for_what_they_were_used)
{
    auto const client_data = string_of(good.client_data);
    auto const& data = good.authenticator_data;
    EXPECT_EQ(refusal(signed_over(data, client_data)), "");
    EXPECT_EQ(refusal(signed_over(data, with(client_data, "webauthn.get", "webauthn.create"))), "passkey_wrong");
    EXPECT_EQ(refusal(signed_over(data, with(client_data, "webauthn.get", "payment.get"))), "passkey_wrong");
    EXPECT_EQ(refusal(signed_over(data, with(client_data, "phone.example", "phone.example.evil.example"))),
              "passkey_wrong");
    EXPECT_EQ(refusal(signed_over(data, with(client_data, "\"crossOrigin\":false", "\"crossOrigin\":true"))),
              "passkey_wrong");
    EXPECT_EQ(outcome(verify(good, credential, Bytes(32, 1), party)), "passkey_wrong");
    EXPECT_EQ(outcome(verify(good, credential, {}, party)), "passkey_wrong");
}

TEST_F(UsedPasskeys, need_a_present_and_verified_holder)
{
    auto data = good.authenticator_data;
    auto const client_data = string_of(good.client_data);
    for (auto const bit : {0x01, 0x04}) {
        auto without = data;
        without.at(32) = static_cast<Byte>(without.at(32) & ~bit);
        EXPECT_EQ(refusal(signed_over(without, client_data)), "passkey_wrong") << bit;
    }
    auto elsewhere = data;
    elsewhere.front() ^= 1;
    EXPECT_EQ(refusal(signed_over(elsewhere, client_data)), "passkey_wrong") << "another relying party";
    auto eligible = data;
    eligible.at(32) |= 0x08;
    EXPECT_EQ(refusal(signed_over(eligible, client_data)), "passkey_wrong") << "BE never changes";
    auto const registered = *read_item(register_with(authenticator, challenge, party).attestation_object, Form::any)
                                 ->member("authData")
                                 ->bytes();
    EXPECT_EQ(refusal(signed_over(registered, client_data)), "passkey_wrong") << "a credential inside";
    for (std::size_t size = 0; size < data.size(); ++size)
        ASSERT_EQ(refusal(signed_over({data.begin(), data.begin() + std::ptrdiff_t(size)}, client_data)),
                  "passkey_wrong");
}

TEST_F(UsedPasskeys, are_signed_by_the_key_that_was_registered)
{
    auto other_id = good;
    other_id.credential_id.back() ^= 1;
    EXPECT_EQ(refusal(other_id), "passkey_wrong");
    auto thief = new_authenticator(authenticator.credential_id);
    EXPECT_EQ(refusal(sign_with(thief, challenge, party)), "passkey_wrong");
    auto raw = good;
    raw.signature = *crypto::ecdsa_raw_from_der(raw.signature, 32);
    EXPECT_EQ(refusal(raw), "passkey_wrong") << "WebAuthn's signatures are DER";
    auto empty = good;
    empty.signature.clear();
    EXPECT_EQ(refusal(empty), "passkey_wrong");
    auto longer = good;
    longer.signature.push_back(0);
    EXPECT_EQ(refusal(longer), "passkey_wrong");
}

TEST_F(UsedPasskeys, travel_as_four_fields_and_nothing_else)
{
    auto const bytes = write(good);
    for (std::size_t size = 0; size < bytes.size(); ++size)
        ASSERT_EQ(outcome(parse_assertion(ByteView{bytes}.first(size))), "proof_malformed") << size;
    auto longer = bytes;
    longer.push_back(0);
    EXPECT_EQ(outcome(parse_assertion(longer)), "proof_malformed");
    auto huge = bytes;
    huge.front() = 0xff;
    EXPECT_EQ(outcome(parse_assertion(huge)), "proof_malformed");
}

} // namespace
} // namespace symbolon::passkey
