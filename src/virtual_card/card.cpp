#include "virtual_card/card.hpp"

#include "base/ensure.hpp"
#include "virtual_card/openssl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace symbolon::virtual_card {

namespace {

using std::chrono::days;

// ---- the files of PKCS#15 (eid-card.md §2) ------------------------------------------------------------------------

/// DER: tag, length, contents.
Bytes der(Byte tag, ByteView contents)
{
    ENSURE(contents.size() < 0x10000);
    Bytes out{tag};
    if (contents.size() >= 0x100) {
        out.insert(out.end(), {0x82, static_cast<Byte>(contents.size() >> 8U)});
    } else if (contents.size() >= 0x80) {
        out.push_back(0x81);
    }
    out.push_back(static_cast<Byte>(contents.size()));
    append(out, contents);
    return out;
}

Bytes joined(std::initializer_list<Bytes> parts)
{
    Bytes out;
    for (auto const& part : parts) append(out, part);
    return out;
}

Bytes der(Byte tag, std::initializer_list<Bytes> parts) { return der(tag, ByteView{joined(parts)}); }

constexpr Byte boolean = 0x01;
constexpr Byte integer = 0x02;
constexpr Byte bit_string = 0x03;
constexpr Byte octet_string = 0x04;
constexpr Byte enumerated = 0x0A;
constexpr Byte utf8_string = 0x0C;
constexpr Byte sequence = 0x30;

Bytes path_to(FilePath file)
{
    Bytes path{0x3F, 0x00};
    if (file.directory != 0x3F00)
        path.insert(path.end(), {static_cast<Byte>(file.directory >> 8U), static_cast<Byte>(file.directory)});
    if (file.file != 0) path.insert(path.end(), {static_cast<Byte>(file.file >> 8U), static_cast<Byte>(file.file)});
    return der(sequence, {der(octet_string, path)});
}

/// PKCS#15 CommonObjectAttributes: label, private and modifiable, authenticated by PIN 01, user consent where needed.
Bytes common_attributes(std::string_view label, bool user_consent = false)
{
    auto contents =
        joined({der(utf8_string, bytes_of(label)), der(bit_string, Bytes{0x06, 0xC0}), der(octet_string, Bytes{0x01})});
    if (user_consent) append(contents, der(integer, Bytes{0x01}));
    return der(sequence, contents);
}

Bytes directory_file()
{
    return der(0x61, {der(0x4F, Bytes{0xA0, 0x00, 0x00, 0x01, 0x77, 'P', 'K', 'C', 'S', '-', '1', '5'}),
                      der(0x50, bytes_of("BELPIC")), der(0x51, Bytes{0x3F, 0x00, 0xDF, 0x00}),
                      der(0x73, {der(0x06, Bytes{0x60, 0x38, 0x02})})});
}

Bytes object_directory()
{
    return joined({der(0xA0, path_to(files::private_keys)), der(0xA4, path_to(files::certificates)),
                   der(0xA8, path_to(files::authentication_objects))});
}

Bytes token_info(ByteView chip_serial, Generation generation)
{
    // Graphical and electrical personalisation, version of the electrical interface, reserved.
    auto const electrical = static_cast<Byte>(generation == Generation::v18 ? 0x04 : 0x03);
    return der(sequence, {der(integer, Bytes{0x00}), der(octet_string, chip_serial), der(0x80, bytes_of("BELPIC")),
                          der(bit_string, Bytes{0x04, 0x30}), der(0x9E, Bytes{0x01, electrical, 0x00, 0x00})});
}

Bytes authentication_objects()
{
    auto const label = der(sequence, {der(utf8_string, bytes_of("Basic PIN")), der(bit_string, Bytes{0x06, 0xC0})});
    auto const attributes =
        der(sequence, {der(bit_string, Bytes{0x02, 0x0C}), // initialized, needs-padding
                       der(enumerated, Bytes{0x00}),       // bcd, it says; GlobalPlatform, it is
                       der(integer, Bytes{0x04}), der(integer, Bytes{0x08}), der(0x80, Bytes{0x01}),
                       der(octet_string, Bytes{0xFF}), der(sequence, {der(octet_string, Bytes{0x3F, 0x00})})});
    return der(sequence, {label, der(sequence, {der(octet_string, Bytes{0x01})}), der(0xA1, attributes)});
}

Bytes private_keys(Generation generation)
{
    auto const ec = generation == Generation::v18;
    auto const key = [ec](std::string_view label, bool user_consent, Byte id, Bytes const& usage, Byte reference) {
        auto const common_key =
            der(sequence, {der(octet_string, Bytes{id}), der(bit_string, usage), der(bit_string, Bytes{0x03, 0xB8}),
                           der(integer, Bytes{0x00, reference})});
        auto const size = ec ? Bytes{0x01, 0x80} : Bytes{0x08, 0x00};
        auto const type = der(0xA1, {der(sequence, {path_to({0xDF00, 0}), der(integer, size)})});
        return der(ec ? 0xA0 : sequence, {common_attributes(label, user_consent), common_key, type});
    };
    return joined({key("Authentication", false, 0x02, {0x05, 0x20}, 0x82),
                   key("Signature", true, 0x03, {0x06, 0x00, 0x40}, 0x83)});
}

Bytes certificates(bool authentication, bool signature)
{
    constexpr std::size_t file_size = 0xB0;
    auto const entry = [](std::string_view label, Byte id, bool authority, FilePath file) {
        auto attributes = der(octet_string, Bytes{id});
        if (authority) append(attributes, der(boolean, Bytes{0xFF}));
        return der(sequence,
                   {common_attributes(label), der(sequence, attributes), der(0xA1, {der(sequence, {path_to(file)})})});
    };
    Bytes out;
    if (authentication) append(out, entry("Authentication", 0x02, false, files::authentication_certificate));
    if (signature) append(out, entry("Signature", 0x03, false, files::signature_certificate));
    append(out, entry("CA", 0x04, true, files::ca_certificate));
    append(out, entry("Root", 0x06, true, files::root_certificate));
    if (out.size() < file_size) out.resize(file_size);
    return out;
}

// ---- identity and address (eid-card.md §4) ------------------------------------------------------------------------

/// One-byte tag, then the length: FF bytes added up, and a last byte below FF.
void add_field(Bytes& to, Byte tag, ByteView value)
{
    to.push_back(tag);
    auto left = value.size();
    for (; left >= 0xFF; left -= 0xFF) to.push_back(0xFF);
    to.push_back(static_cast<Byte>(left));
    append(to, value);
}

Result<void> add_text(Bytes& to, Byte tag, std::string_view value, std::size_t most_bytes)
{
    if (value.size() > most_bytes)
        return fail(Outcome::configuration_invalid, fmt::format("tag {:02X} holds at most {} bytes", tag, most_bytes));
    add_field(to, tag, bytes_of(value));
    return {};
}

std::string date_text(Instant at)
{
    auto const date = std::chrono::year_month_day{std::chrono::floor<days>(at)};
    return fmt::format("{:02}.{:02}.{:04}", static_cast<unsigned>(date.day()), static_cast<unsigned>(date.month()),
                       static_cast<int>(date.year()));
}

constexpr std::array<std::array<std::string_view, 12>, 3> month_names{{
    {"JAN", "FEV", "MARS", "AVR", "MAI", "JUIN", "JUIL", "AOUT", "SEPT", "OCT", "NOV", "DEC"},
    {"JAN", "FEB", "MAAR", "APR", "MEI", "JUN", "JUL", "AUG", "SEP", "OKT", "NOV", "DEC"},
    {"JAN", "FEB", "MÄR", "APR", "MAI", "JUN", "JUL", "AUG", "SEP", "OKT", "NOV", "DEZ"},
}};

/// "30 JUL  1985", "13.AUG. 1996", "13.MÄR.1996", "JUL  1971", "1971": at most 12 bytes.
std::string birth_text(BirthDate const& birth, Language language)
{
    auto year = fmt::format("{:04}", birth.year);
    if (birth.month == 0) return year;
    auto const month =
        std::string{month_names.at(static_cast<std::size_t>(language)).at(static_cast<std::size_t>(birth.month - 1))};
    auto const german = language == Language::german;
    auto text = birth.day == 0 ? std::string{} : fmt::format("{:02}{}", birth.day, german ? "." : " ");
    text += month + (german ? "." : "");
    do text += german && text.size() + year.size() >= 12 ? "" : " ";
    while (text.size() + year.size() < 12 && birth.day != 0);
    return text + year;
}

std::string_view sex_text(Sex sex, Language language)
{
    if (sex == Sex::male) return "M";
    switch (language) {
    case Language::french: return "F";
    case Language::dutch: return "V";
    case Language::german: return "W";
    }
    return "F";
}

/// Belgian cards: ten digits and their remainder by 97 (0 is written 97). Foreigners' cards as they are printed.
std::string card_number(Persona const& persona)
{
    if (persona.foreigner || persona.card_number.size() != 10) return persona.card_number;
    std::uint64_t number = 0;
    std::from_chars(persona.card_number.data(), persona.card_number.data() + persona.card_number.size(), number);
    auto const remainder = number % 97;
    return fmt::format("{}{:02}", persona.card_number, remainder == 0 ? 97 : remainder);
}

/// The national number with the digits before the check changed, so that it is another, valid one.
std::string other_number(Persona persona, Instant now)
{
    persona.sequence = persona.sequence > 500 ? persona.sequence - 200 : persona.sequence + 200;
    return national_number(persona, now);
}

std::string printed_number(Persona const& persona, Instant now)
{
    auto number = national_number(persona, now);
    if (persona.faults.national_number_wrong)
        number.back() = number.back() == '9' ? '0' : static_cast<char>(number.back() + 1);
    return number;
}

struct Validity {
    Instant from, until;
};

Validity validity_of(Persona const& persona, Instant now)
{
    auto const from = Instant{std::chrono::floor<days>(now)} - days{persona.issued_days_ago};
    return {from, from + days{persona.valid_days}};
}

Bytes chip_serial_of(Persona const& persona)
{
    // Vendor, chip maker, then what is the chip's own.
    auto serial = Bytes{'S', 'V', 'V', 'C'};
    auto const own = digest(EVP_sha256(), bytes_of("chip of " + persona.name));
    append(serial, ByteView{own}.first(12));
    return serial;
}

EVP_MD const* photo_digest(Persona const& persona)
{
    if (persona.generation == Generation::v18) return EVP_sha384();
    return persona.sha1 ? EVP_sha1() : EVP_sha256();
}

Result<Bytes> identity_file(Persona const& persona, Bytes const& chip_serial, Bytes const& photo_hash,
                            Bytes const& key_hash, Instant now)
{
    auto const [from, until] = validity_of(persona, now);
    auto number_of_chip = chip_serial;
    if (persona.faults.chip_number_of_other_card) number_of_chip.back() ^= 0xFF;
    Bytes f;
    TRY(add_text(f, 0x01, card_number(persona), 12));
    add_field(f, 0x02, number_of_chip);
    TRY(add_text(f, 0x03, date_text(from), 10));
    TRY(add_text(f, 0x04, date_text(until), 10));
    TRY(add_text(f, 0x05, persona.issuing_municipality, 47));
    TRY(add_text(f, 0x06, printed_number(persona, now), 11));
    TRY(add_text(f, 0x07, persona.surname, 90));
    TRY(add_text(f, 0x08, persona.given_names, 75));
    TRY(add_text(f, 0x09, persona.third_initial, 3));
    TRY(add_text(f, 0x0A, persona.nationality, 65));
    TRY(add_text(f, 0x0B, persona.birth_place, 60));
    TRY(add_text(f, 0x0C, birth_text(birth_date(persona, now), persona.language), 12));
    TRY(add_text(f, 0x0D, sex_text(persona.sex, persona.language), 1));
    TRY(add_text(f, 0x0E, persona.noble_condition, 30));
    TRY(add_text(f, 0x0F, persona.document_type, 2));
    TRY(add_text(f, 0x10, persona.special_status, 1));
    add_field(f, 0x11, photo_hash);
    TRY(add_text(f, 0x12, "01", 2));
    if (!key_hash.empty()) add_field(f, 0x1A, key_hash);
    // Programs in the field read it into 512 bytes.
    if (f.size() >= 512)
        return fail(Outcome::configuration_invalid, "the identity file of " + persona.name + " has 512 bytes or more");
    return f;
}

Result<Bytes> address_file(std::string_view street, std::string_view postal_code, std::string_view municipality,
                           Generation generation)
{
    Bytes f;
    TRY(add_text(f, 0x01, street, 60));
    TRY(add_text(f, 0x02, postal_code, 4));
    TRY(add_text(f, 0x03, municipality, 47));
    f.resize(std::max<std::size_t>(f.size(), generation == Generation::v18 ? 121 : 117));
    return f;
}

Bytes without_trailing_zeros(Bytes bytes)
{
    while (!bytes.empty() && bytes.back() == 0) bytes.pop_back();
    return bytes;
}

/// EF 4032 and EF 4034 (eid-card.md §5).
void sign_files(Card& card, Persona const& persona, Register const& rrn)
{
    auto const ec = persona.generation != Generation::v17;
    auto const* const md = ec ? EVP_sha384() : persona.sha1 ? EVP_sha1() : EVP_sha256();
    // Re-keyed 1.7 cards keep the 256 bytes of their RSA files; on 1.8 identity's is its own length.
    auto const padded = [&](Bytes signature, std::size_t size) {
        signature.resize(std::max(signature.size(), size));
        return signature;
    };
    auto const identity_size = static_cast<std::size_t>(persona.generation == Generation::v18 ? 0 : 256);
    auto const address_size = static_cast<std::size_t>(persona.generation == Generation::v18 ? 128 : 256);

    auto signed_identity = card.files.at(files::identity);
    if (persona.faults.identity_signature_wrong) signed_identity.back() ^= 0x01;
    auto const identity_signature = padded(sign(rrn.key, md, signed_identity), identity_size);
    card.files[files::identity_signature] = identity_signature;

    // "strip_trailing_zeros(EF 4033) ‖ entire EF 4032 as read, zero padding included"
    auto signed_address = without_trailing_zeros(card.files.at(files::address));
    if (persona.faults.address_of_other_card) {
        auto other_identity = card.files.at(files::identity);
        other_identity[2] ^= 0x01;
        append(signed_address, padded(sign(rrn.key, md, other_identity), identity_size));
    } else {
        append(signed_address, identity_signature);
    }
    if (persona.faults.address_signature_wrong) signed_address[2] ^= 0x01;
    card.files[files::address_signature] = padded(sign(rrn.key, md, signed_address), address_size);
}

// ---- certificates and keys ----------------------------------------------------------------------------------------

AuthorityName issuer_of(Persona const& persona)
{
    if (persona.generation == Generation::v17)
        return persona.foreigner ? AuthorityName::foreigner_ca_rsa : AuthorityName::citizen_ca_rsa;
    return persona.foreigner ? AuthorityName::foreigner_ca_ec : AuthorityName::citizen_ca_ec;
}

Key new_card_key(Persona const& persona, Pki const& pki, Use use, bool other_chip)
{
    if (persona.generation == Generation::v18) return new_ec_key();
    if (pki.rsa_keys.empty()) return new_rsa_key(2048);
    // Two pairs: a clone gets the pair that its original has not.
    auto const second_pair = (digest(EVP_sha256(), bytes_of(persona.name))[0] % 2 == 1) != other_chip;
    auto const number = (second_pair ? 3 : 1) + (use == Use::signature ? 1 : 0);
    auto key = read_key(pki.rsa_keys / fmt::format("leaf-{}.pem", number));
    ENSURE(key.has_value());
    return *key;
}

Bytes with_zeros(Bytes bytes, std::size_t zeros)
{
    bytes.resize(bytes.size() + zeros);
    return bytes;
}

void add_leaves(Card& card, Persona const& persona, Pki const& pki, Instant now)
{
    auto const [from, until] = validity_of(persona, now);
    auto const& faults = persona.faults;
    auto const leaf = [&](Use use, Key const& key, bool issued, FilePath file) {
        if (!issued) {
            card.files[file] = Bytes(2500);
            return;
        }
        auto const other = faults.certificates_of_other_person || (faults.leaves_disagree && use == Use::signature);
        auto const certificate = issue_leaf(
            pki, issuer_of(persona), key,
            {
                .use = use,
                .foreigner = persona.foreigner,
                .surname = faults.certificate_name_differs ? "Vanderanders" : persona.surname,
                .given_names = persona.given_names,
                .national_number = other ? other_number(persona, now) : printed_number(persona, now),
                .serial = certificate_serial(persona, use),
                .not_before = from,
                .not_after = persona.certificates_end_in_days ? now + days{*persona.certificates_end_in_days} : until,
                .crl = persona.crl,
            });
        card.files[file] = with_zeros(certificate, 1100);
    };
    leaf(Use::authentication, card.authentication_key, persona.authentication_certificate,
         files::authentication_certificate);
    leaf(Use::signature, card.signature_key, persona.signature_certificate, files::signature_certificate);
}

Bytes card_data_of(Bytes const& chip_serial, Generation generation)
{
    auto data = chip_serial;
    // Component code, OS number and version, softmask number and version, as in the ATR.
    append(data, Bytes{0xA5, 0x03, 0x01, 0x01, 0x01});
    // Applet version, global OS version, applet interface, PKCS#1 support, key exchange version, life cycle.
    append(data, generation == Generation::v18 ? Bytes{0x18, 0x00, 0x01, 0x00, 0x00, 0x02, 0x0F}
                                               : Bytes{0x17, 0x00, 0x03, 0x00, 0x21, 0x01, 0x0F});
    return data;
}

} // namespace

