// The one unit that knows toml++.

#include "app/config.hpp"

#include "base/http.hpp"
#include "base/text.hpp"
#include "card/certificate_path.hpp"
#include "push/endpoint.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>
#include <set>

namespace symbolon::app {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view expected_origin =
    "an origin like \"https://id.example\" (http only on loopback; nothing behind the host and port)";
constexpr std::string_view expected_address =
    "an address of this machine, \"127.0.0.1:8400\", \"[::1]:8400\" or \"unix:/run/symbolon/id.sock\" (TLS ends in the "
    "proxy before it)";

bool is_origin(std::string const& text)
{
    auto const url = http::parse_url(text);
    return url && !url->host.empty() && !url->has_user_info && url->origin() == text &&
           (url->scheme == "https" || (url->scheme == "http" && url->is_loopback()));
}

bool is_port(std::string_view text)
{
    return is_digits(text) && text.size() <= 5 && std::stoul(std::string{text}) <= 65535;
}

bool is_listen_address(std::string const& text)
{
    if (text.starts_with("unix:/")) return text.size() > 6;
    auto const colon = text.rfind(':');
    if (colon == std::string::npos || !is_port(std::string_view{text}.substr(colon + 1))) return false;
    auto const host = text.substr(0, colon);
    return host == "[::1]" || host == "localhost" ||
           (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

bool is_host(std::string const& text)
{
    auto const url = http::parse_url("http://" + text);
    return url && !url->host.empty() && url->path.empty() && !url->has_user_info && !url->has_fragment &&
           text.find_first_of("/?#@") == std::string::npos;
}

bool is_web_url(std::string const& text)
{
    auto const url = http::parse_url(text);
    return url && (url->scheme == "https" || url->scheme == "http") && !url->host.empty() && !url->has_user_info;
}

bool is_oid(std::string const& text)
{
    return text.find_first_not_of("0123456789.") == std::string::npos && !text.empty() && text.front() != '.' &&
           text.back() != '.' && text.find("..") == std::string::npos;
}

/// A part of an arc would have every card refused, its policies being looked for in the wrong place.
bool is_arc(std::string const& text) { return is_oid(text) && !card::is_part_of_known_arc(text); }

bool is_any(std::string const& /*text*/) { return true; }
bool is_not_empty(std::string const& text) { return !text.empty(); }

/// What was found wrong, in the order of the file.
class Mistakes {
public:
    explicit Mistakes(fs::path file) : file_{std::move(file)} {}

    void add(toml::source_position const& at, std::string const& what)
    {
        lines_.emplace(std::pair{at.line, at.column},
                       file_.string() + ':' + std::to_string(at.line) + ':' + std::to_string(at.column) + ": " + what);
    }

    [[nodiscard]] bool any() const { return !lines_.empty(); }
    [[nodiscard]] std::string text() const
    {
        std::string all;
        for (auto const& [at, line] : lines_) all += (all.empty() ? "" : "\n") + line;
        return all;
    }

private:
    fs::path file_;
    std::multimap<std::pair<toml::source_index, toml::source_index>, std::string> lines_;
};

/// One table of the file. What nobody asked it for is no setting.
class Section {
public:
    Section(toml::table const* table, std::string name, fs::path directory, Mistakes& mistakes)
        : table_{table},
          name_{std::move(name)},
          directory_{std::move(directory)},
          mistakes_{mistakes}
    {}

    using Judge = bool (*)(std::string const&);

    void text(std::string_view key, std::string& into, Judge judge = is_any, std::string_view expected = "a text")
    {
        if (auto const* node = find(key)) take_text(*node, label(key), into, judge, expected);
    }

    void texts(std::string_view key, std::vector<std::string>& into, Judge judge = is_any,
               std::string_view expected = "a text")
    {
        auto const* node = find(key);
        if (node == nullptr) return;
        auto const* array = node->as_array();
        if (array == nullptr) return wrong(*node, label(key), "a list: [\"…\", \"…\"]");
        for (auto const& element : *array) {
            std::string one;
            if (take_text(element, label(key), one, judge, expected)) into.push_back(std::move(one));
        }
    }

    void one_of(std::string_view key, std::string& into, std::initializer_list<std::string_view> words)
    {
        auto const* node = find(key);
        if (node == nullptr) return;
        std::string expected = "one of";
        for (auto const word : words) expected += " \"" + std::string{word} + '"';
        auto const value = node->value_exact<std::string>();
        if (value && std::ranges::find(words, *value) != words.end()) into = *value;
        else wrong(*node, label(key), expected);
    }

    void path(std::string_view key, fs::path& into)
    {
        std::string given;
        auto const* node = find(key);
        if (node == nullptr || !take_text(*node, label(key), given, is_not_empty, "a path")) return;
        into = (directory_ / given).lexically_normal();
    }

    void paths(std::string_view key, std::vector<fs::path>& into)
    {
        std::vector<std::string> given;
        texts(key, given, is_not_empty, "a path");
        for (auto const& one : given) into.push_back((directory_ / one).lexically_normal());
    }

    void flag(std::string_view key, bool& into)
    {
        auto const* node = find(key);
        if (node == nullptr) return;
        if (auto const value = node->value_exact<bool>()) into = *value;
        else wrong(*node, label(key), "true or false");
    }

    template <class T>
    void number(std::string_view key, T& into, std::int64_t least, std::int64_t most)
    {
        auto const* node = find(key);
        if (node == nullptr) return;
        auto const value = node->value_exact<std::int64_t>();
        if (value && *value >= least && *value <= most) into = static_cast<T>(*value);
        else wrong(*node, label(key), "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }

    void seconds(std::string_view key, Seconds& into, Seconds least, Seconds most)
    {
        auto const* node = find(key);
        if (node == nullptr) return;
        auto const value = node->value_exact<std::int64_t>();
        if (value && *value >= least.count() && *value <= most.count()) into = Seconds{*value};
        else
            wrong(*node, label(key),
                  "whole seconds from " + std::to_string(least.count()) + " to " + std::to_string(most.count()));
    }

    /// A list of tables.
    template <class Read>
    void tables(std::string_view key, std::string const& example, Read const& read)
    {
        auto const* node = find(key);
        if (node == nullptr) return;
        auto const* array = node->as_array();
        if (array == nullptr) return wrong(*node, label(key), "a list of tables: " + example);
        for (auto const& element : *array) {
            if (element.as_table() == nullptr) {
                wrong(element, label(key), "a table, as in " + example);
                continue;
            }
            Section section{element.as_table(), label(key), directory_, mistakes_};
            read(section, element.source().begin);
            section.end();
        }
    }

    /// A table of texts, under names that are known.
    template <class Known>
    void renamed(std::string_view key, std::map<std::string, std::string, std::less<>>& into, Known const& known)
    {
        auto const* node = find(key);
        if (node == nullptr) return;
        auto const* table = node->as_table();
        if (table == nullptr) return wrong(*node, label(key), "a table: { family_name = \"surname\" }");
        Section section{table, label(key), directory_, mistakes_};
        for (auto const name : known) {
            std::string given;
            section.text(name, given, is_not_empty, "the name that the bank has for it");
            if (!given.empty()) into.emplace(name, std::move(given));
        }
        section.end();
    }

    void mistake(std::string_view key, std::string const& what)
    {
        auto const* node = table_ == nullptr ? nullptr : table_->get(key);
        mistakes_.add(node != nullptr     ? node->source().begin
                      : table_ != nullptr ? table_->source().begin
                                          : toml::source_position{1, 1},
                      label(key) + what);
    }

    /// Whether the file says something of it.
    [[nodiscard]] bool has(std::string_view key) const { return table_ != nullptr && table_->contains(key); }

    /// Judges what is left.
    void end()
    {
        if (table_ == nullptr) return;
        for (auto const& [key, node] : *table_)
            if (!asked_.contains(key.str()))
                mistakes_.add(key.source().begin, label(key.str()) + " is not a setting; expected: " + known());
    }

private:
    toml::node const* find(std::string_view key)
    {
        asked_.emplace(key);
        return table_ == nullptr ? nullptr : table_->get(key);
    }
    std::string label(std::string_view key) const
    {
        return name_.empty() ? std::string{key} : name_ + '.' + std::string{key};
    }
    std::string known() const
    {
        std::string names;
        for (auto const& name : asked_) names += (names.empty() ? "" : ", ") + name;
        return names;
    }
    void wrong(toml::node const& node, std::string const& name, std::string_view expected)
    {
        mistakes_.add(node.source().begin, name + ": expected " + std::string{expected});
    }
    bool take_text(toml::node const& node, std::string const& name, std::string& into, Judge judge,
                   std::string_view expected)
    {
        auto const value = node.value_exact<std::string>();
        if (!value || !judge(*value)) {
            wrong(node, name, expected);
            return false;
        }
        into = *value;
        return true;
    }

    toml::table const* table_;
    std::string name_;
    fs::path directory_;
    Mistakes& mistakes_;
    std::set<std::string, std::less<>> asked_;
};

/// Where the server listens when the file doesn't say: where the URL leads, as long as that is this machine.
void listen_where_the_url_leads(Section& section, std::string_view key, std::vector<std::string>& listen,
                                std::string const& url)
{
    if (!listen.empty()) return;
    auto const parsed = http::parse_url(url);
    if (parsed && parsed->is_loopback() && parsed->scheme == "http")
        listen.push_back("127.0.0.1:" + (parsed->port.empty() ? "80" : parsed->port));
    else section.mistake(key, ": expected " + std::string{expected_address} + ", since the URL is not of this machine");
}

void read_server(Section section, Configuration::Server& server)
{
    section.text("id_url", server.id_url, is_origin, expected_origin);
    section.text("phone_url", server.phone_url, is_origin, expected_origin);
    section.text("desk_url", server.desk_url, is_origin, expected_origin);
    section.texts("id_listen", server.id_listen, is_listen_address, expected_address);
    section.texts("phone_listen", server.phone_listen, is_listen_address, expected_address);
    section.texts("desk_listen", server.desk_listen, is_listen_address, expected_address);
    section.number("threads", server.threads, 0, 256);
    section.texts("trusted_proxies", server.trusted_proxies, is_not_empty, "an address or network: \"10.0.0.0/8\"");
    section.one_of("forwarded_header", server.forwarded_header, {"x-forwarded-for", "forwarded"});
    section.seconds("stop_grace", server.stop_grace, 0s, 5min);
    section.end();
    if (server.id_url == server.phone_url || server.id_url == server.desk_url || server.phone_url == server.desk_url)
        section.mistake("phone_url", ": expected three different origins, so that a flaw in one can't act for another");
    listen_where_the_url_leads(section, "id_listen", server.id_listen, server.id_url);
    listen_where_the_url_leads(section, "phone_listen", server.phone_listen, server.phone_url);
    listen_where_the_url_leads(section, "desk_listen", server.desk_listen, server.desk_url);
}

void read_sms(Section section, Configuration::Sms& sms)
{
    section.text("gateway", sms.gateway, is_web_url, "the URL of Kannel's sendsms");
    section.text("user", sms.user);
    section.path("password_file", sms.password_file);
    section.text("report_url", sms.report_url, is_web_url, "the URL of this server's /sms/report");
    section.text(
        "sender", sms.sender,
        [](std::string const& text) {
            auto const is_number = is_digits(text.substr(text.starts_with('+') ? 1 : 0)) && text.size() <= 16;
            auto const is_sign = [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ';
            };
            return is_number || (!text.empty() && text.size() <= 11 && std::ranges::all_of(text, is_sign));
        },
        "at most 11 letters and digits, or a number");
    section.end();
    if (sms.gateway.empty()) return;
    if (sms.user.empty()) section.mistake("user", ": expected the gateway's user name, since there is a gateway");
    if (sms.password_file.empty())
        section.mistake("password_file", ": expected a file with the gateway's password, since there is a gateway");
}

void read_push(Section section, Configuration::Push& push, std::string const& phone_url)
{
    auto const is_given = section.has("hosts");
    section.texts("hosts", push.hosts, push::is_host_pattern,
                  "a push service: \"push.example\", \"*.push.example\" for those below it, or \"localhost:8407\"");
    if (!is_given) push.hosts = push::default_hosts();
    section.text(
        "contact", push.contact,
        [](std::string const& text) {
            return text.starts_with("mailto:") ? text.size() > 7 && text.find('@') != std::string::npos
                                               : text.starts_with("https://") && is_web_url(text);
        },
        "\"mailto:operator@symbolon.example\" or an https URL");
    section.end();
    if (push.contact.empty() && phone_url.starts_with("https://")) push.contact = phone_url;
}

void read_card(Section section, Configuration::Card& card)
{
    section.tables("anchors", "[{ file = \"…\" }]", [&](Section& anchor, toml::source_position const&) {
        ConfiguredAnchor one;
        anchor.path("file", one.file);
        anchor.text("arc", one.arc, is_arc, "a dotted OID, all of the arc: \"2.16.56.12.1.1\"");
        if (one.file.empty()) anchor.mistake("file", ": expected a PEM file");
        card.anchors.push_back(std::move(one));
    });
    section.paths("issuers", card.issuers);
    constexpr std::string_view expected_host = "a host, with a port where it is not 80 or 443: \"ocsp.eid.belgium.be\"";
    section.texts("ocsp_hosts", card.revocation_hosts, is_host, expected_host);
    section.texts("crl_hosts", card.revocation_hosts, is_host, expected_host);
    section.texts("issuer_hosts", card.revocation_hosts, is_host, expected_host);
    section.flag("test_pki", card.test_pki);
    section.flag("accept_sha1", card.accept_sha1);
    section.end();
}

void read_enrolment(Section section, Configuration::Enrolment& enrolment, bool test_pki)
{
    section.text("reader_page", enrolment.reader_page, is_web_url, "a URL");
    section.texts(
        "calling_codes", enrolment.calling_codes,
        [](std::string const& text) { return is_digits(text) && text.size() <= 3 && text[0] != '0'; },
        "a calling code without its plus: \"32\"");
    section.text(
        "operator_name", enrolment.operator_name,
        [](std::string const& text) { return !text.empty() && displayable(text, 100).has_value(); },
        "a name of at most 100 characters");
    section.end();
    if (!enrolment.reader_page.empty() && !test_pki)
        section.mistake("reader_page", ": expected nothing, since a page that reads cards is for card.test_pki = true");
}

bool is_bank_id(std::string const& text)
{
    auto const is_sign = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    return !text.empty() && text.size() <= 32 && std::ranges::all_of(text, is_sign);
}

/// OpenID Connect Discovery 1.0 §3: "using the https scheme with no query or fragment components"; http on loopback.
bool is_issuer(std::string const& text)
{
    auto const url = http::parse_url(text);
    return url && !url->host.empty() && !url->has_user_info && !url->has_fragment &&
           text.find('?') == std::string::npos &&
           (url->scheme == "https" || (url->scheme == "http" && url->is_loopback()));
}

/// RFC 6749 appendix A.4: scope tokens and acr values stand in lists with spaces between them.
bool is_word(std::string const& text)
{
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

void read_bank(Section& section, bank::Registration& bank)
{
    auto& terms = bank.terms;
    section.text("id", terms.id, is_bank_id, "a short name of small letters and digits: \"kbc\"");
    section.text(
        "name", terms.name, [](std::string const& text) { return !text.empty() && displayable(text, 60).has_value(); },
        "the name that people know, of at most 60 characters");
    section.text("issuer", bank.issuer, is_issuer, "the bank's issuer: \"https://login.kbc.example\"");
    section.text("client_id", bank.client_id, is_word, "the name that the bank gave us");
    section.flag("minors", terms.minors);
    section.flag("app_first", terms.app_first);
    section.text("app_url", terms.app_url, is_web_url, "where the bank's app is");
    std::vector<std::string> levels;
    section.texts("acr", levels, is_word, "a level of assurance, without spaces");
    if (section.has("acr")) terms.acr = std::move(levels);
    else terms.acr = {"http://eidas.europa.eu/LoA/substantial", "http://eidas.europa.eu/LoA/high"};
    if (terms.acr.empty()) section.mistake("acr", ": expected at least one level of assurance");
    auto months = terms.card_data_good_for.count();
    section.number("card_data_good_for_months", months, 1, 120);
    terms.card_data_good_for = std::chrono::months{months};
    section.renamed("claims", bank.claims, bank::claim_names);
    for (auto const* const key : {"id", "name", "issuer"})
        if (!section.has(key)) section.mistake(key, ": expected, since each bank has one");
}

void read_banks(Section whole, std::vector<bank::Registration>& banks)
{
    whole.tables("bank", "[[bank]], one for each", [&](Section& section, toml::source_position const&) {
        bank::Registration one;
        read_bank(section, one);
        for (auto const& other : banks) {
            if (other.terms.id == one.terms.id && !one.terms.id.empty())
                section.mistake("id", ": expected a name that no other bank has");
            // What an issuer says is believed of its bank alone.
            if (other.issuer == one.issuer && !one.issuer.empty())
                section.mistake("issuer", ": expected an issuer that no other bank has");
        }
        banks.push_back(std::move(one));
    });
}

void read_limits(Section section, Limits& limits)
{
    struct Count {
        std::string_view name;
        int Limits::* member;
        int least;
        int most;
    };
    for (auto const& [name, member, least, most] : {
             Count{"sms_sends", &Limits::sms_sends, 1, 20},
             Count{"sms_sends_a_day_to_one_number", &Limits::sms_sends_a_day_to_one_number, 1, 1000},
             Count{"sms_sends_an_hour_to_one_prefix", &Limits::sms_sends_an_hour_to_one_prefix, 1, 1'000'000},
             Count{"sms_sends_an_hour_in_all", &Limits::sms_sends_an_hour_in_all, 1, 10'000'000},
             Count{"sms_sends_a_day_in_all", &Limits::sms_sends_a_day_in_all, 1, 100'000'000},
             Count{"sign_ins_a_minute_per_address", &Limits::sign_ins_a_minute_per_address, 1, 10'000'000},
             Count{"authorization_requests_a_minute_per_address", &Limits::authorization_requests_a_minute_per_address,
                   1, 10'000'000},
             Count{"rings_per_number", &Limits::rings_per_number, 1, 10'000'000},
             Count{"rings_per_network", &Limits::rings_per_network, 1, 10'000'000},
             Count{"rings_per_partner", &Limits::rings_per_partner, 1, 10'000'000},
             Count{"lookups_a_minute_per_address", &Limits::lookups_a_minute_per_address, 1, 10'000'000},
             Count{"short_codes_per_account", &Limits::short_codes_per_account, 1, 10'000'000},
         })
        section.number(name, limits.*member, least, most);

    struct Size {
        std::string_view name;
        std::size_t Limits::* member;
    };
    for (auto const& [name, member] : {
             Size{"open_connections", &Limits::open_connections},
             Size{"open_connections_per_address", &Limits::open_connections_per_address},
             Size{"event_streams_per_address", &Limits::event_streams_per_address},
         })
        section.number(name, limits.*member, 1, 10'000'000);

    struct Time {
        std::string_view name;
        Seconds Limits::* member;
        Seconds most;
    };
    for (auto const& [name, member, most] : {
             Time{"sms_sends_window", &Limits::sms_sends_window, limits.longest_wait},
             Time{"sms_again_after", &Limits::sms_again_after, limits.longest_wait},
             Time{"enrolment_lifetime", &Limits::enrolment_lifetime, 7 * 24h},
             Time{"action_lifetime", &Limits::action_lifetime, 15min},
             Time{"authorization_code_lifetime", &Limits::authorization_code_lifetime, 10min},
             Time{"authorization_code_lifetime_compat", &Limits::authorization_code_lifetime_compat, 10min},
             Time{"pushed_request_lifetime", &Limits::pushed_request_lifetime, 10min},
             Time{"access_token_lifetime", &Limits::access_token_lifetime, 24h},
             Time{"id_token_lifetime", &Limits::id_token_lifetime, 1h},
             Time{"sign_in_lifetime", &Limits::sign_in_lifetime, 1h},
             Time{"header_timeout", &Limits::header_timeout, 10min},
             Time{"body_timeout", &Limits::body_timeout, 10min},
             Time{"idle_timeout", &Limits::idle_timeout, 1h},
             Time{"write_timeout", &Limits::write_timeout, 10min},
             Time{"request_timeout", &Limits::request_timeout, 10min},
             Time{"event_heartbeat", &Limits::event_heartbeat, 5min},
             Time{"event_stream_lifetime", &Limits::event_stream_lifetime, 24h},
         })
        section.seconds(name, limits.*member, 1s, most);
    section.end();
}

void read_log(Section section, Configuration::Log& log)
{
    section.one_of("level", log.level, {"debug", "info", "warning", "error", "none"});
    section.one_of("format", log.format, {"json", "text"});
    section.path("file", log.file);
    section.flag("requests", log.requests);
    section.end();
}

} // namespace

Result<Configuration> parse_configuration(std::string_view text, fs::path const& file)
{
    Mistakes mistakes{file};
    toml::table root;
    try {
        root = toml::parse(text, file.string());
    } catch (toml::parse_error const& error) {
        mistakes.add(error.source().begin, "not TOML: " + std::string{error.description()});
        return fail(Outcome::configuration_invalid, mistakes.text());
    }

    Configuration configuration;
    configuration.file = fs::absolute(file).lexically_normal();
    configuration.state_directory = configuration.file.parent_path();
    auto const& directory = configuration.state_directory;
    configuration.store.path = directory / "store.db";
    configuration.vault.socket = directory / "vault" / "vault.sock";

    constexpr std::array<std::string_view, 10> sections{"server", "store", "vault",     "web",    "sms",
                                                        "push",   "card",  "enrolment", "limits", "log"};
    for (auto const& [key, node] : root) {
        if (key.str() == "bank") continue;
        if (std::ranges::find(sections, key.str()) == sections.end()) {
            std::string expected;
            for (auto const name : sections) expected += (expected.empty() ? "[" : ", [") + std::string{name} + ']';
            mistakes.add(key.source().begin,
                         std::string{key.str()} + " is not a section; expected: " + expected + ", [[bank]]");
        } else if (node.as_table() == nullptr) {
            mistakes.add(key.source().begin,
                         std::string{key.str()} + ": expected a section: [" + std::string{key.str()} + ']');
        }
    }
    auto const section = [&](std::string_view name) {
        auto const* node = root.get(name);
        return Section{node == nullptr ? nullptr : node->as_table(), std::string{name}, directory, mistakes};
    };

    read_server(section("server"), configuration.server);
    auto store = section("store");
    store.path("path", configuration.store.path);
    store.end();
    auto vault = section("vault");
    vault.path("socket", configuration.vault.socket);
    vault.end();
    auto web = section("web");
    fs::path web_directory;
    web.path("directory", web_directory);
    if (!web_directory.empty()) configuration.web.directory = web_directory;
    web.end();
    read_sms(section("sms"), configuration.sms);
    read_push(section("push"), configuration.push, configuration.server.phone_url);
    read_card(section("card"), configuration.card);
    read_enrolment(section("enrolment"), configuration.enrolment, configuration.card.test_pki);
    read_banks(Section{&root, "", directory, mistakes}, configuration.banks);
    read_limits(section("limits"), configuration.limits);
    read_log(section("log"), configuration.log);

    if (mistakes.any()) return fail(Outcome::configuration_invalid, mistakes.text());
    return configuration;
}

Result<std::string> content_of(fs::path const& file)
{
    std::error_code error;
    std::ifstream stream{file, std::ios::binary};
    if (!stream || fs::is_directory(file, error))
        return fail(Outcome::configuration_invalid, file.string() + ": can't be read");
    return std::string{std::istreambuf_iterator<char>{stream}, {}};
}

Result<Configuration> read_configuration(fs::path const& file)
{
    return parse_configuration(TRY(content_of(file)), file);
}

std::vector<std::string> local_hosts(Configuration const& configuration)
{
    std::vector<std::string> hosts;
    auto const add = [&](std::string const& url) {
        auto const parsed = http::parse_url(url);
        if (!parsed || !parsed->is_loopback()) return;
        auto const host = parsed->host.find(':') == std::string::npos ? parsed->host : '[' + parsed->host + ']';
        if (!parsed->port.empty()) return hosts.push_back(host + ':' + parsed->port);
        hosts.push_back(host + ":80");
        hosts.push_back(host + ":443");
    };
    if (!configuration.sms.gateway.empty()) add(configuration.sms.gateway);
    for (auto const& bank : configuration.banks) add(bank.issuer);
    for (auto const& host : configuration.card.revocation_hosts) add("http://" + host);
    for (auto const& host : configuration.push.hosts)
        if (!host.starts_with('*')) add("http://" + host);
    return hosts;
}

} // namespace symbolon::app
