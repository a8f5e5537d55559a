// A comparison of two arms as a sentence for people.
#pragma once

#include <string>

#include "daemon/ledger/experiment_report.h"

namespace nemo::ledger {

// "gemini-2.5-pro: first token p95 is 31.0 ms higher (12.4 to 49.6 ms)", or "no difference can be told yet". Reads all
// of it but `text`.
std::string text_of(const Comparison& comparison);

}  // namespace nemo::ledger
