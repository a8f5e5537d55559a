// The recorded typing of tests/data/typing (make_trace.py says what its lines mean), played back: what an editor would
// ask at each moment, and what the model would answer to exactly that.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace nemo::test {

struct TypedRequest {
  std::string client;
  std::string prefix;
  std::string suffix;
  std::string answer;  // by the reference
  bool cut = false;    // by max_tokens
};

inline TypedRequest request_of(const std::string& client, const std::string& before, const std::string& after) {
  TypedRequest request{client, before, after, "", false};
  if (client == "window" && before.size() > 1'024) {
    const std::size_t line = before.find('\n', before.size() - 1'024);
    request.prefix = before.substr(line == std::string::npos ? before.size() - 1'024 : line + 1);
  }
  if (client == "bytes" && before.size() > 2'000) request.prefix = before.substr(before.size() - 2'000);
  if (client != "whole") request.suffix = after.substr(0, 512);
  return request;
}

inline std::vector<TypedRequest> play_trace(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("no trace at " + path);
  std::vector<TypedRequest> requests;
  std::string before;
  std::string after;
  for (std::string line; std::getline(file, line);) {
    const auto event = nlohmann::json::parse(line);
    if (event.contains("open")) {
      before = event.at("text");
      after.clear();
    } else if (event.contains("move")) {
      const std::string whole = before + after;
      before = whole.substr(0, event.at("move").get<std::size_t>());
      after = whole.substr(before.size());
    } else if (event.contains("type")) {
      before += event.at("type").get<std::string>();
    } else if (event.contains("accept")) {
      before += event.at("accept").get<std::string>();
    } else if (event.contains("delete")) {
      before.resize(before.size() - event.at("delete").get<std::size_t>());
    } else if (event.contains("ask")) {
      TypedRequest request = request_of(event.at("ask"), before, after);
      request.answer = event.at("answer");
      request.cut = event.at("cut");
      if (!request.answer.empty()) requests.push_back(std::move(request));  // the model has nothing to say
    }
  }
  return requests;
}

}  // namespace nemo::test