BirthDate birth_date(Persona const& persona, Instant now)
{
    if (persona.birth) return *persona.birth;
    auto const birthday = std::chrono::year_month_day{std::chrono::floor<days>(now) + days{persona.birthday_in_days}};
    auto const born =
        static_cast<int>(birthday.year()) - (persona.birthday_in_days > 0 ? persona.age + 1 : persona.age);
    auto const day = static_cast<int>(static_cast<unsigned>(birthday.day()));
    auto const month = static_cast<int>(static_cast<unsigned>(birthday.month()));
    return {born, month, month == 2 && day == 29 ? 28 : day};
}

std::string national_number(Persona const& persona, Instant now)
{
    auto const birth = birth_date(persona, now);
    auto const nine = fmt::format("{:02}{:02}{:02}{:03}", birth.year % 100, birth.month + (persona.bis ? 40 : 0),
                                  birth.day, persona.sequence);
    std::uint64_t number = 0;
    std::from_chars(nine.data(), nine.data() + nine.size(), number);
    if (birth.year >= 2000) number += 2'000'000'000;
    return fmt::format("{}{:02}", nine, 97 - number % 97);
}

Serial certificate_serial(Persona const& persona, Use use)
{
    auto serial = digest(
        EVP_sha256(), bytes_of((use == Use::authentication ? "authentication of " : "signature of ") + persona.name));
    serial.resize(16);
    serial[0] = 0x10;
    serial[1] = 0x00;
    return serial;
}

