#include "daemon/protocol/surfaces/llamacpp_answer.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/translate/completion_parts.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

// llama.vim names eleven.
constexpr std::size_t k_most_response_fields = 64;

std::vector<std::string> response_fields(const RequestBody& body) {
  std::vector<std::string> names;
  const std::string_view raw = given_value(body, "response_fields");
  if (raw.empty()) return names;
  JsonCursor cursor(raw);
  each_element(cursor, [&] {
    auto name = read_text(cursor.take());
    if (name && names.size() < k_most_response_fields) names.push_back(std::move(*name));
  });
  return names;
}

std::string_view type_of(int status) {
  switch (status) {
    case 400:
    case 405:
    case 413:
      return "invalid_request_error";
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 503:
      return "unavailable_error";
    default:
      return status < 500 ? "invalid_request_error" : "server_error";
  }
}

// `openai_error`: {"error":{"message":…}}
std::string error_of(std::string_view openai_error, int status) {
  const auto inner = find_member(openai_error, "error");
  const auto message = inner && inner->starts_with('{') ? find_member(*inner, "message") : inner;
  std::string out = "{\"error\":{\"code\":" + std::to_string(status) + ",\"message\":";
  out.append(message ? *message : "\"\"").append(",\"type\":\"").append(type_of(status));
  return out.append("\"}}");
}

// What llama.cpp says of a finished answer, by names that response_fields may hold. Values are raw.
struct Figures {
  std::string content = "\"\"";
  std::string index = "0";
  std::string model = "\"\"";
  std::string prompt_tokens = "0";
  std::string output_tokens = "0";
  std::string stop_type = "\"eos\"";
};

std::string count_in(std::string_view usage, std::string_view key) {
  const auto count = usage.empty() ? std::nullopt : find_member(usage, key);
  return count && read_integer(*count) ? std::string(*count) : "0";
}

void read_usage(std::string_view usage, Figures& figures) {
  figures.prompt_tokens = count_in(usage, "prompt_tokens");
  figures.output_tokens = count_in(usage, "completion_tokens");
}

std::string_view stop_type_of(std::string_view finish_reason) {
  return finish_reason == "\"length\"" ? "\"limit\"" : "\"eos\"";
}

std::string whole_object(const Figures& of) {
  std::string out = "{\"content\":" + of.content + ",\"index\":" + of.index + ",\"stop\":true,\"model\":" + of.model;
  out.append(",\"tokens_predicted\":").append(of.output_tokens);
  out.append(",\"tokens_evaluated\":").append(of.prompt_tokens);
  out.append(",\"tokens_cached\":0,\"truncated\":false,\"stop_type\":").append(of.stop_type);
  out.append(",\"stopping_word\":\"\",\"timings\":{\"prompt_n\":").append(of.prompt_tokens);
  return out.append(",\"predicted_n\":").append(of.output_tokens).append("}}");
}

// Unknown names are left out, as llama.cpp does.
std::string named_object(const Figures& of, const std::vector<std::string>& names) {
  const std::array<std::pair<std::string_view, std::string_view>, 11> known{
      {{"content", of.content},
       {"index", of.index},
       {"stop", "true"},
       {"model", of.model},
       {"tokens_predicted", of.output_tokens},
       {"tokens_evaluated", of.prompt_tokens},
       {"tokens_cached", "0"},
       {"truncated", "false"},
       {"stop_type", of.stop_type},
       {"timings/prompt_n", of.prompt_tokens},
       {"timings/predicted_n", of.output_tokens}}};
  std::string out = "{";
  for (const auto& [name, value] : known) {
    if (std::find(names.begin(), names.end(), name) == names.end()) continue;
    out.append(out.size() > 1 ? ",\"" : "\"").append(name).append("\":").append(value);
  }
  return out.append("}");
}

std::string told(const Figures& of, const std::vector<std::string>& names) {
  return names.empty() ? whole_object(of) : named_object(of, names);
}

class LlamacppTranslator final : public stream::Translator {
 public:
  LlamacppTranslator(std::vector<std::string> names, std::string_view model)
      : m_names(std::move(names)), m_model(quote_json(model)) {}

  void translate(const stream::SseEvent& event, std::string& out) override {
    if (event.data.empty()) {
      out.append(event.raw);
      return;
    }
    if (event.data == "[DONE]") {
      finish(out);
      return;
    }
    const auto parts = read_completion_parts(event.data);
    if (!parts) return;
    if (parts->has_error) {
      out.append("data: " + error_of(event.data, k_bad_gateway) + "\n\n");
      m_has_ended = true;
      return;
    }
    for (const CompletionChoice& choice : parts->choices) pass(choice, out);
    if (!parts->usage.empty()) m_usage = parts->usage;
  }
  // The counts come after the last text, so the last events wait for the end.
  void finish(std::string& out) override {
    if (std::exchange(m_has_ended, true)) return;
    if (m_finished.empty()) m_finished.emplace_back();
    for (Figures& figures : m_finished) {
      figures.model = m_model;
      read_usage(m_usage, figures);
      out.append("data: " + told(figures, m_names) + "\n\n");
    }
  }
  void break_off(const Error& error, std::string& out) override {
    out.append("data: " + llamacpp_error_body(error) + "\n\n");
  }

 private:
  static constexpr int k_bad_gateway = 502;

  void pass(const CompletionChoice& choice, std::string& out) {
    const std::string text = content_body(choice.content);
    if (!text.empty()) {
      out.append("data: {\"content\":\"" + text + "\",\"index\":" + std::string(choice.index) + ",\"stop\":false}\n\n");
    }
    if (choice.finish_reason == "null") return;
    Figures& figures = m_finished.emplace_back();
    figures.index = choice.index;
    figures.stop_type = stop_type_of(choice.finish_reason);
  }

  std::vector<std::string> m_names;
  std::string m_model;
  std::string m_usage;
  std::vector<Figures> m_finished;
  bool m_has_ended = false;
};

}  // namespace

Result<std::string> llamacpp_answer(std::string_view hub_answer, const Telling& telling) {
  const auto parts = read_completion_parts(hub_answer);
  if (!parts || !parts->has_choices) {
    return fail(ErrorKind::upstream_error, "the upstream's answer is not a completion");
  }
  const std::vector<std::string> names = response_fields(telling.body);
  std::string out;
  for (const CompletionChoice& choice : parts->choices) {
    Figures figures;
    figures.content = "\"" + content_body(choice.content) + "\"";
    figures.index = choice.index;
    figures.model = quote_json(telling.model);
    figures.stop_type = stop_type_of(choice.finish_reason);
    read_usage(parts->usage, figures);
    out.append(out.empty() ? "" : ",").append(told(figures, names));
  }
  return parts->choices.size() == 1 ? out : "[" + out + "]";
}

std::unique_ptr<stream::Translator> make_llamacpp_translator(const Telling& telling) {
  return std::make_unique<LlamacppTranslator>(response_fields(telling.body), telling.model);
}

std::string llamacpp_error_body(const Error& error) {
  return error_of(error_body(error), error.status());
}

}  // namespace nemo::protocol
