#include "app/config.hpp"
#include "card/certificate_path.hpp"
#include "push/endpoint.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <regex>

namespace symbolon::app {
namespace {

std::string mistakes_in(std::string_view text)
{
    auto const configuration = parse_configuration(text, "/etc/symbolon/symbolon.toml");
    if (configuration) return "none";
    EXPECT_EQ(configuration.error().outcome, Outcome::configuration_invalid);
    return configuration.error().detail;
}

TEST(Configuration, has_a_default_for_everything)
{
    auto const configuration = parse_configuration("", "/etc/symbolon/symbolon.toml").value();
    EXPECT_EQ(configuration.server.id_url, "http://localhost:8400");
    EXPECT_EQ(configuration.server.id_listen, std::vector<std::string>{"127.0.0.1:8400"});
    EXPECT_EQ(configuration.server.phone_listen, std::vector<std::string>{"127.0.0.1:8401"});
    EXPECT_EQ(configuration.state_directory, "/etc/symbolon");
    EXPECT_EQ(configuration.store.path, "/etc/symbolon/store.db");
    EXPECT_EQ(configuration.vault.socket, "/etc/symbolon/vault/vault.sock");
    EXPECT_FALSE(configuration.web.directory);
    EXPECT_FALSE(configuration.card.test_pki);
    EXPECT_TRUE(configuration.card.anchors.empty());
    EXPECT_EQ(configuration.push.hosts, push::default_hosts());
    EXPECT_EQ(configuration.push.contact, "");
}

TEST(Configuration, lists_the_push_services_that_are_sent_to)
{
    auto const read = [](std::string const& text) {
        return parse_configuration("[push]\n" + text, "/etc/symbolon/symbolon.toml");
    };
    EXPECT_EQ(read("hosts = [\"push.example\", \"*.push.example\"]")->push.hosts,
              (std::vector<std::string>{"push.example", "*.push.example"}));
    EXPECT_TRUE(read("hosts = []")->push.hosts.empty()) << "no notifications at all";
    EXPECT_EQ(read("contact = \"mailto:operator@id.example\"")->push.contact, "mailto:operator@id.example");
    EXPECT_FALSE(read("hosts = [\"https://push.example\"]"));
    EXPECT_FALSE(read("hosts = [\"*\"]"));
    EXPECT_FALSE(read("contact = \"operator\""));
    EXPECT_FALSE(read("contact = \"http://id.example\""));
    auto const in_production = parse_configuration(R"(
[server]
id_url = "https://id.example"
phone_url = "https://phone.example"
desk_url = "https://desk.example"
id_listen = ["127.0.0.1:1"]
phone_listen = ["127.0.0.1:2"]
desk_listen = ["127.0.0.1:3"]
)",
                                                   "/etc/symbolon/symbolon.toml");
    EXPECT_EQ(in_production->push.contact, "https://phone.example");
}

TEST(Configuration, takes_what_the_file_says)
{
    auto const configuration = parse_configuration(R"(
[server]
id_url = "https://id.example"
phone_url = "https://phone.example:8443"
desk_url = "https://desk.example"
id_listen = ["unix:/run/symbolon/id.sock", "[::1]:9000"]
phone_listen = ["127.0.0.1:0"]
desk_listen = ["localhost:9002"]
threads = 2
trusted_proxies = ["10.0.0.0/8"]
forwarded_header = "forwarded"
[store]
path = "../data/store.db"
[web]
directory = "/usr/share/symbolon/web"
[sms]
gateway = "http://127.0.0.1:13013/cgi-bin/sendsms"
user = "symbolon"
password_file = "sms.password"
sender = "+32470000000"
[card]
anchors = [{ file = "roots/test.pem" }, { file = "/roots/brca4.pem", arc = "2.16.56.12.1.1" }]
ocsp_hosts = ["127.0.0.1:8406"]
crl_hosts = ["crl.eid.belgium.be"]
issuers = ["citizen.pem"]
issuer_hosts = ["certs.eid.belgium.be"]
test_pki = true
[enrolment]
reader_page = "http://localhost:8406/"
calling_codes = ["32", "352"]
[limits]
action_lifetime = 60
open_connections = 7
sign_ins_a_minute_per_address = 1000
authorization_requests_a_minute_per_address = 2000
[log]
level = "error"
format = "text"
requests = false
)",
                                                   "/etc/symbolon/symbolon.toml");
    ASSERT_TRUE(configuration) << configuration.error().detail;
    EXPECT_EQ(configuration->server.id_listen, (std::vector<std::string>{"unix:/run/symbolon/id.sock", "[::1]:9000"}));
    EXPECT_EQ(configuration->server.threads, 2U);
    EXPECT_EQ(configuration->server.forwarded_header, "forwarded");
    EXPECT_EQ(configuration->store.path, "/etc/data/store.db");
    EXPECT_EQ(configuration->web.directory, "/usr/share/symbolon/web");
    EXPECT_EQ(configuration->sms.password_file, "/etc/symbolon/sms.password");
    ASSERT_EQ(configuration->card.anchors.size(), 2U);
    EXPECT_EQ(configuration->card.anchors[0].file, "/etc/symbolon/roots/test.pem");
    EXPECT_EQ(configuration->card.anchors[1].arc, "2.16.56.12.1.1");
    EXPECT_EQ(configuration->card.issuers, std::vector<std::filesystem::path>{"/etc/symbolon/citizen.pem"});
    EXPECT_EQ(configuration->card.revocation_hosts,
              (std::vector<std::string>{"127.0.0.1:8406", "crl.eid.belgium.be", "certs.eid.belgium.be"}));
    EXPECT_EQ(configuration->enrolment.reader_page, "http://localhost:8406/");
    EXPECT_EQ(configuration->limits.action_lifetime, 60s);
    EXPECT_EQ(configuration->limits.open_connections, 7U);
    EXPECT_EQ(configuration->limits.sms_sends, Limits{}.sms_sends);
    EXPECT_FALSE(configuration->log.requests);
}

