#include "client_side.h"

#include <doctest/doctest.h>

#include <map>
#include <stdexcept>

#include "daemon/stream/sse_scanner.h"

namespace nemo::test {
namespace {

using call::Surface;

Json maybe_parts(const std::string& text, const std::string& type, Dice& dice) {
  if (dice.coin()) return text;
  return Json::array({{{"type", type}, {"text", text}}});
}

// --- requests -------------------------------------------------------------------------------------------------------

Json chat_messages(const Spoken& spoken, Dice& dice) {
  Json messages = Json::array();
  if (!spoken.system.empty()) messages.push_back({{"role", "system"}, {"content", spoken.system}});
  for (const Turn& turn : spoken.turns) {
    for (const ToolResult& result : turn.results) {
      messages.push_back(
          {{"role", "tool"}, {"tool_call_id", result.id}, {"content", maybe_parts(result.text, "text", dice)}});
    }
    if (turn.by_user) {
      if (!turn.text.empty()) {
        messages.push_back({{"role", "user"}, {"content", maybe_parts(turn.text, "text", dice)}});
      }
      continue;
    }
    Json message{{"role", "assistant"}, {"content", turn.text.empty() ? Json() : Json(turn.text)}};
    for (const ToolCall& call : turn.calls) {
      message["tool_calls"].push_back({{"id", call.id},
                                       {"type", "function"},
                                       {"function", {{"name", call.name}, {"arguments", call.arguments.dump()}}}});
    }
    messages.push_back(std::move(message));
  }
  return messages;
}

Json chat_tools(const Spoken& spoken) {
  Json tools = Json::array();
  for (const Tool& tool : spoken.tools) {
    tools.push_back(
        {{"type", "function"},
         {"function", {{"name", tool.name}, {"description", tool.description}, {"parameters", tool.schema}}}});
  }
  return tools;
}

Json chat_request(const Spoken& spoken, Dice& dice) {
  return {{"model", "m"},
          {"messages", chat_messages(spoken, dice)},
          {"tools", chat_tools(spoken)},
          {"max_tokens", spoken.max_tokens}};
}

Json messages_request(const Spoken& spoken, Dice& dice) {
  Json body{{"model", "m"}, {"max_tokens", spoken.max_tokens}};
  if (!spoken.system.empty()) body["system"] = maybe_parts(spoken.system, "text", dice);
  for (const Turn& turn : spoken.turns) {
    Json content = Json::array();
    for (const ToolResult& result : turn.results) {
      content.push_back(
          {{"type", "tool_result"}, {"tool_use_id", result.id}, {"content", maybe_parts(result.text, "text", dice)}});
    }
    if (!turn.text.empty()) content.push_back({{"type", "text"}, {"text", turn.text}});
    for (const ToolCall& call : turn.calls) {
      content.push_back({{"type", "tool_use"}, {"id", call.id}, {"name", call.name}, {"input", call.arguments}});
    }
    body["messages"].push_back({{"role", turn.by_user ? "user" : "assistant"}, {"content", content}});
  }
  for (const Tool& tool : spoken.tools) {
    body["tools"].push_back({{"name", tool.name}, {"description", tool.description}, {"input_schema", tool.schema}});
  }
  return body;
}

Json responses_request(const Spoken& spoken, Dice& dice) {
  Json body{{"model", "m"}, {"max_output_tokens", spoken.max_tokens}, {"store", false}, {"input", Json::array()}};
  if (!spoken.system.empty()) body["instructions"] = spoken.system;
  for (const Turn& turn : spoken.turns) {
    for (const ToolResult& result : turn.results) {
      body["input"].push_back({{"type", "function_call_output"}, {"call_id", result.id}, {"output", result.text}});
    }
    if (!turn.text.empty() && turn.by_user) {
      body["input"].push_back({{"role", "user"}, {"content", maybe_parts(turn.text, "input_text", dice)}});
    }
    if (!turn.text.empty() && !turn.by_user) {
      body["input"].push_back(
          {{"type", "message"}, {"role", "assistant"}, {"content", {{{"type", "output_text"}, {"text", turn.text}}}}});
    }
    for (const ToolCall& call : turn.calls) {
      body["input"].push_back(
          {{"type", "function_call"}, {"call_id", call.id}, {"name", call.name}, {"arguments", call.arguments.dump()}});
    }
  }
  for (const Tool& tool : spoken.tools) {
    body["tools"].push_back(
        {{"type", "function"}, {"name", tool.name}, {"description", tool.description}, {"parameters", tool.schema}});
  }
  return body;
}

// Gemini writes the types of a schema in capitals.
Json in_capitals(const Json& schema) {
  Json made = schema;
  made["type"] = "OBJECT";
  for (auto& [unused, property] : made["properties"].items()) property["type"] = "STRING";
  return made;
}

Json gemini_request(const Spoken& spoken) {
  Json body{{"generationConfig", {{"maxOutputTokens", spoken.max_tokens}}}};
  if (!spoken.system.empty()) body["systemInstruction"] = {{"parts", {{{"text", spoken.system}}}}};
  std::map<std::string, std::string> names;
  for (const Turn& turn : spoken.turns) {
    Json parts = Json::array();
    for (const ToolResult& result : turn.results) {
      parts.push_back({{"functionResponse",
                        {{"id", result.id}, {"name", names[result.id]}, {"response", {{"output", result.text}}}}}});
    }
    if (!turn.text.empty()) parts.push_back({{"text", turn.text}});
    for (const ToolCall& call : turn.calls) {
      names[call.id] = call.name;
      parts.push_back({{"functionCall", {{"id", call.id}, {"name", call.name}, {"args", call.arguments}}}});
    }
    body["contents"].push_back({{"role", turn.by_user ? "user" : "model"}, {"parts", parts}});
  }
  Json declarations = Json::array();
  for (const Tool& tool : spoken.tools) {
    declarations.push_back(
        {{"name", tool.name}, {"description", tool.description}, {"parameters", in_capitals(tool.schema)}});
  }
  body["tools"] = Json::array({{{"functionDeclarations", declarations}}});
  return body;
}

Json ollama_request(const Spoken& spoken) {
  Json body{{"model", "m"}, {"options", {{"num_predict", spoken.max_tokens}}}, {"tools", chat_tools(spoken)}};
  if (!spoken.system.empty()) body["messages"].push_back({{"role", "system"}, {"content", spoken.system}});
  std::map<std::string, std::string> names;
  for (const Turn& turn : spoken.turns) {
    for (const ToolResult& result : turn.results) {
      body["messages"].push_back({{"role", "tool"}, {"tool_name", names[result.id]}, {"content", result.text}});
    }
    if (turn.by_user && turn.text.empty()) continue;
    Json message{{"role", turn.by_user ? "user" : "assistant"}, {"content", turn.text}};
    for (const ToolCall& call : turn.calls) {
      names[call.id] = call.name;
      message["tool_calls"].push_back({{"function", {{"name", call.name}, {"arguments", call.arguments}}}});
    }
    body["messages"].push_back(std::move(message));
  }
  return body;
}

// --- answers --------------------------------------------------------------------------------------------------------

Reason reason_of(const std::string& word, const Reply& reply) {
  if (word == "length" || word == "max_tokens" || word == "MAX_TOKENS") return Reason::length;
  return reply.calls.empty() ? Reason::stop : Reason::tools;
}

void take_chat_usage(const Json& usage, Reply& reply) {
  reply.input_tokens = usage.at("prompt_tokens");
  reply.output_tokens = usage.at("completion_tokens");
  reply.cached_tokens = usage.value("prompt_tokens_details", Json::object()).value("cached_tokens", 0);
}

void take_messages_usage(const Json& usage, Reply& reply) {
  reply.cached_tokens = usage.value("cache_read_input_tokens", reply.cached_tokens);
  if (usage.contains("input_tokens")) reply.input_tokens = usage["input_tokens"].get<int>() + reply.cached_tokens;
  reply.output_tokens = usage.at("output_tokens");
}

void take_responses_usage(const Json& usage, Reply& reply) {
  reply.input_tokens = usage.at("input_tokens");
  reply.cached_tokens = usage.at("input_tokens_details").at("cached_tokens");
  reply.output_tokens = usage.at("output_tokens");
  CHECK(usage.at("total_tokens") == reply.input_tokens + reply.output_tokens);
}

void take_gemini(const Json& answer, Reply& reply) {
  if (answer.contains("usageMetadata")) {
    const Json& usage = answer["usageMetadata"];
    reply.input_tokens = usage.at("promptTokenCount");
    reply.cached_tokens = usage.value("cachedContentTokenCount", 0);
    reply.output_tokens = usage.at("candidatesTokenCount").get<int>() + usage.value("thoughtsTokenCount", 0);
  }
  for (const Json& candidate : answer.value("candidates", Json::array())) {
    for (const Json& part : candidate.value("content", Json::object()).value("parts", Json::array())) {
      reply.text += part.value("text", "");
      if (!part.contains("functionCall")) continue;
      const Json& call = part["functionCall"];
      reply.calls.push_back({call.value("id", ""), call.at("name"), call.value("args", Json::object())});
    }
    if (candidate.contains("finishReason")) reply.reason = reason_of(candidate["finishReason"], reply);
  }
}

void take_ollama(const Json& answer, Reply& reply) {
  const Json& message = answer.at("message");
  reply.text += message.at("content").get<std::string>();
  for (const Json& call : message.value("tool_calls", Json::array())) {
    reply.calls.push_back({call.value("id", ""), call.at("function").at("name"), call["function"].at("arguments")});
  }
  if (!answer.at("done").get<bool>()) return;
  reply.input_tokens = answer.at("prompt_eval_count");
  reply.output_tokens = answer.at("eval_count");
  reply.reason = reason_of(answer.at("done_reason"), reply);
}

void take_response(const Json& response, Reply& reply) {
  for (const Json& item : response.at("output")) {
    if (item.at("type") == "message") {
      for (const Json& part : item.at("content")) reply.text += part.value("text", "");
    }
    if (item["type"] == "function_call") {
      reply.calls.push_back(
          {item.at("call_id"), item.at("name"), Json::parse(item.at("arguments").get<std::string>())});
    }
  }
  take_responses_usage(response.at("usage"), reply);
  const bool is_cut = response.at("status") == "incomplete";
  reply.reason = reason_of(is_cut ? "length" : "stop", reply);
}

Reply read_chat(const Json& answer) {
  Reply reply;
  const Json& choice = answer.at("choices").at(0);
  const Json& message = choice.at("message");
  if (message.at("content").is_string()) reply.text = message["content"];
  for (const Json& call : message.value("tool_calls", Json::array())) {
    reply.calls.push_back({call.at("id"), call.at("function").at("name"),
                           Json::parse(call["function"].at("arguments").get<std::string>())});
  }
  take_chat_usage(answer.at("usage"), reply);
  reply.reason = reason_of(choice.at("finish_reason"), reply);
  return reply;
}

Reply read_message(const Json& message) {
  Reply reply;
  for (const Json& block : message.at("content")) {
    if (block.at("type") == "text") reply.text += block.at("text").get<std::string>();
    if (block["type"] == "tool_use") reply.calls.push_back({block.at("id"), block.at("name"), block.at("input")});
  }
  take_messages_usage(message.at("usage"), reply);
  reply.reason = reason_of(message.at("stop_reason"), reply);
  return reply;
}

// --- streams --------------------------------------------------------------------------------------------------------

struct Event {
  std::string name;
  std::string data;
};

std::vector<Event> events_of(const std::string& bytes) {
  stream::SseScanner scanner;
  scanner.feed(bytes);
  std::vector<Event> events;
  while (const auto event = scanner.next()) {
    if (!event->data.empty()) events.push_back({std::string(event->event), std::string(event->data)});
  }
  CHECK_FALSE(scanner.finish().has_value());
  return events;
}

// Calls whose arguments come in pieces, by their place.
class Gathered {
 public:
  ToolCall& call(std::size_t place) {
    if (m_calls.size() <= place) {
      m_calls.resize(place + 1);
      m_arguments.resize(place + 1);
    }
    return m_calls[place];
  }
  void append(std::size_t place, const std::string& piece) {
    call(place);
    m_arguments[place] += piece;
  }
  std::vector<ToolCall> all() {
    for (std::size_t i = 0; i < m_calls.size(); ++i) {
      m_calls[i].arguments = m_arguments[i].empty() ? Json::object() : Json::parse(m_arguments[i]);
    }
    return m_calls;
  }

