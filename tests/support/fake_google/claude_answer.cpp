#include "tests/support/fake_google/claude_answer.h"

#include <deque>
#include <utility>

#include "tests/support/fake_google/google_reply.h"
#include "tests/support/fake_upstream/answer_body.h"
#include "tests/support/fake_upstream/event_stream.h"

namespace nemo::fake_google {
namespace {

using fake_upstream::Ending;
using fake_upstream::http_chunk;
using fake_upstream::Script;
using fake_upstream::Step;
using fake_upstream::Words;

// As OpenAI would have it, so that the fake upstream's own reading and counting applies.
Json as_openai_message(const Json& message) {
  Json made = {{"role", text_of(message, "role")}};
  const Json content = message.value("content", Json(""));
  if (!content.is_array()) {
    made["content"] = content;
    return made;
  }
  Json parts = Json::array();
  for (const Json& part : content) {
    const std::string type = part.is_object() ? text_of(part, "type") : "";
    if (type == "text") parts.push_back({{"type", "text"}, {"text", text_of(part, "text")}});
    if (type == "image") parts.push_back({{"type", "image_url"}, {"image_url", Json::object()}});
    if (type == "tool_result") {
      made["role"] = "tool";
      const Json result = part.value("content", Json(""));
      if (result.is_string()) parts.push_back({{"type", "text"}, {"text", result}});
      if (result.is_array()) {
        for (const Json& piece : result) parts.push_back(piece);
      }
    }
  }
  made["content"] = std::move(parts);
  return made;
}

Json as_openai(const Json& body, const std::string& model) {
  Json chat = {{"model", model}, {"messages", Json::array()}};
  if (body.contains("system"))
    chat["messages"].push_back(as_openai_message({{"role", "system"}, {"content", body["system"]}}));
  if (const auto messages = body.find("messages"); messages != body.end() && messages->is_array()) {
    for (const Json& message : *messages) {
      if (message.is_object()) chat["messages"].push_back(as_openai_message(message));
    }
  }
  if (const auto tools = body.find("tools"); tools != body.end() && tools->is_array()) {
    for (const Json& tool : *tools) {
      if (!tool.is_object()) continue;
      chat["tools"].push_back(
          {{"type", "function"},
           {"function",
            {{"name", text_of(tool, "name")}, {"parameters", tool.value("input_schema", Json::object())}}}});
    }
  }
  for (const char* name : {"max_tokens", "stream"}) {
    if (body.contains(name)) chat[name] = body[name];
  }
  return chat;
}

Json usage_at_start(const ClaudeAnswer& answer) {
  const auto& planned = answer.planned;
  return {{"input_tokens", planned.input_tokens - planned.cached_tokens - answer.cache_write_tokens},
          {"cache_creation_input_tokens", answer.cache_write_tokens},
          {"cache_read_input_tokens", planned.cached_tokens},
          {"output_tokens", 1}};
}

std::string stop_reason(const ClaudeAnswer& answer) {
  if (!answer.script.finish_reason.empty()) return answer.script.finish_reason;
  if (!answer.ask.tool_name.empty()) return "tool_use";
  return Words(answer.ask, answer.script, 0).cut_by_limit() ? "max_tokens" : "end_turn";
}

Json arguments_of(const ClaudeAnswer& answer) {
  const Json arguments = Json::parse(answer.ask.tool_arguments, nullptr, false);
  return arguments.is_discarded() ? Json::object() : arguments;
}

std::string tool_id(const ClaudeAnswer& answer, std::int64_t index) {
  return "toolu_" + answer.id + "_" + std::to_string(index);
}

Json message_json(const ClaudeAnswer& answer, Json content, const Json& reason, Json usage) {
  return {{"id", "msg_" + answer.id},      {"type", "message"},
          {"role", "assistant"},           {"model", answer.ask.model},
          {"content", std::move(content)}, {"stop_reason", reason},
          {"stop_sequence", nullptr},      {"usage", std::move(usage)}};
}

// The events in order, with the words that each carries.
class Events {
 public:
  struct One {
    std::string type;
    Json data;
    std::int64_t chunks = 1;
    std::int64_t words = 0;
  };

  explicit Events(const ClaudeAnswer& answer) : m_answer(answer) {
    add("message_start", {{"message", message_json(answer, Json::array(), nullptr, usage_at_start(answer))}});
    add("ping", {}, 0);
    if (answer.planned.reasoning_tokens > 0) add_thinking();
    if (answer.ask.tool_name.empty()) {
      add_text();
    } else {
      for (std::int64_t i = 0; i < fake_upstream::tool_call_count(answer.ask, answer.script); ++i) add_tool(i);
    }
    Json last = {{"delta", {{"stop_reason", stop_reason(answer)}, {"stop_sequence", nullptr}}}};
    if (!answer.script.no_usage) last["usage"] = {{"output_tokens", answer.planned.output_tokens}};
    add("message_delta", std::move(last));
    add("message_stop", {}, 0);
  }
  std::deque<One> take() { return std::move(m_events); }

 private:
  void add(const std::string& type, Json fields, std::int64_t chunks = 1, std::int64_t words = 0) {
    Json data = {{"type", type}};
    if (fields.is_object()) data.update(fields);
    m_events.push_back({type, std::move(data), chunks, words});
  }
  void begin(Json block) { add("content_block_start", {{"index", m_block}, {"content_block", std::move(block)}}); }
  void delta(Json piece, std::int64_t words) {
    add("content_block_delta", {{"index", m_block}, {"delta", std::move(piece)}}, 1, words);
  }
  void end() { add("content_block_stop", {{"index", m_block++}}); }