std::string bank(std::string const& more = {}, std::string const& id = "kbc")
{
    return "[[bank]]\nid = \"" + id + "\"\nname = \"KBC\"\nissuer = \"https://login." + id + ".example\"\n" + more +
           '\n';
}

TEST(Configuration, B2_lists_the_banks_in_their_order)
{
    auto const read = parse_configuration(bank() + bank("minors = true\napp_first = true\n"
                                                        "app_url = \"https://ing.example/app\"\nclient_id = \"us\"\n"
                                                        "acr = [\"urn:high\"]\ncard_data_good_for_months = 6\n"
                                                        "claims = { national_number = \"https://ing.example/rrn\" }",
                                                        "ing"),
                                          "/etc/symbolon/symbolon.toml");
    ASSERT_TRUE(read) << read.error().detail;
    ASSERT_EQ(read->banks.size(), 2U);
    auto const& kbc = read->banks[0];
    EXPECT_EQ(kbc.terms.id, "kbc");
    EXPECT_EQ(kbc.terms.name, "KBC");
    EXPECT_EQ(kbc.issuer, "https://login.kbc.example");
    EXPECT_EQ(kbc.client_id, "symbolon");
    EXPECT_FALSE(kbc.terms.minors);
    EXPECT_FALSE(kbc.terms.app_first);
    EXPECT_EQ(kbc.terms.acr,
              (std::vector<std::string>{"http://eidas.europa.eu/LoA/substantial", "http://eidas.europa.eu/LoA/high"}));
    EXPECT_EQ(kbc.terms.card_data_good_for, std::chrono::months{24});
    EXPECT_EQ(kbc.claim("national_number"), "national_number");
    auto const& ing = read->banks[1];
    EXPECT_TRUE(ing.terms.minors);
    EXPECT_TRUE(ing.terms.app_first);
    EXPECT_EQ(ing.terms.app_url, "https://ing.example/app");
    EXPECT_EQ(ing.client_id, "us");
    EXPECT_EQ(ing.terms.acr, std::vector<std::string>{"urn:high"});
    EXPECT_EQ(ing.terms.card_data_good_for, std::chrono::months{6});
    EXPECT_EQ(ing.claim("national_number"), "https://ing.example/rrn");
    EXPECT_EQ(ing.claim("family_name"), "family_name");
    EXPECT_TRUE(local_hosts(*read).empty());
    auto const demo =
        parse_configuration("[[bank]]\nid = \"kbc\"\nname = \"KBC\"\nissuer = \"http://localhost:8404/kbc\"",
                            "/etc/symbolon/symbolon.toml");
    ASSERT_TRUE(demo) << demo.error().detail;
    EXPECT_EQ(local_hosts(*demo), std::vector<std::string>{"localhost:8404"});
}