void record_standings(Persona const& persona, Standings& standings)
{
    standings.by_serial[certificate_serial(persona, Use::authentication)] = persona.authentication_standing;
    standings.by_serial[certificate_serial(persona, Use::signature)] = persona.signature_standing;
}

Result<Card> issue(Persona const& persona, Pki& trusted_pki, std::filesystem::path const& photos, Instant now)
{
    record_standings(persona, trusted_pki.standings);
    // Somebody else's PKI looks the same and has other keys.
    auto const others =
        persona.faults.untrusted_root
            ? std::optional{make_pki({.base_url = trusted_pki.base_url, .now = now, .rsa_keys = trusted_pki.rsa_keys})}
            : std::nullopt;
    auto const& pki = others ? *others : trusted_pki;

    Card card{
        .persona = persona.name, .generation = persona.generation, .pin = persona.pin, .pin_tries = persona.pin_tries};
    auto const chip_serial = chip_serial_of(persona);
    card.card_data = card_data_of(chip_serial, persona.generation);
    card.authentication_key = new_card_key(persona, pki, Use::authentication, false);
    card.signature_key = new_card_key(persona, pki, Use::signature, false);
    add_leaves(card, persona, pki, now);

    auto const issuer = issuer_of(persona);
    auto const ec = persona.generation != Generation::v17;
    auto const& rrn = ec ? pki.register_ec : pki.register_rsa;
    card.files[files::ca_certificate] = with_zeros(pki.authority(issuer).certificate, 100);
    card.files[files::root_certificate] = with_zeros((ec ? pki.root_ec() : pki.root_rsa()).certificate, 100);
    card.files[files::register_certificate] = with_zeros(rrn.certificate, 100);

    card.files[files::directory] = directory_file();
    card.files[files::object_directory] = object_directory();
    card.files[files::token_info] = token_info(chip_serial, persona.generation);
    card.files[files::authentication_objects] = authentication_objects();
    card.files[files::private_keys] = private_keys(persona.generation);
    card.files[files::certificates] = certificates(persona.authentication_certificate, persona.signature_certificate);

    auto const photo = TRY(read_file(photos / (persona.photo + ".jpg")));
    auto const photo_hash = digest(photo_digest(persona), photo);
    card.files[files::photo] = photo;
    if (persona.faults.photo_of_other_card)
        card.files[files::photo] =
            TRY(read_file(photos / (persona.photo == "silhouette-1" ? "silhouette-2.jpg" : "silhouette-1.jpg")));

    Bytes key_hash;
    if (persona.generation == Generation::v18) {
        card.basic_key = new_ec_key();
        auto const public_key = der_of<&i2d_PUBKEY>(card.basic_key.get());
        ENSURE(public_key.size() == 120);
        key_hash = digest(EVP_sha384(), public_key);
        card.files[files::basic_key] = public_key;
        if (persona.faults.basic_key_of_other_card) {
            card.basic_key = new_ec_key();
            card.files[files::basic_key] = der_of<&i2d_PUBKEY>(card.basic_key.get());
        }
    }
    card.files[files::identity] = TRY(identity_file(persona, chip_serial, photo_hash, key_hash, now));
    card.files[files::address] =
        persona.faults.address_of_other_card
            ? TRY(address_file("Dwaalweg 9", "9999", "Elders", persona.generation))
            : TRY(address_file(persona.street, persona.postal_code, persona.municipality, persona.generation));
    sign_files(card, persona, rrn);

    if (persona.faults.cloned) {
        card.authentication_key = new_card_key(persona, pki, Use::authentication, true);
        card.signature_key = new_card_key(persona, pki, Use::signature, true);
        if (card.basic_key) card.basic_key = new_ec_key();
    }
    return card;
}

