#include "contract/pages.hpp"

#include "base/brussels.hpp"
#include "base/dates.hpp"
#include "base/ensure.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <hpdf.h>

#include <array>
#include <memory>

namespace symbolon::contract {

namespace {

// Points of 1/72 inch, from the bottom left of an A4 page.
constexpr float page_width = 595.28F;
constexpr float page_height = 841.89F;
constexpr float margin = 62;
constexpr float text_width = page_width - 2 * margin;
constexpr float bottom = 70;
constexpr float label_width = 158;
constexpr int clauses = 8;

constexpr float body_size = 9.5F;
constexpr float leading = 1.42F; ///< of the letters' size

struct FreeDocument {
    void operator()(HPDF_Doc document) const { HPDF_Free(document); }
};
using Document = std::unique_ptr<std::remove_pointer_t<HPDF_Doc>, FreeDocument>;

struct Colour {
    float red, green, blue;
};
constexpr Colour ink{0.13F, 0.13F, 0.16F};
constexpr Colour quiet{0.38F, 0.38F, 0.42F};
constexpr Colour warning{0.68F, 0.07F, 0.07F};
constexpr Colour line{0.78F, 0.78F, 0.82F};

/// Text that the fonts can show: libharu knows the Basic Multilingual Plane alone, and a control character has no
/// shape.
std::string drawable(std::string_view text)
{
    std::string clean;
    for (std::size_t i = 0; i < text.size();) {
        auto const lead = static_cast<Byte>(text[i]);
        auto const size = lead < 0x80 ? 1UZ : lead < 0xE0 ? 2UZ : lead < 0xF0 ? 3UZ : 4UZ;
        if (size == 4) clean += "\uFFFD";
        else if (size > 1 || lead >= 0x20) clean += text.substr(i, size);
        else clean += ' ';
        i += size;
    }
    return clean;
}

/// One code point of UTF-8 after another.
std::size_t code_point_end(std::string_view text, std::size_t at)
{
    ++at;
    while (at < text.size() && (static_cast<Byte>(text[at]) & 0xC0U) == 0x80U) ++at;
    return at;
}

/// Lines down a page, and the next page when it is full.
class Writer {
public:
    Writer(HPDF_Doc document, HPDF_Font regular, HPDF_Font bold) : document_{document}, regular_{regular}, bold_{bold}
    {
        new_page();
    }

    enum class Weight : std::uint8_t { regular, bold };
    struct Style {
        float size = body_size;
        Weight weight = Weight::regular;
        Colour colour = ink;
    };

    /// A paragraph from `left` on, at most `width` wide.
    void paragraph(std::string const& text, Style const& style, float left = margin, float width = text_width)
    {
        for (auto const& one : lines_of(text, style, width)) {
            room_for(style.size * leading);
            y_ -= style.size * leading;
            put(one, style, left, y_);
        }
    }

    /// A label and what it stands for, side by side.
    void fact(std::string const& label, std::string const& value)
    {
        constexpr Style label_style{.colour = quiet};
        constexpr Style value_style{};
        auto const labels = lines_of(label, label_style, label_width - 12);
        auto const values = lines_of(value, value_style, text_width - label_width);
        auto const rows = std::max(labels.size(), values.size());
        room_for(static_cast<float>(rows) * body_size * leading);
        for (std::size_t i = 0; i < rows; ++i) {
            y_ -= body_size * leading;
            if (i < labels.size()) put(labels[i], label_style, margin, y_);
            if (i < values.size()) put(values[i], value_style, margin + label_width, y_);
        }
        gap(2.5F);
    }

    /// Keeps what comes next together: goes to the next page unless so much room is left.
    void room_for(float height)
    {
        if (y_ - height < bottom) new_page();
    }

    void gap(float height) { y_ -= height; }

    void rule()
    {
        HPDF_Page_SetRGBStroke(page(), line.red, line.green, line.blue);
        HPDF_Page_SetLineWidth(page(), 0.6F);
        HPDF_Page_MoveTo(page(), margin, y_);
        HPDF_Page_LineTo(page(), page_width - margin, y_);
        HPDF_Page_Stroke(page());
    }

    /// A frame around what was written since `top`, on one page.
    void frame(float top)
    {
        HPDF_Page_SetRGBStroke(page(), line.red, line.green, line.blue);
        HPDF_Page_SetLineWidth(page(), 0.8F);
        HPDF_Page_Rectangle(page(), margin - 10, y_ - 10, text_width + 20, top - y_ + 16);
        HPDF_Page_Stroke(page());
    }

