#include <doctest/doctest.h>
#include <zlib.h>

#include "daemon/lib/sqlite/connection.h"
#include "error_shape.h"
#include "harness.h"

namespace nemo::test::bad_input_test {

using namespace nemo::test;

namespace {

const std::string k_chat = "/v1/chat/completions";
const std::string k_hello = R"({"model":"gemini-2.5-flash","messages":[{"role":"user","content":"hello there"}]})";

Json chat_with(const std::string& field, const Json& value) {
  Json body = Json::parse(k_hello);
  body[field] = value;
  return body;
}

std::string chunked(const std::string& body, std::size_t piece = 70'000) {
  std::string out;
  for (std::size_t at = 0; at < body.size(); at += piece) {
    const std::string part = body.substr(at, piece);
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", part.size());
    out += size + part + "\r\n";
  }
  return out + "0\r\n\r\n";
}

std::string gzip(const std::string& text) {
  z_stream zip{};
  constexpr int k_gzip_window = 15 + 16;
  deflateInit2(&zip, Z_BEST_COMPRESSION, Z_DEFLATED, k_gzip_window, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&zip, text.size()), '\0');
  zip.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  zip.avail_in = static_cast<uInt>(text.size());
  zip.next_out = reinterpret_cast<Bytef*>(out.data());
  zip.avail_out = static_cast<uInt>(out.size());
  deflate(&zip, Z_FINISH);
  out.resize(zip.total_out);
  deflateEnd(&zip);
  return out;
}

// A request head of a chat whose body's framing is the test's own.
std::string head_of_chat(const Rig& rig, const std::string& framing) {
  return "POST " + k_chat + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + rig.key() +
         "\r\nContent-Type: application/json\r\n" + framing + "\r\n";
}

Reply send_raw(Rig& rig, const std::string& bytes) {
  Client client(rig.port());
  client.send(bytes);  // the daemon may answer and close before it has all of it
  return client.receive();
}

Rig::Options small_bodies() {
  Rig::Options options;
  options.toml = "max_body_mib = 1";
  return options;
}

}  // namespace