Bytes certificate_in(ByteView file)
{
    if (file.size() < 4 || file[0] != sequence) return {};
    auto const* at = file.data();
    auto const certificate = Certificate{d2i_X509(nullptr, &at, static_cast<long>(file.size())), &X509_free};
    if (!certificate) return {};
    return {file.data(), at};
}

// ---- on disk ------------------------------------------------------------------------------------------------------

namespace {

constexpr std::array generations{
    std::pair{Generation::v17, std::string_view{"1.7"}},
    std::pair{Generation::v17_rekeyed, std::string_view{"1.7-rekeyed"}},
    std::pair{Generation::v18, std::string_view{"1.8"}},
};

std::string without_line_end(Bytes const& bytes)
{
    auto text = string_of(bytes);
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

} // namespace

Result<void> save_card(Card const& card, std::filesystem::path const& folder)
{
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return fail(Outcome::configuration_invalid, "cannot make " + folder.string() + ": " + error.message());
    for (auto const& [path, bytes] : card.files)
        TRY(write_file(folder / fmt::format("{:04X}-{:04X}.bin", path.directory, path.file), bytes));
    TRY(write_key(card.authentication_key, folder / "authentication.key.pem"));
    TRY(write_key(card.signature_key, folder / "signature.key.pem"));
    if (card.basic_key) TRY(write_key(card.basic_key, folder / "basic.key.pem"));
    TRY(write_file(folder / "card-data.bin", card.card_data));
    auto const generation = std::ranges::find(generations, card.generation, [](auto const& g) { return g.first; });
    TRY(write_file(folder / "generation", bytes_of(std::string{generation->second} + "\n")));
    TRY(save_pin(card.pin, card.pin_tries, folder));
    // Last, so that a folder with it is a whole card.
    return write_file(folder / "persona", bytes_of(card.persona + "\n"));
}

Result<void> save_pin(std::string_view pin, int tries, std::filesystem::path const& folder)
{
    return write_file(folder / "pin", bytes_of(fmt::format("{} {}\n", pin, tries)));
}

Result<Card> load_card(std::filesystem::path const& folder)
{
    Card card;
    card.persona = without_line_end(TRY(read_file(folder / "persona")));
    auto const generation_name = without_line_end(TRY(read_file(folder / "generation")));
    auto const generation = std::ranges::find(generations, generation_name, [](auto const& g) { return g.second; });
    if (generation == generations.end())
        return fail(Outcome::configuration_invalid,
                    (folder / "generation").string() + ": expected 1.7, 1.7-rekeyed or 1.8");
    card.generation = generation->first;
    card.card_data = TRY(read_file(folder / "card-data.bin"));
    if (card.card_data.size() != 28)
        return fail(Outcome::configuration_invalid, (folder / "card-data.bin").string() + ": expected 28 bytes");

    for (auto const path :
         {files::directory, files::object_directory, files::token_info, files::authentication_objects,
          files::private_keys, files::certificates, files::authentication_certificate, files::signature_certificate,
          files::ca_certificate, files::root_certificate, files::register_certificate, files::identity,
          files::identity_signature, files::address, files::address_signature, files::photo})
        card.files[path] = TRY(read_file(folder / fmt::format("{:04X}-{:04X}.bin", path.directory, path.file)));
    card.authentication_key = TRY(read_key(folder / "authentication.key.pem"));
    card.signature_key = TRY(read_key(folder / "signature.key.pem"));
    if (card.generation == Generation::v18) {
        card.files[files::basic_key] = TRY(read_file(folder / "DF01-4040.bin"));
        card.basic_key = TRY(read_key(folder / "basic.key.pem"));
    }

    auto const state = without_line_end(TRY(read_file(folder / "pin")));
    auto const space = state.find(' ');
    auto const invalid = [&] {
        return fail(Outcome::configuration_invalid, (folder / "pin").string() + ": expected PIN, space, tries");
    };
    if (space == std::string::npos) return invalid();
    card.pin = state.substr(0, space);
    auto const [end, error] = std::from_chars(state.data() + space + 1, state.data() + state.size(), card.pin_tries);
    if (error != std::errc{} || end != state.data() + state.size() || card.pin_tries < 0 || card.pin_tries > 3)
        return invalid();
    return card;
}

} // namespace symbolon::virtual_card
