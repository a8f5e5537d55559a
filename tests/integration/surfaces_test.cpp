// The OpenAI surfaces beside chat, and what of a request reaches upstream: every byte that is not ours.
#include <doctest/doctest.h>

#include "harness.h"
#include "raw_upstream.h"

namespace nemo::test::surfaces_test {

using namespace nemo::test;

namespace {

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

// The body of the one call that upstream has seen since the last look.
std::string body_upstream(Rig& rig) {
  const Json journal = rig.upstream.journal();
  REQUIRE(journal.size() == 1);
  rig.upstream.reset();
  return journal[0]["body"].get<std::string>();
}

std::string path_upstream(Rig& rig) {
  const Json journal = rig.upstream.journal();
  REQUIRE(journal.size() == 1);
  rig.upstream.reset();
  return journal[0]["path"].get<std::string>();
}

Json chunk_of(const std::string& event) {
  return Json::parse(event, nullptr, false);
}

// The row of the call that this answer belongs to; rows of calls on several connections may come in any order.
Json row_of(Rig& rig, const Reply& reply) {
  const std::string path = "/calls/" + reply.header("x-nemo-request-id");
  REQUIRE(eventually([&] { return rig.admin("GET", path).contains("call"); }));
  return rig.admin("GET", path)["call"];
}

// Everything that a JSON library would write in another way.
const std::string k_odd_body =
    "\r\n\t { \"messages\" :[ {\"role\":\"user\",\n\t\"content\":[{\"type\":\"text\",\"text\":\"\\u00e9 \\ud83d\\ude00 "
    "\\/ é\"},"
    "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,iVBORw0KGgo+/w==\"}}] }  ],"
    "\"model\":\"gemini-2.5-flash\" , \"temperature\" : "
    "1.0e+0,\"top_p\":0.10000000000000000555,\"seed\":12345678901234567890,"
    "\"n\":1,\"logprobs\":true , \"top_logprobs\":5,\"reasoning_effort\":\"low\",\"stop\":[ \"\\n\" ],"
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"properties\":"
    "{}}}}],"
    "\"tool_choice\":\"auto\",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"schema\":"
    "{} , \"strict\":true}},"
    "\"metadata\":{\"a\":\"b\"},\"no_such_field\":{\"deep\":[[[-0,1E2,null,\"\\u0000\"]]]}, \"\":\"\" }\n";

}  // namespace

TEST_CASE("a request reaches upstream byte for byte") {
  Rig rig;
  CHECK(rig.post("/v1/chat/completions", k_odd_body).status == 200);
  CHECK(body_upstream(rig) == k_odd_body);
}

TEST_CASE("of a streamed request only stream_options changes, so that usage comes") {
  Rig rig;
  const std::string streamed = replaced(k_odd_body, "\"n\":1", "\"stream\" : true");
  CHECK(rig.post("/v1/chat/completions", streamed).status == 200);
  CHECK(body_upstream(rig) == replaced(streamed, "\"\":\"\"", R"("":"","stream_options":{"include_usage":true})"));

  const std::string unasked =
      replaced(streamed, "\"logprobs\":true", R"("stream_options" : { "x": 1.50 ,"include_usage":false})");
  CHECK(rig.post("/v1/chat/completions", unasked).status == 200);
  CHECK(body_upstream(rig) == replaced(unasked, "\"include_usage\":false", "\"include_usage\":true"));

  const std::string asked = replaced(unasked, "\"include_usage\":false", "\"include_usage\":true");
  CHECK(rig.post("/v1/chat/completions", asked).status == 200);
  CHECK(body_upstream(rig) == asked);
}

TEST_CASE("a lane's name is replaced by the model, and nothing else") {
  Rig rig;
  const std::string automatic = replaced(k_odd_body, "gemini-2.5-flash", "nemo/auto");
  CHECK(rig.post("/v1/chat/completions", automatic).status == 200);
  CHECK(body_upstream(rig) == replaced(k_odd_body, "gemini-2.5-flash", "gemini-2.5-pro"));
}

TEST_CASE("a body of many megabytes arrives whole") {
  Rig rig;
  const std::string body = replaced(k_odd_body, "iVBORw0KGgo", std::string(900'000, 'A'));
  CHECK(rig.post("/v1/chat/completions", body).status == 200);
  CHECK(body_upstream(rig) == body);
  const std::string large = replaced(k_odd_body, "iVBORw0KGgo", std::string(20'000'000, 'A'));
  CHECK(rig.post("/v1/chat/completions", large).status == 200);
  CHECK(rig.upstream.journal()[0]["body_bytes"] == large.size());
}

TEST_CASE("nemo's extensions stay here for an upstream of kind openai and go on to one of kind nemo") {
  const std::string plain = R"({ "model":"gemini-2.5-flash", "messages":[{"role":"user","content":"x"}], "user":"u" })";
  const std::string extended =
      R"({ "nemo_cache":false, "model":"gemini-2.5-flash","nemo_tags" : ["code"], "messages":[{"role":"user","content":"x"}],)"
      R"("nemo_lane":"reasoning" ,"nemo_fallbacks":["gemini-2.5-pro"], "user":"u" })";
  Rig openai;
  CHECK(openai.post("/v1/chat/completions", extended).status == 200);
  CHECK(Json::parse(body_upstream(openai)) == Json::parse(plain));
  for (const char* only : {R"({"nemo_cache":false})", R"({"messages":[],"nemo_cache":true})"}) {
    CHECK(openai.post("/v1/chat/completions", only).status == 400);
  }

  FakeUpstream service;
  Rig nemo({"[[upstream]]\nname = \"nemo\"\nkind = \"nemo\"\nkey = \"env:FAKE_KEY\"\nbase_url = \"" +
                service.base_url() + "\"\n",
            "",
            {},
            true});
  CHECK(nemo.post("/v1/chat/completions", extended).status == 200);
  CHECK(service.journal()[0]["body"] == extended);
  CHECK(nemo.rows(1)[0]["tags"] == Json::array({"code"}));
}

TEST_CASE("upstream gets its own key and never the caller's") {
  RawUpstream raw([](const RawCall& call) {
    constexpr std::string_view k_body = R"({"choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}]})";
    call.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
              std::to_string(k_body.size()) + "\r\n\r\n" + std::string(k_body));
  });
  const std::string upstream =
      "[[upstream]]\nname = \"raw\"\nkind = \"openai\"\nbase_url = \"" + raw.base_url() + "\"\n";
  for (const bool has_key : {true, false}) {
    CAPTURE(has_key);
    Rig rig({upstream + (has_key ? "key = \"env:FAKE_KEY\"\n" : ""), "", {}, true});
    for (const char* name : {"Authorization: Bearer ", "x-api-key: ", "x-goog-api-key: ", "api-key: "}) {
      CAPTURE(name);
      std::string request = rig.request("POST", "/v1/chat/completions", k_odd_body, {name + rig.key(), "Cookie: c=d"});
      const std::string bearer = "Authorization: Bearer " + rig.key() + "\r\n";
      // The rig adds its own header where it does not know the name.
      if (!std::string_view(name).starts_with("Auth") && request.find(bearer) != std::string::npos) {
        request = replaced(request, bearer, "");
      }
      Client client(rig.port());
      client.send(request);
      CHECK(client.receive().status == 200);
      const std::string seen = raw.requests().back();
      CHECK(seen.find(rig.key()) == std::string::npos);
      CHECK(seen.find("c=d") == std::string::npos);
      const bool own = seen.find("\r\nAuthorization: Bearer sk-upstream-secret-0123456789\r\n") != std::string::npos;
      CHECK(own == has_key);
    }
    const std::string in_query = "/v1/chat/completions?key=" + rig.key();
    CHECK(rig.post(in_query, k_odd_body, {"Authorization: "}).status == 200);
    CHECK(raw.requests().back().find(rig.key()) == std::string::npos);
  }
  CHECK(raw.requests().size() == 10);
}

