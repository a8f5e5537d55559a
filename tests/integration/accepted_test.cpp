// What becomes of suggested completions, from an editor's prompts to what the admin edge counts.
#include <doctest/doctest.h>

#include "harness.h"

namespace nemo::test::accepted_test {

using namespace nemo::test;

namespace {

const std::string k_path = "/v1/completions";

std::string completion(const std::string& prompt, bool stream = false) {
  const Json body = {{"model", "gemini-2.5-flash"}, {"prompt", prompt}, {"stream", stream}, {"suffix", "\n}\n"}};
  return body.dump();
}

std::string infill(const std::string& prefix) {
  const Json body = {{"input_prefix", prefix}, {"input_suffix", "\n}\n"}};
  return body.dump();
}

Rig::Options native() {
  Rig::Options options;
  options.upstream_toml = "completions = \"native\"\n";
  return options;
}

// An editor that is somewhere else by now.
void turn_away(Rig& rig, const std::string& path = k_path) {
  rig.upstream.script({{"content", " "}});
  for (int i = 0; i < 5; ++i) {
    const std::string prompt = "elsewhere " + std::to_string(i);
    rig.post(path, path == k_path ? completion(prompt) : infill(prompt));
  }
}

// As people type: the next keystroke comes when the call before it has ended, which is a little after its last byte.
Reply post_and_wait(Rig& rig, const std::string& path, const std::string& body, std::size_t calls) {
  Reply reply = rig.post(path, body);
  rig.rows(calls);
  return reply;
}

// The one row, once as many are judged.
Json acceptance(Rig& rig, int judged) {
  Json row;
  eventually([&] {
    const Json rows = rig.admin("GET", "/usage/accepted?by=model");
    if (rows.size() != 1) return false;
    row = rows[0];
    return row.value("accepted", 0) + row.value("partly", 0) + row.value("dismissed", 0) == judged;
  });
  return row;
}

}  // namespace

TEST_CASE("suggestions are counted once, as accepted in full, partly, or dismissed") {
  Rig rig(native());
  rig.upstream.script({{"content", "return total / count;"}});
  std::size_t calls = 1;
  post_and_wait(rig, k_path, completion("double mean() {\n  "), calls);
  // Typed along with; the rest is taken.
  for (const char* typed : {"r", "re", "ret"}) {
    const Reply reply = post_and_wait(rig, k_path, completion(std::string("double mean() {\n  ") + typed), ++calls);
    CHECK(reply.header("x-nemo-cache") == "type-through");
  }
  rig.upstream.script({{"content", "double sum() {"}});
  post_and_wait(rig, k_path, completion("double mean() {\n  return total / count;\n}\n", true), ++calls);
  // A word of that one.
  post_and_wait(rig, k_path, completion("double mean() {\n  return total / count;\n}\ndouble"), ++calls);
  rig.upstream.script({{"content", "ax() {"}});
  post_and_wait(rig, k_path, completion("double mean() {\n  return total / count;\n}\ndouble m"), ++calls);
  turn_away(rig);

  const Json row = acceptance(rig, 3);
  CHECK(row["shown"] == 3);
  CHECK(row["accepted"] == 1);
  CHECK(row["partly"] == 1);
  CHECK(row["dismissed"] == 1);
  const auto rows = rig.rows(7);
  CHECK(rows[0]["accepted"] == true);
  CHECK(rows[0]["accepted_bytes"] == 21);
  CHECK(rows[0]["suggested_bytes"] == 21);
  for (std::size_t i = 1; i < 4; ++i) CHECK(rows[i]["suggested_bytes"] == 0);
  CHECK(rows[4]["accepted_bytes"] == 6);
  CHECK(rows[6]["accepted"] == false);
}

TEST_CASE("a completion of another surface, through a model that only chats, is judged by the text that was shown") {
  Rig::Options options;
  options.upstream_toml = "completions = \"chat\"\n";
  Rig rig(options);
  rig.upstream.script({{"content", "```cpp\nreturn total;\n```"}});
  post_and_wait(rig, "/infill", infill("int sum() {\n  "), 1);
  rig.upstream.script({{"content", " "}});
  post_and_wait(rig, "/infill", infill("int sum() {\n  return total;"), 2);
  const Json row = acceptance(rig, 1);
  CHECK(row["shown"] == 1);
  CHECK(row["accepted"] == 1);
  CHECK(rig.rows(2)[0]["accepted_bytes"] == 13);
}

TEST_CASE("verdicts outlive the daemon, and what nobody has judged stays so") {
  Rig rig(native());
  rig.upstream.script({{"content", "return 1;"}});
  post_and_wait(rig, k_path, completion("int one() {\n  "), 1);
  rig.upstream.script({{"content", "return 2;"}});
  post_and_wait(rig, k_path, completion("int one() {\n  return 1;\n}\nint two() {\n  "), 2);
  rig.restart();
  const Json row = acceptance(rig, 1);
  CHECK(row["shown"] == 2);
  CHECK(row["accepted"] == 1);
  CHECK(row["dismissed"] == 0);
}

}  // namespace nemo::test::accepted_test
