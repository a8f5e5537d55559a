#include "tests/support/fake_google/gemini_answer.h"

#include <algorithm>
#include <array>
#include <deque>
#include <utility>

#include "tests/support/fake_upstream/answer_body.h"
#include "tests/support/fake_upstream/event_stream.h"
#include "tests/support/fake_upstream/http_message.h"

namespace nemo::fake_google {
namespace {

using fake_upstream::Ending;
using fake_upstream::http_chunk;
using fake_upstream::Script;
using fake_upstream::Step;
using fake_upstream::Words;

Json list_of(const Json& object, const char* name) {
  const Json value = object.value(name, Json::array());
  return value.is_array() ? value : Json::array({value});
}

// As OpenAI would have it, so that the fake upstream's own reading and counting applies.
Json as_openai_message(const Json& content, const char* role) {
  Json made = {{"role", role}, {"content", Json::array()}};
  for (const Json& part : list_of(content, "parts")) {
    if (part.contains("text")) made["content"].push_back({{"type", "text"}, {"text", text_of(part, "text")}});
    if (part.contains("inlineData")) {
      made["content"].push_back({{"type", "image_url"}, {"image_url", Json::object()}});
    }
    if (part.contains("functionResponse")) {
      made["role"] = "tool";
      made["content"].push_back({{"type", "text"}, {"text", part["functionResponse"]["response"].dump()}});
    }
  }
  return made;
}

Json as_openai(const Json& body, const std::string& model, bool streamed) {
  Json chat = {{"model", model}, {"stream", streamed}, {"messages", Json::array()}};
  if (body.contains("systemInstruction")) {
    chat["messages"].push_back(as_openai_message(body["systemInstruction"], "system"));
  }
  for (const Json& content : list_of(body, "contents")) {
    chat["messages"].push_back(as_openai_message(content, text_of(content, "role") == "model" ? "assistant" : "user"));
  }
  for (const Json& tool : list_of(body, "tools")) {
    for (const Json& function : list_of(tool, "functionDeclarations")) {
      chat["tools"].push_back({{"type", "function"}, {"function", function}});
    }
  }
  const Json config = body.value("generationConfig", Json::object());
  if (config.contains("maxOutputTokens")) chat["max_tokens"] = config["maxOutputTokens"];
  return chat;
}

Json call_parts(const GeminiAnswer& answer) {
  Json parts = Json::array();
  for (std::int64_t i = 0; i < fake_upstream::tool_call_count(answer.read.ask, answer.script); ++i) {
    Json arguments = Json::parse(answer.read.ask.tool_arguments, nullptr, false);
    if (arguments.is_discarded()) arguments = Json::object();
    parts.push_back({{"functionCall", {{"name", answer.read.ask.tool_name}, {"args", std::move(arguments)}}},
                     {"thoughtSignature", "ZmFrZS1zaWduYXR1cmU="}});
  }
  return parts;
}

std::string finish_reason(const GeminiAnswer& answer) {
  if (!answer.script.finish_reason.empty()) return answer.script.finish_reason;
  return Words(answer.read.ask, answer.script, 0).cut_by_limit() ? "MAX_TOKENS" : "STOP";
}

Json usage_of(const GeminiAnswer& answer) {
  const auto& planned = answer.planned;
  Json usage = {{"promptTokenCount", planned.input_tokens},
                {"candidatesTokenCount", planned.output_tokens - planned.reasoning_tokens},
                {"totalTokenCount", planned.input_tokens + planned.output_tokens},
                {"trafficType", "ON_DEMAND"}};
  if (planned.reasoning_tokens > 0) usage["thoughtsTokenCount"] = planned.reasoning_tokens;
  if (planned.cached_tokens > 0) usage["cachedContentTokenCount"] = planned.cached_tokens;
  return usage;
}

Json response_json(const GeminiAnswer& answer, Json parts, const std::string& reason) {
  Json candidate = {{"content", {{"role", "model"}, {"parts", std::move(parts)}}}, {"index", 0}};
  if (!reason.empty()) candidate["finishReason"] = reason;
  Json response = {{"candidates", Json::array({std::move(candidate)})},
                   {"modelVersion", answer.read.ask.model},
                   {"responseId", answer.id}};
  if (reason.empty()) {
    response["usageMetadata"] = {{"promptTokenCount", answer.planned.input_tokens},
                                 {"totalTokenCount", answer.planned.input_tokens}};
  } else if (!answer.script.no_usage) {
    response["usageMetadata"] = usage_of(answer);
  }
  return response;
}

struct Event {
  Json data;
  std::int64_t words = 0;
};

std::deque<Event> events_of(const GeminiAnswer& answer) {
  std::deque<Event> events;
  const auto add = [&](Json part, std::int64_t words) {
    events.push_back({response_json(answer, Json::array({std::move(part)}), ""), words});
  };
  if (answer.read.includes_thoughts) {
    for (std::int64_t i = 0; i < answer.planned.reasoning_tokens; ++i)
      add({{"text", thought(i)}, {"thought", true}}, 0);
  }
  if (answer.read.ask.tool_name.empty()) {
    const Words words(answer.read.ask, answer.script, 0);
    for (std::int64_t i = 0; i < words.count(); ++i) add({{"text", words.word(i)}}, 1);
  } else {
    const auto words = answer.planned.output_tokens - answer.planned.reasoning_tokens;
    events.push_back({response_json(answer, call_parts(answer), ""), words});
  }
  if (!answer.script.no_finish) {
    events.push_back({response_json(answer, Json::array({{{"text", ""}}}), finish_reason(answer)), 0});
  }
  return events;
}

std::string event_text(const Json& data) {
  return "data: " + fake_upstream::to_text(data) + "\r\n\r\n";  // Google ends its lines so
}

class GeminiStream final : public fake_upstream::Playback {
 public:
  explicit GeminiStream(const GeminiAnswer& answer)
      : m_script(answer.script), m_form(answer.form), m_events(events_of(answer)) {}

