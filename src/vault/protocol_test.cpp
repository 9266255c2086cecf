#include "vault/protocol.hpp"
#include "vault/statement.hpp"

namespace symbolon::vault {
namespace {

Bytes content_of(Bytes frame) { return {frame.begin() + 4, frame.end()}; }

NumberedRequest sample()
{
    return {7, JudgeCode{.account = AccountId{"anna"},
                         .device = DeviceId{"did"},
                         .action = ActionId{"a1"},
                         .message = to_bytes("m"),
                         .proof = to_bytes("p")}};
}

TEST(VaultProtocol, a_request_comes_out_as_it_went_in)
{
    auto const read = decode_request(content_of(encode(sample())));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->number, 7);
    auto const& judged = std::get<JudgeCode>(read->request);
    EXPECT_EQ(judged.account.text(), "anna");
    EXPECT_EQ(judged.action.text(), "a1");
    EXPECT_EQ(text_of(judged.proof), "p");
}

TEST(VaultProtocol, the_number_of_a_replacement_is_read_where_it_is_said)
{
    RegisterCode request{.account = AccountId{"anna"}, .device = DeviceId{"did"}, .reason = "card"};
    auto const as_before = content_of(encode(NumberedRequest{7, request}));
    EXPECT_EQ(std::get<RegisterCode>(decode_request(as_before)->request).move, 0);
    request.move = 1'790'164'800;
    auto const said = content_of(encode(NumberedRequest{7, request}));
    EXPECT_EQ(said.size(), as_before.size() + 8);
    EXPECT_EQ(std::get<RegisterCode>(decode_request(said)->request).move, 1'790'164'800);
    EXPECT_FALSE(decode_request(ByteView{said}.first(said.size() - 1)));
}

TEST(VaultProtocol, a_reply_comes_out_as_it_went_in)
{
    Reply reply;
    reply.right = true;
    reply.tries_left = 3;
    reply.grant = to_bytes("grant");
    auto const read = decode_reply(content_of(encode(NumberedReply{9, reply})));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->number, 9);
    EXPECT_TRUE(read->reply.right);
    EXPECT_EQ(text_of(read->reply.grant), "grant");

    Reply failure;
    failure.outcome = Outcome::code_blocked;
    EXPECT_EQ(decode_reply(content_of(encode(NumberedReply{9, failure})))->reply.outcome, Outcome::code_blocked);
}

TEST(VaultProtocol, what_is_cut_short_or_goes_on_is_refused)
{
    auto const whole = content_of(encode(sample()));
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_FALSE(decode_request(ByteView{whole}.first(size))) << size;
    auto longer = whole;
    longer.push_back(0);
    EXPECT_FALSE(decode_request(longer));
}

TEST(VaultProtocol, frames_come_one_by_one_from_pieces)
{
    auto const one = encode(sample());
    Bytes buffer;
    for (auto const byte : one) {
        EXPECT_FALSE(*take_frame(buffer));
        buffer.push_back(byte);
    }
    append(buffer, one);
    EXPECT_TRUE(*take_frame(buffer));
    EXPECT_TRUE(*take_frame(buffer));
    EXPECT_TRUE(buffer.empty());
}

TEST(VaultProtocol, a_frame_too_long_is_refused_before_it_has_come)
{
    Bytes buffer{0, 1, 0, 0};
    EXPECT_FALSE(take_frame(buffer));
}

TEST(Statements, no_two_different_ones_have_the_same_bytes)
{
    EXPECT_NE(statement("d", {bytes_of("ab"), bytes_of("c")}), statement("d", {bytes_of("a"), bytes_of("bc")}));
    EXPECT_NE(statement("d", {bytes_of("a")}), statement("d", {bytes_of("a"), ByteView{}}));
    EXPECT_NE(statement("da", {}), statement("d", {bytes_of("a")}));
}

} // namespace
} // namespace symbolon::vault
