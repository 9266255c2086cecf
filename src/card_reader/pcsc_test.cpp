#include "card_reader/pcsc.hpp"
#include "crypto/encoding.hpp"

#include <gtest/gtest.h>
#include <winscard.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <semaphore>
#include <thread>

/// A PC/SC service of the test's own: these definitions stand before those of libpcsclite.
namespace {

struct FakeReader {
    std::string name;
    std::string atr; ///< hexadecimal; empty: no card
    DWORD state = SCARD_STATE_PRESENT;
    bool has_applet = false; ///< whether SELECT of the Belgian applet answers 9000
    unsigned events = 0;     ///< insertions and removals so far
};

struct FakeService {
    std::vector<FakeReader> readers;
    std::vector<std::string> connected;
    std::vector<LONG> connect_answers; ///< then success
    std::vector<LONG> begin_answers;   ///< then success; one that stays is in `begin_always`
    LONG begin_always = SCARD_S_SUCCESS;
    LONG transmit_answer = SCARD_S_SUCCESS;
    LONG status_answer = SCARD_S_SUCCESS;
    int reconnections = 0;
    bool connect_waits = false;
    std::mutex connecting;
    std::atomic<int> connections_begun = 0;
    std::counting_semaphore<> turn{0};   ///< for SCardConnect, where it waits
    std::counting_semaphore<> closed{0}; ///< by who waited
};

std::unique_ptr<FakeService> service;

constexpr SCARDHANDLE first_handle = 7; ///< of a card in the first reader

LONG next_of(std::vector<LONG>& answers, LONG then)
{
    if (answers.empty()) return then;
    auto const answer = answers.front();
    answers.erase(answers.begin());
    return answer;
}

} // namespace

LONG SCardEstablishContext(DWORD, LPCVOID, LPCVOID, LPSCARDCONTEXT context)
{
    *context = 1;
    return SCARD_S_SUCCESS;
}

LONG SCardReleaseContext(SCARDCONTEXT) { return SCARD_S_SUCCESS; }

LONG SCardListReaders(SCARDCONTEXT, LPCSTR, LPSTR names, LPDWORD size)
{
    if (service->readers.empty()) return SCARD_E_NO_READERS_AVAILABLE;
    std::string list;
    for (auto const& reader : service->readers) list += reader.name + '\0';
    list += '\0';
    if (names != nullptr) std::ranges::copy(list, names);
    *size = list.size();
    return SCARD_S_SUCCESS;
}

LONG SCardGetStatusChange(SCARDCONTEXT, DWORD, SCARD_READERSTATE* states, DWORD)
{
    auto const reader = std::ranges::find(service->readers, std::string{states->szReader}, &FakeReader::name);
    if (reader == service->readers.end()) return SCARD_E_UNKNOWN_READER;
    auto const atr = symbolon::crypto::from_hex(reader->atr).value();
    states->dwEventState = (atr.empty() ? SCARD_STATE_EMPTY : reader->state) | DWORD{reader->events} << 16U;
    std::ranges::copy(atr, states->rgbAtr);
    states->cbAtr = atr.size();
    return service->status_answer;
}

LONG SCardConnect(SCARDCONTEXT, LPCSTR reader, DWORD, DWORD, LPSCARDHANDLE handle, LPDWORD protocol)
{
    ++service->connections_begun;
    if (service->connect_waits) service->turn.acquire();
    std::scoped_lock const lock{service->connecting};
    auto const in = std::ranges::find(service->readers, std::string{reader}, &FakeReader::name);
    *handle = first_handle + std::distance(service->readers.begin(), in);
    *protocol = SCARD_PROTOCOL_T0;
    service->connected.emplace_back(reader);
    return next_of(service->connect_answers, SCARD_S_SUCCESS);
}

LONG SCardReconnect(SCARDHANDLE, DWORD, DWORD, DWORD, LPDWORD)
{
    ++service->reconnections;
    return SCARD_S_SUCCESS;
}

LONG SCardDisconnect(SCARDHANDLE, DWORD)
{
    if (service && service->connect_waits) service->closed.release();
    return SCARD_S_SUCCESS;
}

LONG SCardBeginTransaction(SCARDHANDLE) { return next_of(service->begin_answers, service->begin_always); }
LONG SCardEndTransaction(SCARDHANDLE, DWORD) { return SCARD_S_SUCCESS; }

LONG SCardTransmit(SCARDHANDLE card, SCARD_IO_REQUEST const*, LPCBYTE command, DWORD, SCARD_IO_REQUEST*, LPBYTE answer,
                   LPDWORD size)
{
    auto const is_select = command[1] == 0xA4;
    auto const found = !is_select || service->readers.at(static_cast<std::size_t>(card - first_handle)).has_applet;
    answer[0] = found ? 0x90 : 0x6A;
    answer[1] = found ? 0x00 : 0x82;
    *size = 2;
    return service->transmit_answer;
}

