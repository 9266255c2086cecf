#include "consent/claims.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace symbolon::consent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

account::Account holder()
{
    account::Account account;
    account.phone_number = account::PhoneNumber{"+32470123456"};
    account.email = "an@example.be";
    account.language = Language::nl;
    account.person.family_name = "Peeters";
    account.person.given_names = "An Maria";
    account.person.birth_date = "1985-07-30";
    account.person.birth_place = "Gent";
    account.person.sex = account::Sex::female;
    account.person.nationality = "Belg";
    account.person.national_number = "85073000160";
    account.person.address = {.street = "Kerkstraat 1", .zip = "9000", .municipality = "Gent"};
    account.source.document_number = "592000000183";
    account.created_at = instant_of(1'780'000'000);
    account.person_at = instant_of(1'790'000'000);
    return account;
}

grant::AuthorizationRequest request_for(std::vector<std::string> scopes)
{
    grant::AuthorizationRequest request;
    request.scopes = std::move(scopes);
    return request;
}

std::vector<std::string> asked(grant::AuthorizationRequest const& request, partner::Client const& client = {})
{
    std::vector<std::string> names;
    for (auto const& question : questions(request, client))
        names.push_back(question.name + (question.essential ? "!" : ""));
    return names;
}

partner::Client entitled()
{
    partner::Client client;
    client.allowed_claims = {"national_number", "card_number", "picture", "nationality", "place_of_birth"};
    return client;
}

std::string value(std::string const& name, account::Account const& account = holder())
{
    std::vector<std::string> const names{name};
    auto const object = values(names, account, "data:image/jpeg;base64,AAAA");
    return object.empty() ? "" : json::write(object.at(name));
}

TEST(Claims, of_a_scope_are_those_of_OpenID_Connect_5_4)
{
    EXPECT_THAT(asked(request_for({"openid"})), IsEmpty());
    EXPECT_THAT(asked(request_for({"openid", "profile"})), ElementsAre("name", "gender", "birthdate", "locale"));
    EXPECT_THAT(asked(request_for({"openid", "email"})), ElementsAre("email"));
    EXPECT_THAT(asked(request_for({"openid", "phone", "address"})), ElementsAre("address", "phone_number"));
    EXPECT_THAT(release(request_for({"openid", "profile"}), {}, std::vector<std::string>{"name", "locale"}).userinfo,
                ElementsAre("name", "given_name", "family_name", "updated_at", "locale"));
}

TEST(Claims, that_are_sensitive_are_asked_only_for_a_client_that_is_entitled)
{
    auto request = request_for({"openid", "profile", "eid"});
    request.id_token_claims = {{.name = "national_number", .essential = true, .values = {}}};
    EXPECT_THAT(asked(request), ElementsAre("name", "gender", "birthdate", "locale"));
    EXPECT_THAT(asked(request, entitled()),
                ElementsAre("name", "gender", "birthdate", "locale", "picture", "national_number!", "card_number"));

    std::vector<std::string> const all{"name", "picture", "national_number", "card_number"};
    EXPECT_THAT(release(request, {}, all).id_token, IsEmpty()) << "granted or not";
    EXPECT_THAT(release(request, entitled(), all).id_token, ElementsAre("national_number"));
}

TEST(Claims, of_the_parameter_are_essential_where_it_says_so_and_go_where_it_says)
{
    auto request = request_for({"openid"});
    request.id_token_claims = {{.name = "email_verified", .essential = true, .values = {}},
                               {.name = "acr", .essential = true, .values = {}},
                               {.name = "favourite_colour", .essential = true, .values = {}}};
    request.userinfo_claims = {{.name = "family_name", .essential = false, .values = {}}};
    EXPECT_THAT(asked(request), ElementsAre("name", "email!")) << "acr is nothing of the person";

    std::vector<std::string> const both{"name", "email"};
    EXPECT_THAT(release(request, {}, both).id_token, ElementsAre("email_verified"));
    EXPECT_THAT(release(request, {}, both).userinfo, ElementsAre("family_name"));
    std::vector<std::string> const email{"email"};
    EXPECT_THAT(release(request, {}, email).userinfo, IsEmpty());
}

TEST(Claims, D4_that_were_refused_are_not_released)
{
    auto const request = request_for({"openid", "profile", "email"});
    EXPECT_THAT(release(request, {}, std::vector<std::string>{"name"}).userinfo,
                ElementsAre("name", "given_name", "family_name", "updated_at"));
    EXPECT_THAT(release(request, {}, std::vector<std::string>{}).userinfo, IsEmpty());
    EXPECT_THAT(release(request, {}, std::vector<std::string>{"address"}).userinfo, IsEmpty()) << "never asked";
}

TEST(Claims, have_the_forms_of_OpenID_Connect_5_1)
{
    EXPECT_EQ(value("name"), R"("An Maria Peeters")");
    EXPECT_EQ(value("given_name"), R"("An Maria")");
    EXPECT_EQ(value("family_name"), R"("Peeters")");
    EXPECT_EQ(value("gender"), R"("female")");
    EXPECT_EQ(value("birthdate"), R"("1985-07-30")");
    EXPECT_EQ(value("locale"), R"("nl")");
    EXPECT_EQ(value("updated_at"), "1790000000");
    EXPECT_EQ(value("email"), R"("an@example.be")");
    EXPECT_EQ(value("email_verified"), "false");
    EXPECT_EQ(value("phone_number"), R"("+32470123456")");
    EXPECT_EQ(value("phone_number_verified"), "true");
    EXPECT_EQ(
        value("address"),
        R"({"formatted":"Kerkstraat 1\n9000 Gent\nBelgium","street_address":"Kerkstraat 1","postal_code":"9000","locality":"Gent","country":"Belgium"})");
    EXPECT_EQ(value("place_of_birth"), R"({"locality":"Gent"})");
    EXPECT_EQ(value("nationality"), R"("Belg")");
    EXPECT_EQ(value("national_number"), R"("85073000160")");
    EXPECT_EQ(value("card_number"), R"("592000000183")");
    EXPECT_EQ(value("picture"), R"("data:image/jpeg;base64,AAAA")");
    EXPECT_EQ(value("favourite_colour"), "");
}

TEST(Claims, without_a_value_are_left_out)
{
    account::Account nobody;
    std::vector<std::string> names;
    names.reserve(claims.size());
    for (auto const& row : claims) names.emplace_back(row.name);
    auto const object = values(names, nobody, "");
    for (auto const& member : object)
        EXPECT_TRUE(member.key() == "locale" || member.key() == "updated_at") << member.key();

    auto bank = holder();
    bank.source.kind = account::Source::Kind::bank;
    EXPECT_EQ(value("card_number", bank), "");
}

TEST(Claims, know_a_birth_date_of_which_only_the_year_is_certain)
{
    auto account = holder();
    account.person.birth_date = "1985";
    EXPECT_EQ(value("birthdate", account), R"("1985")");
    account.person.birth_date = "1985-07";
    EXPECT_EQ(value("birthdate", account), R"("1985")") << "OpenID has no form for a month";
}

} // namespace
} // namespace symbolon::consent
