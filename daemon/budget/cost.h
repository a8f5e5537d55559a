// Owns: what a call cost. Must not know: who paid, where it is written.
#pragma once

#include "daemon/call/usage.h"
#include "daemon/catalog/model.h"
#include "shared/money.h"

namespace nemo::budget {

// Summed exactly and rounded up once to a whole nano-dollar. The tier above 200,000 input tokens applies to the whole
// call.
NanoUsd cost_of(const catalog::Pricing& pricing, const call::Usage& usage);

}  // namespace nemo::budget
