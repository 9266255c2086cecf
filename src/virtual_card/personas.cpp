#include "virtual_card/persona.hpp"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <set>

/// Reads data/personas.toml; the one unit of this folder that knows TOML.
namespace symbolon::virtual_card {

namespace {

struct Fault {
    std::string_view name;
    bool Faults::* member;
};

constexpr std::array faults{
    Fault{"identity-signature-wrong", &Faults::identity_signature_wrong},
    Fault{"address-signature-wrong", &Faults::address_signature_wrong},
    Fault{"address-of-other-card", &Faults::address_of_other_card},
    Fault{"photo-of-other-card", &Faults::photo_of_other_card},
    Fault{"basic-key-of-other-card", &Faults::basic_key_of_other_card},
    Fault{"cloned", &Faults::cloned},
    Fault{"certificates-of-other-person", &Faults::certificates_of_other_person},
    Fault{"certificate-name-differs", &Faults::certificate_name_differs},
    Fault{"leaves-disagree", &Faults::leaves_disagree},
    Fault{"chip-number-of-other-card", &Faults::chip_number_of_other_card},
    Fault{"national-number-wrong", &Faults::national_number_wrong},
    Fault{"untrusted-root", &Faults::untrusted_root},
};

/// One table, read field by field; remembers the first thing that is wrong and which keys were asked for.
class Table {
public:
    Table(toml::table const& table, std::string file) : table_{table}, file_{std::move(file)} {}

    void text(std::string_view key, std::string& into) { take<std::string>(key, into, "a text"); }
    void flag(std::string_view key, bool& into) { take<bool>(key, into, "true or false"); }

    void number(std::string_view key, int& into, int least, int most)
    {
        auto value = std::int64_t{into};
        auto const expected = fmt::format("a whole number from {} to {}", least, most);
        if (!take<std::int64_t>(key, value, expected)) return;
        if (value < least || value > most) return wrong(key, expected);
        into = static_cast<int>(value);
    }

    /// A value by its name, as `parse` knows it.
    template <class T, class Parse>
    void choice(std::string_view key, T& into, std::string_view expected, Parse const& parse)
    {
        std::string name;
        if (!take<std::string>(key, name, expected)) return;
        if (std::optional<T> const value = parse(name)) into = *value;
        else wrong(key, expected);
    }

    [[nodiscard]] bool has(std::string_view key) const { return table_.contains(key); }
    [[nodiscard]] toml::node const* get(std::string_view key)
    {
        known_.emplace(key);
        return table_.get(key);
    }

    void wrong(std::string_view key, std::string_view expected)
    {
        if (!failure_.empty()) return;
        auto const* const node = table_.get(key);
        auto const line = node != nullptr ? node->source().begin.line : table_.source().begin.line;
        failure_ = fmt::format("{}:{}: {}: expected {}", file_, line, key, expected);
    }

    /// What is wrong: a value, or a key that nobody asked for.
    [[nodiscard]] std::string failure() const
    {
        if (!failure_.empty()) return failure_;
        for (auto const& [key, node] : table_)
            if (!known_.contains(std::string{key.str()}))
                return fmt::format("{}:{}: {}: no such key", file_, node.source().begin.line, key.str());
        return {};
    }

private:
    template <class T>
    bool take(std::string_view key, T& into, std::string_view expected)
    {
        auto const* const node = get(key);
        if (node == nullptr) return false;
        if (auto const value = node->value_exact<T>()) {
            into = *value;
            return true;
        }
        wrong(key, expected);
        return false;
    }

