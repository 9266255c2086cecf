#include "app/state_directory.hpp"
#include "store/store_testing.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace symbolon::app {
namespace {

namespace fs = std::filesystem;
using store::testing::noon;

class StateDirectory : public ::testing::Test {
protected:
    [[nodiscard]] fs::path directory() const { return temporary_.path() / "state"; }
    void make() { ASSERT_TRUE(make_state_directory(directory(), "# settings\n", *random_, noon)); }

    static std::vector<std::string> names(std::vector<crypto::SigningKey> const& keys)
    {
        std::vector<std::string> names;
        names.reserve(keys.size());
        for (auto const& key : keys) names.push_back(std::string{name_of(key.algorithm)} + ' ' + key.key_id);
        return names;
    }

    [[nodiscard]] std::vector<std::string> names_at(Instant now) const
    {
        return names(crypto::keys_at(read_signing_keys(directory()).value(), now));
    }

private:
    store::testing::TemporaryDirectory temporary_;
    std::unique_ptr<crypto::Random> random_ = crypto::system_random();
};

TEST_F(StateDirectory, has_keys_that_only_its_owner_reads)
{
    make();
    for (auto const& each : fs::recursive_directory_iterator{directory()}) {
        if (each.path().extension() == ".pub") continue;
        EXPECT_EQ(each.status().permissions() & (fs::perms::group_all | fs::perms::others_all), fs::perms::none)
            << each.path();
    }
    EXPECT_EQ(fs::status(directory()).permissions(), fs::perms::owner_all);

    auto const state = read_state(directory(), noon);
    ASSERT_TRUE(state) << state.error().detail;
    EXPECT_FALSE(state->keys.master.equals(state->keys.lookup));
    EXPECT_FALSE(state->keys.master.equals(state->pairwise_secret));
    EXPECT_EQ(state->signing_keys.size(), 2U);
    EXPECT_FALSE(derived_key(*state, "nonce").equals(derived_key(*state, "counter")));
    EXPECT_TRUE(derived_key(*state, "nonce").equals(derived_key(read_state(directory(), noon).value(), "nonce")));
    EXPECT_EQ(state->record_key.key_id, read_state(directory(), noon)->record_key.key_id);
}

TEST_F(StateDirectory, has_keys_for_the_banks_that_are_made_once)
{
    make();
    auto const keys = read_bank_keys(directory());
    ASSERT_TRUE(keys) << keys.error().detail;
    EXPECT_EQ(bank::public_jwk_set(*keys, noon), bank::public_jwk_set(read_bank_keys(directory()).value(), noon));
    for (auto const* const name : {"bank.key", "bank_encryption.key"})
        EXPECT_EQ(fs::status(directory() / name).permissions(), fs::perms::owner_read | fs::perms::owner_write) << name;
    std::ofstream{directory() / "bank.key"} << "no key";
    EXPECT_EQ(read_bank_keys(directory()).error().outcome, Outcome::configuration_invalid);
}

TEST_F(StateDirectory, H3_a_new_key_towards_the_banks_is_published_before_it_signs_and_the_old_one_after)
{
    make();
    auto const names = [&](Instant now) {
        std::vector<std::string> found;
        auto const set = json::parse_object(bank::public_jwk_set(read_bank_keys(directory()).value(), now)).value();
        for (auto const& key : json::array(set, "keys").value())
            if (json::text(key.as_object(), "use") == "sig")
                found.push_back(json::text(key.as_object(), "kid").value());
        return found;
    };
    auto const signs = [&](Instant now) { return read_bank_keys(directory())->signing_at(now).key_id; };
    auto const old = signs(noon);
    EXPECT_EQ(names(noon), std::vector{old});

    ASSERT_TRUE(rotate_bank_keys(directory(), noon, 24h, 48h));
    ASSERT_EQ(names(noon).size(), 2U);
    auto const next = names(noon).back();
    EXPECT_EQ(names(noon).front(), old);
    EXPECT_EQ(signs(noon + 24h - 1s), old);
    EXPECT_EQ(signs(noon + 24h), next);
    EXPECT_EQ(names(noon + 24h), (std::vector{next, old}));
    EXPECT_EQ(names(noon + 24h + 48h), std::vector{next});
    EXPECT_EQ(fs::status(directory() / "bank_signing.json").permissions(),
              fs::perms::owner_read | fs::perms::owner_write);

    ASSERT_TRUE(rotate_bank_keys(directory(), noon + 24h * 9, 24h, 48h));
    EXPECT_EQ(names(noon + 24h * 9).front(), next);
    EXPECT_EQ(names(noon + 24h * 9).size(), 2U) << "the first one is forgotten";
}

TEST_F(StateDirectory, is_never_made_over_another)
{
    make();
    auto const before = read_state(directory(), noon).value();
    auto const again = make_state_directory(directory(), "", *crypto::system_random(), noon);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().outcome, Outcome::configuration_invalid);
    EXPECT_TRUE(before.keys.master.equals(read_state(directory(), noon)->keys.master));
}