 private:
  std::vector<ToolCall> m_calls;
  std::vector<std::string> m_arguments;
};

Reply read_chat_stream(const std::string& bytes) {
  Reply reply;
  Gathered gathered;
  std::string reason;
  const auto events = events_of(bytes);
  REQUIRE(!events.empty());
  CHECK(events.back().data == "[DONE]");
  for (const Event& event : events) {
    if (event.data == "[DONE]") break;
    const Json chunk = Json::parse(event.data);
    if (chunk.contains("usage") && chunk["usage"].is_object()) take_chat_usage(chunk["usage"], reply);
    for (const Json& choice : chunk.at("choices")) {
      const Json& delta = choice.at("delta");
      if (delta.contains("content") && delta["content"].is_string()) reply.text += delta["content"].get<std::string>();
      for (const Json& part : delta.value("tool_calls", Json::array())) {
        const std::size_t place = part.at("index");
        if (part.contains("id")) gathered.call(place).id = part["id"];
        const Json& function = part.at("function");
        if (function.contains("name")) gathered.call(place).name = function["name"];
        gathered.append(place, function.value("arguments", ""));
      }
      if (choice.at("finish_reason").is_string()) reason = choice["finish_reason"];
    }
  }
  reply.calls = gathered.all();
  reply.reason = reason_of(reason, reply);
  return reply;
}

// The order of events is a client's contract: a block is begun, filled and ended before the next one begins.
Reply read_messages_stream(const std::string& bytes) {
  Reply reply;
  Gathered gathered;
  std::size_t calls = 0;
  int open = -1;
  int next_index = 0;
  bool is_tool = false;
  std::string last;
  for (const Event& event : events_of(bytes)) {
    const Json data = Json::parse(event.data);
    last = data.at("type");
    CHECK(event.name == last);
    if (last == "message_start") {
      take_messages_usage(data.at("message").at("usage"), reply);
    } else if (last == "content_block_start") {
      REQUIRE(open == -1);
      open = data.at("index");
      CHECK(open == next_index++);
      const Json& block = data.at("content_block");
      is_tool = block.at("type") == "tool_use";
      if (is_tool) {
        gathered.call(calls).id = block.at("id");
        gathered.call(calls++).name = block.at("name");
      }
    } else if (last == "content_block_delta") {
      REQUIRE(data.at("index") == open);
      const Json& delta = data.at("delta");
      if (delta.at("type") == "text_delta") reply.text += delta.at("text").get<std::string>();
      if (delta["type"] == "input_json_delta") gathered.append(calls - 1, delta.at("partial_json"));
    } else if (last == "content_block_stop") {
      CHECK(data.at("index") == open);
      open = -1;
    } else if (last == "message_delta") {
      take_messages_usage(data.at("usage"), reply);
      reply.calls = gathered.all();
      reply.reason = reason_of(data.at("delta").at("stop_reason"), reply);
    }
  }
  CHECK(open == -1);
  CHECK(last == "message_stop");
  return reply;
}

Reply read_responses_stream(const std::string& bytes) {
  Reply reply;
  std::string deltas;
  std::map<std::string, std::string> arguments;  // by item
  int sequence = 0;
  Json last;
  for (const Event& event : events_of(bytes)) {
    last = Json::parse(event.data);
    CHECK(event.name == last.at("type"));
    CHECK(last.at("sequence_number") == sequence++);
    if (last["type"] == "response.output_text.delta") deltas += last.at("delta").get<std::string>();
    if (last["type"] == "response.function_call_arguments.delta") {
      arguments[last.at("item_id")] += last.at("delta").get<std::string>();
    }
    if (last["type"] == "response.function_call_arguments.done") {
      CHECK(arguments[last.at("item_id")] == last.at("arguments"));
    }
  }
  const bool is_end = last.at("type") == "response.completed" || last["type"] == "response.incomplete";
  CHECK(is_end);
  take_response(last.at("response"), reply);
  CHECK(deltas == reply.text);
  return reply;
}

Reply read_gemini_stream(const std::string& bytes) {
  Reply reply;
  for (const Event& event : events_of(bytes)) take_gemini(Json::parse(event.data), reply);
  return reply;
}

Reply read_ollama_stream(const std::string& bytes) {
  Reply reply;
  bool done = false;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t end = bytes.find('\n', at);
    REQUIRE(end != std::string::npos);
    CHECK_FALSE(done);
    const Json line = Json::parse(bytes.substr(at, end - at));
    take_ollama(line, reply);
    done = line.at("done");
    at = end + 1;
  }
  CHECK(done);
  return reply;
}

}  // namespace