TEST_CASE("a body that is not JSON is refused with what is wrong and where") {
  Rig rig;
  CHECK(contains(expect_error(rig.post(k_chat, "hello"), 400, "invalid_request"), "JSON"));
  CHECK(contains(expect_error(rig.post(k_chat, k_hello.substr(0, 40)), 400, "invalid_request"), "at byte 40"));
  CHECK(contains(expect_error(rig.post(k_chat, "[1]"), 400, "invalid_request"), "object"));
  CHECK(contains(expect_error(rig.post(k_chat, ""), 400, "invalid_request"), "empty"));
  CHECK(contains(expect_error(rig.post(k_chat, k_hello + "x"), 400, "invalid_request"), "behind the end"));
  CHECK(contains(expect_error(rig.post(k_chat, "{\"model\":\"\xff\"}"), 400, "invalid_request"), "UTF-8"));
  const std::string deep(100'000, '[');
  expect_error(rig.post(k_chat, "{\"messages\":" + deep), 400, "invalid_request");
  CHECK(rig.upstream.summary()["started"] == 0);
}

TEST_CASE("a field of the wrong type is refused by its name, in the message and as param") {
  Rig rig;
  const std::vector<std::pair<std::string, Json>> wrong{{"model", 7},
                                                        {"messages", "hi"},
                                                        {"messages", Json::array()},
                                                        {"stream", "yes"},
                                                        {"max_tokens", "ten"},
                                                        {"max_tokens", -1},
                                                        {"n", 0},
                                                        {"stream_options", true},
                                                        {"tools", "none"},
                                                        {"nemo_tags", "code"},
                                                        {"nemo_cache", 1},
                                                        {"nemo_fallbacks", {1, 2}},
                                                        {"nemo_lane", false},
                                                        {"max_tokens", 1e300},
                                                        {"max_completion_tokens", 2.5}};
  for (const auto& one : wrong) {
    const auto& field = one.first;
    const auto& value = one.second;
    CAPTURE(field);
    const Reply reply = rig.post(k_chat, chat_with(field, value).dump());
    CHECK(contains(expect_error(reply, 400, "invalid_request"), field));
    CHECK(reply.json()["error"]["param"] == field);
  }
  const Reply nested = rig.post(k_chat, chat_with("stream_options", {{"include_usage", "yes"}}).dump());
  CHECK(contains(expect_error(nested, 400, "invalid_request"), "stream_options.include_usage"));
  CHECK(rig.upstream.summary()["started"] == 0);
}

TEST_CASE("a field given twice is refused, since upstream might read the other one") {
  Rig rig;
  const std::string twice = R"({"model":"gemini-2.5-flash","model":"gemini-2.5-pro","messages":[{"role":"user"}]})";
  CHECK(contains(expect_error(rig.post(k_chat, twice), 400, "invalid_request"), "\"model\""));
  const std::string escaped = R"({"model":"gemini-2.5-flash","mode\u006c":"x","messages":[{"role":"user"}]})";
  expect_error(rig.post(k_chat, escaped), 400, "invalid_request");
}

TEST_CASE("what a surface cannot do without is asked for by name") {
  Rig rig;
  const Reply no_messages = rig.post(k_chat, R"({"model":"gemini-2.5-flash"})");
  CHECK(contains(expect_error(no_messages, 400, "invalid_request"), "messages is missing"));
  CHECK(no_messages.json()["error"]["param"] == "messages");
  const Reply no_prompt = rig.post("/v1/completions", R"({"model":"codestral-2"})");
  CHECK(contains(expect_error(no_prompt, 400, "invalid_request"), "prompt is missing"));
  const Reply no_input = rig.post("/v1/embeddings", R"({"model":"text-embedding-005"})");
  CHECK(contains(expect_error(no_input, 400, "invalid_request"), "input is missing"));
  const Reply no_model = rig.post("/v1/embeddings", R"({"input":"hi"})");
  CHECK(contains(expect_error(no_model, 400, "invalid_request"), "need a model"));
  CHECK(no_model.json()["error"]["param"] == "model");
}

TEST_CASE("an unknown model is not found, and the nearest ids are offered") {
  Rig rig;
  const Reply reply = rig.post(k_chat, chat_with("model", "gemini-2.5-flsh").dump());
  CHECK(contains(expect_error(reply, 404, "model_not_found"), "gemini-2.5-flash"));
  CHECK(reply.json()["error"]["param"] == "model");
  CHECK(contains(expect_error(rig.post(k_chat, chat_with("model", "nemo/typing").dump()), 404, "model_not_found"),
                 "completion, reasoning"));
  expect_error(rig.get("/v1/models/gemini-9"), 404, "model_not_found");
  expect_error(rig.post(k_chat, chat_with("nemo_fallbacks", {"nobody"}).dump()), 404, "model_not_found");
}

TEST_CASE("a model is not asked for what it cannot do") {
  Rig rig;
  const Reply chat = rig.post(k_chat, chat_with("model", "text-embedding-005").dump());
  CHECK(contains(expect_error(chat, 400, "invalid_request"), "only makes embeddings"));
  const Reply embedding = rig.post("/v1/embeddings", R"({"model":"gemini-2.5-flash","input":"hi"})");
  CHECK(contains(expect_error(embedding, 400, "invalid_request"), "does not make embeddings"));
}

TEST_CASE("a model without a price is refused unless its upstream allows that") {
  const std::string own = "[[deployment]]\nmodel = \"home-made\"\nupstream = \"fake\"\n";
  Rig::Options options;
  options.toml = "[model.\"home-made\"]\ncontext_window = 8192\ncapabilities = [\"chat\"]\n" + own;
  const std::string body = chat_with("model", "home-made").dump();
  {
    Rig rig(options);
    CHECK(contains(expect_error(rig.post(k_chat, body), 402, "model_not_priced"), "home-made"));
    CHECK(rig.upstream.summary()["started"] == 0);
    CHECK(rig.rows(1).at(0)["status"] == "refused");
  }
  options.upstream_toml = "unpriced = \"allow\"";
  Rig rig(options);
  CHECK(rig.post(k_chat, body).status == 200);
  const auto rows = rig.rows(1);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["cost"] == "0");
  CHECK(rows[0]["usage_source"] == "provider");
}

TEST_CASE("a body over the limit is refused whichever way it comes") {
  Rig rig(small_bodies());
  const std::string large = chat_with("user", std::string((1U << 20U) + 1, 'x')).dump();
  CHECK(contains(expect_error(send_raw(rig, rig.request("POST", k_chat, large)), 413, "request_too_large"), "1 MiB"));
  const std::string lengthless = head_of_chat(rig, "Transfer-Encoding: chunked\r\n") + chunked(large);
  expect_error(send_raw(rig, lengthless), 413, "request_too_large");
  const std::string bomb = gzip(chat_with("user", std::string(64U << 20U, 'x')).dump());
  REQUIRE(bomb.size() < (1U << 20U));
  const std::string framing = "Content-Encoding: gzip\r\nContent-Length: " + std::to_string(bomb.size()) + "\r\n";
  expect_error(send_raw(rig, head_of_chat(rig, framing) + bomb), 413, "request_too_large");
  CHECK(rig.upstream.summary()["started"] == 0);
  const std::string fits = chat_with("user", std::string((1U << 20U) - 1000, 'x')).dump();
  CHECK(rig.post(k_chat, fits).status == 200);
}

TEST_CASE("a client that sends a too large body to its end first still reads why it was refused") {
  Rig rig(small_bodies());
  Client client(rig.port());
  // More than the sockets' buffers hold, so that a daemon that just closed would break the sending.
  CHECK(client.send(rig.request("POST", k_chat, std::string(24U << 20U, ' '))));
  expect_error(client.receive(), 413, "request_too_large");
}

TEST_CASE("a request's head over 64 KiB is refused") {
  Rig rig;
  std::string many;
  for (int i = 0; i < 70; ++i) many += "x-filler-" + std::to_string(i) + ": " + std::string(1000, 'f') + "\r\n";
  const Reply reply = send_raw(rig, "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n" + many + "\r\n");
  CHECK(contains(expect_error(reply, 431, "request_too_large"), "64 KiB"));
  CHECK(rig.get("/health").status == 200);
}

TEST_CASE("one header of ten kilobytes or a path that is too long is refused clearly, and the connection closed") {
  Rig rig;
  const Reply header = rig.get("/v1/models", {"x-large: " + std::string(10'240, 'x')});
  expect_error(header, 400, "invalid_request");
  CHECK(header.header("connection") == "close");
  const Reply path = rig.get("/v1/" + std::string(9000, 'p'));
  CHECK(contains(expect_error(path, 414, "invalid_request"), "path is too long"));
}

TEST_CASE("a POST without a body, or with framing that cannot be read, is refused") {
  Rig rig;
  CHECK(contains(expect_error(send_raw(rig, head_of_chat(rig, "")), 400, "invalid_request"), "no body"));
  const std::string in_chunks = "Transfer-Encoding: chunked\r\n";
  expect_error(send_raw(rig, head_of_chat(rig, in_chunks) + "zz\r\n{}\r\n0\r\n\r\n"), 400, "invalid_request");
  for (const char* length : {"abc", "-5", "12abc", "1 2", "+3"}) {
    CAPTURE(length);
    const std::string bytes = head_of_chat(rig, "Content-Length: " + std::string(length) + "\r\n") + k_hello;
    const Reply reply = send_raw(rig, bytes);
    expect_error(reply, 400, "invalid_request");
    CHECK(reply.header("connection") == "close");
  }
  expect_error(send_raw(rig, head_of_chat(rig, "Content-Length: 99999999999999999999999\r\n")), 413,
               "request_too_large");
  expect_error(send_raw(rig, head_of_chat(rig, "Content-Encoding: gzip\r\nContent-Length: 5\r\n") + "abcde"), 400,
               "invalid_request");
  CHECK(rig.upstream.summary()["started"] == 0);
}

TEST_CASE("bytes that are not HTTP are refused") {
  Rig rig;
  expect_error(send_raw(rig, "hello\r\n\r\n"), 400, "invalid_request");
  expect_error(send_raw(rig, "GET /health HTTP/9.9\r\n\r\n"), 400, "invalid_request");
  expect_error(send_raw(rig, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 400, "invalid_request");
  CHECK(rig.get("/health").status == 200);
}

TEST_CASE("a body on a path that takes none is never read as the next request") {
  Rig rig;
  Client client(rig.port());
  const std::string smuggled = "GET /v1/models/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
  client.send("GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(smuggled.size()) +
              "\r\n\r\n" + smuggled);
  CHECK(client.receive().status == 200);
  CHECK(client.receive_some().empty());
}

TEST_CASE("a key that does not count says why: unknown, expired, revoked, none") {
  Rig rig;
  const auto with_key = [&](const std::string& key) {
    return rig.post(k_chat, k_hello, {"Authorization: Bearer " + key});
  };
  expect_error(with_key("sk-nemo-nobodymadethisone"), 401, "invalid_api_key");
  expect_error(with_key("sk-somebody-elses"), 401, "invalid_api_key");
  expect_error(with_key(std::string(5000, 'k')), 401, "invalid_api_key");
  expect_error(rig.post(k_chat, k_hello, {"Authorization:"}), 401, "invalid_api_key");

  const Json revoked = rig.admin("POST", "/keys", {{"seat", "left"}});
  CHECK(with_key(revoked["key"]).status == 200);
  CHECK(rig.admin("DELETE", "/keys/" + revoked["id"].get<std::string>())["state"] == "revoked");
  const Reply reply = with_key(revoked["key"]);
  CHECK(contains(expect_error(reply, 401, "key_revoked"), revoked["id"]));
  CHECK(!contains(reply.body, revoked["key"]));

  const Json expired = rig.admin("POST", "/keys", {{"seat", "guest"}, {"expires_at", "2999-01-01T00:00:00Z"}});
  CHECK(with_key(expired["key"]).status == 200);
  nemo::lib::sqlite::Connection(rig.folder() / "nemo.db", nemo::lib::sqlite::Access::read_write)
      .exec("UPDATE virtual_key SET expires_at = 1000000 WHERE seat = 'guest'");
  rig.admin("POST", "/keys", {{"seat", "another"}});  // the book is read again
  expect_error(with_key(expired["key"]), 401, "key_expired");
}

TEST_CASE("a key for some models is refused every other one") {
  Rig rig;
  const Json made = rig.admin("POST", "/keys", {{"seat", "intern"}, {"models", {"gemini-2.5-flash-lite"}}});
  const std::string header = "Authorization: Bearer " + made["key"].get<std::string>();
  CHECK(contains(expect_error(rig.post(k_chat, k_hello, {header}), 403, "model_not_allowed"), "gemini-2.5-flash"));
  CHECK(rig.post(k_chat, chat_with("model", "gemini-2.5-flash-lite").dump(), {header}).status == 200);
  expect_error(rig.post(k_chat, chat_with("model", "nemo/reasoning").dump(), {header}), 403, "model_not_allowed");
}

TEST_CASE("an unknown path is not found, and a wrong method names the right one") {
  Rig rig;
  CHECK(contains(expect_error(rig.post("/v1/chat/complete", k_hello), 404, "not_found"), "/v1/chat/complete"));
  expect_error(rig.get("/v1/"), 404, "not_found");
  const Reply get = rig.get(k_chat);
  expect_error(get, 405, "method_not_allowed");
  CHECK(get.header("allow") == "POST");
  const Reply post = rig.post("/v1/models", "{}");
  expect_error(post, 405, "method_not_allowed");
  CHECK(post.header("allow") == "GET");
  for (const char* method : {"PUT", "PATCH", "DELETE"}) {
    CAPTURE(method);
    expect_error(send_raw(rig, rig.request(method, k_chat, "")), 405, "method_not_allowed");
  }
}

TEST_CASE("requests for another host or from a web page are refused unless the config allows them") {
  Rig::Options options;
  options.toml = "allowed_origins = [\"http://localhost:3000\"]\nallowed_hosts = [\"nemo.example\"]";
  Rig rig(options);
  const auto from = [&](const std::string& host, const std::string& extra) {
    return send_raw(rig, "GET /v1/models HTTP/1.1\r\nHost: " + host + "\r\nAuthorization: Bearer " + rig.key() +
                             "\r\n" + extra + "\r\n");
  };
  expect_error(from("evil.example", ""), 403, "origin_not_allowed");
  expect_error(from("127.0.0.1.evil.example", ""), 403, "origin_not_allowed");
  CHECK(from("LocalHost:1234", "").status == 200);
  CHECK(from("[::1]:6366", "").status == 200);
  CHECK(from("nemo.example", "").status == 200);
  expect_error(from("localhost", "Origin: http://evil.example\r\n"), 403, "origin_not_allowed");
  expect_error(from("localhost", "Origin: null\r\n"), 403, "origin_not_allowed");
  const Reply allowed = from("localhost", "Origin: http://localhost:3000\r\n");
  CHECK(allowed.status == 200);
  CHECK(allowed.header("access-control-allow-origin") == "http://localhost:3000");
  CHECK(allowed.header("vary") == "Origin");
}

TEST_CASE("a preflight is answered for allowed origins only, and errors reach an allowed page too") {
  Rig::Options options;
  options.toml = "allowed_origins = [\"http://localhost:3000\"]";
  Rig rig(options);
  const auto preflight = [&](const std::string& origin) {
    return send_raw(rig, "OPTIONS " + k_chat + " HTTP/1.1\r\nHost: localhost\r\nOrigin: " + origin +
                             "\r\nAccess-Control-Request-Method: POST\r\n"
                             "Access-Control-Request-Headers: authorization, x-stainless-os\r\n\r\n");
  };
  const Reply yes = preflight("http://localhost:3000");
  CHECK(yes.status == 204);
  CHECK(yes.header("access-control-allow-origin") == "http://localhost:3000");
  CHECK(contains(yes.header("access-control-allow-methods"), "POST"));
  CHECK(yes.header("access-control-allow-headers") == "authorization, x-stainless-os");
  const Reply no = preflight("http://evil.example");
  expect_error(no, 403, "origin_not_allowed");
  CHECK(no.header("access-control-allow-origin").empty());
  const Reply error = rig.post(k_chat, "x", {"Origin: http://localhost:3000"});
  expect_error(error, 400, "invalid_request");
  CHECK(error.header("access-control-allow-origin") == "http://localhost:3000");
}

}  // namespace nemo::test::bad_input_test
