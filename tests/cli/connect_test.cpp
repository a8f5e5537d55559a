// `nemo connect` with the real program, a home folder of its own, and an edge that answers the call that proves the
// path.
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tcp_server.h"
#include "tests/cli/nemo_with_daemon.h"

namespace nemo::test::connect_test {

using namespace nemo;
using Json = nlohmann::ordered_json;
using nemo::test::Arguments;
using nemo::test::holds;
using nemo::test::run_nemo;
using nemo::test::Said;
namespace fs = std::filesystem;

namespace {

// Answers every call as the daemon does, when its key is one of the book's.
struct Edge {
  explicit Edge(test::FakeDaemon& daemon)
      : m_server([this, &daemon](test::Peer& peer, int /*number*/) {
          while (true) {
            const std::string request = peer.read_request();
            if (request.empty()) return;
            asked.with([&request](auto& all) { all.push_back(request); });
            const std::size_t at = request.find("sk-nemo-");
            const std::string key =
                at == std::string::npos ? "" : request.substr(at, request.find_first_of("/\r\n", at) - at);
            const bool is_good = daemon.book.identify(key, daemon.clock.wall()).ok();
            const std::string body = is_good ? "{}" : R"({"error":{"message":"No such key","code":"invalid_api_key"}})";
            peer.send(std::string(is_good ? "HTTP/1.1 200 OK" : "HTTP/1.1 401 Unauthorized") +
                      "\r\nContent-Length: " + std::to_string(body.size()) +
                      "\r\nx-nemo-model: cheap\r\nx-nemo-request-cost: 0.0000015\r\n\r\n" + body);
          }
        }) {}
  std::string url() const { return "http://127.0.0.1:" + std::to_string(m_server.port()); }
  std::string last() {
    return asked.with([](auto& all) { return all.empty() ? std::string() : all.back(); });
  }
  Guarded<std::vector<std::string>> asked;

 private:
  test::TcpServer m_server;
};

struct Home : test::NemoWithDaemon {
  Home() {
    control.the_status.url = edge.url();
    admin::Model cheap;
    cheap.id = "cheap";
    cheap.upstreams = {"local"};
    cheap.output_price = "0.1";
    admin::Model dear = cheap;
    dear.id = "dear";
    dear.output_price = "10";
    control.the_models = {dear, cheap};
  }
  Edge edge{*this};
  fs::path home = folder.path() / "home";

