#pragma once

#include "bank/settings.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace symbolon::app {

/// A root certificate that is trusted for identity cards.
struct ConfiguredAnchor {
    std::filesystem::path file; ///< PEM, one or more certificates
    std::string arc;            ///< dotted OID of its policies; empty: the one that the root names
};

/// What an operator has settled: one TOML file (TOML 1.0), src/app/symbolon.toml, in which every setting stands with
/// its default. Paths are absolute here; in the file, relative ones begin at its directory.
struct Configuration {
    std::filesystem::path file;
    std::filesystem::path state_directory; ///< the file's own: keys, database, vault (state_directory.hpp)

    struct Server {
        std::string id_url = "http://localhost:8400"; ///< origins, without a slash at the end
        std::string phone_url = "http://localhost:8401";
        std::string desk_url = "http://localhost:8402";
        std::vector<std::string> id_listen; ///< edge::Listener::address; empty: 127.0.0.1 with the URL's port
        std::vector<std::string> phone_listen;
        std::vector<std::string> desk_listen;
        std::size_t threads = 0; ///< 0: one a core
        std::vector<std::string> trusted_proxies;
        std::string forwarded_header = "x-forwarded-for"; ///< or "forwarded"
        Seconds stop_grace = 10s;
    } server;

    struct Store {
        std::filesystem::path path; ///< of the database; default: store.db
    } store;

    struct Vault {
        std::filesystem::path socket; ///< default: vault/vault.sock
    } vault;

    struct Web {
        std::optional<std::filesystem::path> directory; ///< web/dist, with id/ and phone/ in it; none: no files
    } web;

    struct Sms {
        std::string gateway; ///< empty: no SMS can be sent
        std::string user;
        std::filesystem::path password_file;
        std::string sender = "Symbolon";
        std::string report_url; ///< our /sms/report as the gateway reaches it; empty: no reports are asked for
    } sms;

    struct Push {
        std::vector<std::string> hosts; ///< push services that are sent to; default: push::default_hosts()
        std::string contact;            ///< "mailto:…" or https; default: phone_url where that is https
    } push;

    struct Card {
        std::vector<ConfiguredAnchor> anchors;
        std::vector<std::filesystem::path> issuers; ///< PEM: CAs of cards that come by Web eID, which has them not
        std::vector<std::string> revocation_hosts;  ///< ocsp_hosts, crl_hosts and issuer_hosts together
        bool test_pki = false;
        bool accept_sha1 = false;
    } card;

    struct Enrolment {
        std::string reader_page;                ///< only with test_pki; empty: none
        std::vector<std::string> calling_codes; ///< of the numbers that may enrol; empty: all that are known
        std::string operator_name = "Symbolon"; ///< who the contract is with
    } enrolment;

    std::vector<bank::Registration> banks; ///< [[bank]], in the order in which they are offered

    Limits limits;

    struct Log {
        std::string level = "info";  ///< debug, info, warning, error, none
        std::string format = "json"; ///< or text
        std::filesystem::path file;  ///< empty: standard error
        bool requests = true;        ///< a line for every request
    } log;
};

/// All that is in a file. Fails with configuration_invalid: it can't be read.
Result<std::string> content_of(std::filesystem::path const& file);

/// Reads and judges the file. Fails with configuration_invalid; the detail has a line for every mistake:
/// "/etc/symbolon/symbolon.toml:12:1: server.id_urll is not a setting".
Result<Configuration> read_configuration(std::filesystem::path const& file);

/// The same for a text; `file` is what mistakes name and paths are relative to.
Result<Configuration> parse_configuration(std::string_view text, std::filesystem::path const& file);

/// The hosts of this machine that the settings name ("127.0.0.1:8405"): they may be asked, over plain http too.
std::vector<std::string> local_hosts(Configuration const& configuration);

} // namespace symbolon::app