TEST_F(StateDirectory, is_refused_when_a_key_is_missing_short_or_open_to_others)
{
    make();
    auto const key = directory() / "master.key";
    auto const refused = [&] {
        auto const state = read_state(directory(), noon);
        return !state && state.error().outcome == Outcome::configuration_invalid &&
               state.error().detail.find("master.key") != std::string::npos;
    };
    fs::permissions(key, fs::perms::owner_read | fs::perms::group_read);
    EXPECT_TRUE(refused());
    fs::permissions(key, fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_FALSE(refused());
    fs::resize_file(key, 31);
    EXPECT_TRUE(refused());
    fs::remove(key);
    EXPECT_TRUE(refused());
    fs::create_symlink(directory() / "lookup.key", key);
    EXPECT_TRUE(refused());
}

TEST_F(StateDirectory, of_an_older_version_gets_a_push_key_that_stays)
{
    make();
    auto const key = directory() / "push.key";
    auto const point = [&] { return read_state(directory(), noon)->push_key.key.public_key().thumbprint(); };
    auto const first = point();
    EXPECT_EQ(point(), first);
    fs::remove(key);
    auto const second = point();
    EXPECT_NE(second, first);
    EXPECT_EQ(point(), second) << "phones have subscribed with it";
    EXPECT_EQ(fs::status(key).permissions() & (fs::perms::group_all | fs::perms::others_all), fs::perms::none);
    fs::resize_file(key, 10);
    EXPECT_FALSE(read_state(directory(), noon));
}

TEST_F(StateDirectory, H3_a_new_signing_key_is_known_before_it_signs_and_the_old_one_after)
{
    make();
    auto const first = names_at(noon);
    ASSERT_EQ(first.size(), 2U);
    ASSERT_TRUE(rotate_signing_keys(directory(), noon + 24h, 1h, 48h));

    auto const announced = names_at(noon + 24h);
    ASSERT_EQ(announced.size(), 4U);
    EXPECT_EQ((std::vector{announced[0], announced[1]}), first) << "the old ones sign";
    auto const changed = names_at(noon + 25h);
    ASSERT_EQ(changed.size(), 4U);
    EXPECT_EQ((std::vector{changed[0], changed[1]}), (std::vector{announced[2], announced[3]}));
    EXPECT_EQ((std::vector{changed[2], changed[3]}), first) << "their signatures are still about";
    EXPECT_EQ(names_at(noon + 25h + 48h), (std::vector{announced[2], announced[3]}));

    // Twice at once makes no third generation, and forgets no key that signed.
    ASSERT_TRUE(rotate_signing_keys(directory(), noon + 24h, 1h, 48h));
    auto const again = names_at(noon + 24h);
    ASSERT_EQ(again.size(), 4U);
    EXPECT_EQ((std::vector{again[0], again[1]}), first);
    EXPECT_EQ(names_at(noon + 26h).size(), 4U);
}

} // namespace
} // namespace symbolon::app