bool has_ids(Surface surface) {
  return surface != Surface::ollama_chat;
}

std::string request_in(Surface surface, const Spoken& spoken, Streamed streamed, Dice& dice) {
  Json body;
  switch (surface) {
    case Surface::openai_chat:
      body = chat_request(spoken, dice);
      break;
    case Surface::anthropic_messages:
      body = messages_request(spoken, dice);
      break;
    case Surface::openai_responses:
      body = responses_request(spoken, dice);
      break;
    case Surface::gemini:
      return gemini_request(spoken).dump(-1, ' ', dice.coin());  // whether it streams, its path says
    case Surface::ollama_chat:
      body = ollama_request(spoken);
      break;
    default:
      throw std::logic_error("not a chat");
  }
  body["stream"] = streamed == Streamed::yes;
  if (surface == Surface::openai_chat && streamed == Streamed::yes) body["stream_options"] = {{"include_usage", true}};
  return body.dump(-1, ' ', dice.coin());
}

Reply read_whole(Surface surface, const std::string& body) {
  const Json answer = Json::parse(body);
  Reply reply;
  switch (surface) {
    case Surface::openai_chat:
      return read_chat(answer);
    case Surface::anthropic_messages:
      return read_message(answer);
    case Surface::openai_responses:
      take_response(answer, reply);
      return reply;
    case Surface::gemini:
      take_gemini(answer, reply);
      return reply;
    case Surface::ollama_chat:
      take_ollama(answer, reply);
      return reply;
    default:
      throw std::logic_error("not a chat");
  }
}

Reply read_stream(Surface surface, const std::string& bytes) {
  switch (surface) {
    case Surface::openai_chat:
      return read_chat_stream(bytes);
    case Surface::anthropic_messages:
      return read_messages_stream(bytes);
    case Surface::openai_responses:
      return read_responses_stream(bytes);
    case Surface::gemini:
      return read_gemini_stream(bytes);
    case Surface::ollama_chat:
      return read_ollama_stream(bytes);
    default:
      throw std::logic_error("not a chat");
  }
}

}  // namespace nemo::test
