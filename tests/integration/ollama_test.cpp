// Ollama's clients through a whole daemon: calls, pages, and the address where they look for an Ollama.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "child_process.h"
#include "harness.h"
#include "raw_upstream.h"

namespace nemo::test::ollama_test {

using namespace nemo::test;

namespace {

const std::string k_model = "gemini-2.5-flash";
const Json k_messages = Json::array({{{"role", "user"}, {"content", "hello there"}}});

Json chat(bool stream) {
  return {{"model", k_model}, {"stream", stream}, {"messages", k_messages}, {"options", {{"num_predict", 6}}}};
}

std::vector<Json> lines_of(const std::string& body) {
  std::vector<Json> lines;
  for (std::size_t at = 0; at < body.size();) {
    const auto end = body.find('\n', at);
    REQUIRE_MESSAGE(end != std::string::npos, body);
    lines.push_back(Json::parse(body.substr(at, end - at)));
    at = end + 1;
  }
  return lines;
}

// What the daemon sent to upstream last.
Json sent(Rig& rig) {
  const Json journal = rig.upstream.journal();
  REQUIRE(!journal.empty());
  return Json::parse(journal.back()["body"].get<std::string>());
}
std::string sent_to(Rig& rig) {
  return rig.upstream.journal().back()["path"].get<std::string>();
}

// The row says what the last line or the answer says, and it was paid for.
void check_row(const Json& row, const Json& end, const std::string& surface) {
  CHECK(row["surface"] == surface);
  CHECK(row["status"] == "ok");
  CHECK(row["usage_source"] == "provider");
  CHECK(row["input_tokens"] == end["prompt_eval_count"]);
  if (end.contains("eval_count")) CHECK(row["output_tokens"] == end["eval_count"]);
  CHECK(row["cost"] != "0");
}

int free_port() {
  const std::string url = ClosedPort().base_url();
  const auto colon = url.rfind(':');
  return std::stoi(url.substr(colon + 1));
}

std::string listening_at(const std::string& address) {
  return "ollama_listen = \"" + address + "\"\n";
}

// Without a key but where the path has one.
Reply get(int port, const std::string& path) {
  Client client(port);
  client.send("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
  return client.receive();
}
Reply post(int port, const std::string& path, const Json& body) {
  const std::string text = body.dump();
  Client client(port);
  client.send("POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: " +
              std::to_string(text.size()) + "\r\n\r\n" + text);
  return client.receive();
}

}  // namespace

TEST_CASE("a chat that is not streamed is one object, and its row is what it says") {
  Rig rig;
  const Reply reply = rig.post("/api/chat", chat(false).dump());
  REQUIRE(reply.status == 200);
  CHECK(reply.header("content-type") == "application/json");
  const Json told = reply.json();
  CHECK(told["model"] == k_model);
  CHECK(told["message"]["role"] == "assistant");
  CHECK(!told["message"]["content"].get<std::string>().empty());
  CHECK(told["done"] == true);
  CHECK(told["done_reason"] == "length");
  CHECK(told["eval_count"] == 6);
  CHECK(!reply.header("x-nemo-request-cost").empty());
  CHECK(sent_to(rig) == "/v1/chat/completions");
  CHECK(sent(rig) == Json{{"model", k_model}, {"messages", k_messages}, {"max_tokens", 6}});
  check_row(rig.rows(1).at(0), told, "ollama-chat");
}

TEST_CASE("a chat is streamed unless it says otherwise, line by line, with the same words and counts") {
  Rig rig;
  const Json whole = rig.post("/api/chat", chat(false).dump()).json();
  Json body = chat(true);
  body.erase("stream");
  const Reply reply = rig.post("/api/chat", body.dump());
  REQUIRE(reply.status == 200);
  CHECK(reply.whole);
  CHECK(reply.header("content-type") == "application/x-ndjson");
  const auto lines = lines_of(reply.body);
  REQUIRE(lines.size() > 2);
  std::string text;
  for (const Json& line : lines) {
    text += line["message"]["content"].get<std::string>();
    CHECK(line["done"] == (&line == &lines.back()));
  }
  CHECK(text == whole["message"]["content"]);
  const Json& end = lines.back();
  CHECK(end["done_reason"] == "length");
  CHECK(end["eval_count"] == whole["eval_count"]);
  CHECK(end["total_duration"].get<std::int64_t>() > 0);
  const auto rows = rig.rows(2);
  REQUIRE(rows.size() == 2);
  check_row(rows[1], end, "ollama-chat");
  CHECK(rows[1]["stream"] == true);
}

TEST_CASE("a tool is called with an object, and its answer reaches upstream as OpenAI wants it") {
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    Rig rig;
    rig.upstream.script({{"tool_calls", 2}, {"tool_name", "weather"}, {"tool_arguments", "{\"city\":\"Ulm\"}"}});
    Json body = chat(stream);
    body.erase("options");
    body["tools"] = Json::array(
        {{{"type", "function"}, {"function", {{"name", "weather"}, {"parameters", {{"type", "object"}}}}}}});
    const Reply reply = rig.post("/api/chat", body.dump());
    REQUIRE(reply.status == 200);
    Json message;
    for (const Json& line : stream ? lines_of(reply.body) : std::vector<Json>{reply.json()}) {
      if (line["message"].contains("tool_calls")) message = line["message"];
    }
    REQUIRE(message["tool_calls"].size() == 2);
    CHECK(message["tool_calls"][0]["function"]["name"] == "weather");
    CHECK(message["tool_calls"][0]["function"]["arguments"] == Json{{"city", "Ulm"}});

    rig.upstream.script({{"tool_calls", 0}});
    body["messages"].push_back(message);
    for (int i = 0; i < 2; ++i) {
      body["messages"].push_back({{"role", "tool"}, {"tool_name", "weather"}, {"content", std::to_string(i)}});
    }
    CHECK(rig.post("/api/chat", body.dump()).status == 200);
    const Json turns = sent(rig)["messages"];
    REQUIRE(turns.size() == 4);
    for (int i = 0; i < 2; ++i) {
      const Json& call = turns[1]["tool_calls"][i];
      CHECK(Json::parse(call["function"]["arguments"].get<std::string>()) == Json{{"city", "Ulm"}});
      CHECK(turns[2 + i]["tool_call_id"] == call["id"]);
      CHECK(turns[2 + i]["content"] == std::to_string(i));
    }
  }
}

TEST_CASE("a prompt with a suffix is filled in, streamed and whole, by a model that can and one that only chats") {
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    Rig rig;
    const Json body{{"model", "codestral-2"},   {"prompt", "def f("},
                    {"suffix", "\n  return x"}, {"raw", true},
                    {"stream", stream},         {"options", {{"num_predict", 5}, {"stop", "\n\n"}}}};
    const Reply reply = rig.post("/api/generate", body.dump());
    REQUIRE(reply.status == 200);
    CHECK(reply.header("content-type") == (stream ? "application/x-ndjson" : "application/json"));
    const auto lines = stream ? lines_of(reply.body) : std::vector<Json>{reply.json()};
    std::string text;
    for (const Json& line : lines) text += line["response"].get<std::string>();
    CHECK(!text.empty());
    CHECK(lines.back()["done"] == true);
    CHECK(lines.back()["done_reason"] == "length");
    CHECK(sent_to(rig) == "/v1/completions");
    const Json asked = sent(rig);
    CHECK(asked["prompt"] == "def f(");
    CHECK(asked["suffix"] == "\n  return x");
    CHECK(asked["max_tokens"] == 5);
    CHECK_FALSE(asked.contains("raw"));
    const Json row = rig.rows(1).at(0);
    check_row(row, lines.back(), "ollama-generate");
    CHECK(row["lane"] == "completion");

    rig.upstream.script({{"content", "x + 1"}});
    Json chats = body;
    chats["model"] = k_model;
    const Reply filled = rig.post("/api/generate", chats.dump());
    CHECK(filled.status == 200);
    CHECK(sent_to(rig) == "/v1/chat/completions");
    std::string told;
    for (const Json& line : stream ? lines_of(filled.body) : std::vector<Json>{filled.json()}) {
      told += line["response"].get<std::string>();
    }
    CHECK(told == "x + 1");
  }
}

