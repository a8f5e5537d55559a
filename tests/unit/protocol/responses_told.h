// A Responses call as the tests of this folder tell one: its request, and the answers of a chat model.
#pragma once

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/protocol/surface_form.h"
#include "daemon/stream/sse_scanner.h"

namespace nemo::protocol {

using Json = nlohmann::json;

struct ToldCall {
  RequestBody body;
  call::CallSpec spec;

  static ToldCall make(const Json& request) {
    auto body = RequestBody::parse(request.dump(2));  // as a person writes it: events must be one line all the same
    REQUIRE(body.ok());
    auto spec = form_of(call::Surface::openai_responses).parse(*body, {});
    REQUIRE(spec.ok());
    return {std::move(*body), std::move(*spec)};
  }
  Telling telling() const { return {body, spec, WallTime(std::chrono::seconds(1'700'000'000)), "catalog-model"}; }
  static const HubForm& form() { return *form_of(call::Surface::openai_responses).hub; }

  Json answer(const Json& chat) const {
    const auto told = form().answer(chat.dump(), telling());
    if (!told) FAIL_CHECK(told.error().message);
    REQUIRE(told.ok());
    REQUIRE(Json::accept(*told));
    return Json::parse(*told);
  }
};

inline std::string chat_event(const Json& chunk) {
  return "data: " + chunk.dump() + "\n\n";
}
inline Json chat_delta(const Json& delta, const Json& finish = nullptr) {
  return {{"id", "chatcmpl-1"},
          {"object", "chat.completion.chunk"},
          {"choices", {{{"index", 0}, {"delta", delta}, {"finish_reason", finish}}}}};
}
inline Json chat_tool(int index, const std::string& id, const std::string& name, const std::string& arguments) {
  Json call{{"index", index}, {"function", {{"arguments", arguments}}}};
  if (!id.empty()) call["id"] = id;
  if (!name.empty()) call["function"]["name"] = name;
  return chat_delta({{"tool_calls", Json::array({call})}});
}
inline const std::string k_done = "data: [DONE]\n\n";

// The events of a stream, after their form was checked: both lines, numbers that rise by one, JSON on one line.
inline std::vector<Json> read_events(const std::string& out) {
  stream::SseScanner scanner;
  scanner.feed(out);
  std::vector<Json> events;
  while (const auto event = scanner.next()) {
    const std::string raw(event->raw);
    INFO(raw);
    REQUIRE(Json::accept(event->data));
    events.push_back(Json::parse(event->data));
    REQUIRE(event->event == events.back()["type"].get<std::string>());
    REQUIRE(events.back()["sequence_number"] == events.size() - 1);
    REQUIRE(raw == "event: " + std::string(event->event) + "\ndata: " + std::string(event->data) + "\n\n");
  }
  const auto rest = scanner.finish();
  REQUIRE_FALSE(rest.has_value());
  return events;
}

inline std::string stream_of(const ToldCall& call, const std::string& events, const std::optional<Error>& broken = {}) {
  const auto translator = ToldCall::form().translator(call.telling());
  stream::SseScanner scanner;
  std::string out;
  scanner.feed(events);
  while (const auto event = scanner.next()) translator->translate(*event, out);
  if (broken) {
    translator->break_off(*broken, out);
  } else {
    translator->finish(out);
  }
  return out;
}

inline std::vector<std::string> types_of(const std::vector<Json>& events) {
  std::vector<std::string> types;
  for (const Json& event : events) types.push_back(event["type"]);
  return types;
}

// What a client that follows the deltas has in the end: the text of an item's part, or a call's arguments.
inline std::string joined(const std::vector<Json>& events, const std::string& type, int output_index) {
  std::string all;
  for (const Json& event : events) {
    if (event["type"] == type && event["output_index"] == output_index) all += event["delta"].get<std::string>();
  }
  return all;
}

}  // namespace nemo::protocol