  fs::path write(const std::string& file, const std::string& text) const {
    const fs::path path = home / file;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  Said connect(Arguments arguments) const {
    arguments.insert(arguments.begin(), "connect");
    return run_nemo({with_socket(arguments), {}, {{"HOME", home.string()}, {"NEMO_DATA_DIR", (home / "nd").string()}}});
  }
  std::string only_key() {
    REQUIRE(book.keys().size() == 1);
    return book.keys().front().id;
  }
};

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

Json parsed(const Said& said) {
  CAPTURE(said.err);
  REQUIRE(said.status == 0);
  return Json::parse(said.out);
}

const std::string k_claude = "{\n  // mine\n  \"model\": \"opus\",\n  \"env\": {\n    \"FOO\": \"bar\"\n  }\n}\n";

}  // namespace

TEST_CASE("without --write the change is shown as a diff, and nothing is made or changed") {
  Home home;
  const fs::path file = home.write(".claude/settings.json", k_claude);
  const Said said = home.connect({"claude-code"});
  CHECK(said.status == 0);
  CHECK(holds(said.out, "+++ " + file.string()));
  CHECK(holds(said.out, "+    \"ANTHROPIC_BASE_URL\": \"" + home.edge.url() + "\""));
  CHECK(holds(said.out, "\"ANTHROPIC_AUTH_TOKEN\": \"sk-nemo-...\""));
  CHECK(holds(said.err, "nemo connect claude-code --write"));
  CHECK(text_of(file) == k_claude);
  CHECK(home.book.keys().empty());
}

TEST_CASE("--write makes a key, edits the file in place, and proves the path with a call as the client makes it") {
  Home home;
  const fs::path file = home.write(".claude/settings.json", k_claude);
  const Said said = home.connect({"claude-code", "--write", "--seat", "alice"});
  CAPTURE(said.err);
  CHECK(said.status == 0);
  CHECK(holds(said.out, "/v1/messages: cheap answered in"));
  CHECK(holds(said.out, "cost $0.0000015"));
  CHECK(holds(said.out, "seat alice"));
  CHECK_FALSE(holds(said.out + said.err, text_of(file).substr(text_of(file).find("sk-nemo-"), 20)));
  CHECK(holds(text_of(file), "// mine"));
  CHECK(text_of(file.string() + ".nemo-backup") == k_claude);
  CHECK(home.edge.last().starts_with("POST /v1/messages HTTP/1.1"));
  CHECK(holds(home.edge.last(), "Authorization: Bearer sk-nemo-"));
  CHECK(holds(home.edge.last(), "\"model\":\"cheap\""));
}

TEST_CASE("twice written is once written: the key that is there is used again") {
  Home home;
  const fs::path file = home.write(".claude/settings.json", k_claude);
  home.connect({"claude-code", "--write"});
  const std::string once = text_of(file);
  const Said said = home.connect({"claude-code", "--write"});
  CHECK(said.status == 0);
  CHECK(holds(said.out, "was right already"));
  CHECK(text_of(file) == once);
  home.only_key();
  CHECK(holds(home.connect({"claude-code"}).out, "points here already"));
}

TEST_CASE("a key that works no more is replaced, and --undo still brings the file back") {
  Home home;
  const fs::path file = home.write(".claude/settings.json", k_claude);
  home.connect({"claude-code", "--write"});
  home.run({"keys", "revoke", home.only_key()});
  const std::string once = text_of(file);
  CHECK(home.connect({"claude-code", "--write"}).status == 0);
  CHECK(text_of(file) != once);
  CHECK(home.connect({"claude-code", "--undo"}).status == 0);
  CHECK(text_of(file) == k_claude);
}

TEST_CASE("--undo restores every client's file byte for byte and revokes the key") {
  struct Case {
    const char* client;
    const char* file;
    std::string text;
  };
  const std::string jsonc = "{\r\n\t\"a\": 1, // x\r\n\t\"b\": [1,],\r\n}\r\n";
  for (const Case& one :
       std::vector<Case>{{"continue", ".continue/config.yaml", "name: A # b\nversion: 1.0.0\nschema: v1\nmodels: []\n"},
                         {"zed", ".config/zed/settings.json", jsonc},
                         {"copilot", ".config/Code/User/settings.json", jsonc},
                         {"llama-vscode", ".config/Code/User/settings.json", "{}"},
                         {"opencode", ".config/opencode/opencode.jsonc", jsonc},
                         {"codex", ".codex/config.toml", "# c\nmodel = 'gpt' # d\n[tui]\nx = 1"},
                         {"codex-openai", ".codex/config.toml", "# c\n[tui]\nx = 1\n"},
                         {"claude-code", ".claude/settings.json", k_claude},
                         {"gemini-cli", ".gemini/.env", "export GEMINI_API_KEY='AIzaOld' # mine\n"},
                         {"qwen-code", ".qwen/.env", "A=1"},
                         {"aider", ".aider.conf.yml", "# c\nmodel: gpt-4o # d\n"}}) {
    CAPTURE(one.client);
    Home home;
    const fs::path file = home.write(one.file, one.text);
    fs::permissions(file, fs::perms{0640});
    const Said written = home.connect({one.client, "--write"});
    CAPTURE(written.err);
    CHECK(written.status == 0);
    CHECK(text_of(file) != one.text);
    const Json rows = parsed(home.connect({"--json"}));
    bool here = false;
    for (const Json& row : rows) here = here || (row["name"] == one.client && row["points_here"] == "yes");
    CHECK(here);
    const Said undone = home.connect({one.client, "--undo"});
    CHECK(undone.status == 0);
    CHECK(holds(undone.out, "byte for byte"));
    CHECK(text_of(file) == one.text);
    CHECK(fs::status(file).permissions() == fs::perms{0640});
    CHECK_FALSE(fs::exists(file.string() + ".nemo-backup"));
    CHECK(parsed(home.run({"--json", "keys", "list"}))[0]["state"] == "revoked");
  }
}

TEST_CASE("a file that was not there is made for its owner only, and --undo removes it") {
  Home home;
  CHECK(home.connect({"gemini-cli", "--write"}).status == 0);
  const fs::path file = home.home / ".gemini" / ".env";
  CHECK(fs::status(file).permissions() == fs::perms{0600});
  CHECK(holds(home.edge.last(), "POST /v1beta/models/cheap:generateContent"));
  CHECK(holds(home.edge.last(), "x-goog-api-key: sk-nemo-"));
  CHECK(home.connect({"gemini-cli", "--undo"}).status == 0);
  CHECK_FALSE(fs::exists(file));
}

TEST_CASE("when the file was changed since, --undo takes out only what was written, and says so") {
  Home home;
  const fs::path file = home.write(".claude/settings.json", k_claude);
  home.connect({"claude-code", "--write"});
  std::string text = text_of(file);
  text.replace(text.find("opus"), 4, "sonnet");
  home.write(".claude/settings.json", text);
  const Said said = home.connect({"claude-code", "--undo"});
  CHECK(said.status == 0);
  CHECK(holds(said.out, "only what Nemo wrote was taken out"));
  std::string wanted = k_claude;
  wanted.replace(wanted.find("opus"), 4, "sonnet");
  CHECK(text_of(file) == wanted);
}

TEST_CASE("two clients that share a file are undone in any order") {
  for (const bool first_first : {true, false}) {
    Home home;
    const std::string text = "{\n  \"a\": 1 // b\n}\n";
    const fs::path file = home.write(".config/Code/User/settings.json", text);
    home.connect({"copilot", "--write"});
    home.connect({"llama-vscode", "--write"});
    CHECK(home.connect({first_first ? "copilot" : "llama-vscode", "--undo"}).status == 0);
    CHECK(home.connect({first_first ? "llama-vscode" : "copilot", "--undo"}).status == 0);
    CHECK(text_of(file) == text);
  }
}

TEST_CASE("a malformed or read-only file is refused with the reason; no key is made and nothing is lost") {
  Home home;
  const fs::path file = home.write(".claude/settings.json", "{\n  \"a\": 1\n  \"b\": 2\n}\n");
  Said said = home.connect({"claude-code", "--write"});
  CHECK(said.status == 1);
  CHECK(holds(said.err, "settings.json: line 3: a comma is missing"));
  home.write(".claude/settings.json", k_claude);
  fs::permissions(file, fs::perms{0444});
  said = home.connect({"claude-code", "--write"});
  CHECK(said.status == 1);
  CHECK(holds(said.err, "read-only"));
  CHECK(text_of(file) == k_claude);
  CHECK(home.book.keys().empty());
  CHECK(std::distance(fs::directory_iterator(file.parent_path()), fs::directory_iterator()) == 1);
}

TEST_CASE("a client without a file gets its lines with the key once") {
  Home home;
  CHECK(holds(home.connect({"minuet"}).out, "sk-nemo-..."));
  CHECK(home.book.keys().empty());
  const Json made = parsed(home.connect({"--json", "minuet", "--write"}));
  const std::string snippet = made["snippet"];
  CHECK(holds(snippet, "NEMO_API_KEY = \"sk-nemo-"));
  CHECK_FALSE(holds(snippet, "sk-nemo-..."));
  CHECK(made["check"]["ok"] == true);
  CHECK(made["check"]["path"] == "/v1/completions");
  const Said again = home.connect({"minuet", "--write"});
  CHECK(again.status == 0);
  CHECK(holds(again.err, "cannot be shown again"));
  home.only_key();
  CHECK(home.connect({"minuet", "--undo"}).status == 0);
  CHECK(holds(home.connect({"minuet", "--undo"}).err, "nothing to undo"));
}

TEST_CASE("a call that is refused after the write is told, and ends with 1") {
  Home home;
  home.control.the_status.url = "http://127.0.0.1:1";
  const Said said = home.connect({"codex", "--write"});
  CHECK(said.status == 1);
  CHECK(holds(said.err, "nobody answered at http://127.0.0.1:1"));
  CHECK(home.connect({"codex", "--write", "--no-check"}).status == 0);
  home.only_key();
}

TEST_CASE("--undo without a daemon restores the file and keeps the key's revocation for later") {
  Home home;
  const fs::path file = home.write(".claude/settings.json", k_claude);
  home.connect({"claude-code", "--write"});
  const Said said = run_nemo({{"--socket", "/nowhere/nemod.sock", "connect", "claude-code", "--undo"},
                              {},
                              {{"HOME", home.home.string()}, {"NEMO_DATA_DIR", (home.home / "nd").string()}}});
  CHECK(said.status == 3);
  CHECK(text_of(file) == k_claude);
  CHECK(holds(said.err, "still works"));
  CHECK(home.connect({"claude-code", "--undo"}).status == 0);
  CHECK(parsed(home.run({"--json", "keys", "list"}))[0]["state"] == "revoked");
}

TEST_CASE("an unknown client is refused with the nearest, and flags that exclude each other with 2") {
  Home home;
  const Said said = home.connect({"cluade-code"});
  CHECK(said.status == 1);
  CHECK(holds(said.err, "did you mean \"claude-code\"?"));
  CHECK(home.connect({"codex", "--write", "--undo"}).status == 2);
  CHECK(home.connect({"--write"}).status == 2);
}

TEST_CASE("the list shows what is here, --all what could be, and doctor those that are connected") {
  Home home;
  home.write(".codex/config.toml", "openai_base_url = \"https://api.openai.com/v1\"\n");
  CHECK(holds(home.connect({}).out, "codex-openai"));
  CHECK(holds(home.connect({}).out, "elsewhere"));
  CHECK_FALSE(holds(home.connect({}).out, "jetbrains"));
  CHECK(holds(home.connect({"--all"}).out, "jetbrains"));
  home.connect({"codex", "--write"});
  const auto doctor = [&home] {
    return run_nemo({home.with_socket({"doctor"}),
                     {},
                     {{"HOME", home.home.string()}, {"NEMO_DATA_DIR", (home.home / "nd").string()}}})
        .out;
  };
  CHECK(holds(doctor(), "Codex: points here, key …"));
  home.run({"keys", "revoke", home.only_key()});
  CHECK(holds(doctor(), "nemo connect codex --write"));
}

}  // namespace nemo::test::connect_test