  Step next() override {
    if (!m_head_sent) return head();
    if (const auto fault = fault_that_is_due()) return *fault;
    Step step;
    if (m_events.empty()) {
      step.bytes = "0\r\n\r\n";
      step.ending = Ending::keep_alive;
      return step;
    }
    const Event event = std::move(m_events.front());
    m_events.pop_front();
    step.wait_ms = m_chunks == 0 ? m_script.first_token_ms : m_script.chunk_ms;
    step.bytes = http_chunk(event_text(event.data));
    step.chunks = 1;
    step.words = event.words;
    ++m_chunks;
    return step;
  }

 private:
  Step head() {
    m_head_sent = true;
    Step step;
    step.wait_ms = m_script.delay_ms;
    step.bytes = fake_upstream::response_head(200, "text/event-stream", -1, m_script);
    step.bytes += "Transfer-Encoding: chunked\r\n\r\n";
    return step;
  }
  std::optional<Step> fault_that_is_due() const {
    Step step;
    if (m_script.stall_after_chunks == m_chunks) {
      step.ending = Ending::stall;
      return step;
    }
    if (m_script.cut_after_chunks == m_chunks) {
      return fake_upstream::cut_step(m_script, http_chunk("data: {\"candidates\": [{\"content\""));
    }
    if (m_script.error_event_after == m_chunks) {
      const std::string message = m_script.error_message.empty() ? "The model is overloaded." : m_script.error_message;
      step.bytes = http_chunk(event_text(error_json(503, message, m_form))) + "0\r\n\r\n";
      step.ending = Ending::keep_alive;
      return step;
    }
    return std::nullopt;
  }

  Script m_script;
  ErrorForm m_form;
  std::deque<Event> m_events;
  std::int64_t m_chunks = 0;
  bool m_head_sent = false;
};

}  // namespace

std::string object_to_gemini(const Json& body, bool streamed, std::string_view query) {
  constexpr std::array<std::string_view, 9> k_fields{
      "contents",         "systemInstruction", "tools",  "toolConfig", "safetySettings",
      "generationConfig", "cachedContent",     "labels", "fake"};
  for (const auto& [name, value] : body.items()) {
    if (std::find(k_fields.begin(), k_fields.end(), name) == k_fields.end()) {
      return "Invalid JSON payload received. Unknown name \"" + name + "\": Cannot find field.";
    }
  }
  if (list_of(body, "contents").empty()) return "at least one contents field is required";
  for (const Json& content : list_of(body, "contents")) {
    const std::string role = content.is_object() ? text_of(content, "role") : "";
    if (role != "user" && role != "model") return "Please use a valid role: user, model.";
    if (list_of(content, "parts").empty()) return "contents.parts must not be empty.";
  }
  if (streamed && query != "alt=sse") return "this fake streams with alt=sse alone";
  if (!streamed && !query.empty()) return "an answer that is not streamed needs no query";
  return "";
}

GeminiAsk read_gemini_ask(const Json& body, const std::string& model, bool streamed, const Script& script) {
  GeminiAsk read;
  read.ask = fake_upstream::read_ask(fake_upstream::AskKind::chat, as_openai(body, model, streamed), script);
  const Json config = body.value("generationConfig", Json::object());
  const Json thinking = config.value("thinkingConfig", Json::object());
  read.includes_thoughts = thinking.value("includeThoughts", false);
  return read;
}

std::string gemini_whole(const GeminiAnswer& answer) {
  if (answer.script.error_event_after) {
    return fake_upstream::to_text(error_json(503, "The model is overloaded.", answer.form));
  }
  Json parts = Json::array();
  if (answer.read.includes_thoughts && answer.planned.reasoning_tokens > 0) {
    std::string thoughts;
    for (std::int64_t i = 0; i < answer.planned.reasoning_tokens; ++i) thoughts += thought(i);
    parts.push_back({{"text", thoughts}, {"thought", true}});
  }
  if (answer.read.ask.tool_name.empty()) {
    parts.push_back({{"text", Words(answer.read.ask, answer.script, 0).text()}});
  } else {
    for (Json& part : call_parts(answer)) parts.push_back(std::move(part));
  }
  return fake_upstream::to_text(response_json(answer, std::move(parts), finish_reason(answer)));
}

std::unique_ptr<fake_upstream::Playback> gemini_stream(const GeminiAnswer& answer) {
  return std::make_unique<GeminiStream>(answer);
}

}  // namespace nemo::fake_google