    toml::table const& table_;
    std::string file_;
    std::set<std::string, std::less<>> known_;
    std::string failure_;
};

template <class T>
auto among(std::initializer_list<std::pair<std::string_view, T>> rows)
{
    return [rows = std::vector<std::pair<std::string_view, T>>{rows}](std::string_view name) -> std::optional<T> {
        auto const row = std::ranges::find(rows, name, [](auto const& r) { return r.first; });
        if (row == rows.end()) return std::nullopt;
        return row->second;
    };
}

std::optional<BirthDate> parse_birth(std::string_view text)
{
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    auto const number = [&](std::size_t at, std::size_t size) -> int {
        int value = 0;
        for (char const c : text.substr(at, size)) {
            if (c < '0' || c > '9') return -1;
            value = value * 10 + (c - '0');
        }
        return value;
    };
    auto const birth = BirthDate{number(0, 4), number(5, 2), number(8, 2)};
    if (birth.year < 1900 || birth.month < 0 || birth.month > 12 || birth.day < 0 || birth.day > 31)
        return std::nullopt;
    if (birth.month == 0 && birth.day != 0) return std::nullopt;
    return birth;
}

Result<Persona> read_persona(std::string name, Persona base, toml::table const& source, std::string const& file)
{
    auto p = std::move(base);
    p.name = std::move(name);
    auto table = Table{source, file};
    static_cast<void>(table.get("like"));

    table.text("shows", p.shows);
    table.text("surname", p.surname);
    table.text("given_names", p.given_names);
    table.text("third_initial", p.third_initial);
    table.choice("sex", p.sex, "female or male", among<Sex>({{"female", Sex::female}, {"male", Sex::male}}));
    if (table.has("age")) p.birth.reset();
    table.choice("birth", p.birth, "YYYY-MM-DD",
                 [](std::string_view text) { return std::optional{std::optional{parse_birth(text)}}; });
    if (table.has("birth") && !p.birth) table.wrong("birth", "YYYY-MM-DD");
    table.number("age", p.age, 0, 120);
    table.number("birthday_in_days", p.birthday_in_days, 0, 366);
    table.number("sequence", p.sequence, 1, 998);
    table.flag("bis", p.bis);
    table.text("birth_place", p.birth_place);
    table.text("nationality", p.nationality);
    table.text("noble_condition", p.noble_condition);
    table.text("special_status", p.special_status);
    table.text("street", p.street);
    table.text("postal_code", p.postal_code);
    table.text("municipality", p.municipality);
    table.choice(
        "language", p.language, "french, dutch or german",
        among<Language>({{"french", Language::french}, {"dutch", Language::dutch}, {"german", Language::german}}));
    table.choice("generation", p.generation, "1.7, 1.7-rekeyed or 1.8",
                 among<Generation>(
                     {{"1.7", Generation::v17}, {"1.7-rekeyed", Generation::v17_rekeyed}, {"1.8", Generation::v18}}));
    table.text("document_type", p.document_type);
    table.flag("foreigner", p.foreigner);
    table.text("card_number", p.card_number);
    table.text("issuing_municipality", p.issuing_municipality);
    table.text("photo", p.photo);
    table.number("issued_days_ago", p.issued_days_ago, -3652, 4600);
    table.number("valid_days", p.valid_days, 1, 3653);
    if (table.has("certificates_end_in_days")) {
        int in_days = 0;
        table.number("certificates_end_in_days", in_days, -3652, 3652);
        p.certificates_end_in_days = in_days;
    }
    table.flag("authentication_certificate", p.authentication_certificate);
    table.flag("signature_certificate", p.signature_certificate);
    table.flag("sha1", p.sha1);
    table.text("pin", p.pin);
    table.number("pin_tries", p.pin_tries, 0, 3);

    constexpr std::string_view status_expected = "good, suspended, revoked or unknown";
    table.choice("authentication_status", p.authentication_standing.status, status_expected, status_named);
    table.choice("signature_status", p.signature_standing.status, status_expected, status_named);
    table.choice("responder", p.authentication_standing.conduct,
                 "honest, stale, stranger, forged, without-nonce, wrong-nonce, try-later or down", conduct_named);
    p.signature_standing.conduct = p.authentication_standing.conduct;
    table.flag("crl", p.crl);

    if (auto const* const node = table.get("faults")) {
        auto const* const list = node->as_array();
        if (list == nullptr) table.wrong("faults", "a list of names");
        p.faults = {};
        for (auto const& entry : list != nullptr ? *list : toml::array{}) {
            auto const fault = std::ranges::find(faults, entry.value_or(std::string_view{}), &Fault::name);
            if (fault == faults.end()) table.wrong("faults", "names of faults, such as \"cloned\"");
            else p.faults.*(fault->member) = true;
        }
    }

    auto const digits = [](std::string_view text) {
        return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    };
    if (p.surname.empty()) table.wrong("surname", "a text");
    if (p.pin.size() < 4 || p.pin.size() > 12 || !digits(p.pin)) table.wrong("pin", "4 to 12 digits");
    if (!p.foreigner && (p.card_number.size() != 10 || !digits(p.card_number)))
        table.wrong("card_number", "ten digits");
    if (auto failure = table.failure(); !failure.empty())
        return fail(Outcome::configuration_invalid, std::move(failure));
    return p;
}

} // namespace

Result<std::vector<Persona>> load_personas(std::filesystem::path const& file)
{
    auto const parsed = toml::parse_file(file.string());
    if (!parsed)
        return fail(
            Outcome::configuration_invalid,
            fmt::format("{}:{}: {}", file.string(), parsed.error().source().begin.line, parsed.error().description()));
    auto const& root = parsed.table();

    // In the order of the file: `like` names a table above, and lists read as the file does.
    std::vector<std::pair<toml::source_index, std::string>> order;
    for (auto const& [key, node] : root) order.emplace_back(node.source().begin.line, key.str());
    std::ranges::sort(order);

    std::vector<Persona> personas;
    for (auto const& [line, name] : order) {
        auto const at = fmt::format("{}:{}: {}", file.string(), line, name);
        auto const* const table = root[name].as_table();
        if (table == nullptr) return fail(Outcome::configuration_invalid, at + ": expected a table");
        auto const name_fits = std::ranges::all_of(
            name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
        if (!name_fits)
            return fail(Outcome::configuration_invalid, at + ": expected a name of small letters, digits and hyphens");
        Persona base;
        if (auto const like = (*table)["like"].value<std::string>()) {
            auto const found = persona_named(personas, *like);
            if (!found) return fail(Outcome::configuration_invalid, at + ": like: no such table above");
            base = *found;
        }
        personas.push_back(TRY(read_persona(name, std::move(base), *table, file.string())));
    }
    return personas;
}

Result<Persona> persona_named(std::vector<Persona> const& personas, std::string_view name)
{
    auto const found = std::ranges::find(personas, name, &Persona::name);
    if (found == personas.end()) return fail(Outcome::not_found, fmt::format("no persona is called {}", name));
    return *found;
}

} // namespace symbolon::virtual_card
