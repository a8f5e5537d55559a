// The events of a chat stream, short to write.
#pragma once

#include <string>
#include <string_view>

namespace nemo::test {

inline std::string event(std::string_view data) {
  return "data: " + std::string(data) + "\n\n";
}
inline std::string role() {
  return event(R"({"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]})");
}
inline std::string word(std::string_view text) {
  return event(R"({"id":"c","choices":[{"index":0,"delta":{"content":")" + std::string(text) + R"("}}]})");
}
inline std::string finish() {
  return event(R"({"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})");
}
inline std::string usage(int input, int output) {
  return event(R"({"id":"c","choices":[],"usage":{"prompt_tokens":)" + std::to_string(input) +
               R"(,"completion_tokens":)" + std::to_string(output) + R"(,"total_tokens":)" +
               std::to_string(input + output) + "}}");
}
inline std::string error_in_stream() {
  return event(R"({"error":{"message":"the model broke down","code":"oops"}})");
}
inline std::string done() {
  return event("[DONE]");
}

}  // namespace nemo::test