TEST(Configuration, of_a_bank_that_is_wrong_is_refused_with_what_is_expected)
{
    for (auto const& [text, mistake] : {
             std::pair{std::string{"bank = 5"}, "bank: expected a list of tables"},
             std::pair{std::string{"[bank]\nid = \"kbc\""}, "bank: expected a list of tables"},
             std::pair{std::string{"[[bank]]"}, "bank.id: expected, since each bank has one"},
             std::pair{bank("minor = true"), "bank.minor is not a setting; expected: acr, app_first"},
             std::pair{bank() + bank(), "bank.id: expected a name that no other bank has"},
             std::pair{bank("", "KBC"), "bank.id: expected a short name"},
             std::pair{bank("acr = []"), "bank.acr: expected at least one"},
             std::pair{bank("acr = [\"a b\"]"), "bank.acr: expected a level"},
             std::pair{bank("card_data_good_for_months = 0"), "expected a whole number from 1 to 120"},
             std::pair{bank("claims = { rrn = \"x\" }"), "bank.claims.rrn is not a setting"},
             std::pair{bank("claims = { birthdate = 5 }"), "bank.claims.birthdate: expected the name"},
             std::pair{bank("app_url = \"javascript:1\""), "bank.app_url: expected where"},
             std::pair{std::string{"[[bank]]\nid = \"a\"\nname = \"A\"\nissuer = \"http://bank.example\""},
                       "bank.issuer: expected the bank's issuer"},
             std::pair{std::string{"[[bank]]\nid = \"a\"\nname = \"A\"\nissuer = \"https://bank.example?x=1\""},
                       "bank.issuer: expected the bank's issuer"},
             std::pair{bank() + "[[bank]]\nid = \"b\"\nname = \"B\"\nissuer = \"https://login.kbc.example\"",
                       "bank.issuer: expected an issuer that no other bank has"},
         })
        EXPECT_NE(mistakes_in(text).find(mistake), std::string::npos) << text << '\n' << mistakes_in(text);
}

