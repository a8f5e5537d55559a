// What was suggested once is not asked for again while it is being typed: in a whole daemon, over restarts, and for the
// recorded typing of three files.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

#include "harness.h"
#include "typing_trace.h"

namespace nemo::test::type_through_test {

using namespace nemo::test;

namespace {

const std::string k_path = "/v1/completions";

Json completion(const std::string& prompt, bool stream = false, const Json& more = Json::object()) {
  Json body = {{"model", "gemini-2.5-flash"}, {"prompt", prompt}, {"stream", stream}, {"suffix", "\n}\n"}};
  body.update(more);
  return body;
}

Rig::Options native(const std::string& lane = "") {
  Rig::Options options;
  options.toml = "[lane.completion]\n" + lane;
  options.upstream_toml = "completions = \"native\"\n";
  return options;
}

std::string text_of(const Reply& reply) {
  return reply.json()["choices"][0]["text"];
}

// The joined texts of a stream's completion chunks.
std::string streamed_text(const std::string& body) {
  std::string text;
  for (const std::string& data : stream_events(body)) {
    if (data == "[DONE]") continue;
    const Json event = Json::parse(data);
    for (const Json& choice : event["choices"]) text += choice.value("text", "");
  }
  return text;
}

int upstream_calls(Rig& rig) {
  return rig.upstream.summary()["started"];
}

std::filesystem::path kept_file(const Rig& rig) {
  return rig.folder() / "completions.recent";
}

bool holds(const std::filesystem::path& path, const std::string& text) {
  std::ifstream file(path, std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  return all.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("typing a suggestion costs nothing, whole or streamed") {
  Rig rig(native());
  rig.upstream.script({{"content", "return total / count;"}});
  CHECK(text_of(rig.post(k_path, completion("double mean() {\n  ").dump())) == "return total / count;");

  const Reply typed = rig.post(k_path, completion("double mean() {\n  ret").dump());
  CHECK(typed.status == 200);
  CHECK(text_of(typed) == "urn total / count;");
  CHECK(typed.header("x-nemo-cache") == "type-through");
  CHECK(typed.header("x-nemo-request-cost") == "0");
  CHECK(typed.header("x-nemo-attempts") == "0");
  CHECK(typed.header("x-nemo-model") == "gemini-2.5-flash");
  CHECK(typed.json()["object"] == "text_completion");
  CHECK(typed.json()["choices"][0]["finish_reason"] == "stop");
  CHECK(typed.json()["usage"]["total_tokens"] == 0);

  const Json wants_usage = {{"stream_options", {{"include_usage", true}}}};
  const Reply streamed = rig.post(k_path, completion("double mean() {\n  return", true, wants_usage).dump());
  CHECK(streamed.header("content-type").starts_with("text/event-stream"));
  CHECK(streamed.header("x-nemo-cache") == "type-through");
  CHECK(streamed_text(streamed.body) == " total / count;");
  CHECK(streamed.body.ends_with("data: [DONE]\n\n"));
  CHECK(streamed.body.find("\"total_tokens\":0") != std::string::npos);

  CHECK(upstream_calls(rig) == 1);
  const auto rows = rig.rows(3);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0]["cache"] == "miss");
  for (const Json& row : {rows[1], rows[2]}) {
    CHECK(row["status"] == "ok");
    CHECK(row["cache"] == "type-through");
    CHECK(row["cost"] == "0");
    CHECK(row["input_tokens"] == 0);
    CHECK(row["output_tokens"] == 0);
    CHECK(row["attempts"] == 0);
    CHECK(row["lane"] == "completion");
  }
}

TEST_CASE("a streamed answer is remembered too, also through a model that only chats") {
  for (const char* completions : {"native", "chat"}) {
    CAPTURE(completions);
    Rig::Options options;
    options.upstream_toml = "completions = \"" + std::string(completions) + "\"\n";
    Rig rig(options);
    rig.upstream.script({{"content", "std::move(\"ünïcode 😀\");"}});
    const Reply first = rig.post(k_path, completion("f(", true).dump());
    CHECK(streamed_text(first.body) == "std::move(\"ünïcode 😀\");");
    CHECK(text_of(rig.post(k_path, completion("f(std::").dump())) == "move(\"ünïcode 😀\");");
    CHECK(upstream_calls(rig) == 1);
  }
}

TEST_CASE("what was not suggested is asked for") {
  Rig rig(native());
  rig.upstream.script({{"content", "return 1;"}});
  rig.post(k_path, completion("int f() {\n  ").dump());
  rig.post(k_path, completion("int f() {\n  rex").dump());
  rig.post(k_path, completion("int f() {\n  return 1;").dump());
  rig.post(k_path, completion("int f() {\n  ret", false, {{"suffix", "\n"}}).dump());
  rig.post(k_path, completion("int f() {\n  ret", false, {{"max_tokens", 5}}).dump());
  rig.post(k_path, completion("int f() {\n  ", false, {{"temperature", 0.8}}).dump());
  CHECK(upstream_calls(rig) == 6);
  const Reply bypassed = rig.post(k_path, completion("int f() {\n  ret", false, {{"nemo_cache", false}}).dump());
  CHECK(bypassed.header("x-nemo-cache") == "bypass");
  CHECK(upstream_calls(rig) == 7);
  CHECK(rig.rows(7)[6]["cache"] == "bypass");
}

TEST_CASE("a seat's keys and clients share what was answered, seats do not") {
  Rig rig(native());
  rig.upstream.script({{"content", "return 1;"}});
  rig.post(k_path, completion("int f() {\n  ").dump(), {"User-Agent: one/1"});
  const std::string own = rig.admin("POST", "/keys", {{"seat", "tester"}}).value("key", "");
  const std::string other = rig.admin("POST", "/keys", {{"seat", "somebody"}}).value("key", "");
  const std::string body = completion("int f() {\n  ret").dump();
  CHECK(rig.post(k_path, body, {"Authorization: Bearer " + own, "User-Agent: two/2"}).header("x-nemo-cache") ==
        "type-through");
  CHECK(rig.post(k_path, body, {"Authorization: Bearer " + other}).header("x-nemo-cache") == "miss");
}

TEST_CASE("limits count what costs nothing") {
  Rig rig(native());
  const std::string key = rig.admin("POST", "/keys", {{"seat", "tester"}, {"rpm", "2"}}).value("key", "");
  rig.upstream.script({{"content", "return 1;"}});
  std::vector<int> statuses;
  for (int i = 0; i < 3; ++i) {
    statuses.push_back(rig.post(k_path, completion("x = ").dump(), {"Authorization: Bearer " + key}).status);
  }
  CHECK(statuses == std::vector<int>{200, 200, 429});
}

TEST_CASE("a restart does not forget, in a file that only its owner reads") {
  Rig rig(native());
  rig.upstream.script({{"content", "return 1;"}});
  rig.post(k_path, completion("int f() {\n  ").dump());
  rig.restart();
  CHECK(rig.post(k_path, completion("int f() {\n  ret").dump()).header("x-nemo-cache") == "type-through");
  struct stat file {};
  REQUIRE(::stat(kept_file(rig).c_str(), &file) == 0);
  CHECK((file.st_mode & 0777) == 0600);
  CHECK(holds(kept_file(rig), "int f() {"));
}

TEST_CASE("where no content may be kept, or nothing is to be remembered, nothing is written") {
  for (const std::string& setting : {std::string("content_logging = \"none\"\n"), std::string()}) {
    CAPTURE(setting);
    Rig::Options options = native(setting.empty() ? "remember = \"0s\"\n" : "");
    options.toml = setting + options.toml;
    Rig rig(options);
    rig.upstream.script({{"content", "return 1;"}});
    rig.post(k_path, completion("int f() {\n  ").dump());
    const Reply again = rig.post(k_path, completion("int f() {\n  ret").dump());
    CHECK(again.header("x-nemo-cache") == (setting.empty() ? "miss" : "type-through"));
    rig.restart();
    CHECK_FALSE(std::filesystem::exists(kept_file(rig)));
    CHECK(rig.post(k_path, completion("int f() {\n  ret").dump()).header("x-nemo-cache") == "miss");
  }
}

TEST_CASE("the recorded typing needs half the calls, and gets nothing that the model would not say") {
  Rig rig(native());
  const auto requests = play_trace(NEMO_TEST_DATA "/typing/trace.jsonl");
  int served = 0;
  int wrong = 0;
  for (const TypedRequest& request : requests) {
    Json script = {{"content", request.answer}};
    if (request.cut) script["finish_reason"] = "length";
    rig.upstream.script(script);
    const Reply reply = rig.post(
        k_path, Json{{"model", "gemini-2.5-flash"}, {"prompt", request.prefix}, {"suffix", request.suffix}}.dump());
    const std::string text = text_of(reply);
    if (reply.header("x-nemo-cache") != "type-through") {
      CHECK(text == request.answer);
      continue;
    }
    ++served;
    const bool ended = reply.json()["choices"][0]["finish_reason"] == "stop";
    const bool is_right = ended ? text == request.answer && !request.cut : request.answer.starts_with(text);
    if (!is_right || text.empty()) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(served * 2 >= static_cast<int>(requests.size()));
  CHECK(upstream_calls(rig) == static_cast<int>(requests.size()) - served);
  MESSAGE(served << " of " << requests.size() << " completions needed no upstream call");
}

}  // namespace nemo::test::type_through_test