  void add_thinking() {
    begin({{"type", "thinking"}, {"thinking", ""}, {"signature", ""}});
    for (std::int64_t i = 0; i < m_answer.planned.reasoning_tokens; ++i) {
      delta({{"type", "thinking_delta"}, {"thinking", thought(i)}}, 0);
    }
    delta({{"type", "signature_delta"}, {"signature", "ZmFrZQ=="}}, 0);
    end();
  }
  void add_text() {
    const Words words(m_answer.ask, m_answer.script, 0);
    begin({{"type", "text"}, {"text", ""}});
    for (std::int64_t i = 0; i < words.count(); ++i) delta({{"type", "text_delta"}, {"text", words.word(i)}}, 1);
    end();
  }
  void add_tool(std::int64_t index) {
    begin({{"type", "tool_use"},
           {"id", tool_id(m_answer, index)},
           {"name", m_answer.ask.tool_name},
           {"input", Json::object()}});
    for (const std::string& piece : fake_upstream::argument_pieces(m_answer.ask)) {
      delta({{"type", "input_json_delta"}, {"partial_json", piece}}, 1);
    }
    end();
  }

  const ClaudeAnswer& m_answer;
  std::int64_t m_block = 0;
  std::deque<One> m_events;
};

std::string event_text(const std::string& type, const Json& data) {
  return "event: " + type + "\ndata: " + fake_upstream::to_text(data) + "\n\n";
}

class ClaudeStream final : public fake_upstream::Playback {
 public:
  explicit ClaudeStream(const ClaudeAnswer& answer) : m_script(answer.script), m_events(Events(answer).take()) {}

  Step next() override {
    if (!m_head_sent) return head();
    if (const auto fault = fault_that_is_due()) return *fault;
    Step step;
    if (m_events.empty()) {
      step.bytes = "0\r\n\r\n";
      step.ending = Ending::keep_alive;
      return step;
    }
    const Events::One event = std::move(m_events.front());
    m_events.pop_front();
    if (event.chunks > 0) step.wait_ms = m_chunks == 0 ? m_script.first_token_ms : m_script.chunk_ms;
    step.bytes = http_chunk(event_text(event.type, event.data));
    step.chunks = event.chunks;
    step.words = event.words;
    m_chunks += event.chunks;
    return step;
  }

 private:
  Step head() {
    m_head_sent = true;
    Step step;
    step.wait_ms = m_script.delay_ms;
    step.bytes = fake_upstream::response_head(200, "text/event-stream; charset=utf-8", -1, m_script);
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
      return fake_upstream::cut_step(m_script, http_chunk("event: content_block_delta\ndata: {\"type\":\"content_blo"));
    }
    if (m_script.error_event_after == m_chunks) {
      const std::string type = m_script.error_type.empty() ? "overloaded_error" : m_script.error_type;
      const std::string message = m_script.error_message.empty() ? "Overloaded" : m_script.error_message;
      step.bytes =
          http_chunk(event_text("error", {{"type", "error"}, {"error", {{"type", type}, {"message", message}}}}));
      step.bytes += "0\r\n\r\n";
      step.ending = Ending::keep_alive;
      return step;
    }
    return std::nullopt;
  }

  Script m_script;
  std::deque<Events::One> m_events;
  std::int64_t m_chunks = 0;
  bool m_head_sent = false;
};

}  // namespace

ClaudeAsk read_claude_ask(const Json& body, const std::string& model, const Script& script) {
  ClaudeAsk read;
  read.ask = fake_upstream::read_ask(fake_upstream::AskKind::chat, as_openai(body, model), script);
  if (const auto thinking = body.find("thinking"); thinking != body.end() && thinking->is_object()) {
    read.thinks = text_of(*thinking, "type") != "disabled";
  }
  return read;
}

std::string claude_message(const ClaudeAnswer& answer) {
  Json content = Json::array();
  if (answer.planned.reasoning_tokens > 0) {
    std::string thinking;
    for (std::int64_t i = 0; i < answer.planned.reasoning_tokens; ++i) thinking += thought(i);
    content.push_back({{"type", "thinking"}, {"thinking", thinking}, {"signature", "ZmFrZQ=="}});
  }
  if (answer.ask.tool_name.empty()) {
    content.push_back({{"type", "text"}, {"text", Words(answer.ask, answer.script, 0).text()}});
  }
  for (std::int64_t i = 0; i < fake_upstream::tool_call_count(answer.ask, answer.script); ++i) {
    content.push_back({{"type", "tool_use"},
                       {"id", tool_id(answer, i)},
                       {"name", answer.ask.tool_name},
                       {"input", arguments_of(answer)}});
  }
  Json usage = usage_at_start(answer);
  usage["output_tokens"] = answer.planned.output_tokens;
  Json message = message_json(answer, std::move(content), stop_reason(answer), std::move(usage));
  if (answer.script.no_usage) message.erase("usage");
  return fake_upstream::to_text(message);
}

std::unique_ptr<fake_upstream::Playback> claude_stream(const ClaudeAnswer& answer) {
  return std::make_unique<ClaudeStream>(answer);
}

}  // namespace nemo::fake_google