TEST(Configuration, that_is_wrong_is_refused_with_its_place_and_what_is_expected)
{
    struct Case {
        std::string_view text;
        std::string_view mistake; ///< behind the file's name
    };
    for (auto const& [text, mistake] : {
             Case{"[server]\nid_urll = \"x\"", ":2:1: server.id_urll is not a setting; expected: "},
             Case{"[servers]", ":1:2: servers is not a section; expected: [server], "},
             Case{"server = 5", ":1:1: server: expected a section: [server]"},
             Case{"id_url = \"x\"", ":1:1: id_url is not a section; expected: [server], "},
             Case{"[server]\nid_url = 5", ":2:10: server.id_url: expected an origin"},
             Case{"[server]\nid_url = \"id.example\"", ":2:10: server.id_url: expected an origin"},
             Case{"[server]\nid_url = \"http://id.example\"", ":2:10: server.id_url: expected an origin"},
             Case{"[server]\nid_url = \"https://id.example/\"", ":2:10: server.id_url: expected an origin"},
             Case{"[server]\nid_url = \"https://u@id.example\"", ":2:10: server.id_url: expected an origin"},
             Case{"[server]\nid_url = \"http://localhost:8401\"", ":1:1: server.phone_url: expected three different"},
             Case{"[server]\nid_url = \"https://id.example\"", ":1:1: server.id_listen: expected an address of this"},
             Case{"[server]\nid_listen = \"127.0.0.1:1\"", ":2:13: server.id_listen: expected a list"},
             Case{"[server]\nid_listen = [\"0.0.0.0:8400\"]", ":2:14: server.id_listen: expected an address of this"},
             Case{"[server]\nid_listen = [\"127.0.0.1\"]", ":2:14: server.id_listen: expected an address of this"},
             Case{"[server]\nid_listen = [\"127.0.0.1:99999\"]", ":2:14: server.id_listen: expected an address"},
             Case{"[server]\nid_listen = [\"unix:id.sock\"]", ":2:14: server.id_listen: expected an address of this"},
             Case{"[server]\nthreads = -1", ":2:11: server.threads: expected a whole number from 0 to 256"},
             Case{"[server]\nthreads = 2.5", ":2:11: server.threads: expected a whole number"},
             Case{"[server]\nthreads = \"2\"", ":2:11: server.threads: expected a whole number"},
             Case{"[server]\nforwarded_header = \"x\"",
                  ":2:20: server.forwarded_header: expected one of \"x-forwarded-for\" \"forwarded\""},
             Case{"[store]\npath = \"\"", ":2:8: store.path: expected a path"},
             Case{"[sms]\ngateway = \"kannel\"", ":2:11: sms.gateway: expected the URL of Kannel's sendsms"},
             Case{"[sms]\ngateway = \"http://127.0.0.1:1/\"\nuser = \"u\"", ":1:1: sms.password_file: expected a file"},
             Case{"[sms]\nsender = \"A name that is long\"", ":2:10: sms.sender: expected at most 11 letters"},
             Case{"[card]\nanchors = [\"x.pem\"]", ":2:12: card.anchors: expected a table"},
             Case{"[card]\nanchors = [{ arc = \"2.16\" }]", ":2:12: card.anchors.file: expected a PEM file"},
             Case{"[card]\nanchors = [{ file = \"x\", arc = \"2..16\" }]", ": card.anchors.arc: expected a dotted OID"},
             Case{"[card]\nanchors = [{ file = \"x\", arc = \"2.16.56.12\" }]",
                  ":2:32: card.anchors.arc: expected a dotted OID, all of the arc: \"2.16.56.12.1.1\""},
             Case{"[card]\nanchors = [{ file = \"x\", arc = \"2.16.56.13\" }]", ":2:32: card.anchors.arc: expected"},
             Case{"[card]\nanchors = [{ file = \"x\", arcs = \"2\" }]", ": card.anchors.arcs is not a setting"},
             Case{"[card]\nissuers = [3]", ":2:12: card.issuers: expected a path"},
             Case{"[card]\nocsp_hosts = [\"http://ocsp\"]", ":2:15: card.ocsp_hosts: expected a host"},
             Case{"[card]\ntest_pki = \"yes\"", ":2:12: card.test_pki: expected true or false"},
             Case{"[enrolment]\nreader_page = \"http://localhost:1/\"",
                  ":2:15: enrolment.reader_page: expected nothing, since"},
             Case{"[enrolment]\ncalling_codes = [\"+32\"]", ":2:18: enrolment.calling_codes: expected a calling code"},
             Case{"[enrolment]\ncalling_codes = [32]", ":2:18: enrolment.calling_codes: expected a calling code"},
             Case{"[enrolment]\noperator_name = \"\"", ":2:17: enrolment.operator_name: expected a name"},
             Case{"[limits]\naction_lifetime = 0",
                  ":2:19: limits.action_lifetime: expected whole seconds from 1 to 900"},
             Case{"[limits]\ncode_tries = 30", ":2:1: limits.code_tries is not a setting"},
             Case{"[log]\nlevel = \"loud\"", ":2:9: log.level: expected one of \"debug\""},
             Case{"[log]\nlevel = ", ": not TOML: "},
             Case{"[log]\nlevel = \"info\"\nlevel = \"info\"", ": not TOML: "},
         }) {
        auto const said = mistakes_in(text);
        EXPECT_TRUE(said.starts_with("/etc/symbolon/symbolon.toml:")) << text << '\n' << said;
        EXPECT_NE(said.find(mistake), std::string::npos) << text << '\n' << said << '\n' << mistake;
    }
}

TEST(Configuration, is_told_all_its_mistakes_at_once_in_their_order)
{
    auto const said = mistakes_in("[log]\nlevel = 1\n[server]\nthreads = -1\nx = 1\n");
    auto const first = said.find(":2:9: log.level");
    auto const second = said.find(":4:11: server.threads");
    auto const third = said.find(":5:1: server.x");
    EXPECT_TRUE(first < second && second < third && third != std::string::npos) << said;
}

TEST(Configuration, that_is_not_there_is_said)
{
    for (auto const* file : {"/nowhere/symbolon.toml", "/"}) {
        auto const configuration = read_configuration(file);
        ASSERT_FALSE(configuration) << file;
        EXPECT_EQ(configuration.error().detail, std::string{file} + ": can't be read");
    }
}

