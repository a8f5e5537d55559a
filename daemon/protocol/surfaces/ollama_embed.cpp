// Ollama's POST /api/embed, and the older /api/embeddings, which says `prompt` and gets one vector. Source: Ollama API
// reference (docs/api.md: generate embeddings, generate embedding).
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/pass_through.h"
#include "daemon/protocol/surfaces/forms.h"
#include "daemon/protocol/surfaces/ollama_answer.h"
#include "daemon/protocol/surfaces/ollama_request.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

enum class Asked : std::uint8_t { many, one };

Asked asked_of(const RequestBody& body) {
  const bool is_older = given_value(body, "input").empty() && !given_value(body, "prompt").empty();
  return is_older ? Asked::one : Asked::many;
}

Result<call::CallSpec> parse(const RequestBody& body, const PathWords& /*path*/) {
  auto spec = read_ollama_request(body, call::Surface::ollama_embed);
  if (!spec) return spec;
  const char* field = asked_of(body) == Asked::one ? "prompt" : "input";
  const std::string_view raw = given_value(body, field);
  if (raw.empty()) return refuse_field(field, "is missing");
  const bool is_list = raw.front() == '[' && field == std::string_view("input");
  if (is_list && body.find(field)->items != Items::texts) {
    return refuse_field(field, "must be text, or a list of texts that is not empty");
  }
  if (!is_list && raw.front() != '"') return refuse_field(field, "must be text");
  spec->prompt_bytes = raw.size();
  return spec;
}

Result<std::string> request(const RequestBody& body, const call::CallSpec& spec) {
  HubBody out;
  if (!spec.model.empty()) out.put("model", quote_json(spec.model));
  out.put("input", given_value(body, asked_of(body) == Asked::one ? "prompt" : "input"));
  for (const std::string_view key :
       {"dimensions", "nemo_cache", "nemo_lane", "nemo_tags", "nemo_fallbacks", "metadata"}) {
    out.put(key, given_value(body, key));
  }
  return out.take();
}

// The vectors in the order of what was asked for, raw.
Result<std::vector<std::string_view>> read_vectors(std::string_view hub_answer) {
  std::vector<std::pair<std::int64_t, std::string_view>> found;
  bool are_lists = true;
  JsonCursor cursor(find_member(hub_answer, "data").value_or(std::string_view()));
  const bool is_list = each_element(cursor, [&] {
    std::int64_t index = static_cast<std::int64_t>(found.size());
    std::string_view vector;
    each_field(cursor, [&](std::string_view key) {
      const std::string_view value = cursor.take();
      if (key == "index") index = read_integer(value).value_or(index);
      if (key == "embedding") vector = value;
    });
    are_lists = are_lists && !vector.empty() && vector.front() == '[';
    found.emplace_back(index, vector);
  });
  if (!is_list || !are_lists || !cursor.at_end() || found.empty()) {
    return fail(ErrorKind::upstream_error, "upstream's answer holds no embeddings as lists of numbers");
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string_view> vectors;
  vectors.reserve(found.size());
  for (const auto& [index, vector] : found) vectors.push_back(vector);
  return vectors;
}

Result<std::string> answer(std::string_view hub_answer, const Telling& telling) {
  const auto vectors = read_vectors(hub_answer);
  if (!vectors) return vectors.error();
  if (asked_of(telling.body) == Asked::one) return "{\"embedding\":" + std::string(vectors->front()) + "}";
  std::string out = "{\"model\":" + quote_json(telling.model.empty() ? telling.spec.model : telling.model);
  out.append(",\"embeddings\":[");
  bool is_first = true;
  for (const std::string_view vector : *vectors) out.append(std::exchange(is_first, false) ? "" : ",").append(vector);
  const auto facts = read_answer_facts(hub_answer);
  const std::int64_t tokens = facts && facts->usage ? facts->usage->input_tokens : 0;
  const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(SystemClock().wall() - telling.at).count();
  out.append("],\"total_duration\":").append(std::to_string(std::max<std::int64_t>(1, took)));
  return out.append(",\"load_duration\":0,\"prompt_eval_count\":").append(std::to_string(tokens)).append("}");
}

// Embeddings are never streamed; an answer that comes so all the same passes as it is.
std::unique_ptr<stream::Translator> translator(const Telling& /*telling*/) {
  return make_pass_through({{}, ollama_error_line});
}

}  // namespace

const SurfaceForm& ollama_embed_form() {
  static const SurfaceForm k_form{parse, ollama_error_body, k_ollama_stream_type, HubForm{request, answer, translator}};
  return k_form;
}

}  // namespace nemo::protocol
