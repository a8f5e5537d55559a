// Terms between what people write and what the daemon keeps. Pure.
#pragma once

#include "daemon/call/terms.h"
#include "shared/admin/terms.h"
#include "shared/result.h"

namespace nemo::admin {

enum class TermsOf { key, group };  // a group (seat, team) has no model to fall back to

// invalid_request says which of them is wrong and how it is written.
Result<call::TermsChange> to_terms_change(const TermsRequest& request, TermsOf whose);
Terms to_terms(const call::Terms& terms);

}  // namespace nemo::admin
