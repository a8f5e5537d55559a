// What translating one event of a stream costs beside passing it through: scanned, read and written, p50 and p99, for
// every pair of a client's surface and an upstream's dialect that chats.
#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/protocol/conversation.h"
#include "daemon/protocol/surface_form.h"
#include "daemon/stream/sse_scanner.h"
#include "tests/bench/samples.h"

namespace {

using namespace nemo;
using call::Surface;
using protocol::Dialect;
using std::chrono::steady_clock;

constexpr int k_words = 2'000;
constexpr int k_rounds = 50;

std::string chat_stream() {
  const std::string head = R"(data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[)";
  std::string out = head + R"({"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]})" + "\n\n";
  for (int i = 0; i < k_words; ++i) {
    out += head + R"({"index":0,"delta":{"content":" word"},"finish_reason":null}]})" + "\n\n";
  }
  out += head + R"({"index":0,"delta":{},"finish_reason":"stop"}]})" + "\n\n";
  return out + "data: [DONE]\n\n";
}

std::string messages_stream() {
  std::string out =
      "event: message_start\ndata: "
      "{\"type\":\"message_start\",\"message\":{\"id\":\"m1\",\"type\":\"message\",\"role\":"
      "\"assistant\",\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\n"
      "event: content_block_start\ndata: "
      "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";
  for (int i = 0; i < k_words; ++i) {
    out +=
        "event: content_block_delta\ndata: "
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" word\"}}\n\n";
  }
  return out +
         "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
         "event: message_delta\ndata: "
         "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":9}}\n\n"
         "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
}

struct Asked {
  Surface surface;
  const char* body;
};

constexpr Asked k_asked[] = {
    {Surface::openai_chat, R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]})"},
    {Surface::anthropic_messages,
     R"({"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"hi"}]})"},
    {Surface::openai_responses, R"({"model":"m","stream":true,"input":"hi"})"},
    {Surface::gemini, R"({"contents":[{"role":"user","parts":[{"text":"hi"}]}]})"},
    {Surface::ollama_chat, R"({"model":"m","messages":[{"role":"user","content":"hi"}]})"}};

template <typename T>
T taken(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

bench::Samples measure(const Asked& asked, Dialect dialect, const std::string& bytes) {
  const auto body = taken(protocol::RequestBody::parse(asked.body));
  const auto spec = taken(protocol::form_of(asked.surface).parse(body, {"m", true}));
  bench::Samples samples;
  for (int round = 0; round < k_rounds; ++round) {
    const auto conversation = taken(protocol::make_conversation(dialect, {body, spec}));
    taken(conversation->request("m", {}));
    const auto translator = conversation->stream_translator();
    stream::SseScanner scanner;
    scanner.feed(bytes);
    std::string out;
    for (;;) {
      const auto started = steady_clock::now();
      const auto event = scanner.next();
      if (!event) break;
      out.clear();
      translator->translate(*event, out);
      if (round > 0) samples.add(std::chrono::duration<double, std::micro>(steady_clock::now() - started).count());
    }
  }
  return samples;
}

}  // namespace

int main() {
  const std::string chat = chat_stream();
  const std::string messages = messages_stream();
  std::printf("one event of a stream, µs\n%-20s %-12s %8s %8s\n", "client", "upstream", "p50", "p99");
  for (const Asked& asked : k_asked) {
    for (const Dialect dialect : {Dialect::openai, Dialect::anthropic}) {
      const bench::Samples samples = measure(asked, dialect, dialect == Dialect::openai ? chat : messages);
      std::printf("%-20s %-12s %8.2f %8.2f\n", std::string(to_string(asked.surface)).c_str(),
                  dialect == Dialect::openai ? "openai" : "anthropic", samples.quantile(0.5), samples.quantile(0.99));
    }
  }
  return 0;
}
