#include "upstream_side.h"

#include <stdexcept>

namespace nemo::test {
namespace {

using protocol::Dialect;

std::string text_of(const Json& content) {
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  if (!content.is_array()) return text;
  for (const Json& part : content) text += part.value("text", "");
  return text;
}

Turn& turn_of(Spoken& spoken, bool by_user) {
  if (spoken.turns.empty() || spoken.turns.back().by_user != by_user) {
    spoken.turns.emplace_back();
    spoken.turns.back().by_user = by_user;
  }
  return spoken.turns.back();
}

Spoken read_chat_request(const Json& body) {
  Spoken spoken;
  for (const Json& message : body.at("messages")) {
    const std::string role = message.at("role");
    const std::string text = text_of(message.value("content", Json()));
    if (role == "system" || role == "developer") {
      spoken.system += text;
      continue;
    }
    Turn& turn = turn_of(spoken, role != "assistant");
    if (role == "tool") {
      turn.results.push_back({message.at("tool_call_id"), text});
      continue;
    }
    turn.text += text;
    for (const Json& call : message.value("tool_calls", Json::array())) {
      turn.calls.push_back({call.at("id"), call.at("function").at("name"),
                            Json::parse(call.at("function").at("arguments").get<std::string>())});
    }
  }
  for (const Json& tool : body.value("tools", Json::array())) {
    const Json& function = tool.at("function");
    spoken.tools.push_back({function.at("name"), function.value("description", ""), function.at("parameters")});
  }
  spoken.max_tokens =
      body.contains("max_tokens") ? body["max_tokens"].get<int>() : body.value("max_completion_tokens", 0);
  return spoken;
}

Spoken read_messages(const Json& body) {
  Spoken spoken;
  spoken.system = text_of(body.value("system", Json("")));
  for (const Json& message : body.at("messages")) {
    Turn& turn = turn_of(spoken, message.at("role") == "user");
    if (message.at("content").is_string()) {
      turn.text += message["content"].get<std::string>();
      continue;
    }
    for (const Json& block : message["content"]) {
      const std::string type = block.at("type");
      if (type == "text") turn.text += block.at("text").get<std::string>();
      if (type == "tool_use") turn.calls.push_back({block.at("id"), block.at("name"), block.at("input")});
      if (type == "tool_result") {
        turn.results.push_back({block.at("tool_use_id"), text_of(block.value("content", Json("")))});
      }
    }
  }
  for (const Json& tool : body.value("tools", Json::array())) {
    spoken.tools.push_back({tool.at("name"), tool.value("description", ""), tool.at("input_schema")});
  }
  spoken.max_tokens = body.at("max_tokens");
  return spoken;
}

std::string chat_reason(Reason reason) {
  return reason == Reason::stop ? "stop" : reason == Reason::length ? "length" : "tool_calls";
}

std::string messages_reason(Reason reason) {
  return reason == Reason::stop ? "end_turn" : reason == Reason::length ? "max_tokens" : "tool_use";
}

Json chat_usage(const Reply& reply) {
  return {{"prompt_tokens", reply.input_tokens},
          {"completion_tokens", reply.output_tokens},
          {"total_tokens", reply.input_tokens + reply.output_tokens},
          {"prompt_tokens_details", {{"cached_tokens", reply.cached_tokens}}}};
}

Json messages_usage(const Reply& reply) {
  return {{"input_tokens", reply.input_tokens - reply.cached_tokens},
          {"cache_read_input_tokens", reply.cached_tokens},
          {"output_tokens", reply.output_tokens}};
}

Json chat_call(const ToolCall& call, std::size_t index) {
  return {{"index", index},
          {"id", call.id},
          {"type", "function"},
          {"function", {{"name", call.name}, {"arguments", call.arguments.dump()}}}};
}

std::string whole_chat(const Reply& reply) {
  Json message{{"role", "assistant"}, {"content", reply.text.empty() ? Json() : Json(reply.text)}};
  for (std::size_t i = 0; i < reply.calls.size(); ++i) message["tool_calls"].push_back(chat_call(reply.calls[i], i));
  return Json{{"id", "chatcmpl-1"},
              {"object", "chat.completion"},
              {"created", 1'760'000'000},
              {"model", "m"},
              {"choices", {{{"index", 0}, {"message", message}, {"finish_reason", chat_reason(reply.reason)}}}},
              {"usage", chat_usage(reply)}}
      .dump();
}

std::string whole_message(const Reply& reply) {
  Json content = Json::array();
  if (!reply.text.empty()) content.push_back({{"type", "text"}, {"text", reply.text}});
  for (const ToolCall& call : reply.calls) {
    content.push_back({{"type", "tool_use"}, {"id", call.id}, {"name", call.name}, {"input", call.arguments}});
  }
  return Json{{"id", "msg_1"},
              {"type", "message"},
              {"role", "assistant"},
              {"model", "m"},
              {"content", content},
              {"stop_reason", messages_reason(reply.reason)},
              {"stop_sequence", nullptr},
              {"usage", messages_usage(reply)}}
      .dump();
}

class ChatStream {
 public:
  explicit ChatStream(Dice& dice) : m_dice(dice) {}

  void delta(const Json& delta, const Json& reason = nullptr) {
    event({{"index", 0}, {"delta", delta}, {"finish_reason", reason}}, nullptr);
  }
  void usage(const Reply& reply) { event(nullptr, chat_usage(reply)); }
  std::string done() { return m_out + "data: [DONE]\n\n"; }

 private:
  void event(const Json& choice, const Json& usage) {
    Json chunk{{"id", "chatcmpl-1"},
               {"object", "chat.completion.chunk"},
               {"created", 1'760'000'000},
               {"model", "m"},
               {"choices", Json::array()}};
    if (!choice.is_null()) chunk["choices"].push_back(choice);
    if (!usage.is_null()) chunk["usage"] = usage;
    const std::string end = m_dice.roll(3) == 0 ? "\r\n" : "\n";
    m_out += "data: " + chunk.dump(-1, ' ', m_dice.coin()) + end + end;
    if (m_dice.roll(9) == 0) m_out += ": keepalive\n\n";
  }

  Dice& m_dice;
  std::string m_out;
};

// The pieces of several calls' arguments, one call after the other or by turns.
std::vector<std::pair<std::size_t, std::string>> argument_pieces(const Reply& reply, Dice& dice) {
  std::vector<std::vector<std::string>> of_call;
  std::size_t left = 0;
  for (const ToolCall& call : reply.calls) {
    of_call.push_back(dice.pieces_of(call.arguments.dump()));
    left += of_call.back().size();
  }
  const bool by_turns = dice.coin();
  std::vector<std::size_t> next(of_call.size());
  std::vector<std::pair<std::size_t, std::string>> all;
  std::size_t call = 0;
  while (all.size() < left) {
    if (by_turns) call = static_cast<std::size_t>(dice.roll(static_cast<int>(of_call.size()) - 1));
    while (next[call] == of_call[call].size()) call = (call + 1) % of_call.size();
    all.emplace_back(call, of_call[call][next[call]++]);
  }
  return all;
}

std::string chat_stream(const Reply& reply, Dice& dice) {
  ChatStream stream(dice);
  stream.delta({{"role", "assistant"}, {"content", ""}});
  for (const std::string& piece : dice.pieces_of(reply.text)) stream.delta({{"content", piece}});
  for (std::size_t i = 0; i < reply.calls.size(); ++i) {
    Json head = chat_call(reply.calls[i], i);
    head["function"]["arguments"] = "";
    stream.delta({{"tool_calls", {head}}});
  }
  for (const auto& [index, piece] : argument_pieces(reply, dice)) {
    stream.delta({{"tool_calls", {{{"index", index}, {"function", {{"arguments", piece}}}}}}});
  }
  stream.delta(Json::object(), chat_reason(reply.reason));
  stream.usage(reply);
  return stream.done();
}

class MessagesStream {
 public:
  explicit MessagesStream(Dice& dice) : m_dice(dice) {}
  void event(const Json& data) {
    m_out += "event: " + data["type"].get<std::string>() + "\ndata: " + data.dump(-1, ' ', m_dice.coin()) + "\n\n";
    const bool is_last = data["type"] == "message_stop";
    if (!is_last && m_dice.roll(9) == 0) m_out += "event: ping\ndata: {\"type\":\"ping\"}\n\n";
  }
  void block(const Json& content_block, const std::string& delta_type, const std::string& field,
             const std::string& text) {
    event({{"type", "content_block_start"}, {"index", m_index}, {"content_block", content_block}});
    for (const std::string& piece : m_dice.pieces_of(text)) {
      event({{"type", "content_block_delta"}, {"index", m_index}, {"delta", {{"type", delta_type}, {field, piece}}}});
    }
    event({{"type", "content_block_stop"}, {"index", m_index++}});
  }
  const std::string& bytes() const { return m_out; }

 private:
  Dice& m_dice;
  std::string m_out;
  int m_index = 0;
};

std::string messages_stream(const Reply& reply, Dice& dice) {
  MessagesStream stream(dice);
  Json usage = messages_usage(reply);
  usage["output_tokens"] = 1;
  stream.event({{"type", "message_start"},
                {"message",
                 {{"id", "msg_1"},
                  {"type", "message"},
                  {"role", "assistant"},
                  {"model", "m"},
                  {"content", Json::array()},
                  {"stop_reason", nullptr},
                  {"usage", usage}}}});
  if (!reply.text.empty()) stream.block({{"type", "text"}, {"text", ""}}, "text_delta", "text", reply.text);
  for (const ToolCall& call : reply.calls) {
    stream.block({{"type", "tool_use"}, {"id", call.id}, {"name", call.name}, {"input", Json::object()}},
                 "input_json_delta", "partial_json", call.arguments.dump());
  }
  stream.event({{"type", "message_delta"},
                {"delta", {{"stop_reason", messages_reason(reply.reason)}, {"stop_sequence", nullptr}}},
                {"usage", {{"output_tokens", reply.output_tokens}}}});
  stream.event({{"type", "message_stop"}});
  return stream.bytes();
}

}  // namespace

Spoken read_request(Dialect dialect, const std::string& body) {
  const Json json = Json::parse(body);
  if (dialect == Dialect::openai) return read_chat_request(json);
  if (dialect == Dialect::anthropic) return read_messages(json);
  throw std::logic_error("not a dialect of this test");
}

std::string whole_in(Dialect dialect, const Reply& reply) {
  return dialect == Dialect::openai ? whole_chat(reply) : whole_message(reply);
}

std::string stream_in(Dialect dialect, const Reply& reply, Dice& dice) {
  return dialect == Dialect::openai ? chat_stream(reply, dice) : messages_stream(reply, dice);
}

}  // namespace nemo::test
