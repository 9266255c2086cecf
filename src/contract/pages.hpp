#pragma once

#include "contract/contract.hpp"

namespace symbolon::contract {

/// The contract's pages, drawn on A4: PDF without a signature. Fails with configuration_invalid: the fonts can't be
/// read.
Result<Bytes> draw_pages(ContractData const& data, Texts const& texts, Fonts const& fonts);

} // namespace symbolon::contract
