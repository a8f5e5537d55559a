// Embeddings by Vertex AI's :predict, many texts a call. Source: Vertex AI reference, text embeddings.
#include <string>
#include <vector>

#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/translate/embeddings_shape.h"
#include "daemon/protocol/translate/request_fields.h"
#include "daemon/protocol/translate/vertex.h"

namespace nemo::protocol {
namespace {

constexpr std::size_t k_most_instances = 250;  // what :predict takes in one call

struct Predictions {
  std::vector<std::string_view> values;  // raw; empty where a prediction has none
  std::int64_t tokens = 0;
  std::size_t stated = 0;  // predictions that state their tokens
  bool has_predictions = false;
  bool has_error = false;
};

// One "embeddings" of an answer.
void read_embeddings(JsonCursor& cursor, Predictions& found) {
  each_field(cursor, [&](std::string_view key) {
    if (key == "values") {
      found.values.back() = cursor.take();
    } else if (key == "statistics") {
      const auto raw = find_member(cursor.take(), "token_count");
      const auto tokens = raw ? read_token_count(*raw) : std::nullopt;
      if (!tokens) return;
      found.tokens += *tokens;
      ++found.stated;
    } else {
      cursor.skip();
    }
  });
}

std::optional<Predictions> read_predictions(std::string_view answer) {
  JsonCursor cursor(answer);
  if (cursor.peek() != '{') return std::nullopt;
  Predictions found;
  each_field(cursor, [&](std::string_view key) {
    if (key == "predictions") {
      found.has_predictions = each_element(cursor, [&] {
        found.values.emplace_back();
        each_field(cursor, [&](std::string_view part) {
          if (part == "embeddings") {
            read_embeddings(cursor, found);
          } else {
            cursor.skip();
          }
        });
      });
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

Result<std::string> embeddings_request_to_predict(const RequestBody& body, const call::CallSpec& /*spec*/) {
  const auto asked = read_embeddings_request(body);
  if (!asked) return asked.error();
  if (asked->texts.size() > k_most_instances) {
    return refuse_field("input", "this model's upstream takes at most " + std::to_string(k_most_instances) +
                                     " texts a call, not " + std::to_string(asked->texts.size()));
  }
  std::string out = "{\"instances\":[";
  out.reserve(body.bytes().size() + 256);
  for (std::size_t i = 0; i < asked->texts.size(); ++i) {
    if (i != 0) out.push_back(',');
    out.append("{\"content\":").append(asked->texts[i]).append("}");
  }
  out.push_back(']');
  if (asked->dimensions) {
    out.append(",\"parameters\":{\"outputDimensionality\":").append(std::to_string(*asked->dimensions)).append("}");
  }
  return out.append("}");
}

std::optional<AnswerFacts> read_predict_facts(std::string_view answer) {
  const auto found = read_predictions(answer);
  if (!found) return std::nullopt;
  AnswerFacts facts;
  facts.is_error = found->has_error && !found->has_predictions;
  if (found->stated != 0 && found->stated == found->values.size()) {
    call::Usage usage;
    usage.input_tokens = found->tokens;
    usage.source = call::UsageSource::provider;
    facts.usage = usage;
  }
  return facts;
}

Result<std::string> predict_answer_to_embeddings(std::string_view answer, const RequestBody& request,
                                                 std::string_view model) {
  const auto asked = read_embeddings_request(request);
  if (!asked) return asked.error();
  const auto found = read_predictions(answer);
  if (!found || !found->has_predictions) {
    return fail(ErrorKind::upstream_error, "the upstream's answer holds no predictions");
  }
  return write_embeddings_answer(found->values, *asked, model, found->tokens);
}

}  // namespace nemo::protocol
