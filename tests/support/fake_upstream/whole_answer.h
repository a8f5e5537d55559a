// Answers that are not streams: refusals, and bodies sent whole, with the faults that the script asks for.
#pragma once

#include <memory>
#include <string>

#include "tests/support/fake_upstream/ask.h"
#include "tests/support/fake_upstream/playback.h"

namespace nemo::fake_upstream {

std::unique_ptr<Playback> refusal(const Script& script);
std::unique_ptr<Playback> cut_before_head(const Script& script);
std::unique_ptr<Playback> whole_answer(const Ask& ask, const Script& script, const std::string& id,
                                       const BilledUsage& planned);

}  // namespace nemo::fake_upstream
