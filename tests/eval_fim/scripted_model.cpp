#include "tests/eval_fim/scripted_model.h"

#include <algorithm>
#include <random>
#include <utility>

namespace nemo::eval {
namespace {

using Json = nlohmann::json;

std::string response(const std::string& type, const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

// Characters stay whole, as servers send them.
std::vector<std::string> pieces_of(const std::string& text) {
  std::mt19937 random(static_cast<std::uint32_t>(text.size()));
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(at + 1 + random() % 9, text.size());
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
    pieces.push_back(text.substr(at, end - at));
    at = end;
  }
  return pieces;
}

Json frame(bool is_chat, bool is_chunk, const std::string& text, const Json& reason) {
  Json choice{{"index", 0}, {"finish_reason", reason}};
  if (is_chat) {
    choice[is_chunk ? "delta" : "message"] = {{"role", "assistant"}, {"content", text}};
  } else {
    choice["text"] = text;
  }
  return {{"id", "c1"}, {"object", "x"}, {"created", 1}, {"model", "m"}, {"choices", Json::array({choice})}};
}

std::string streamed(bool is_chat, const std::string& text, const Json& usage) {
  std::string body;
  const auto say = [&body](const Json& event) { body += "data: " + event.dump() + "\n\n"; };
  for (const std::string& piece : pieces_of(text)) say(frame(is_chat, true, piece, nullptr));
  say(frame(is_chat, true, "", "stop"));
  say({{"id", "c1"}, {"object", "x"}, {"created", 1}, {"model", "m"}, {"choices", Json::array()}, {"usage", usage}});
  return body + "data: [DONE]\n\n";
}

}  // namespace

ScriptedModel::ScriptedModel() : m_server([this](test::Peer& peer, int) { serve(peer); }) {}

void ScriptedModel::answer_with(std::string text) {
  m_state.with([&](State& state) {
    state.text = std::move(text);
    state.asked = nullptr;
  });
}

Json ScriptedModel::asked() const {
  return m_state.with([](const State& state) { return state.asked; });
}

void ScriptedModel::serve(test::Peer& peer) {
  for (std::string request = peer.read_request(); !request.empty(); request = peer.read_request()) {
    if (request.starts_with("GET ")) {
      peer.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");  // so that every model is taken as served
      continue;
    }
    const Json body = Json::parse(request.substr(request.find("\r\n\r\n") + 4), nullptr, false);
    const bool is_chat = request.starts_with("POST /v1/chat/");
    const std::string text = m_state.with([&](State& state) {
      state.asked = body;
      return state.text;
    });
    const Json usage{{"prompt_tokens", 10}, {"completion_tokens", 5}, {"total_tokens", 15}};
    if (body.value("stream", false)) {
      peer.send(response("text/event-stream", streamed(is_chat, text, usage)));
      continue;
    }
    Json answer = frame(is_chat, false, text, "stop");
    answer["usage"] = usage;
    peer.send(response("application/json", answer.dump()));
  }
}

}  // namespace nemo::eval
