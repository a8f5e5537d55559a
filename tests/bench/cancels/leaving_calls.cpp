#include "tests/bench/cancels/leaving_calls.h"

#include <utility>

#include "tests/bench/http_connection.h"

namespace nemo::bench {
namespace {

constexpr const char* k_turns = R"("messages":[{"role":"user","content":"tell me story number # of this night"}])";
constexpr const char* k_contents =
    R"({"contents":[{"role":"user","parts":[{"text":"tell me story number # of this night"}]}]})";
// Of a completion: what stands before the cursor and behind it.
constexpr const char* k_before = "int night_#() {\\n  return ";
constexpr const char* k_behind = ";\\n}\\n";

std::string text_field(const char* name, const char* text) {
  return std::string("\"").append(name).append("\":\"").append(text).append("\"");
}

std::string hole(const char* before, const char* behind) {
  return text_field(before, k_before) + "," + text_field(behind, k_behind);
}

// A call whose body says whether it is a stream.
void add_both(std::vector<LeavingCall>& calls, const LeavingCall& call, const std::string& fields) {
  for (const Mode mode : {Mode::streamed, Mode::whole}) {
    LeavingCall one = call;
    one.mode = mode;
    one.body = std::string("{\"stream\":") + (mode == Mode::streamed ? "true" : "false") + "," + fields + "}";
    calls.push_back(std::move(one));
  }
}

std::string model(const char* id) {
  return text_field("model", id) + ",";
}

void add_translated(std::vector<LeavingCall>& calls) {
  const std::string flash = model("gemini-2.5-flash");
  const auto add = [&](const char* surface, const char* path, const std::string& fields) {
    add_both(calls, {surface, "chat", {}, Behind::fake_upstream, path, ""}, fields);
  };
  add("openai-completions", "/v1/completions", flash + hole("prompt", "suffix") + R"(,"max_tokens":64)");
  add("openai-responses", "/v1/responses", flash + text_field("input", "tell me story number # of this night"));
  add("anthropic-messages", "/v1/messages", flash + R"("max_tokens":1024,)" + k_turns);
  for (const Mode mode : {Mode::streamed, Mode::whole}) {
    const char* verb = mode == Mode::streamed ? "streamGenerateContent?alt=sse" : "generateContent";
    calls.push_back({"gemini", "chat", mode, Behind::fake_upstream,
                     std::string("/v1beta/models/gemini-2.5-flash:") + verb, k_contents});
  }
  add("ollama-chat", "/api/chat", flash + k_turns);
  add("ollama-generate", "/api/generate", flash + text_field("prompt", "tell me story number # of this night"));
  add("mistral-fim", "/v1/fim/completions", flash + hole("prompt", "suffix") + R"(,"max_tokens":64)");
  add("llamacpp-infill", "/infill", hole("input_prefix", "input_suffix") + R"(,"n_predict":64)");
  add("llamacpp-completion", "/completion", text_field("prompt", k_before) + R"(,"n_predict":64)");
}

void add_native(std::vector<LeavingCall>& calls) {
  const std::string pro = model("gemini-2.5-pro");
  const auto add = [&](const char* surface, const char* spoken, const char* path, const std::string& fields) {
    add_both(calls, {surface, spoken, {}, Behind::fake_upstream, path, ""}, fields);
  };
  add("openai-chat", "chat", "/v1/chat/completions", pro + k_turns);
  add("openai-completions", "completions", "/v1/completions", pro + hole("prompt", "suffix") + R"(,"max_tokens":64)");
  const auto add_google = [&](const char* surface, const char* spoken, const char* path, const std::string& fields) {
    add_both(calls, {surface, spoken, {}, Behind::fake_google, path, ""}, fields);
  };
  add_google("anthropic-messages", "messages", "/v1/messages",
             model("claude-haiku-4-5@20251001") + R"("max_tokens":1024,)" + k_turns);
  for (const Mode mode : {Mode::streamed, Mode::whole}) {
    const char* verb = mode == Mode::streamed ? "streamGenerateContent?alt=sse" : "generateContent";
    calls.push_back({"gemini", "generateContent", mode, Behind::fake_google,
                     std::string("/v1beta/models/gemini-2.5-flash-lite:") + verb, k_contents});
  }
  add_google("mistral-fim", "fim", "/v1/fim/completions",
             model("codestral-2") + hole("prompt", "suffix") + R"(,"max_tokens":64)");
}

// Their answers come in one piece.
void add_embeddings(std::vector<LeavingCall>& calls) {
  const std::string input = text_field("input", "story number # of this night");
  calls.push_back({"openai-embeddings", "embeddings", Mode::whole, Behind::fake_upstream, "/v1/embeddings",
                   "{" + model("text-embedding-005") + input + "}"});
  calls.push_back({"openai-embeddings", "predict", Mode::whole, Behind::fake_google, "/v1/embeddings",
                   "{" + model("gemini-embedding-001") + input + "}"});
  calls.push_back({"ollama-embed", "embeddings", Mode::whole, Behind::fake_upstream, "/api/embed",
                   "{" + model("text-embedding-005") + input + "}"});
}

}  // namespace

std::vector<LeavingCall> leaving_calls() {
  std::vector<LeavingCall> calls;
  add_native(calls);
  add_translated(calls);
  add_embeddings(calls);
  return calls;
}

std::string request_of(const LeavingCall& call, const std::string& key, int number) {
  std::string body = call.body;
  if (const auto at = body.find('#'); at != std::string::npos) body.replace(at, 1, std::to_string(number));
  return post_request(call.path, "Authorization: Bearer " + key + "\r\n", body);
}

}  // namespace nemo::bench