TEST_CASE("texts are embedded") {
  Rig rig;
  const Json body{{"model", "text-embedding-005:latest"}, {"input", Json::array({"one", "two"})}};
  const Reply reply = rig.post("/api/embed", body.dump());
  REQUIRE(reply.status == 200);
  const Json told = reply.json();
  REQUIRE(told["embeddings"].size() == 2);
  CHECK(!told["embeddings"][0].empty());
  CHECK(told["embeddings"][0] != told["embeddings"][1]);
  CHECK(told["prompt_eval_count"].get<int>() > 0);
  check_row(rig.rows(1).at(0), told, "ollama-embed");
}

TEST_CASE("a request that only loads a model is answered without asking one") {
  Rig rig;
  const Reply reply = rig.post("/api/generate", R"({"model":"codestral-2","keep_alive":"5m"})");
  REQUIRE(reply.status == 200);
  const Json told = Json::parse(reply.body.substr(0, reply.body.find('\n')));
  CHECK(told["response"] == "");
  CHECK(rig.upstream.journal().empty());
}

TEST_CASE("errors are one text, before a stream and inside it") {
  Rig rig;
  const auto refusal = [&](const std::string& path, const std::string& body, int status) {
    const Reply reply = rig.post(path, body);
    CHECK(reply.status == status);
    CHECK(reply.header("content-type") == "application/json");
    const Json told = reply.json();
    CHECK(told.size() == 1);
    return told["error"].get<std::string>();
  };
  CHECK(refusal("/api/chat", R"({"model":"nope","messages":[{"role":"user","content":"x"}]})", 404).find("nope") !=
        std::string::npos);
  CHECK(refusal("/api/chat", R"({"messages":[{"role":"tool","content":"x"}]})", 400).find("messages[0]") !=
        std::string::npos);
  CHECK(refusal("/api/chat", "not json", 400).size() > 5);
  CHECK(refusal("/api/show", R"({"model":"nope"})", 404).find("nope") != std::string::npos);
  CHECK(rig.upstream.journal().empty());
  rig.upstream.script({{"status", 400}, {"error_message", "too much of it"}});
  CHECK(refusal("/api/chat", chat(true).dump(), 400) == "too much of it");
  rig.upstream.script({{"status", 200}, {"cut_after_chunks", 4}});
  const Reply broken = rig.post("/api/chat", chat(true).dump());
  CHECK(broken.status == 200);
  const auto lines = lines_of(broken.body);
  REQUIRE(lines.size() > 1);
  CHECK(lines[0]["done"] == false);
  CHECK(lines.back().contains("error"));
  CHECK_FALSE(lines.back().contains("done"));
}