    [[nodiscard]] float height_of(std::string const& text, Style const& style) const
    {
        return static_cast<float>(lines_of(text, style, text_width).size()) * style.size * leading;
    }

    [[nodiscard]] float y() const { return y_; }

    /// The foot of every page, once all are written.
    void feet(Texts const& texts, Language language, std::string const& left)
    {
        constexpr Style style{.size = 7.5F, .colour = quiet};
        for (std::size_t i = 0; i < pages_.size(); ++i) {
            current_ = i;
            put(left, style, margin, 42);
            auto const number = texts.text(language, "contract.page",
                                           {{"page", std::to_string(i + 1)}, {"pages", std::to_string(pages_.size())}});
            put(number, style, page_width - margin - width_of(number, style), 42);
        }
    }

private:
    [[nodiscard]] HPDF_Page page() const { return pages_[current_]; }

    void new_page()
    {
        pages_.push_back(HPDF_AddPage(document_));
        current_ = pages_.size() - 1;
        HPDF_Page_SetSize(page(), HPDF_PAGE_SIZE_A4, HPDF_PAGE_PORTRAIT);
        y_ = page_height - margin;
    }

    void select(Style const& style) const
    {
        HPDF_Page_SetFontAndSize(page(), style.weight == Weight::bold ? bold_ : regular_, style.size);
    }

    [[nodiscard]] float width_of(std::string const& text, Style const& style) const
    {
        select(style);
        return HPDF_Page_TextWidth(page(), text.c_str());
    }

    void put(std::string const& text, Style const& style, float x, float y) const
    {
        HPDF_Page_BeginText(page());
        select(style);
        HPDF_Page_SetRGBFill(page(), style.colour.red, style.colour.green, style.colour.blue);
        HPDF_Page_TextOut(page(), x, y, text.c_str());
        HPDF_Page_EndText(page());
    }

    /// The text in lines no wider than `width`: between words, and within a word that is wider than a line.
    [[nodiscard]] std::vector<std::string> lines_of(std::string const& text, Style const& style, float width) const
    {
        std::vector<std::string> lines;
        std::string current;
        for (auto const part : split(text, ' ')) {
            std::string word{part};
            auto longer = current;
            if (!longer.empty()) longer += ' ';
            longer += word;
            if (width_of(longer, style) <= width) {
                current = std::move(longer);
                continue;
            }
            if (!current.empty()) lines.push_back(std::exchange(current, {}));
            while (width_of(word, style) > width) {
                std::size_t fits = code_point_end(word, 0);
                for (auto end = fits; end < word.size() && width_of(word.substr(0, end), style) <= width;) {
                    fits = end;
                    end = code_point_end(word, end);
                }
                lines.push_back(word.substr(0, fits));
                word.erase(0, fits);
            }
            current = word;
        }
        if (!current.empty()) lines.push_back(current);
        return lines;
    }

