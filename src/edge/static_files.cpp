#include "edge/static_files.hpp"

#include "base/language.hpp"
#include "base/text.hpp"
#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>

namespace symbolon::edge {

namespace {

constexpr std::uintmax_t most_file_bytes = 16UZ * 1024 * 1024;

struct Kind {
    std::string_view extension;
    std::string_view media_type;
};
constexpr std::array kinds{
    Kind{".css", "text/css; charset=utf-8"},
    Kind{".html", "text/html; charset=utf-8"},
    Kind{".ico", "image/x-icon"},
    Kind{".jpg", "image/jpeg"},
    Kind{".js", "text/javascript; charset=utf-8"},
    Kind{".json", "application/json"},
    Kind{".map", "application/json"},
    Kind{".md", "text/markdown; charset=utf-8"},
    Kind{".mjs", "text/javascript; charset=utf-8"},
    Kind{".pdf", "application/pdf"},
    Kind{".png", "image/png"},
    Kind{".svg", "image/svg+xml"},
    Kind{".txt", "text/plain; charset=utf-8"},
    Kind{".wasm", "application/wasm"},
    Kind{".webmanifest", "application/manifest+json"},
    Kind{".webp", "image/webp"},
    Kind{".woff2", "font/woff2"},
};

struct File {
    std::string content;
    std::string compressed; ///< gzip; empty: none
    std::string tag;        ///< RFC 9110 §8.8.3, without quotes
    std::string media_type;
    bool never_changes = false;
    bool is_image = false;
};

std::string media_type_of(std::filesystem::path const& path)
{
    auto const found = std::ranges::find(kinds, path.extension().string(), &Kind::extension);
    return std::string{found == kinds.end() ? "application/octet-stream" : found->media_type};
}

/// The bundler's `name-XXXXXXXX.ext`. A word of eight small letters is taken for a word.
bool has_hash_in_name(std::string const& path)
{
    if (!path.starts_with("/assets/")) return false;
    auto const name = path.substr(path.rfind('/') + 1);
    auto const dot = name.find('.');
    if (dot == std::string::npos || dot < 10 || name[dot - 9] != '-') return false;
    auto const hash = std::string_view{name}.substr(dot - 8, 8);
    return std::ranges::any_of(hash, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

/// RFC 9110 §13.1.2: a list of entity tags, compared weakly, or "*".
bool names_tag(std::string_view if_none_match, std::string_view tag)
{
    for (auto const part : split(if_none_match, ',')) {
        auto element = trimmed(part);
        if (element == "*") return true;
        if (element.starts_with("W/")) element.remove_prefix(2);
        if (element.size() == tag.size() + 2 && element.front() == '"' && element.substr(1, tag.size()) == tag)
            return true;
    }
    return false;
}

/// RFC 9110 §12.5.3, for the one coding that we have.
bool takes_gzip(std::string_view accept_encoding)
{
    for (auto const part : split(accept_encoding, ',')) {
        auto const coding = trimmed(part.substr(0, part.find(';')));
        if (coding != "gzip" && coding != "x-gzip") continue;
        auto const weight = part.find("q=");
        return weight == std::string_view::npos || part.find_first_of("123456789", weight) != std::string_view::npos;
    }
    return false;
}

http::Response answer(File const& file, http::Request const& request)
{
    bool const compressed = !file.compressed.empty() && takes_gzip(request.header("accept-encoding"));
    auto const tag = file.tag + (compressed ? "-gz" : "");
    http::Response response;
    response.with("ETag", '"' + tag + '"')
        .with("Cache-Control", file.never_changes ? "public, max-age=31536000, immutable" : "no-cache");
    if (!file.compressed.empty()) response.with("Vary", "Accept-Encoding");
    // Partners show the sign-in button from here.
    if (file.is_image) response.with("Cross-Origin-Resource-Policy", "cross-origin");
    if (names_tag(request.header("if-none-match"), tag)) {
        response.status = 304;
        return response;
    }
    response.with("Content-Type", file.media_type);
    if (compressed) response.with("Content-Encoding", "gzip");
    response.body = compressed ? file.compressed : file.content;
    return response;
}

Result<std::string> read(std::filesystem::path const& path)
{
    std::error_code error;
    auto const size = std::filesystem::file_size(path, error);
    if (error || size > most_file_bytes)
        return fail(Outcome::configuration_invalid,
                    "a file for browsers can't be read or is too long: " + path.string());
    std::string content(size, '\0');
    std::ifstream stream{path, std::ios::binary};
    if (!stream.read(content.data(), static_cast<std::streamsize>(size)))
        return fail(Outcome::configuration_invalid, "a file for browsers can't be read: " + path.string());
    return content;
}

http::Route leads_to(std::string from, std::function<std::string(http::Request const&)> to)
{
    return {"GET", std::move(from), [to = std::move(to)](http::Request request) -> Flow<http::Response> {
                auto response = http::see_other(to(request));
                response.with("Vary", "Accept-Language");
                co_return response;
            }};
}

} // namespace

Result<http::Routes> static_routes(std::filesystem::path const& directory)
{
    std::map<std::string, std::filesystem::path> paths;
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator at{directory, error}, end; !error && at != end;
         at.increment(error)) {
        auto const relative = at->path().lexically_relative(directory);
        if (at->path().filename().string().starts_with('.')) {
            if (at->is_directory(error)) at.disable_recursion_pending();
            continue;
        }
        if (!at->is_symlink(error) && at->is_regular_file(error)) paths.emplace('/' + relative.string(), at->path());
    }
    if (error)
        return fail(Outcome::configuration_invalid,
                    "the files for browsers can't be read: " + directory.string() + ": " + error.message());

    http::Routes routes;
    for (auto const& [path, place] : paths) {
        if (path.ends_with(".gz") && paths.contains(path.substr(0, path.size() - 3))) continue;
        auto file = std::make_shared<File>();
        file->content = TRY(read(place));
        if (auto const compressed = paths.find(path + ".gz"); compressed != paths.end())
            file->compressed = TRY(read(compressed->second));
        file->tag = crypto::base64url(ByteView{crypto::sha256(file->content)}.first(16));
        file->media_type = media_type_of(place);
        file->never_changes = has_hash_in_name(path);
        file->is_image = file->media_type.starts_with("image/");

        constexpr std::string_view index = "index.html";
        auto const is_index = path.ends_with("/index.html");
        auto shown = is_index ? path.substr(0, path.size() - index.size()) : path;
        ENSURE(shown.find_first_of("{}") == std::string::npos);
        routes.push_back({"GET", shown,
                          [file](http::Request request) -> Flow<http::Response> { co_return answer(*file, request); }});
        if (is_index && shown != "/")
            routes.push_back(
                leads_to(shown.substr(0, shown.size() - 1), [shown](http::Request const&) { return shown; }));
    }

    if (paths.contains("/index.html")) return routes;
    for (std::string const page : {"", "enrol/"}) {
        auto const in_every_language = std::ranges::all_of(all_languages, [&](Language language) {
            return paths.contains('/' + std::string{name_of(language)} + '/' + page + "index.html");
        });
        if (!in_every_language) continue;
        routes.push_back(leads_to("/", [page](http::Request const& request) {
            auto const asked = language_named(request.query.value("lang"));
            auto const language = asked ? *asked : accepted_language(request.header("accept-language"));
            return '/' + std::string{name_of(language)} + '/' + page;
        }));
        return routes;
    }
    if (paths.contains("/app/index.html"))
        routes.push_back(leads_to("/", [](http::Request const&) { return std::string{"/app/"}; }));
    return routes;
}

} // namespace symbolon::edge
