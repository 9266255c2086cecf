// links: bank
#include "bank/id_token.hpp"
#include "base/text.hpp"

#include <cstdlib>

using namespace symbolon;

/// The claims of a bank's ID token, whose signature was good: whatever they are, only texts that may stand on a screen,
/// for somebody of a known age and number, come of them.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    static bank::Registration const bank{.terms = {.id = "kbc", .name = "KBC", .minors = true, .acr = {"substantial"}},
                                         .issuer = "https://kbc.example"};
    static crypto::VerificationKey const key{
        .key_id = "", .algorithm = {}, .key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256).public_key()};
    static Instant const now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22};

    auto claims = json::parse_object({reinterpret_cast<char const*>(data), size});
    if (!claims) return 0;
    auto const answer = bank::answer_in({.claims = *claims, .signed_token = "", .signed_by = key}, bank);
    if (!answer) return 0;
    auto const found =
        enrolment::judge_bank_answer(*answer, bank.terms, {}, account::PhoneNumber{"+32470123456"}, now, Limits{});
    if (!found) return 0;
    auto const& person = found->person;
    for (auto const& text : {person.family_name, person.given_names, person.birth_place, person.nationality,
                             person.address.street, person.address.zip, person.address.municipality})
        if (!displayable(text, 300)) std::abort();
    if (person.national_number.size() != 11 || !is_digits(person.national_number)) std::abort();
    if (person.birth_date > "2010-11-22" || found->source.valid_until < "2026-11-22") std::abort();
    return 0;
}
