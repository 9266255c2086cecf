#include "crypto/encoding.hpp"
#include "entry/browser_name.hpp"
#include "entry/offer.hpp"
#include "store/store_testing.hpp"

#include <gtest/gtest.h>

#include <set>

namespace symbolon::entry {
namespace {

using store::testing::noon;

class Offers : public ::testing::Test {
protected:
    store::testing::RepeatableRandom random_{7};
    grant::SignIn sign_in_ = offered("s");

    grant::SignIn offered(std::string id)
    {
        auto it = store::testing::sign_in(std::move(id));
        make_offer(it, noon, random_);
        return it;
    }
    std::string judged(std::string const& qr, Instant now, grant::SignIn const* sign_in = nullptr)
    {
        auto const value = parse_qr_value(qr);
        if (!value) return std::string{name_of(value.error().outcome)};
        auto const checked = check_qr(sign_in ? *sign_in : sign_in_, *value, now);
        return checked ? "good" : std::string{name_of(checked.error().outcome)};
    }
};

TEST_F(Offers, D3_a_qr_code_is_another_one_each_second_and_good_for_two)
{
    auto const at = noon + 41s;
    auto const qr = qr_value(sign_in_, at);
    EXPECT_NE(qr_value(sign_in_, at + 1s), qr);
    EXPECT_EQ(judged(qr, at), "good");
    EXPECT_EQ(judged(qr, at + 1s), "good");
    EXPECT_EQ(judged(qr, at + 2s), "qr_too_old");
    EXPECT_EQ(judged(qr, at + 1h), "qr_too_old");
    EXPECT_EQ(judged(qr, at - 1s), "qr_too_old") << "a step that has not come yet";
}

TEST_F(Offers, are_made_by_the_server_alone)
{
    auto const qr = qr_value(sign_in_, noon);
    auto const [id, step, mac] = std::tuple{sign_in_.id.text(), std::string{"0"}, qr.substr(qr.rfind('.') + 1)};
    ASSERT_EQ(qr, id + "." + step + "." + mac);
    EXPECT_EQ(judged(id + ".1." + mac, noon + 1s), "entry_unknown") << "the MAC is of another step";
    EXPECT_EQ(judged(id + ".0." + mac + "A", noon), "entry_unknown");
    EXPECT_EQ(judged(id + ".0.", noon), "entry_unknown");
    for (std::string const other : {"", ".", "..", "s.0", "s.-1.AA", "s.0x1.AA", "s.99999999999999999999.AA", ".0.AA"})
        EXPECT_EQ(judged(other, noon), "entry_unknown") << other;

    auto const other = offered("other");
    EXPECT_EQ(judged(qr, noon, &other), "entry_unknown") << "another page's";
    auto const link = link_value(sign_in_);
    EXPECT_TRUE(check_link(sign_in_, parse_link_value(link).value()));
    EXPECT_FALSE(check_link(other, parse_link_value(link).value()));
    EXPECT_FALSE(parse_qr_value(link)) << "a link is no QR code";
    EXPECT_FALSE(parse_link_value(qr));
}

TEST_F(Offers, of_a_new_try_replace_those_before)
{
    auto const qr = qr_value(sign_in_, noon);
    auto const link = link_value(sign_in_);
    auto const code = sign_in_.short_code;
    make_offer(sign_in_, noon, random_);
    EXPECT_EQ(judged(qr, noon), "entry_unknown");
    EXPECT_FALSE(check_link(sign_in_, parse_link_value(link).value()));
    EXPECT_NE(sign_in_.short_code, code);
}

TEST_F(Offers, that_were_never_made_are_nobodys)
{
    auto const qr = qr_value(sign_in_, noon);
    auto const before = store::testing::sign_in("s");
    ASSERT_FALSE(offers(before));
    EXPECT_EQ(judged(qr, noon, &before), "entry_unknown");
    EXPECT_FALSE(check_link(before, parse_link_value(link_value(sign_in_)).value()));
}

TEST_F(Offers, give_what_a_return_proves_to_one_action_of_one_sign_in)
{
    auto const proof = return_value(sign_in_, ActionId{"a"});
    EXPECT_EQ(crypto::from_base64url(proof)->size(), 32U);
    EXPECT_EQ(return_value(sign_in_, ActionId{"a"}), proof);
    EXPECT_NE(return_value(sign_in_, ActionId{"b"}), proof);
    EXPECT_NE(return_value(offered("other"), ActionId{"a"}), proof);
    EXPECT_EQ(link_value(sign_in_).find(proof), std::string::npos);
}

TEST_F(Offers, D3_short_codes_hold_no_signs_that_look_alike)
{
    std::set<char> signs;
    std::set<std::string> codes;
    for (int i = 0; i < 500; ++i) {
        make_offer(sign_in_, noon, random_);
        codes.insert(sign_in_.short_code);
        signs.insert(sign_in_.short_code.begin(), sign_in_.short_code.end());
        EXPECT_EQ(parse_short_code(sign_in_.short_code).value(), sign_in_.short_code);
    }
    EXPECT_EQ(codes.size(), 500U);
    EXPECT_EQ(signs.size(), 20U);
    for (std::string_view const alike : {"0OQD", "1IL", "2Z", "5S", "6G", "8B", "UV"})
        EXPECT_LE(std::ranges::count_if(alike, [&](char sign) { return signs.contains(sign); }), 1) << alike;
}

TEST_F(Offers, D3_short_codes_are_taken_as_people_type_them)
{
    EXPECT_EQ(parse_short_code("ACDE-FHJK").value(), "ACDEFHJK");
    EXPECT_EQ(parse_short_code(" acde fhjk ").value(), "ACDEFHJK");
    EXPECT_EQ(grouped_short_code("ACDEFHJK"), "ACDE-FHJK");
    for (std::string const other : {"", "ACDEFHJ", "ACDEFHJKM", "ACDEFHJO", "ACDE\nFHJK", "ÀCDEFHJK"})
        EXPECT_FALSE(parse_short_code(other)) << other;
}

} // namespace
} // namespace symbolon::entry
