#include "daemon/protocol/surfaces/ollama_request.h"

#include <array>
#include <limits>
#include <optional>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

constexpr std::int64_t k_most_tokens = std::numeric_limits<std::int32_t>::max();

bool streams(call::Surface surface) {
  return surface != call::Surface::ollama_embed;
}

// One field of `options`, raw; empty: not there, or null.
std::string_view option(const RequestBody& body, std::string_view key) {
  const auto found = find_member(given_value(body, "options"), key);
  return !found || *found == "null" ? std::string_view() : *found;
}

Status read_model(const RequestBody& body, call::CallSpec& spec) {
  const std::string_view raw = given_value(body, "model");
  if (raw.empty()) return Done{};
  auto model = read_text(raw);
  if (!model) return refuse_field("model", "must be text");
  constexpr std::string_view k_latest = ":latest";
  if (model->ends_with(k_latest)) model->resize(model->size() - k_latest.size());
  spec.model = std::move(*model);
  return Done{};
}

Status read_stream(const RequestBody& body, call::CallSpec& spec) {
  if (!streams(spec.surface)) return Done{};
  const std::string_view raw = given_value(body, "stream");
  if (!raw.empty() && raw != "true" && raw != "false") return refuse_field("stream", "must be true or false");
  spec.stream = raw != "false";
  return Done{};
}

// Zero and below are Ollama's words for "as much as there is".
Status read_options(const RequestBody& body, call::CallSpec& spec) {
  const std::string_view options = given_value(body, "options");
  if (!options.empty() && options.front() != '{') return refuse_field("options", "must be an object");
  const std::string_view raw = option(body, "num_predict");
  if (raw.empty()) return Done{};
  const auto tokens = read_integer(raw);
  if (!tokens || *tokens > k_most_tokens) {
    return refuse_field("options.num_predict", "must be a whole number up to " + std::to_string(k_most_tokens));
  }
  if (*tokens > 0) spec.max_tokens = tokens;
  return Done{};
}

Status put_format(const RequestBody& body, HubBody& out) {
  const std::string_view format = given_value(body, "format");
  if (format.empty() || format == "\"\"") return Done{};
  if (format == "\"json\"") {
    out.put("response_format", R"({"type":"json_object"})");
  } else if (format.front() == '{') {
    std::string wrapped = R"({"type":"json_schema","json_schema":{"name":"answer","schema":)";
    out.put("response_format", wrapped.append(format).append("}}"));
  } else {
    return refuse_field("format", "must be \"json\" or a JSON schema");
  }
  return Done{};
}

// That a model is not to think has no word that every upstream takes: such an answer only goes without its thoughts.
Status put_effort(const RequestBody& body, HubBody& out) {
  const std::string_view think = given_value(body, "think");
  if (think.empty() || think == "false") return Done{};
  if (think == "true") {
    out.put("reasoning_effort", "\"medium\"");
  } else if (think == "\"low\"" || think == "\"medium\"" || think == "\"high\"") {
    out.put("reasoning_effort", think);
  } else {
    return refuse_field("think", "must be true, false, \"low\", \"medium\" or \"high\"");
  }
  return Done{};
}

}  // namespace

Result<call::CallSpec> read_ollama_request(const RequestBody& body, call::Surface surface) {
  call::CallSpec spec;
  spec.surface = surface;
  if (Status read = read_model(body, spec); !read) return read.error();
  if (Status read = read_stream(body, spec); !read) return read.error();
  if (Status read = read_options(body, spec); !read) return read.error();
  if (Status read = read_extensions(body, spec); !read) return read.error();
  return spec;
}

void HubBody::put(std::string_view key, std::string_view raw) {
  if (raw.empty()) return;
  m_json.append(m_json.empty() ? "{\"" : ",\"").append(key).append("\":").append(raw);
}

std::string HubBody::take() {
  if (m_json.empty()) m_json = "{";
  m_json.push_back('}');
  return std::move(m_json);
}

Status put_ollama_settings(const RequestBody& body, const call::CallSpec& spec, HubBody& out) {
  if (!spec.model.empty()) out.put("model", quote_json(spec.model));
  constexpr std::array<std::string_view, 6> k_options{"temperature",      "top_p", "top_k", "seed", "presence_penalty",
                                                      "frequency_penalty"};
  for (const std::string_view key : k_options) out.put(key, option(body, key));
  if (spec.max_tokens) out.put("max_tokens", std::to_string(*spec.max_tokens));
  if (Status put = put_format(body, out); !put) return put;
  if (Status put = put_effort(body, out); !put) return put;
  constexpr std::array<std::string_view, 5> k_extensions{"nemo_cache", "nemo_lane", "nemo_tags", "nemo_fallbacks",
                                                         "metadata"};
  for (const std::string_view key : k_extensions) out.put(key, given_value(body, key));
  if (spec.stream) out.put("stream", "true");
  return Done{};
}

Status put_stops(const RequestBody& body, Stops which, HubBody& out) {
  const std::string_view stop = option(body, "stop");
  if (stop.empty()) return Done{};
  if (stop.front() == '"') {
    out.put("stop", stop);
    return Done{};
  }
  if (stop.front() != '[') return refuse_field("options.stop", "must be text or a list of texts");
  constexpr std::size_t k_four = 4;
  JsonCursor cursor(stop);
  cursor.begin_array();
  std::string list = "[";
  for (std::size_t count = 0; cursor.next_element(); ++count) {
    const std::string_view text = cursor.take();
    if (text.empty() || text.front() != '"') return refuse_field("options.stop", "must be text or a list of texts");
    if (which == Stops::first_four && count >= k_four) continue;
    list.append(count == 0 ? "" : ",").append(text);
  }
  if (list.size() > 1) out.put("stop", list.append("]"));
  return Done{};
}

std::string ollama_error_body(const Error& error) {
  const bool has_body = error.kind == ErrorKind::upstream_rejected && !error.upstream_body.empty();
  return "{\"error\":" + quote_json(has_body ? read_complaint(error.upstream_body).message : error.message) + "}";
}

std::string ollama_error_line(const Error& error) {
  return ollama_error_body(error).append("\n");
}

}  // namespace nemo::protocol
