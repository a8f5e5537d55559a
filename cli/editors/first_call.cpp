#include "cli/editors/first_call.h"

#include <httplib.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "shared/secret.h"

namespace nemo::cli::editors {
namespace {

using admin::Json;

constexpr time_t k_connect_timeout_s = 3;
constexpr time_t k_answer_timeout_s = 90;  // a local model may have to be loaded first
constexpr int k_few_tokens = 16;

struct Question {
  std::string path;
  Json body;
};

Question question_of(CallShape shape, const std::string& model) {
  const Json hello = Json::array({Json{{"role", "user"}, {"content", "Say ok."}}});
  const char* const prefix = "def add(a, b):\n    return ";
  switch (shape) {
    case CallShape::chat:
      break;
    case CallShape::completions:
      return {"/v1/completions",
              {{"model", model}, {"prompt", prefix}, {"suffix", "\n"}, {"max_tokens", k_few_tokens}}};
    case CallShape::responses:
      return {"/v1/responses",
              {{"model", model}, {"input", "Say ok."}, {"max_output_tokens", k_few_tokens}, {"store", false}}};
    case CallShape::messages:
      return {"/v1/messages", {{"model", model}, {"max_tokens", k_few_tokens}, {"messages", hello}}};
    case CallShape::gemini: {
      const Json contents = Json::array({Json{{"role", "user"}, {"parts", Json::array({Json{{"text", "Say ok."}}})}}});
      return {"/v1beta/models/" + model + ":generateContent",
              {{"contents", contents}, {"generationConfig", {{"maxOutputTokens", k_few_tokens}}}}};
    }
    case CallShape::infill:
      return {"/infill",
              {{"model", model},
               {"input_prefix", "def add(a, b):\n"},
               {"input_suffix", "\n"},
               {"prompt", "    return "},
               {"n_predict", k_few_tokens},
               {"stream", false}}};
  }
  return {"/v1/chat/completions", {{"model", model}, {"messages", hello}, {"max_tokens", k_few_tokens}}};
}

httplib::Headers headers_of(const FirstCall& call) {
  httplib::Headers headers{{"Accept", "application/json"}, {"User-Agent", "nemo-connect"}};
  if (call.key_place == KeyPlace::bearer) headers.emplace("Authorization", "Bearer " + call.key);
  if (call.key_place == KeyPlace::x_api_key) headers.emplace("x-api-key", call.key);
  if (call.key_place == KeyPlace::x_goog_api_key) headers.emplace("x-goog-api-key", call.key);
  if (call.shape == CallShape::messages) headers.emplace("anthropic-version", "2023-06-01");
  return headers;
}

// The message of any of the surfaces' error bodies.
std::string message_of(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("error")) return {};
  const Json& error = json["error"];
  if (error.is_string()) return redact(error.get<std::string>());
  if (!error.is_object() || !error.contains("message") || !error["message"].is_string()) return {};
  return redact(error["message"].get<std::string>());
}

}  // namespace

Result<FirstAnswer> make_first_call(const FirstCall& call) {
  const Question question = question_of(call.shape, call.model);
  httplib::Client client(call.url);
  client.set_connection_timeout(k_connect_timeout_s);
  client.set_read_timeout(k_answer_timeout_s);
  const std::string prefix = call.key_place == KeyPlace::in_path ? "/key/" + call.key : "";
  const auto begun = std::chrono::steady_clock::now();
  const httplib::Result answer =
      client.Post(prefix + question.path, headers_of(call), question.body.dump(), "application/json");
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begun;
  if (!answer) {
    return fail(ErrorKind::internal,
                "nobody answered at " + call.url + " (" + httplib::to_string(answer.error()) + ")");
  }
  return FirstAnswer{answer->status,
                     question.path,
                     answer->get_header_value("x-nemo-model"),
                     answer->get_header_value("x-nemo-upstream"),
                     answer->get_header_value("x-nemo-request-cost"),
                     took.count(),
                     answer->status == 200 ? std::string() : message_of(answer->body)};
}

void to_json(admin::Json& json, const FirstAnswer& answer) {
  json = {{"ok", answer.status == 200},  {"status", answer.status},     {"path", answer.path},
          {"model", answer.model},       {"upstream", answer.upstream}, {"cost", answer.cost},
          {"latency_ms", answer.millis}, {"error", answer.error}};
}

}  // namespace nemo::cli::editors
