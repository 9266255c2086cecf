#include "action/queue.hpp"

#include <gtest/gtest.h>

namespace symbolon::action {
namespace {

Instant const noon = instant_of(1'790'164'800);
Limits const limits;

Action request(std::string id, Origin origin, Entry entry = Entry::number)
{
    Action action;
    action.id = ActionId{std::move(id)};
    action.entry = entry;
    action.origin = std::move(origin);
    action.partner_domain = "shop.example";
    action.created_at = noon;
    action.expires_at = noon + limits.action_lifetime;
    return action;
}

std::vector<std::string> order(std::vector<Action> const& open, account::Device const& device = {})
{
    std::vector<std::string> ids;
    for (auto const& place : queue(open, device, noon)) {
        auto id = open.at(place.index).id.text();
        if (place.rings) id += " rings";
        if (place.muted) id += " muted";
        ids.push_back(std::move(id));
    }
    return ids;
}

using Ids = std::vector<std::string>;

TEST(Queue, D5_what_was_seen_by_QR_or_link_comes_first_then_what_a_known_browser_asks)
{
    auto const device = with_known_browser({}, {.browser = {1}, .network = {}}, noon);
    EXPECT_EQ(order({request("1", {{7}, {7}}), request("2", {{1}, {7}}), request("3", {{8}, {8}}, Entry::qr),
                     request("4", {{9}, {9}})},
                    device),
              (Ids{"3 rings", "2", "1", "4"}));
    EXPECT_EQ(
        order({request("1", {{7}, {7}}), request("2", {{8}, {8}}, Entry::link), request("3", {{9}, {9}}, Entry::qr)}),
        (Ids{"3 rings", "2", "1"}))
        << "the one seen last";
}

TEST(Queue, D5_a_stranger_who_rings_is_not_interrupted_by_another)
{
    EXPECT_EQ(order({request("1", {{1}, {1}})}), (Ids{"1 rings"}));
    EXPECT_EQ(order({request("1", {{1}, {1}}), request("2", {{2}, {2}})}), (Ids{"1 rings", "2"}));
}

TEST(Queue, D5_of_those_too_many_none_rings_and_one_network_does_not_fill_the_list)
{
    std::vector<Action> open;
    open.reserve(9);
    for (int i = 0; i < 5; ++i) open.push_back(request("a" + std::to_string(i), {{1}, {1}}));
    open.push_back(request("b", {{2}, {2}}));
    for (int i = 5; i < 8; ++i) open.push_back(request("c" + std::to_string(i), {{1}, {1}}));
    for (auto& each : open) each.quiet = true;
    auto const ids = order(open);
    ASSERT_EQ(ids.size(), open.size());
    EXPECT_EQ(ids[0], "c7");
    EXPECT_EQ(ids[1], "b");
    EXPECT_EQ(ids[2], "c6");
}

TEST(Queue, D5_a_muted_origin_is_silent_and_last_until_its_time_is_over)
{
    auto const bad = request("bad", {.browser = {1}, .network = {2}});
    auto const device = with_mute({}, bad, noon, noon + 1h);
    auto same_browser = request("1", {.browser = {1}, .network = {9}});
    auto same_network = request("2", {.browser = {9}, .network = {2}});
    auto other = request("3", {.browser = {8}, .network = {8}});
    EXPECT_EQ(order({same_browser, same_network, other}, device), (Ids{"3 rings", "2 muted", "1 muted"}));
    EXPECT_FALSE(is_muted(device, bad.origin, noon + 1h));
    EXPECT_TRUE(is_muted(device, bad.origin, noon + 1h - 1s));
    EXPECT_EQ(order({request("q", {.browser = {1}, .network = {2}}, Entry::qr)}, device), (Ids{"q muted"}))
        << "a browser that was denied, by whatever way it comes";
}

TEST(Queue, D5_what_was_seen_by_QR_or_link_is_muted_with_its_browser_and_not_with_its_network)
{
    auto const device = with_mute({}, request("1", {{1}, {2}}, Entry::link), noon, noon + 1h);
    for (auto const entry : {Entry::qr, Entry::link, Entry::code}) {
        EXPECT_EQ(order({request("browser", {{1}, {3}}, entry)}, device), (Ids{"browser muted"}));
        EXPECT_EQ(order({request("network", {{5}, {2}}, entry)}, device), (Ids{"network rings"}));
        EXPECT_TRUE(is_silenced(device, request("browser", {{1}, {3}}, entry), noon + 59min));
        EXPECT_FALSE(is_silenced(device, request("browser", {{1}, {3}}, entry), noon + 1h));
    }
    EXPECT_EQ(order({request("number", {{5}, {2}})}, device), (Ids{"number muted"}));
}

TEST(Queue, D5_the_holders_own_browser_is_not_muted_with_its_network)
{
    auto device = with_known_browser({}, {.browser = {5}, .network = {2}}, noon);
    device = with_mute(std::move(device), request("bad", {.browser = {1}, .network = {2}}), noon, noon + 1h);
    EXPECT_EQ(order({request("own", {.browser = {5}, .network = {2}})}, device), (Ids{"own rings"}));
    device = with_mute(std::move(device), request("own", {.browser = {5}, .network = {2}}), noon, noon + 1h);
    EXPECT_EQ(order({request("own", {.browser = {5}, .network = {2}})}, device), (Ids{"own muted"}))
        << "unless it is the one that the holder did not know";
}

TEST(Queue, a_phone_remembers_a_bounded_number_of_browsers_and_mutes)
{
    account::Device device;
    for (Byte i = 0; i < 40; ++i) {
        device = with_known_browser(std::move(device), {.browser = {i}, .network = {}}, noon);
        device =
            with_mute(std::move(device), request("bad", {.browser = {Byte(i + 100)}, .network = {i}}), noon, noon + 1h);
    }
    EXPECT_EQ(device.known_browsers.size(), account::most_known_browsers);
    EXPECT_EQ(device.known_browsers.front().browser, Bytes{39});
    EXPECT_EQ(device.mutes.size(), account::most_mutes);
    device = with_mute(std::move(device), request("bad", {{1}, {1}}), noon + 2h, noon + 3h);
    EXPECT_EQ(device.mutes.size(), 1U) << "those that are over go";
    EXPECT_FALSE(is_known(device, {})) << "no cookie is no browser";
    EXPECT_FALSE(is_muted(device, {}, noon + 2h));
}

TEST(Queue, D5_strangers_ring_so_often_for_a_number_a_network_and_a_partner)
{
    auto const start = [](NumberTrace trace, Byte network, std::string client, Instant at = noon) {
        return with_start(std::move(trace), {.at = at, .network = {network}, .client = ClientId{std::move(client)}},
                          ActionId{"x"}, "boat", limits);
    };
    auto const too_many = [](NumberTrace const& trace, Byte network, std::string client, Instant at = noon) {
        return is_one_too_many(trace, {.browser = {}, .network = {network}}, ClientId{std::move(client)}, at, limits);
    };
    NumberTrace by_network;
    for (int i = 0; i < limits.rings_per_network; ++i) {
        EXPECT_FALSE(too_many(by_network, 1, "c" + std::to_string(i)));
        by_network = start(by_network, 1, "c" + std::to_string(i));
    }
    EXPECT_TRUE(too_many(by_network, 1, "other"));
    EXPECT_FALSE(too_many(by_network, 2, "other"));
    EXPECT_FALSE(too_many(by_network, 1, "other", noon + limits.rings_window));

    NumberTrace by_partner;
    for (int i = 0; i < limits.rings_per_partner; ++i) by_partner = start(by_partner, Byte(i), "shop");
    EXPECT_TRUE(too_many(by_partner, 99, "shop"));
    EXPECT_FALSE(too_many(by_partner, 99, "bank"));

    NumberTrace by_number;
    for (int i = 0; i < limits.rings_per_number; ++i) by_number = start(by_number, Byte(i), "c" + std::to_string(i));
    EXPECT_TRUE(too_many(by_number, 99, "other"));

    NumberTrace crowd;
    for (int i = 0; i < 100; ++i) crowd = start(crowd, Byte(i), "shop");
    EXPECT_EQ(crowd.recent.size(), most_recent_starts);
    EXPECT_FALSE(take_oldest(crowd)) << "as many as may be";
    crowd.unseen.front() = ActionId{"oldest"};
    crowd = start(crowd, 1, "shop");
    EXPECT_EQ(take_oldest(crowd), ActionId{"oldest"});
    EXPECT_FALSE(take_oldest(crowd));
}

} // namespace
} // namespace symbolon::action