/// The file that `symbolon init` writes names every setting, and says the defaults that hold.
TEST(Configuration, is_documented_by_its_example)
{
    std::ifstream stream{SYMBOLON_SOURCE_DIR "/src/app/symbolon.toml"};
    std::string const text{std::istreambuf_iterator<char>{stream}, {}};
    ASSERT_FALSE(text.empty());
    EXPECT_TRUE(parse_configuration(text, "symbolon.toml")) << mistakes_in(text);

    // With every default written out it is the same, but for what has none to be had here.
    auto const settings = std::regex_replace(text, std::regex{"(^|\n)# (\\[\\[bank\\]\\]|[a-z0-9_]+ = )"}, "$1$2");
    auto spelled_out = parse_configuration(settings, "/etc/symbolon/symbolon.toml");
    ASSERT_FALSE(spelled_out);
    EXPECT_NE(spelled_out.error().detail.find("enrolment.reader_page: expected nothing"), std::string::npos);
    EXPECT_EQ(spelled_out.error().detail.find('\n'), std::string::npos) << spelled_out.error().detail;

    auto const with_test_pki = std::regex_replace(settings, std::regex{"test_pki = false"}, "test_pki = true");
    spelled_out = parse_configuration(with_test_pki, "/etc/symbolon/symbolon.toml");
    ASSERT_TRUE(spelled_out) << spelled_out.error().detail;
    auto const plain = parse_configuration("", "/etc/symbolon/symbolon.toml").value();
    EXPECT_EQ(spelled_out->store.path, plain.store.path);
    EXPECT_EQ(spelled_out->vault.socket, plain.vault.socket);
    EXPECT_EQ(spelled_out->server.stop_grace, plain.server.stop_grace);
    // RFC 5280 §4.2.1.4: the certificates of real cards carry these, and name these hosts.
    std::vector<std::string> policies;
    for (auto const& anchor : spelled_out->card.anchors)
        policies.push_back(card::policies_below(anchor.arc).citizen_authentication);
    EXPECT_EQ(policies, (std::vector<std::string>{"2.16.56.12.1.1.2.2", "2.16.56.13.6.1.1.1000"}));
    for (auto const* const host : {"ocsp.eid.belgium.be", "ocsp.eidpki.belgium.be", "crl.eid.belgium.be",
                                   "crl.eidpki.belgium.be", "certs.eid.belgium.be", "crt.eidpki.belgium.be"})
        EXPECT_EQ(std::ranges::count(spelled_out->card.revocation_hosts, host), 1) << host;
    std::string banks; // with the template for each of them
    for (auto const& bank : spelled_out->banks)
        banks +=
            bank.terms.name + (bank.terms.minors ? " (minors)" : "") + (bank.terms.app_first ? " (app first), " : ", ");
    EXPECT_EQ(banks, "BNP Paribas Fortis (minors), Hello bank!, Fintro, Belfius (minors) (app first), "
                     "KBC (minors) (app first), CBC, ING (minors) (app first), ");
    EXPECT_TRUE(plain.banks.empty());
    auto const& a = spelled_out->limits;
    auto const& b = plain.limits;
    EXPECT_EQ(std::tie(a.sms_sends, a.sms_sends_window, a.sms_again_after, a.sms_sends_a_day_to_one_number,
                       a.sms_sends_an_hour_in_all, a.enrolment_lifetime, a.action_lifetime,
                       a.authorization_code_lifetime, a.authorization_code_lifetime_compat, a.pushed_request_lifetime,
                       a.access_token_lifetime, a.id_token_lifetime, a.sign_in_lifetime),
              std::tie(b.sms_sends, b.sms_sends_window, b.sms_again_after, b.sms_sends_a_day_to_one_number,
                       b.sms_sends_an_hour_in_all, b.enrolment_lifetime, b.action_lifetime,
                       b.authorization_code_lifetime, b.authorization_code_lifetime_compat, b.pushed_request_lifetime,
                       b.access_token_lifetime, b.id_token_lifetime, b.sign_in_lifetime));
    EXPECT_EQ(std::tie(a.sign_ins_a_minute_per_address, a.authorization_requests_a_minute_per_address,
                       a.lookups_a_minute_per_address, a.open_connections, a.open_connections_per_address,
                       a.event_streams_per_address, a.header_timeout, a.body_timeout, a.idle_timeout, a.write_timeout,
                       a.request_timeout, a.event_heartbeat, a.event_stream_lifetime),
              std::tie(b.sign_ins_a_minute_per_address, b.authorization_requests_a_minute_per_address,
                       b.lookups_a_minute_per_address, b.open_connections, b.open_connections_per_address,
                       b.event_streams_per_address, b.header_timeout, b.body_timeout, b.idle_timeout, b.write_timeout,
                       b.request_timeout, b.event_heartbeat, b.event_stream_lifetime));
}

} // namespace
} // namespace symbolon::app
