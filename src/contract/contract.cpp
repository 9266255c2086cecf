#include "contract/contract.hpp"

#include "contract/pages.hpp"
#include "contract/signed_data.hpp"
#include "contract/structure.hpp"

namespace symbolon::contract {

namespace {

/// Room for a CMS besides the certificates in it: attributes, algorithms, the signature.
constexpr std::size_t room_for_cms = 2048;

std::string title_of(ContractData const& data, Texts const& texts)
{
    return texts.text(data.language, "contract.title");
}

} // namespace

Result<Bytes> draft(ContractData const& data, Texts const& texts, Fonts const& fonts)
{
    return with_metadata(TRY(draw_pages(data, texts, fonts)), data.language, title_of(data, texts));
}

Result<PreparedContract> prepare(ContractData const& data, Signer const& signer, std::vector<Bytes> const& ocsp_answers,
                                 Texts const& texts, Fonts const& fonts)
{
    auto const pages = TRY(draw_pages(data, texts, fonts));
    std::vector<Bytes> certificates{signer.certificate};
    certificates.insert(certificates.end(), signer.chain.begin(), signer.chain.end());
    auto place = room_for_cms;
    for (auto const& certificate : certificates) place += certificate.size();

    PreparedContract prepared;
    prepared.pdf =
        with_signature_field(pages, data.language, title_of(data, texts), data.at, certificates, ocsp_answers, place);
    prepared.signed_attributes = TRY(make_signed_attributes(TRY(signed_ranges(prepared.pdf)), signer.certificate));
    return prepared;
}

Result<Bytes> complete(PreparedContract const& prepared, Signer const& signer, ByteView signature,
                       ByteView authentication_certificate)
{
    auto const cms = TRY(make_signed_data(TRY(signed_ranges(prepared.pdf)), prepared.signed_attributes, signer,
                                          signature, authentication_certificate));
    return with_cms(prepared.pdf, cms);
}

} // namespace symbolon::contract
