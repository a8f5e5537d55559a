// Mistral's fill in the middle: prompt and suffix go in, and chat's shape comes out.
// Source: Mistral API reference (FIM completion, errors).
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/fim/hole.h"
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/surfaces/forms.h"
#include "daemon/protocol/translate/completion_parts.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

Result<call::CallSpec> parse(const RequestBody& body, const PathWords& /*path*/) {
  auto spec = parse_completions(body);
  if (!spec) return spec;
  if (given_value(body, "prompt").substr(0, 1) != "\"") return refuse_field("prompt", "must be text");
  spec->surface = call::Surface::mistral_fim;
  spec->fill_in_middle = true;  // without a suffix too: nothing stands behind the cursor then
  return spec;
}

// min_tokens has no place in the hub's form and is left out.
Result<std::string> request(const RequestBody& body, const call::CallSpec& /*spec*/) {
  std::string out = "{";
  const auto put = [&out](std::string_view key, std::string_view raw) {
    if (raw.empty()) return;
    out.append(out.size() > 1 ? ",\"" : "\"").append(key).append("\":").append(raw);
  };
  for (const std::string_view key : {"model", "prompt", "max_tokens", "temperature", "top_p", "stop", "stream",
                                     "nemo_cache", "nemo_lane", "nemo_tags", "nemo_fallbacks"}) {
    put(key, given_value(body, key));
  }
  const std::string_view suffix = given_value(body, "suffix");
  put("suffix", suffix.empty() ? std::string_view("\"\"") : suffix);
  put("seed", given_value(body, "random_seed"));
  put(k_files_field, "[]");  // a hole, whatever the suffix holds
  return out.append("}");
}

// A value that came over several data lines has line ends between its parts; one line is sent.
std::string event_of(std::string data) {
  std::replace(data.begin(), data.end(), '\n', ' ');
  return "data: " + data + "\n\n";
}

// {"error":{…}} -> {"object":"error",…}
std::string flat_error(std::string_view openai_error) {
  const auto inner = find_member(openai_error, "error");
  if (inner && inner->starts_with("{\"")) return "{\"object\":\"error\"," + std::string(inner->substr(1));
  const std::string message = inner ? std::string(*inner) : quote_json("upstream's error cannot be read");
  return "{\"object\":\"error\",\"message\":" + message + ",\"type\":\"api_error\",\"param\":null,\"code\":null}";
}

std::string mistral_error_body(const Error& error) {
  return flat_error(error_body(error));
}

std::string head_of(const CompletionParts& parts, std::string_view object) {
  std::string out = "{\"id\":" + std::string(parts.id.empty() ? "\"cmpl-nemo\"" : parts.id);
  out.append(",\"object\":\"").append(object).append("\",\"created\":");
  out.append(parts.created.empty() ? "0" : parts.created).append(",\"model\":");
  return out.append(parts.model.empty() ? "\"\"" : parts.model).append(",\"choices\":[");
}

std::string choice_of(const CompletionChoice& choice, std::string_view part) {
  std::string out = "{\"index\":" + std::string(choice.index) + ",\"" + std::string(part);
  out.append("\":{\"role\":\"assistant\",\"content\":\"").append(content_body(choice.content));
  return out.append("\"},\"finish_reason\":").append(choice.finish_reason).append("}");
}

Result<std::string> answer(std::string_view hub_answer, const Telling& /*telling*/) {
  const auto parts = read_completion_parts(hub_answer);
  if (!parts || !parts->has_choices) {
    return fail(ErrorKind::upstream_error, "the upstream's answer is not a completion");
  }
  std::string out = head_of(*parts, "chat.completion");
  for (const CompletionChoice& choice : parts->choices) {
    if (&choice != parts->choices.data()) out.push_back(',');
    out.append(choice_of(choice, "message"));
  }
  constexpr std::string_view k_none = R"({"prompt_tokens":0,"completion_tokens":0,"total_tokens":0})";
  return out.append("],\"usage\":").append(parts->usage.empty() ? k_none : parts->usage).append("}");
}

// Mistral states usage in the chunk that finishes, so that one waits for the hub's usage or for the end.
class FimTranslator final : public stream::Translator {
 public:
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
      release({}, out);
      out.append(event_of(flat_error(event.data)));
      m_has_ended = true;
      return;
    }
    pass(*parts, out);
  }
  void finish(std::string& out) override {
    release({}, out);
    if (!std::exchange(m_has_ended, true)) out.append(k_openai_end);
  }
  void break_off(const Error& error, std::string& out) override {
    release({}, out);
    out.append(event_of(mistral_error_body(error)));
  }

 private:
  void pass(const CompletionParts& parts, std::string& out) {
    if (parts.has_choices && !parts.choices.empty()) {
      release({}, out);
      std::string chunk = head_of(parts, "chat.completion.chunk");
      bool finishes = false;
      for (const CompletionChoice& choice : parts.choices) {
        if (&choice != parts.choices.data()) chunk.push_back(',');
        chunk.append(choice_of(choice, "delta"));
        finishes = finishes || choice.finish_reason != "null";
      }
      m_waiting = chunk.append("]");
      if (!finishes) release({}, out);
    }
    if (!parts.usage.empty()) release(parts.usage, out);
  }

  void release(std::string_view usage, std::string& out) {
    if (m_waiting.empty()) return;
    if (!usage.empty()) m_waiting.append(",\"usage\":").append(usage);
    out.append(event_of(std::move(m_waiting.append("}"))));
    m_waiting.clear();
  }

  std::string m_waiting;  // a chunk without its end
  bool m_has_ended = false;
};

std::unique_ptr<stream::Translator> translator(const Telling& /*telling*/) {
  return std::make_unique<FimTranslator>();
}

}  // namespace

const SurfaceForm& mistral_fim_form() {
  static const SurfaceForm k_form{parse, mistral_error_body, "text/event-stream", HubForm{request, answer, translator}};
  return k_form;
}

}  // namespace nemo::protocol
