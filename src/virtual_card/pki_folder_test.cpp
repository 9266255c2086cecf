#include "virtual_card/card_testing.hpp"
#include "virtual_card/control.hpp"
#include "virtual_card/openssl.hpp"
#include "virtual_card/pki_folder.hpp"
#include "virtual_card/pki_server.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace symbolon::virtual_card {
namespace {

class PkiFolder : public testing::Test {
protected:
    PkiFolder()
    {
        std::filesystem::remove_all(folders.pki);
        EXPECT_TRUE(save_pki(make_pki({.now = bench_noon, .rsa_keys = folders.data / "virtual_pki"}), folders.pki));
    }
    ~PkiFolder() override { std::filesystem::remove_all(folders.pki); }

    Standing standing(std::string_view persona, Use use) const
    {
        return standings_of(folders)->by_serial.at(
            certificate_serial(*persona_named(*personas_of(folders), persona), use));
    }

    Folders folders{.pki = std::filesystem::temp_directory_path() / fmt::format("symbolon-pki-folder-{}", ::getpid()),
                    .data = SYMBOLON_SOURCE_DIR "/data"};
};

TEST_F(PkiFolder, gives_the_same_card_each_time_with_its_PIN_tries)
{
    auto const first = card_of(folders, "lotte", bench_noon);
    ASSERT_TRUE(first) << first.error().detail;
    auto card = CardCore{*first};
    card.transmit(bytes_of_hex("0020000108249999FFFFFFFFFF"));
    ASSERT_TRUE(keep_pin(folders, card));
    auto const second = card_of(folders, "lotte", bench_noon + 1000s);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->files, first->files);
    EXPECT_EQ(second->pin_tries, 2);
    EXPECT_EQ(card_of(folders, "nobody", bench_noon).error().outcome, Outcome::not_found);
}

TEST_F(PkiFolder, changes_what_the_responder_says_at_once)
{
    EXPECT_EQ(standing("lotte", Use::signature).status, CertificateStatus::good);
    ASSERT_TRUE(change_standing(folders, {.persona = "lotte", .signature = CertificateStatus::revoked}));
    EXPECT_EQ(standing("lotte", Use::signature).status, CertificateStatus::revoked);
    EXPECT_EQ(standing("lotte", Use::authentication).status, CertificateStatus::good);
    ASSERT_TRUE(change_standing(folders, {.persona = "lotte", .responder = Conduct::stale}));
    EXPECT_EQ(standing("lotte", Use::signature), (Standing{CertificateStatus::revoked, Conduct::stale}));
    ASSERT_TRUE(change_standing(
        folders, {.persona = "lotte", .signature = CertificateStatus::good, .responder = Conduct::honest}));
    EXPECT_EQ(standing("lotte", Use::signature), Standing{});
    ASSERT_TRUE(change_standing(folders, {.persona = "all", .responder = Conduct::down}));
    EXPECT_EQ(standings_of(folders)->conduct, Conduct::down);
    EXPECT_EQ(change_standing(folders, {.persona = "nobody"}).error().outcome, Outcome::not_found);
}

TEST_F(PkiFolder, refuses_a_file_of_standings_that_it_does_not_understand)
{
    for (auto const* const text : {"lotte signature=lost\n", "lotte colour=red\n", "lotte signature\n"}) {
        ASSERT_TRUE(write_file(folders.pki / "standings", bytes_of(text)));
        EXPECT_EQ(standings_of(folders).error().outcome, Outcome::configuration_invalid) << text;
    }
}

TEST(PkiServer, listens_where_the_certificates_say)
{
    EXPECT_EQ(port_of("http://127.0.0.1:8406"), 8406);
    EXPECT_FALSE(port_of("http://127.0.0.1"));
    EXPECT_FALSE(port_of("hello"));
}

int connected_to(std::filesystem::path const& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.string().size() + 1);
    auto const client = ::socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(::connect(client, reinterpret_cast<sockaddr const*>(&address), sizeof address), 0);
    return client;
}

TEST(Control, takes_lines_and_drops_who_sends_too_much_without_one)
{
    auto const path = std::filesystem::temp_directory_path() / fmt::format("symbolon-control-{}", ::getpid());
    auto control = Control::listen(path.string());
    ASSERT_TRUE(control) << control.error().detail;
    auto const client = connected_to(path);
    control->readable(control->descriptors().at(0));
    ASSERT_EQ(control->descriptors().size(), 2U);
    auto const peer = control->descriptors().at(1);

    ::send(client, "stat", 4, 0);
    EXPECT_TRUE(control->readable(peer).empty());
    ::send(client, "us\r\nremove\n", 11, 0);
    auto const lines = control->readable(peer);
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].text, "status");
    EXPECT_EQ(lines[1].text, "remove");
    control->answer(peer, "ok");
    std::array<char, 8> answer{};
    EXPECT_EQ(::recv(client, answer.data(), answer.size(), 0), 3);

    ::send(client, std::string(1000, 'x').c_str(), 1000, 0);
    EXPECT_TRUE(control->readable(peer).empty());
    EXPECT_EQ(control->descriptors().size(), 1U);
    control->answer(peer, "nobody hears this");
    ::close(client);
    EXPECT_FALSE(Control::listen("/nonexistent/socket"));
}

} // namespace
} // namespace symbolon::virtual_card
