// What goes to Vertex AI and what comes back from it is JSON, whatever a caller or upstream says, or a refusal.
#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/protocol/fim/hole.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/translate/vertex.h"
#include "tests/fuzz/require.h"

using namespace nemo::protocol;

namespace {

void require_json(const nemo::Result<std::string>& made) {
  if (made.ok()) REQUIRE_RULE(RequestBody::parse(*made).ok());
}

void check_requests(const std::string& text) {
  const auto body = RequestBody::parse(text);
  if (!body.ok()) return;
  if (const auto spec = parse_completions(*body); spec.ok()) {
    const auto hole = find_hole(*body);
    if (hole.ok())
      require_json(completions_request_to_fim(*body, *spec, *hole ? &**hole : nullptr, "codestral@2405", 7));
  }
  if (const auto spec = parse_embeddings(*body); spec.ok()) {
    require_json(embeddings_request_to_predict(*body, *spec));
    require_json(embeddings_request_to_embed_content(*body, *spec));
  }
}

void check_facts(const std::optional<AnswerFacts>& facts) {
  if (!facts || !facts->usage) return;
  REQUIRE_RULE(facts->usage->input_tokens >= 0 && facts->usage->output_tokens == 0);
  REQUIRE_RULE(facts->usage->source == nemo::call::UsageSource::provider);
}

void check_answers(const std::string& text) {
  check_facts(read_predict_facts(text));
  check_facts(read_embed_content_facts(text));
  // Upstream's UTF-8 is passed on unchecked, as on every path.
  if (!simdjson::validate_utf8(text)) return;
  require_json(fim_answer_to_completions(text));
  for (const char* format : {"float", "base64"}) {
    const auto request = RequestBody::parse(R"({"input":"a","encoding_format":")" + std::string(format) + "\"}");
    require_json(predict_answer_to_embeddings(text, *request, "m"));
    require_json(embed_content_answer_to_embeddings(text, *request, "m"));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_requests(text);
  check_answers(text);
  return 0;
}
