// A conversation and its answer in words that no dialect owns, and chance that makes them up.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "dice.h"

namespace nemo::test {

using Json = nlohmann::json;

struct ToolCall {
  std::string id;
  std::string name;
  Json arguments;
  friend bool operator==(const ToolCall&, const ToolCall&) = default;
};

struct ToolResult {
  std::string id;  // of the call
  std::string text;
  friend bool operator==(const ToolResult&, const ToolResult&) = default;
};

// User and assistant by turns. What the user's begins with are the results of the tools that were called before.
struct Turn {
  bool by_user = true;
  std::vector<ToolResult> results;
  std::string text;
  std::vector<ToolCall> calls;
  friend bool operator==(const Turn&, const Turn&) = default;
};

struct Tool {
  std::string name;
  std::string description;
  Json schema;
  friend bool operator==(const Tool&, const Tool&) = default;
};

struct Spoken {
  std::string system;
  std::vector<Turn> turns;
  std::vector<Tool> tools;
  int max_tokens = 0;
  friend bool operator==(const Spoken&, const Spoken&) = default;
};

enum class Reason : std::uint8_t { stop, length, tools };

struct Reply {
  std::string text;
  std::vector<ToolCall> calls;
  Reason reason = Reason::stop;
  int input_tokens = 0;  // cached ones included
  int cached_tokens = 0;
  int output_tokens = 0;
  friend bool operator==(const Reply&, const Reply&) = default;
};

inline std::vector<ToolCall> random_calls(Dice& dice, const std::vector<Tool>& tools, const std::string& stem) {
  std::vector<ToolCall> calls;
  for (int i = dice.roll(3); i > 0; --i) {
    ToolCall call;
    call.id = stem + std::to_string(i);
    call.name = tools[static_cast<std::size_t>(dice.roll(static_cast<int>(tools.size()) - 1))].name;
    call.arguments = dice.object(3);
    if (dice.roll(40) == 0) call.arguments["huge"] = std::string(200'000, 'h') + dice.text();
    calls.push_back(std::move(call));
  }
  return calls;
}

inline Spoken random_conversation(Dice& dice) {
  Spoken spoken;
  if (dice.coin()) spoken.system = dice.text();
  for (int i = 1 + dice.roll(2); i > 0; --i) {
    Tool tool;
    tool.name = "tool_" + std::to_string(i);
    tool.description = dice.text();
    tool.schema = {{"type", "object"},
                   {"properties", {{"city", {{"type", "string"}, {"description", dice.text()}}}}},
                   {"required", {"city"}}};
    spoken.tools.push_back(std::move(tool));
  }
  spoken.max_tokens = 1 + dice.roll(5000);
  std::vector<ToolCall> open;
  for (int round = dice.roll(3); round >= 0; --round) {
    Turn user;
    for (const ToolCall& call : open) user.results.push_back({call.id, dice.text()});
    if (user.results.empty() || dice.coin()) user.text = dice.text();
    spoken.turns.push_back(std::move(user));
    if (round == 0) break;
    Turn assistant;
    assistant.by_user = false;
    assistant.calls = random_calls(dice, spoken.tools, "call_" + std::to_string(round) + "_");
    if (assistant.calls.empty() || dice.coin()) assistant.text = dice.text();
    open = assistant.calls;
    spoken.turns.push_back(std::move(assistant));
  }
  return spoken;
}

inline Reply random_reply(Dice& dice, const std::vector<Tool>& tools) {
  Reply reply;
  reply.calls = random_calls(dice, tools, "call_new_");
  if (reply.calls.empty() || dice.coin()) reply.text = dice.text();
  reply.reason = !reply.calls.empty() ? Reason::tools : dice.coin() ? Reason::stop : Reason::length;
  reply.cached_tokens = dice.roll(50);
  reply.input_tokens = reply.cached_tokens + 1 + dice.roll(500);
  reply.output_tokens = 1 + dice.roll(500);
  return reply;
}

}  // namespace nemo::test
