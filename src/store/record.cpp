#include "store/record.hpp"

#include "base/ensure.hpp"

namespace symbolon::store {

std::string_view name_of(Table table)
{
    switch (table) {
    case Table::data_key: return "data_key";
    case Table::account: return "account";
    case Table::device: return "device";
    case Table::contract: return "contract";
    case Table::enrolment: return "enrolment";
    case Table::action: return "action";
    case Table::sign_in: return "sign_in";
    case Table::grant: return "grant_";
    case Table::client: return "client";
    case Table::nonce: return "nonce";
    case Table::counter: return "counter";
    case Table::log_head: return "log_head";
    case Table::push_subscription: return "push_subscription";
    case Table::number_trace: return "number_trace";
    case Table::consent: return "consent";
    case Table::evidence: return "evidence";
    }
    ENSURE(false);
}

} // namespace symbolon::store