LONG SCardControl(SCARDHANDLE, DWORD, LPCVOID, DWORD, LPVOID, DWORD, LPDWORD) { return SCARD_E_UNSUPPORTED_FEATURE; }

namespace symbolon::card_reader {
namespace {

constexpr auto belgian = "3b7f96000080318065b085040120120fff829000";
constexpr auto of_a_bank = "3b6500002063cb6800";

class Pcsc : public testing::Test {
protected:
    Pcsc() { service = std::make_unique<FakeService>(); }

    Result<std::unique_ptr<Transceiver>> find(std::chrono::milliseconds others_may_take = 20s,
                                              std::chrono::seconds patience = 0s)
    {
        auto const sleep = [this](std::chrono::milliseconds time) {
            slept += time;
            if (meanwhile) meanwhile();
        };
        readers_.emplace(Readers::connect(sleep, others_may_take).value());
        return find_again(patience);
    }

    /// With the readers of find().
    Result<std::unique_ptr<Transceiver>> find_again(std::chrono::seconds patience)
    {
        return readers_->find_card("", patience, {});
    }

    /// As one searches who has something else to look after every second.
    std::string verdict_of_slices(int count)
    {
        auto last = verdict(find(20s, 1s));
        while (--count > 0 && last == "card_missing") last = verdict(find_again(1s));
        return last;
    }

    /// Until it is found: threads that connect may be as late as they like.
    Result<std::unique_ptr<Transceiver>> find_in_the_end()
    {
        for (;;) {
            auto found = find_again(1s);
            if (found) return found;
            std::this_thread::yield();
        }
    }

    /// Whether the connections that waited for their turn are closed, apart from so many.
    static bool all_are_closed_but(int open)
    {
        auto closed = true;
        for (auto left = service->connections_begun - open; left > 0 && closed; --left)
            closed = service->closed.try_acquire_for(60s);
        return closed;
    }

    static std::string verdict(auto const& result)
    {
        return result ? "ok" : std::string{name_of(result.error().outcome)};
    }

