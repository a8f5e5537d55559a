// What a caller is told whom a budget refuses.
#pragma once

#include "daemon/budget/account.h"
#include "daemon/call/scope.h"
#include "shared/money.h"
#include "shared/result.h"

namespace nemo::budget {

// budget_exceeded: names scope, limit and when it resets; never what was spent, which others may have.
Error refusal(const call::Scope& scope, const Room& room, NanoUsd least);

}  // namespace nemo::budget
