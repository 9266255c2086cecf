// The phone as a library, on its way through a bank (B1 to B4).

#include "crypto/hash.hpp"
#include "device/banks_testing.hpp"
#include "device/world_testing.hpp"

#include <gtest/gtest.h>

namespace symbolon::device {
namespace {

using testing::FakeBanks;
using testing::right_code;
using testing::World;

/// The app in its browser, which keeps the cookie of the visit.
class Browser final : public Transport {
public:
    explicit Browser(Transport& network) : network_{network} {}

    Flow<Reply> send(Call call) override
    {
        auto reply = co_await network_.send(std::move(call));
        for (auto const& [name, value] : reply.headers)
            if (name == "set-cookie") cookie = value.substr(0, value.find(';'));
        co_return reply;
    }

    std::string cookie;

private:
    Transport& network_;
};

class PhoneAtBank : public ::testing::Test {
protected:
    PhoneAtBank()
    {
        world_.settings->banks = &banks_;
        world_.settings->bank_end_page = [](ports::BankEnd const& end) { return end.code; };
    }

    /// The browser comes back from the bank; with the cookie of the visit, or without: another one.
    std::string come_back(std::string const& cookie, std::string const& error = {})
    {
        http::Request request;
        request.origin = http::Origin::phone;
        request.method = "GET";
        request.path = "/bank/return";
        request.query.add("state", banks_.begun.back().state);
        if (error.empty()) request.query.add("code", "code-of-the-bank");
        else request.query.add("error", error);
        request.query.add("iss", "https://login.kbc.example");
        if (!cookie.empty()) request.headers.emplace_back("cookie", cookie);
        for (auto const& route : device_routes(world_.services, world_.settings)) {
            if (route.method != "GET" || route.pattern != request.path) continue;
            auto const answer = run_now(route.handler(std::move(request)));
            return answer ? answer->body : std::string{};
        }
        ADD_FAILURE() << "no route";
        return {};
    }
    /// Leaves for the bank. Gives the cookie of the browser that left.
    std::string leave()
    {
        EXPECT_TRUE(run_now(phone_->visit_bank("kbc")));
        EXPECT_NE(browser_.cookie, "");
        return browser_.cookie;
    }
    std::string step() { return run_now(phone_->enrolment_place()).value().step; }

    World world_;
    FakeBanks banks_;
    Browser browser_{world_.transport};
    std::unique_ptr<Phone> phone_ = std::make_unique<Phone>(new_phone(world_.random), browser_);
};

TEST_F(PhoneAtBank, B1_enrols_from_the_number_to_the_code)
{
    ASSERT_TRUE(run_now(phone_->start_at_bank("32", "0470 12 34 56", "nl")));
    EXPECT_EQ(phone_->state().language, "nl");
    EXPECT_EQ(step(), "bank");
    come_back(leave());

    auto const place = run_now(phone_->enrolment_place()).value();
    EXPECT_EQ(place.step, "sms");
    EXPECT_EQ(place.bank, "kbc");
    EXPECT_TRUE(place.sms_again_at);
    EXPECT_FALSE(place.outcome);
    auto const rules = run_now(phone_->give_sms_code(world_.messages.last_code()));
    ASSERT_TRUE(rules);
    ASSERT_TRUE(run_now(phone_->finish_enrolment(right_code, *rules, "Chrome on Android")));
    EXPECT_TRUE(phone_->state().enrolled);
    EXPECT_EQ(phone_->state().phone_number, "+32470123456");
    EXPECT_EQ(world_.account_now(*phone_).value.source.kind, account::Source::Kind::bank);
}

TEST_F(PhoneAtBank, B1_goes_on_where_it_was_when_it_is_switched_off_on_the_way)
{
    auto const restart = [&] {
        auto kept = parse_phone_state(write(phone_->state()).reveal());
        ASSERT_TRUE(kept);
        phone_ = std::make_unique<Phone>(*std::move(kept), browser_);
    };
    ASSERT_TRUE(run_now(phone_->start_at_bank("32", "0470123456", "nl")));
    restart();
    auto const cookie = leave();
    restart();
    come_back(cookie);
    EXPECT_EQ(step(), "sms");
    ASSERT_TRUE(run_now(phone_->give_sms_code(world_.messages.last_code())));
    restart();
    auto const place = run_now(phone_->enrolment_place()).value();
    EXPECT_EQ(place.step, "code");
    ASSERT_TRUE(place.code_rules);
    EXPECT_TRUE(run_now(phone_->finish_enrolment(right_code, *place.code_rules, "Chrome on Android")));
}

TEST_F(PhoneAtBank, B1_types_what_another_browser_shows)
{
    ASSERT_TRUE(run_now(phone_->start_at_bank("32", "0470123456", "nl")));
    leave();
    auto const code = come_back({});
    EXPECT_EQ(step(), "landed");
    auto const wrong = run_now(phone_->give_landing_code(SecretText{code == "123456" ? "123457" : "123456"}));
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().tries_left, 2);
    ASSERT_TRUE(run_now(phone_->give_landing_code(SecretText{code})));
    EXPECT_EQ(step(), "sms");
}

TEST_F(PhoneAtBank, B4_is_told_what_came_of_the_visit_and_chooses_again)
{
    ASSERT_TRUE(run_now(phone_->start_at_bank("32", "0470123456", "nl")));
    come_back(leave(), "access_denied");
    auto const place = run_now(phone_->enrolment_place()).value();
    EXPECT_EQ(place.step, "bank");
    EXPECT_EQ(place.outcome, Outcome::bank_cancelled);
    come_back(leave());
    EXPECT_EQ(step(), "sms");
    ASSERT_TRUE(run_now(phone_->choose_bank_again()));
    EXPECT_EQ(step(), "bank");
}

} // namespace
} // namespace symbolon::device
