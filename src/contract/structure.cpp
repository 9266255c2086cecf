#include "contract/structure.hpp"

#include "base/ensure.hpp"
#include "crypto/encoding.hpp"

#include <fmt/format.h>
#include <qpdf/qpdf-c.h>

#include <algorithm>

namespace symbolon::contract {

namespace {

// Numbers that stand in ByteRange until the file's length is known: as wide as any that will.
constexpr std::string_view byte_range_placeholder = "/ByteRange [ 0 9999999991 9999999992 9999999993 ]";
constexpr std::size_t smallest_place = 512;

/// ISO 32000-1 §7.9.4.
std::string pdf_date(Instant at)
{
    auto const day = std::chrono::floor<std::chrono::days>(at);
    std::chrono::year_month_day const date{day};
    std::chrono::hh_mm_ss const time{at - day};
    return fmt::format("D:{:04}{:02}{:02}{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                       time.minutes().count(), time.seconds().count());
}

/// A PDF in qpdf's hands, through its C interface: its C++ headers are not of C++23. All that it reads was written by
/// us, so that every error is our own mistake.
class Pdf {
public:
    using Object = qpdf_oh;

    explicit Pdf(ByteView bytes) : pdf_{qpdf_init()}, bytes_{bytes.begin(), bytes.end()}
    {
        qpdf_set_suppress_warnings(pdf_, QPDF_TRUE);
        qpdf_silence_errors(pdf_);
        auto const text = text_of(bytes_);
        qpdf_read_memory(pdf_, "contract", text.data(), text.size(), nullptr);
        check();
    }
    Pdf(Pdf const&) = delete;
    Pdf& operator=(Pdf const&) = delete;
    ~Pdf() { qpdf_cleanup(&pdf_); }

    [[nodiscard]] Object root() const { return qpdf_get_root(pdf_); }
    [[nodiscard]] Object info() const { return qpdf_oh_get_key(pdf_, qpdf_get_trailer(pdf_), "/Info"); }
    [[nodiscard]] Object last_page() const
    {
        return qpdf_get_page_n(pdf_, static_cast<std::size_t>(qpdf_get_num_pages(pdf_)) - 1);
    }

    /// An object written in PDF's own syntax, without references.
    [[nodiscard]] Object object(std::string const& syntax) const { return qpdf_oh_parse(pdf_, syntax.c_str()); }
    [[nodiscard]] Object text(std::string const& utf8) const { return qpdf_oh_new_unicode_string(pdf_, utf8.c_str()); }
    [[nodiscard]] Object indirect(Object object) const { return qpdf_make_indirect_object(pdf_, object); }

    void set(Object dictionary, char const* key, Object value) const
    {
        qpdf_oh_replace_key(pdf_, dictionary, key, value);
    }
    void set(Object dictionary, char const* key, std::string const& syntax) const
    {
        set(dictionary, key, object(syntax));
    }
    void remove(Object dictionary, char const* key) const { qpdf_oh_remove_key(pdf_, dictionary, key); }

    [[nodiscard]] Object array_of(std::vector<Object> const& items) const
    {
        auto const array = qpdf_oh_new_array(pdf_);
        for (auto const item : items) qpdf_oh_append_item(pdf_, array, item);
        return array;
    }

    [[nodiscard]] Object streams(std::vector<Bytes> const& all) const
    {
        std::vector<Object> items;
        for (auto const& bytes : all) {
            auto const stream = qpdf_oh_new_stream(pdf_);
            auto const none = qpdf_oh_new_null(pdf_);
            qpdf_oh_replace_stream_data(pdf_, stream, bytes.data(), bytes.size(), none, none);
            items.push_back(stream);
        }
        return array_of(items);
    }

    /// Gives every font of every page that table.
    void replace_to_unicode(std::string const& table) const
    {
        auto const none = qpdf_oh_new_null(pdf_);
        for (int page = 0; page < qpdf_get_num_pages(pdf_); ++page) {
            auto const resources =
                qpdf_oh_get_key(pdf_, qpdf_get_page_n(pdf_, static_cast<std::size_t>(page)), "/Resources");
            auto const fonts = qpdf_oh_get_key(pdf_, resources, "/Font");
            qpdf_oh_begin_dict_key_iter(pdf_, fonts);
            while (qpdf_oh_dict_more_keys(pdf_) != QPDF_FALSE) {
                auto const font = qpdf_oh_get_key(pdf_, fonts, qpdf_oh_dict_next_key(pdf_));
                qpdf_oh_replace_stream_data(pdf_, qpdf_oh_get_key(pdf_, font, "/ToUnicode"), bytes_of(table).data(),
                                            table.size(), none, none);
            }
        }
        check();
    }

    [[nodiscard]] Bytes written() const
    {
        qpdf_init_write_memory(pdf_);
        qpdf_set_minimum_pdf_version(pdf_, "1.7");
        qpdf_set_object_stream_mode(pdf_, qpdf_o_disable);
        qpdf_set_deterministic_ID(pdf_, QPDF_TRUE);
        qpdf_write(pdf_);
        check();
        auto const* const begin = qpdf_get_buffer(pdf_);
        return {begin, begin + qpdf_get_buffer_length(pdf_)};
    }

private:
    void check() const
    {
        if (qpdf_has_error(pdf_) != QPDF_FALSE)
            broken_promise(qpdf_get_error_full_text(pdf_, qpdf_get_error(pdf_)), std::source_location::current());
    }

    qpdf_data pdf_;
    Bytes bytes_; ///< qpdf reads from it until the end
};

/// What each code of a font means: the fonts' codes are UTF-16 code units, so every code means itself (ISO 32000-1
/// §9.10.3). libharu writes a table that readers complain about.
std::string identity_to_unicode()
{
    std::string table = "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
                        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
                        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
                        "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n";
    for (int first = 0; first < 256; first += 64) { // at most 100 ranges in a block, none over two first bytes
        table += "64 beginbfrange\n";
        for (int high = first; high < first + 64; ++high)
            table += fmt::format("<{0:02X}00> <{0:02X}FF> <{0:02X}00>\n", high);
        table += "endbfrange\n";
    }
    return table + "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n";
}

void add_metadata(Pdf const& pdf, Language language, std::string const& title)
{
    pdf.replace_to_unicode(identity_to_unicode());
    pdf.set(pdf.root(), "/Lang", pdf.text(std::string{name_of(language)}));
    pdf.set(pdf.root(), "/ViewerPreferences", "<< /DisplayDocTitle true >>");
    pdf.set(pdf.info(), "/Title", pdf.text(title));
    pdf.remove(pdf.info(), "/Producer");
}

/// EN 319 142-1 §5.4.2.2: what a verifier needs long after the issuer has stopped answering.
void add_security_store(Pdf const& pdf, std::vector<Bytes> const& certificates, std::vector<Bytes> const& ocsp_answers)
{
    auto const store = pdf.object("<< /Type /DSS >>");
    pdf.set(store, "/Certs", pdf.streams(certificates));
    if (!ocsp_answers.empty()) pdf.set(store, "/OCSPs", pdf.streams(ocsp_answers));
    pdf.set(pdf.root(), "/DSS", pdf.indirect(store));
    // EN 319 142-1 §5.6: such a file names the extension of PDF that it uses.
    pdf.set(pdf.root(), "/Extensions", "<< /ESIC << /BaseVersion /1.7 /ExtensionLevel 2 >> >>");
}

/// ISO 32000-1 §12.7.4.5 and §12.8.1, EN 319 142-1 §5.3. The field shows nothing: the page has its own frame.
void add_signature_field(Pdf const& pdf, Instant signing_time, std::size_t place_bytes)
{
    auto const signature =
        pdf.object(fmt::format("<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached {} /M ({}) >>",
                               byte_range_placeholder, pdf_date(signing_time)));
    pdf.set(signature, "/Contents", '<' + std::string(2 * place_bytes, '0') + '>');

    auto const page = pdf.last_page();
    auto const field = pdf.object("<< /Type /Annot /Subtype /Widget /FT /Sig /T (holder) /Rect [ 0 0 0 0 ] "
                                  "/F 132 >>"); // Print and Locked
    pdf.set(field, "/P", page);
    pdf.set(field, "/V", pdf.indirect(signature));
    auto const indirect = pdf.indirect(field);
    pdf.set(page, "/Annots", pdf.array_of({indirect}));
    auto const form = pdf.object("<< /SigFlags 3 >>"); // signatures exist; changes only by appending
    pdf.set(form, "/Fields", pdf.array_of({indirect}));
    pdf.set(pdf.root(), "/AcroForm", form);
}

/// Where the empty place lies: from its '<' to behind its '>'.
struct Place {
    std::size_t begin;
    std::size_t end;
};

Result<Place> find_place(ByteView pdf)
{
    auto const text = text_of(pdf);
    std::string const zeros(2 * smallest_place, '0');
    auto const contents = text.find("/Contents <" + zeros);
    if (contents == std::string_view::npos) return fail(Outcome::data_damaged, "the contract has no empty place");
    auto const begin = text.find('<', contents);
    auto const behind_zeros = text.find_first_not_of('0', begin + 1);
    if (behind_zeros == std::string_view::npos || text[behind_zeros] != '>')
        return fail(Outcome::data_damaged, "the contract's place is not empty");
    if (text.find("/Contents <" + zeros, behind_zeros) != std::string_view::npos)
        return fail(Outcome::data_damaged, "the contract has two empty places");
    return Place{begin, behind_zeros + 1};
}

} // namespace

Bytes with_metadata(ByteView pages, Language language, std::string const& title)
{
    Pdf const pdf{pages};
    add_metadata(pdf, language, title);
    return pdf.written();
}

Bytes with_signature_field(ByteView pages, Language language, std::string const& title, Instant signing_time,
                           std::vector<Bytes> const& certificates, std::vector<Bytes> const& ocsp_answers,
                           std::size_t place_bytes)
{
    Pdf const pdf{pages};
    add_metadata(pdf, language, title);
    add_security_store(pdf, certificates, ocsp_answers);
    add_signature_field(pdf, signing_time, std::max(place_bytes, smallest_place));
    auto bytes = pdf.written();

    auto const place = find_place(bytes);
    ENSURE(place.has_value());
    auto const at = text_of(bytes).find(byte_range_placeholder);
    ENSURE(at != std::string_view::npos);
    auto byte_range = fmt::format("/ByteRange [ 0 {} {} {} ]", place->begin, place->end, bytes.size() - place->end);
    ENSURE(byte_range.size() <= byte_range_placeholder.size());
    byte_range.resize(byte_range_placeholder.size(), ' ');
    std::ranges::copy(bytes_of(byte_range), bytes.begin() + static_cast<std::ptrdiff_t>(at));
    return bytes;
}

Result<SignedRanges> signed_ranges(ByteView pdf)
{
    auto const place = TRY(find_place(pdf));
    return SignedRanges{pdf.first(place.begin), pdf.subspan(place.end)};
}

Result<Bytes> with_cms(Bytes pdf, ByteView cms)
{
    auto const place = TRY(find_place(pdf));
    auto const digits = crypto::hex(cms);
    if (digits.size() > place.end - place.begin - 2)
        return fail(Outcome::data_damaged, "the CMS is larger than its place");
    std::ranges::copy(bytes_of(digits), pdf.begin() + static_cast<std::ptrdiff_t>(place.begin) + 1);
    return pdf;
}

} // namespace symbolon::contract
