// Embeddings by Vertex AI's :embedContent, one text a call. Source: Vertex AI reference, text embeddings.
#include <string>

#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/translate/embeddings_shape.h"
#include "daemon/protocol/translate/request_fields.h"
#include "daemon/protocol/translate/vertex.h"

namespace nemo::protocol {
namespace {

struct Embedded {
  std::optional<std::string_view> values;  // raw
  std::optional<std::int64_t> tokens;
  bool has_error = false;
};

std::optional<Embedded> read_embedded(std::string_view answer) {
  JsonCursor cursor(answer);
  if (cursor.peek() != '{') return std::nullopt;
  Embedded found;
  each_field(cursor, [&](std::string_view key) {
    if (key == "embedding") {
      found.values = find_member(cursor.take(), "values");
    } else if (key == "usageMetadata") {
      const auto raw = find_member(cursor.take(), "promptTokenCount");
      found.tokens = raw ? read_token_count(*raw) : std::nullopt;
    } else if (key == "error") {
      found.has_error = cursor.take() != "null";
    } else {
      cursor.skip();
    }
  });
  if (!cursor.at_end()) return std::nullopt;
  return found;
}

}  // namespace

Result<std::string> embeddings_request_to_embed_content(const RequestBody& body, const call::CallSpec& /*spec*/) {
  const auto asked = read_embeddings_request(body);
  if (!asked) return asked.error();
  if (asked->texts.size() != 1) {
    return refuse_field("input", "this model's upstream takes one text a call; send one call each");
  }
  std::string out = "{\"content\":{\"parts\":[{\"text\":";
  out.append(asked->texts.front()).append("}]}");
  if (asked->dimensions) {
    out.append(",\"embedContentConfig\":{\"outputDimensionality\":");
    out.append(std::to_string(*asked->dimensions)).append("}");
  }
  return out.append("}");
}

std::optional<AnswerFacts> read_embed_content_facts(std::string_view answer) {
  const auto found = read_embedded(answer);
  if (!found) return std::nullopt;
  AnswerFacts facts;
  facts.is_error = found->has_error && !found->values;
  if (found->tokens) {
    call::Usage usage;
    usage.input_tokens = *found->tokens;
    usage.source = call::UsageSource::provider;
    facts.usage = usage;
  }
  return facts;
}

Result<std::string> embed_content_answer_to_embeddings(std::string_view answer, const RequestBody& request,
                                                       std::string_view model) {
  const auto asked = read_embeddings_request(request);
  if (!asked) return asked.error();
  const auto found = read_embedded(answer);
  if (!found || !found->values) return fail(ErrorKind::upstream_error, "the upstream's answer holds no embedding");
  return write_embeddings_answer({*found->values}, *asked, model, found->tokens.value_or(0));
}

}  // namespace nemo::protocol
