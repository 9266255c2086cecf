#include "consent/consent.hpp"

#include <gtest/gtest.h>

namespace symbolon::consent {
namespace {

using action::RequestedClaim;
using Before = RequestedClaim::Before;
using Names = std::vector<std::string>;

Instant const noon = instant_of(1'790'164'800);

action::Action approved(std::vector<RequestedClaim> claims, Names granted)
{
    action::Action action;
    action.account = AccountId{"a"};
    action.client = ClientId{"shop"};
    action.partner_domain = "shop.example";
    action.claims = std::move(claims);
    action.granted_claims = std::move(granted);
    return action;
}

std::vector<RequestedClaim> const both{{.name = "name", .essential = true}, {.name = "email"}};

TEST(Consents, D4_everything_is_asked_on_the_first_visit)
{
    auto const claims = recall(both, std::nullopt);
    EXPECT_TRUE(asks_more(claims));
    EXPECT_TRUE(changes(claims, {"name", "email"}));
    EXPECT_TRUE(changes(claims, {"name"}));
}

TEST(Consents, D4_what_was_agreed_is_not_asked_again_and_what_was_kept_back_stays_so)
{
    auto const consent = after(std::nullopt, approved(both, {"name"}), noon);
    EXPECT_EQ(consent.shared, Names{"name"});
    EXPECT_EQ(consent.kept_back, Names{"email"});
    auto const claims = recall(both, consent);
    EXPECT_EQ(claims[0].before, Before::shared);
    EXPECT_EQ(claims[1].before, Before::kept_back);
    EXPECT_FALSE(asks_more(claims));
    EXPECT_FALSE(changes(claims, {"name"}));
    EXPECT_TRUE(changes(claims, {"name", "email"})) << "the holder may change it";
}

TEST(Consents, D4_more_than_before_is_asked)
{
    auto const consent = after(std::nullopt, approved(both, {"name"}), noon);
    EXPECT_TRUE(asks_more(recall({{.name = "name"}, {.name = "photo"}}, consent)));
    EXPECT_TRUE(asks_more(recall({{.name = "email", .essential = true}}, consent))) << "required now, kept back before";
    EXPECT_FALSE(asks_more(recall({{.name = "name"}}, consent))) << "less than before";
}

TEST(Consents, D4_what_was_not_asked_this_time_stays_as_it_was)
{
    auto consent = after(std::nullopt, approved(both, {"name"}), noon);
    consent = after(consent, approved({{.name = "email"}, {.name = "photo"}}, {"email"}), noon + 1h);
    EXPECT_EQ(consent.shared, (Names{"name", "email"}));
    EXPECT_EQ(consent.kept_back, Names{"photo"});
    EXPECT_EQ(consent.since, noon);
    EXPECT_EQ(consent.at, noon + 1h);
}

} // namespace
} // namespace symbolon::consent