TEST_CASE("completions go natively to a model that fills in the middle") {
  Rig rig;
  const std::string body = R"({"model":"codestral-2","prompt":"def f(","suffix":"\n  return x", "max_tokens":5})";
  const Reply reply = rig.post("/v1/completions", body);
  CHECK(reply.status == 200);
  CHECK(reply.json()["object"] == "text_completion");
  CHECK(!reply.json()["choices"][0]["text"].get<std::string>().empty());
  CHECK(rig.upstream.journal()[0]["path"] == "/v1/completions");
  CHECK(body_upstream(rig) == body);

  const Reply list = rig.post("/v1/completions", R"({"model":"codestral-2","prompt":["one","two","three"]})");
  CHECK(list.json()["choices"].size() == 3);

  const Reply stream = rig.post("/v1/completions", R"({"model":"codestral-2","prompt":["one","two"],"stream":true})");
  const auto events = stream_events(stream.body);
  CHECK(events.back() == "[DONE]");
  CHECK(chunk_of(events[0])["object"] == "text_completion");
  CHECK(stream.body.find("prompt_tokens") == std::string::npos);
  const Json row = row_of(rig, stream);
  CHECK(row["surface"] == "openai-completions");
  CHECK(row["lane"] == "completion");
  CHECK(row["output_tokens"] == 24);
}

TEST_CASE("completions of a model that only chats are served through chat and keep the legacy shape") {
  Rig rig;
  rig.upstream.script({{"content", "x + 1"}});
  const Json body = {
      {"model", "gemini-2.5-flash"}, {"prompt", "def f(x): return"}, {"suffix", "\n"}, {"max_tokens", 20}};
  const Reply reply = rig.post("/v1/completions", body.dump());
  CHECK(reply.status == 200);
  CHECK(reply.json()["object"] == "text_completion");
  CHECK(reply.json()["choices"][0]["text"] == "x + 1");
  CHECK(reply.json()["choices"][0]["finish_reason"] == "stop");
  CHECK(reply.json()["usage"]["completion_tokens"] == 3);
  CHECK(path_upstream(rig) == "/v1/chat/completions");

  Json one_in_a_list = body;
  one_in_a_list["prompt"] = Json::array({"def f(x): return"});
  CHECK(rig.post("/v1/completions", one_in_a_list.dump()).status == 200);
  one_in_a_list["prompt"] = {"several", "prompts"};
  CHECK(rig.post("/v1/completions", one_in_a_list.dump()).status == 400);
  for (const Json& row : rig.rows(3)) CHECK(row["surface"] == "openai-completions");
}

TEST_CASE("completions streamed through chat have the legacy shape, and usage with cost if asked for") {
  Rig rig;
  rig.upstream.script({{"content", "```python\nx + 1\n```"}});
  Json body = {{"model", "gemini-2.5-flash"}, {"prompt", "def f(x): return"}, {"suffix", "\n"}, {"stream", true}};
  body["nemo_cache"] = false;  // asked twice
  for (const bool with_usage : {false, true}) {
    CAPTURE(with_usage);
    if (with_usage) body["stream_options"] = {{"include_usage", true}};
    const Reply reply = rig.post("/v1/completions", body.dump());
    const auto events = stream_events(reply.body);
    CHECK(events.back() == "[DONE]");
    CHECK(std::count(events.begin(), events.end(), "[DONE]") == 1);
    CHECK(stream_text(reply.body) == "x + 1");  // an editor would insert the fence as it stands
    for (std::size_t i = 0; i + 1 < events.size(); ++i) {
      CHECK(chunk_of(events[i])["object"] == "text_completion");
      CHECK(events[i].find("\"delta\"") == std::string::npos);
    }
    CHECK((reply.body.find("\"nemo_cost\"") != std::string::npos) == with_usage);
    CHECK((reply.body.find("prompt_tokens") != std::string::npos) == with_usage);
  }
  for (const Json& row : rig.rows(2)) CHECK(row["usage_source"] == "provider");
}

TEST_CASE("a completion through chat that breaks says so, with all that came before") {
  Rig rig;
  rig.upstream.script({{"content", "```\nhalf an answer is here"}, {"cut_after_chunks", 4}, {"cut", "close"}});
  const Json body = {{"model", "gemini-2.5-flash"}, {"prompt", "x"}, {"suffix", "y"}, {"stream", true}};
  const Reply reply = rig.post("/v1/completions", body.dump());
  CHECK(reply.body.find("[DONE]") == std::string::npos);
  CHECK(stream_text(reply.body) == "half an");
  CHECK(chunk_of(stream_events(reply.body).back()).contains("error"));
}

TEST_CASE("an upstream's own word on completions outweighs the catalog") {
  Rig native({"", "completions = \"native\"", {}, false});
  CHECK(native.post("/v1/completions", R"({"model":"gemini-2.5-flash","prompt":"x"})").status == 200);
  CHECK(path_upstream(native) == "/v1/completions");
  Rig chat({"", "completions = \"chat\"", {}, false});
  CHECK(chat.post("/v1/completions", R"({"model":"codestral-2","prompt":"x"})").status == 200);
  CHECK(path_upstream(chat) == "/v1/chat/completions");
}

TEST_CASE("embeddings pass as they came, as numbers and as base64") {
  Rig rig;
  for (const char* format : {"float", "base64"}) {
    CAPTURE(format);
    const std::string body =
        R"({"model":"text-embedding-005", "input":["one", "two"],"dimensions":8,"encoding_format":")" +
        std::string(format) + "\"}";
    const Reply reply = rig.post("/v1/embeddings", body);
    CHECK(reply.status == 200);
    CHECK(body_upstream(rig) == body);
    Client direct(rig.upstream.port());
    direct.send("POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body);
    CHECK(reply.body == direct.receive().body);
    rig.upstream.reset();
  }
  for (const Json& row : rig.rows(2)) {
    CHECK(row["surface"] == "openai-embeddings");
    CHECK(row["input_tokens"] == 2);
    CHECK(row["output_tokens"] == 0);
    CHECK(row["cost"] == "0.0000002");
  }
}

TEST_CASE("the model list has lanes, aliases and what upstreams serve, and each of them can be asked for") {
  Rig rig({"[alias]\n\"fast\" = \"gemini-2.5-flash\"\n",
           "[[deployment]]\nmodel = \"gemini-2.5-flash\"\nupstream = \"fake\"\n"
           "[[deployment]]\nmodel = \"meta/llama-3.3-70b-instruct-maas\"\nupstream = \"fake\"\n",
           {},
           false});
  const Json list = rig.get("/v1/models").json();
  CHECK(list["object"] == "list");
  std::vector<std::string> ids;
  for (const Json& model : list["data"]) ids.push_back(model["id"]);
  CHECK(ids.size() == 6);
  for (const char* id : {"nemo/auto", "nemo/completion", "nemo/reasoning", "fast", "gemini-2.5-flash",
                         "meta/llama-3.3-70b-instruct-maas"}) {
    CAPTURE(id);
    CHECK(std::find(ids.begin(), ids.end(), id) != ids.end());
    const Reply one = rig.get(std::string("/v1/models/") + id);
    CHECK(one.status == 200);
    CHECK(one.json()["id"] == id);
    CHECK(one.json()["object"] == "model");
  }
  CHECK(rig.get("/v1/models/nemo%2Fauto").json()["id"] == "nemo/auto");
  CHECK(rig.get("/v1/models/gemini-2.5-pro").status == 404);
  CHECK(rig.get("/v1/models", {"Authorization: Bearer sk-nemo-wrong"}).status == 401);
}

TEST_CASE("paths answer without /v1 too, health needs no key, and HEAD has a head only") {
  Rig rig;
  CHECK(rig.post("/chat/completions", k_odd_body).status == 200);
  CHECK(rig.post("/completions", R"({"model":"codestral-2","prompt":"x"})").status == 200);
  CHECK(rig.post("/embeddings", R"({"model":"text-embedding-005","input":"x"})").status == 200);
  CHECK(rig.get("/models").json()["object"] == "list");
  CHECK(rig.get("/models/nemo/auto").status == 200);
  CHECK(rig.get("/health", {"Authorization: "}).json()["status"] == "ok");
  CHECK(rig.get("/v1/nothing").status == 404);
  CHECK(rig.get("/v1/nothing").json()["error"].is_object());

  for (const char* path : {"/health", "/v1/models", "/v1/models/nemo/auto", "/"}) {
    CAPTURE(path);
    Client client(rig.port());
    client.send(rig.request("HEAD", path, "", {"Connection: close"}));
    std::string all;
    for (std::string some = client.receive_some(); !some.empty(); some = client.receive_some()) all += some;
    CHECK(all.starts_with("HTTP/1.1 200"));
    CHECK(all.ends_with("\r\n\r\n"));
    CHECK(all.find("Content-Length: " + std::to_string(rig.get(path).body.size())) != std::string::npos);
  }
}

}  // namespace nemo::test::surfaces_test
