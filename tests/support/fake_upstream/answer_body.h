// The bodies that are sent whole. Shapes: OpenAI's API reference for chat completions, legacy completions, embeddings,
// models and errors; the error variants are those seen from gateways and from Google.
#pragma once

#include <string>
#include <vector>

#include "tests/support/fake_upstream/ask.h"

namespace nemo::fake_upstream {

constexpr std::int64_t k_created = 1'760'000'000;

// The tool calls of an answer; their arguments come in pieces, and each piece counts as one word.
std::vector<std::string> argument_pieces(const Ask& ask);
std::int64_t tool_call_count(const Ask& ask, const Script& script);
std::string tool_call_id(const std::string& answer_id, std::int64_t index);
std::string finish_reason(const Ask& ask, const Script& script, bool cut_by_limit);

BilledUsage planned_usage(const Ask& ask, const Script& script);
std::string answer_body(const Ask& ask, const Script& script, const std::string& id, const BilledUsage& planned);
std::string error_body(const Script& script);
std::string error_body(int status, const std::string& message, const std::string& code);
std::string models_body(const std::vector<std::string>& ids);
Json model_json(const std::string& id);

}  // namespace nemo::fake_upstream
