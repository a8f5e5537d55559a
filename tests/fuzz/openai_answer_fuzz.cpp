// Nothing that an upstream answers breaks a reader, and what is said about it is always valid.
#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/protocol/openai.h"
#include "tests/fuzz/require.h"

using namespace nemo::protocol;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto answer = read_answer_facts(text)) {
    REQUIRE_RULE(answer->content_bytes <= size);
    if (const auto& usage = answer->usage) {
      REQUIRE_RULE(usage->cached_tokens >= 0 && usage->cached_tokens <= usage->input_tokens);
      REQUIRE_RULE(usage->reasoning_tokens >= 0 && usage->reasoning_tokens <= usage->output_tokens);
    }
  }

  bool malformed = false;
  const auto facts = make_openai_chunk_reader()->read({text, {}, text}, malformed);
  REQUIRE_RULE(facts.content_bytes <= size);
  REQUIRE_RULE(facts.has_content == (facts.content_bytes != 0));
  REQUIRE_RULE(!facts.is_error || !facts.error_message.empty());

  simdjson::dom::parser parser;
  const std::string complaint = complaint_body(read_complaint(text));
  REQUIRE_RULE(parser.parse(complaint).error() == simdjson::SUCCESS);
  REQUIRE_RULE(complaint.find('\n') == std::string::npos);

  const std::string costed = with_cost(text, nemo::NanoUsd{5});
  REQUIRE_RULE(costed == text || costed.find("\"nemo_cost\":\"0.000000005\"") != std::string::npos);
  static_cast<void>(read_model_ids(text));
  return 0;
}