    HPDF_Doc document_;
    HPDF_Font regular_;
    HPDF_Font bold_;
    std::vector<HPDF_Page> pages_;
    std::size_t current_ = 0;
    float y_ = 0;
};

/// "1985-07-30" as people of that language write it; "1985-07" and "1985" stay as they are.
std::string birth_text(Texts const& texts, Language language, std::string const& iso)
{
    if (iso.size() != 10 || !is_digits(iso.substr(0, 4)) || !is_digits(iso.substr(5, 2)) || !is_digits(iso.substr(8)))
        return iso;
    std::chrono::year_month_day const date{std::chrono::year{std::stoi(iso.substr(0, 4))},
                                           std::chrono::month{static_cast<unsigned>(std::stoi(iso.substr(5, 2)))},
                                           std::chrono::day{static_cast<unsigned>(std::stoi(iso.substr(8)))}};
    return date.ok() ? date_text(texts, language, date) : iso;
}

void write_contract(Writer& writer, ContractData const& data, Texts const& texts)
{
    using Weight = Writer::Weight;
    auto const text = [&](std::string_view key, Texts::Values const& values = {}) {
        return texts.text(data.language, "contract." + std::string{key}, values);
    };
    auto const name = drawable(data.holder_name);

    if (data.is_test_pki) {
        writer.paragraph(text("test_banner"), {.weight = Weight::bold, .colour = warning});
        writer.gap(8);
    }
    writer.paragraph(text("title"), {.size = 18, .weight = Weight::bold});
    writer.gap(3);
    writer.paragraph(text("subtitle", {{"operator", drawable(data.operator_name)}, {"name", name}}),
                     {.size = 10.5F, .colour = quiet});
    writer.gap(14);
    writer.rule();
    writer.gap(6);
    writer.paragraph(text("facts"), {.size = 11, .weight = Weight::bold});
    writer.gap(4);
    writer.fact(text("holder"), name);
    writer.fact(text("born"), drawable(birth_text(texts, data.language, data.birth_date)));
    writer.fact(text("card_number"), drawable(data.card_number));
    writer.fact(text("phone_number"), drawable(data.phone_number));
    writer.fact(text("email"), drawable(data.email));
    writer.fact(text("language"), text("language_name"));
    writer.fact(text("location"), text(data.location_consent ? "location_yes" : "location_no"));
    writer.fact(text("date"), date_text(texts, data.language, date_in_brussels(data.at)));
    writer.fact(text("contract_version"), text("version"));
    writer.fact(text("reference"), drawable(data.reference));
    writer.gap(6);
    writer.rule();
    writer.gap(4);

    for (int i = 1; i <= clauses; ++i) {
        auto const key = "clause_" + std::to_string(i);
        writer.gap(6);
        writer.room_for(4 * body_size * leading); // a heading never stands alone at the foot of a page
        writer.paragraph(text(key + "_heading"), {.size = 10.5F, .weight = Weight::bold});
        writer.gap(1.5F);
        writer.paragraph(text(key), {});
    }

    auto const signature = text("signature_text", {{"name", name}});
    writer.gap(26);
    writer.room_for(writer.height_of(signature, {}) + 40);
    auto const top = writer.y();
    writer.paragraph(text("signature"), {.size = 10.5F, .weight = Weight::bold});
    writer.gap(2);
    writer.paragraph(signature, {});
    writer.frame(top);
}

/// ISO 32000-1 §7.9.4, as libharu takes it.
HPDF_Date utc(Instant at)
{
    auto const day = std::chrono::floor<std::chrono::days>(at);
    std::chrono::year_month_day const date{day};
    std::chrono::hh_mm_ss const time{at - day};
    return {static_cast<int>(date.year()),
            static_cast<int>(static_cast<unsigned>(date.month())),
            static_cast<int>(static_cast<unsigned>(date.day())),
            static_cast<int>(time.hours().count()),
            static_cast<int>(time.minutes().count()),
            static_cast<int>(time.seconds().count()),
            'Z',
            0,
            0};
}

} // namespace

Result<Bytes> draw_pages(ContractData const& data, Texts const& texts, Fonts const& fonts)
{
    Document const document{HPDF_New(nullptr, nullptr)};
    ENSURE(document != nullptr);
    auto* const pdf = document.get();
    HPDF_UseUTFEncodings(pdf);
    HPDF_SetCompressionMode(pdf, HPDF_COMP_ALL);
    HPDF_SetInfoDateAttr(pdf, HPDF_INFO_CREATION_DATE, utc(data.at));

    auto const load = [&](std::filesystem::path const& file) -> HPDF_Font {
        auto const* const name = HPDF_LoadTTFontFromFile(pdf, file.c_str(), HPDF_TRUE);
        return name == nullptr ? nullptr : HPDF_GetFont(pdf, name, "UTF-8");
    };
    auto* const regular = load(fonts.regular);
    auto* const bold = load(fonts.bold);
    if (regular == nullptr || bold == nullptr)
        return fail(Outcome::configuration_invalid, "the fonts of the contract can't be read: " +
                                                        (regular == nullptr ? fonts.regular : fonts.bold).string());

    Writer writer{pdf, regular, bold};
    write_contract(writer, data, texts);
    writer.feet(texts, data.language, drawable(data.reference) + " · " + texts.text(data.language, "contract.version"));

    HPDF_SaveToStream(pdf);
    ENSURE(HPDF_GetError(pdf) == HPDF_OK);
    auto size = HPDF_GetStreamSize(pdf);
    Bytes bytes(size);
    HPDF_ResetStream(pdf);
    HPDF_ReadFromStream(pdf, bytes.data(), &size);
    bytes.resize(size);
    return bytes;
}

} // namespace symbolon::contract
