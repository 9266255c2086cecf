#pragma once

#include "base/instant.hpp"
#include "base/result.hpp"
#include "virtual_card/pki.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace symbolon::virtual_card {

/// What the card is made of (eid-card.md §1).
enum class Generation : std::uint8_t {
    v17,         ///< RSA-2048 keys, RSA CA, RSA National Register
    v17_rekeyed, ///< RSA-2048 keys, EC CA, EC National Register
    v18,         ///< P-384 keys, EC CA, EC National Register, a basic key
};

enum class Language : std::uint8_t { french, dutch, german };
enum class Sex : std::uint8_t { female, male };

/// A date of birth as the register knows it: month and day may be 0, unknown.
struct BirthDate {
    int year = 0;
    int month = 0;
    int day = 0;
    friend bool operator==(BirthDate const&, BirthDate const&) = default;
};

/// What is wrong with a card, so that a reader or a server can be seen to notice. All off: an honest card.
struct Faults {
    bool identity_signature_wrong = false;     ///< EF 4032 is not the National Register's signature over EF 4031
    bool address_signature_wrong = false;      ///< EF 4034 is not its signature over the address
    bool address_of_other_card = false;        ///< address and its signature are genuine, but of another card
    bool photo_of_other_card = false;          ///< the photo is not the one whose hash is in tag 11
    bool basic_key_of_other_card = false;      ///< EF 4040 is not the key whose hash is in tag 1A (1.8)
    bool cloned = false;                       ///< files copied from a genuine card; the private keys are others
    bool certificates_of_other_person = false; ///< the leaves carry another national number than tag 06
    bool certificate_name_differs = false;     ///< the leaves carry another surname than tag 07
    bool leaves_disagree = false;              ///< authentication and signature certificate are of two persons
    bool chip_number_of_other_card = false;    ///< tag 02 is not the serial number of the chip
    bool national_number_wrong = false;        ///< tag 06 and the leaves carry a number with wrong check digits
    bool untrusted_root = false;               ///< the whole path ends in a root of somebody else with the same name
};

/// An invented person with a card: one table of data/personas.toml.
struct Persona {
    std::string name;  ///< what tests and the command line call it: small letters, digits, hyphens
    std::string shows; ///< what it is there for, one line

    std::string surname;
    std::string given_names; ///< first two, separated by a space; may be empty
    std::string third_initial;
    Sex sex = Sex::female;
    std::optional<BirthDate> birth; ///< or, relative to the day of issue:
    int age = 0;                    ///< years, and
    int birthday_in_days = 0;       ///< days until the next birthday
    int sequence = 998;             ///< SSS of the national number (odd: male, even: female)
    bool bis = false;               ///< a BIS number: month + 40
    std::string birth_place;
    std::string nationality;
    std::string noble_condition;
    std::string special_status = "0";
    std::string street, postal_code, municipality;

    Language language = Language::dutch;
    Generation generation = Generation::v18;
    std::string document_type = "1";
    bool foreigner = false;
    std::string card_number; ///< ten digits, the check digits follow; for foreigners' cards as it is printed
    std::string issuing_municipality;
    std::string photo = "silhouette-1"; ///< data/photos/NAME.jpg
    int issued_days_ago = 400;
    int valid_days = 3652;
    std::optional<int> certificates_end_in_days; ///< else they end with the card
    bool authentication_certificate = true;
    bool signature_certificate = true;
    bool sha1 = false; ///< 1.7 only: SHA-1 photo hash and register signatures, as on the oldest cards in use

    std::string pin = "1234";
    int pin_tries = 3;
    Standing authentication_standing;
    Standing signature_standing;
    bool crl = true; ///< false: the CRL that the leaves name does not exist, so that only OCSP can tell
    Faults faults;
};

/// The personas of a TOML file. Fails with configuration_invalid: file, line and what is expected.
Result<std::vector<Persona>> load_personas(std::filesystem::path const& file);

/// The persona of that name. Fails with not_found.
Result<Persona> persona_named(std::vector<Persona> const& personas, std::string_view name);

/// The date of birth, settled for somebody whose age is given relative to `now`.
BirthDate birth_date(Persona const& persona, Instant now);

/// National number (NRN, INSZ): YYMMDD SSS CC, eleven digits, check digits for the century of birth (eid-card.md §4).
std::string national_number(Persona const& persona, Instant now);

} // namespace symbolon::virtual_card