    std::chrono::milliseconds slept{0};
    std::function<void()> meanwhile; ///< what happens while the search sleeps

private:
    std::optional<Readers> readers_;
};

TEST_F(Pcsc, takes_the_Belgian_card_of_the_second_reader_before_another_in_the_first)
{
    service->readers = {{"first", of_a_bank}, {"second", belgian}};
    EXPECT_EQ(verdict(find()), "ok");
    EXPECT_EQ(service->connected, std::vector<std::string>{"second"});
}

TEST_F(Pcsc, a_card_upside_down_in_the_first_reader_hides_no_card_in_the_second)
{
    service->readers = {{"first", of_a_bank, SCARD_STATE_PRESENT | SCARD_STATE_MUTE}, {"second", belgian}};
    EXPECT_EQ(verdict(find()), "ok");
    service->readers.pop_back();
    EXPECT_EQ(verdict(find()), "card_unresponsive");
}

TEST_F(Pcsc, waits_for_the_Belgian_card_while_its_reader_is_empty_and_another_card_is_in_the_first)
{
    service->readers = {{"first", of_a_bank}, {"second", ""}};
    EXPECT_EQ(verdict(find()), "card_missing");

    service->connected.clear();
    slept = 0ms;
    meanwhile = [this] {
        if (slept == 60s) service->readers[1].atr = belgian;
    };
    EXPECT_EQ(verdict(find(20s, 120s)), "ok");
    EXPECT_EQ(service->connected, (std::vector<std::string>{"first", "second"})) << "the first is asked once";
}

TEST_F(Pcsc, waits_for_the_Belgian_card_while_its_reader_is_empty_and_a_mute_card_is_in_the_first)
{
    service->readers = {{"first", of_a_bank, SCARD_STATE_PRESENT | SCARD_STATE_MUTE}, {"second", ""}};
    EXPECT_EQ(verdict(find()), "card_missing");
    meanwhile = [] { service->readers[1].atr = belgian; };
    EXPECT_EQ(verdict(find(20s, 120s)), "ok");
    EXPECT_EQ(service->connected, std::vector<std::string>{"second"});
}

TEST_F(Pcsc, takes_a_card_that_resets_in_another_way_when_it_has_the_applet)
{
    service->readers = {{"first", of_a_bank}, {"second", "3b00", SCARD_STATE_PRESENT, true}, {"third", ""}};
    EXPECT_EQ(verdict(find()), "ok");
    EXPECT_EQ(service->connected.back(), "second");
}

TEST_F(Pcsc, asks_a_card_anew_that_took_the_place_of_another)
{
    service->readers = {{"first", of_a_bank}, {"second", ""}};
    meanwhile = [this] {
        if (slept == 1s) service->readers[0].atr = "";
        if (slept == 2s) service->readers[0] = {"first", of_a_bank, SCARD_STATE_PRESENT, true};
    };
    EXPECT_EQ(verdict(find(20s, 120s)), "ok");
    EXPECT_EQ(service->connected.back(), "first");
}

TEST_F(Pcsc, a_card_without_the_applet_is_asked_once_however_often_one_searches)
{
    service->readers = {{"first", of_a_bank}, {"second", ""}};
    EXPECT_EQ(verdict_of_slices(30), "card_missing");
    EXPECT_EQ(service->connected, std::vector<std::string>{"first"});

    service->readers[1].atr = belgian;
    EXPECT_EQ(verdict(find_again(1s)), "ok");
    EXPECT_EQ(service->connected, (std::vector<std::string>{"first", "second"}));
}

TEST_F(Pcsc, a_card_that_was_swapped_for_one_of_its_kind_between_two_searches_is_asked_anew)
{
    service->readers = {{"first", of_a_bank}, {"second", ""}};
    EXPECT_EQ(verdict_of_slices(3), "card_missing");
    service->readers[0].events += 2;
    EXPECT_EQ(verdict(find_again(1s)), "card_missing");
    EXPECT_EQ(service->connected, (std::vector<std::string>{"first", "first"}));

    service->readers[0].events += 2;
    service->readers[0].has_applet = true;
    EXPECT_EQ(verdict(find_again(1s)), "ok");
}

TEST_F(Pcsc, a_card_that_another_has_is_asked_again_now_and_then_and_found_when_it_is_free)
{
    struct Case {
        char const* what;
        void (*keep)();
        void (*free)();
    };
    auto const cases = std::array{
        Case{"to itself", [] { service->connect_answers.assign(1000, SCARD_E_SHARING_VIOLATION); },
             [] { service->connect_answers.clear(); }},
        Case{"in a transaction", [] { service->begin_always = SCARD_E_SHARING_VIOLATION; },
             [] { service->begin_always = SCARD_S_SUCCESS; }},
        Case{"so that it does not answer", [] { service->connect_answers.assign(1000, SCARD_W_UNRESPONSIVE_CARD); },
             [] { service->connect_answers.clear(); }},
        Case{"so that it fails", [] { service->transmit_answer = SCARD_E_NOT_TRANSACTED; },
             [] { service->transmit_answer = SCARD_S_SUCCESS; }},
    };
    for (auto const& each : cases) {
        SCOPED_TRACE(each.what);
        service = std::make_unique<FakeService>();
        service->readers = {{"first", "3b00", SCARD_STATE_PRESENT, true}, {"second", ""}};
        each.keep();
        slept = 0ms;
        EXPECT_EQ(verdict_of_slices(30), "card_missing");
        EXPECT_GE(service->connected.size(), 5U);
        EXPECT_LE(service->connected.size(), 20U) << "not in each of the searches";

        each.free();
        EXPECT_EQ(verdict(find_again(5s)), "ok");
        EXPECT_EQ(service->connected.back(), "first");
    }
}

TEST_F(Pcsc, a_card_that_is_busy_is_not_taken_for_a_stranger_within_one_search_either)
{
    service->readers = {{"first", "3b00", SCARD_STATE_PRESENT, true}, {"second", ""}};
    service->connect_answers = {SCARD_E_SHARING_VIOLATION};
    EXPECT_EQ(verdict(find(20s, 120s)), "ok");
    EXPECT_LT(slept, 5s);
}

TEST_F(Pcsc, one_waits_once_for_a_turn_at_another_card_however_long_a_transaction_takes)
{
    service->readers = {{"first", "3b00", SCARD_STATE_PRESENT, true}, {"second", ""}};
    service->connect_waits = true;
    EXPECT_EQ(verdict(find(50ms, 30s)), "card_missing");
    EXPECT_EQ(verdict(find_again(30s)), "card_missing");
    EXPECT_LE(service->connections_begun, 1);

    service->turn.release(1000);
    EXPECT_EQ(verdict(find_in_the_end()), "ok");
    EXPECT_TRUE(all_are_closed_but(0));
}

TEST_F(Pcsc, nobody_waits_for_a_turn_at_another_card_once_the_Belgian_one_is_found)
{
    service->readers = {{"first", "3b00", SCARD_STATE_PRESENT, true}, {"second", ""}};
    service->connect_waits = true;
    EXPECT_EQ(verdict(find(50ms, 1s)), "card_missing");

    service->readers[1].atr = belgian;
    service->turn.release(1000);
    auto const card = find_in_the_end();
    EXPECT_EQ(verdict(card), "ok");
    EXPECT_TRUE(all_are_closed_but(1));
}

TEST_F(Pcsc, leaves_it_to_the_applet_to_refuse_another_card_where_no_reader_is_empty)
{
    service->readers = {{"first", of_a_bank}};
    EXPECT_EQ(verdict(find()), "ok");
    service->readers = {{"first", of_a_bank}, {"second", of_a_bank}};
    EXPECT_EQ(verdict(find()), "ok");
    EXPECT_EQ(service->connected.back(), "first");
}

TEST_F(Pcsc, tells_what_is_missing)
{
    EXPECT_EQ(verdict(find()), "reader_missing");
    service->readers = {{"first", ""}};
    EXPECT_EQ(verdict(find()), "card_missing");
}

TEST_F(Pcsc, waits_while_another_program_has_a_transaction)
{
    service->readers = {{"first", belgian}};
    auto const card = find();
    ASSERT_TRUE(card);
    service->begin_answers = std::vector<LONG>(5, SCARD_E_SHARING_VIOLATION);
    EXPECT_EQ(verdict((*card)->begin_transaction()), "ok");
    EXPECT_GT(slept, 0ms);
}

TEST_F(Pcsc, gives_up_when_another_program_keeps_its_transaction)
{
    service->readers = {{"first", belgian}};
    auto const card = find();
    ASSERT_TRUE(card);
    service->begin_always = SCARD_E_SHARING_VIOLATION;
    EXPECT_EQ(verdict((*card)->begin_transaction()), "card_in_use");
    EXPECT_LT(slept, 30s);
}

TEST_F(Pcsc, gives_up_when_the_service_lets_it_wait_for_the_card_and_closes_it_when_it_comes_too_late)
{
    service->readers = {{"first", belgian}};
    service->connect_waits = true;
    EXPECT_EQ(verdict(find(1ms)), "card_in_use");
    service->turn.release();
    EXPECT_TRUE(service->closed.try_acquire_for(60s));
}

TEST_F(Pcsc, a_card_that_another_program_has_to_itself_is_in_use)
{
    service->readers = {{"first", belgian}};
    service->connect_answers = {SCARD_E_SHARING_VIOLATION};
    EXPECT_EQ(verdict(find()), "card_in_use");
}

TEST_F(Pcsc, goes_on_after_another_program_reset_the_card_but_not_for_ever)
{
    service->readers = {{"first", belgian}};
    auto const card = find();
    ASSERT_TRUE(card);
    service->begin_answers = {SCARD_W_RESET_CARD};
    EXPECT_EQ(verdict((*card)->begin_transaction()), "ok");
    EXPECT_EQ(service->reconnections, 1);
    service->begin_always = SCARD_W_RESET_CARD;
    EXPECT_EQ(verdict((*card)->begin_transaction()), "card_unresponsive");
}

TEST_F(Pcsc, tells_a_card_that_is_gone_from_one_that_fails_and_from_a_service_that_stopped)
{
    service->readers = {{"first", belgian}};
    auto const card = find();
    ASSERT_TRUE(card);
    auto const verdict_of = [&](LONG transmit, LONG status) {
        service->transmit_answer = transmit;
        service->status_answer = status;
        return verdict((*card)->transmit(Bytes{0x00, 0x20, 0x00, 0x01, 0x00}));
    };
    EXPECT_EQ(verdict_of(SCARD_S_SUCCESS, SCARD_S_SUCCESS), "ok");
    EXPECT_EQ(verdict_of(SCARD_E_NOT_TRANSACTED, SCARD_S_SUCCESS), "card_unresponsive");
    EXPECT_EQ(verdict_of(SCARD_W_RESET_CARD, SCARD_S_SUCCESS), "card_unresponsive") << "reset in the middle";
    EXPECT_EQ(verdict_of(SCARD_E_NO_SERVICE, SCARD_E_NO_SERVICE), "reader_service_missing");
    EXPECT_EQ(verdict_of(SCARD_E_NOT_TRANSACTED, SCARD_E_NO_SERVICE), "reader_service_missing");
    EXPECT_EQ(verdict_of(SCARD_E_INVALID_HANDLE, SCARD_S_SUCCESS), "reader_service_missing") << "started anew";
    EXPECT_EQ(verdict_of(SCARD_E_NOT_TRANSACTED, SCARD_E_UNKNOWN_READER), "card_removed");
    service->readers[0].atr.clear();
    EXPECT_EQ(verdict_of(SCARD_E_NOT_TRANSACTED, SCARD_S_SUCCESS), "card_removed");
}

} // namespace
} // namespace symbolon::card_reader