TEST_CASE("a client that leaves lets upstream go, and pays for what came") {
  for (const char* path : {"/api/chat", "/api/generate"}) {
    CAPTURE(path);
    Rig rig;
    rig.upstream.script({{"stall_after_chunks", 4}});
    Json body = chat(true);
    if (std::string_view(path) == "/api/generate") body = {{"model", "codestral-2"}, {"prompt", "a b c"}};
    Client client(rig.port());
    client.send(rig.request("POST", path, body.dump()));
    std::string seen;
    while (seen.find("\"done\":false") == std::string::npos) {
      const std::string some = client.receive_some();
      REQUIRE(!some.empty());
      seen += some;
    }
    client.close();
    CHECK(eventually([&] { return rig.upstream.summary()["cancelled"] == 1; }));
    const Json row = rig.rows(1).at(0);
    CHECK(row["status"] == "cancelled");
    CHECK(row["usage_source"] == "partial");
    CHECK(row["output_tokens"].get<int>() > 0);
    CHECK(row["cost"] != "0");
  }
}

TEST_CASE("the catalog can be listed and looked into, and a key may stand in the path") {
  Rig rig;
  CHECK(get(rig.port(), "/api/tags").status == 401);
  const std::string base = "/key/" + rig.key();
  const Json tags = get(rig.port(), base + "/api/tags").json()["models"];
  const auto found =
      std::find_if(tags.begin(), tags.end(), [](const Json& tag) { return tag["name"] == "gemini-2.5-flash"; });
  REQUIRE(found != tags.end());
  CHECK((*found)["details"]["family"] == "gemini");
  const Json shown = post(rig.port(), base + "/api/show", {{"model", k_model + ":latest"}}).json();
  const Json capabilities = shown["capabilities"];
  for (const char* one : {"completion", "tools", "insert"}) {
    CHECK(std::find(capabilities.begin(), capabilities.end(), one) != capabilities.end());
  }
  CHECK(shown["model_info"]["gemini.context_length"].get<int>() > 100'000);
  CHECK(get(rig.port(), base + "/api/version").json().contains("version"));
  CHECK(get(rig.port(), base + "/api/ps").json()["models"].size() == tags.size());
  const Reply answered = post(rig.port(), base + "/api/chat", chat(false));
  CHECK(answered.status == 200);
  CHECK(rig.rows(1).at(0)["seat"] == "tester");
}

TEST_CASE("Ollama's clients are served at a second address as at the first, until both stop") {
  const int port = free_port();
  Rig::Options options;
  options.toml = listening_at("127.0.0.1:" + std::to_string(port));
  Rig rig(options);
  REQUIRE(port != rig.port());
  const std::string base = "/key/" + rig.key();
  CHECK(get(port, base + "/api/tags").status == 200);
  CHECK(get(port, "/api/tags").status == 401);
  CHECK(post(port, base + "/v1/chat/completions", {{"model", k_model}, {"messages", k_messages}}).status == 200);
  const Reply reply = post(port, base + "/api/chat", chat(true));
  CHECK(lines_of(reply.body).back()["done"] == true);
  CHECK(rig.rows(2).size() == 2);

  rig.upstream.script({{"hold_after_chunks", 3}, {"tokens", 8}});
  Json slow = chat(true);
  slow.erase("options");
  const std::string text = slow.dump();
  Client client(port);
  client.send("POST " + base + "/api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
              std::to_string(text.size()) + "\r\n\r\n" + text);
  REQUIRE(eventually([&] { return rig.upstream.summary()["started"] == 3; }));
  std::atomic<bool> all_ended{false};
  std::thread stopper([&] { all_ended = rig.daemon().stop(); });
  CHECK(eventually([&] { return !takes_connections(port); }));
  rig.upstream.release();
  const auto lines = lines_of(client.receive().body);
  stopper.join();
  CHECK(all_ended);
  REQUIRE(!lines.empty());
  CHECK(lines.back()["done"] == true);
}

TEST_CASE("nemod says where Ollama's clients find it, or who has that address, and runs either way") {
  struct Home {
    TempFolder folder;
    FakeUpstream upstream;
    std::vector<std::string> nemod_at(const std::string& address) const {
      const auto file = folder.path() / "nemo.toml";
      std::ofstream(file) << "listen = \"127.0.0.1:0\"\n"
                          << listening_at(address) << "[[upstream]]\nname = \"fake\"\nbase_url = \""
                          << upstream.base_url() << "\"\n";
      return {nemod_path(), "--config", file.string(), "--data-dir", (folder.path() / "data").string()};
    }
  };
  const auto said = [](const Home& home, const std::string& address, const std::string& part) {
    ChildProcess nemod(home.nemod_at(address));
    const std::string line = nemod.wait_for_line(part);
    CHECK_FALSE(nemod.wait_for_line("nemod ready on http://127.0.0.1:").empty());
    nemod.signal(SIGTERM);
    CHECK(nemod.wait() == 0);
    return line;
  };
  const Home home;
  const std::string free = "127.0.0.1:" + std::to_string(free_port());
  CHECK(said(home, free, "ready for Ollama's clients").find("http://" + free) != std::string::npos);

  const RawUpstream other([](const RawCall&) {});
  const std::string url = other.base_url();
  const std::string taken = url.substr(7, url.rfind('/') - 7);
  const std::string warning = said(home, taken, "Ollama's clients find no Nemo");
  CHECK(warning.find(taken + " is in use by ") != std::string::npos);
  CHECK(warning.find("--listen") == std::string::npos);

  // What goes to the upstream would come back here.
  const std::string own = "127.0.0.1:" + std::to_string(home.upstream.port());
  CHECK(said(home, own, "Ollama's clients find no Nemo").find("upstream \"fake\"") != std::string::npos);
}

}  // namespace nemo::test::ollama_test
