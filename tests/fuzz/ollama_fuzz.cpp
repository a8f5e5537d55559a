// Requests of Ollama's clients are requests in the hub's form, or a refusal that names a field; answers and events in
// the hub's form give JSON, a line each, and the same however the events are split.
#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/protocol/hub_conversation.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/surfaces/forms.h"
#include "daemon/stream/sse_scanner.h"
#include "tests/fuzz/require.h"

using namespace nemo::protocol;

namespace {

// Arguments go some levels deeper or come out of theirs; a text at the bound of nesting may then be beyond it.
bool is_shallow(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return c == '{' || c == '['; }) < 100;
}

void check_request(const SurfaceForm& form, const std::string& text) {
  const auto body = RequestBody::parse(text);
  if (!body.ok()) return;
  const auto spec = form.parse(*body, {});
  if (!spec.ok()) {
    REQUIRE_RULE(!spec.error().param.empty());
    REQUIRE_RULE(RequestBody::parse(form.error_body(spec.error())).ok());
    return;
  }
  const auto sent = form.hub->request(*body, *spec);
  if (!sent.ok()) {
    REQUIRE_RULE(!sent.error().param.empty());
    return;
  }
  if (is_shallow(text)) REQUIRE_RULE(RequestBody::parse(*sent).ok());
}

// Times differ from run to run.
std::string without_times(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    out.push_back(text[at]);
    for (const std::string_view key : {"\"created_at\":\"", "_duration\":"}) {
      if (!std::string_view(text).substr(0, at + 1).ends_with(key)) continue;
      while (at + 1 < text.size() && text[at + 1] != '"' && text[at + 1] != ',' && text[at + 1] != '}') ++at;
    }
  }
  return out;
}

std::string translated(const SurfaceForm& form, const Telling& telling, const std::string& text, std::size_t piece) {
  nemo::stream::SseScanner scanner;
  const auto translator = form.hub->translator(telling);
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    scanner.feed(std::string_view(text).substr(at, piece));
    while (const auto event = scanner.next()) translator->translate(*event, out);
  }
  while (const auto event = scanner.finish()) translator->translate(*event, out);
  translator->finish(out);
  return out;
}

void check_answer(const SurfaceForm& form, const Telling& telling, const std::string& text) {
  const bool is_clean = simdjson::validate_utf8(text) && is_shallow(text);
  const auto answer = form.hub->answer(text, telling);
  if (answer.ok() && is_clean) REQUIRE_RULE(RequestBody::parse(*answer).ok());
  if (telling.spec.surface == nemo::call::Surface::ollama_embed) return;
  const std::string out = translated(form, telling, text, text.size() + 1);
  REQUIRE_RULE(without_times(translated(form, telling, text, 1)) == without_times(out));
  REQUIRE_RULE(!out.empty() && out.back() == '\n');
  if (!is_clean) return;
  for (std::size_t at = 0; at < out.size();) {
    const std::size_t end = out.find('\n', at);
    REQUIRE_RULE(RequestBody::parse(out.substr(at, end - at)).ok());
    at = end + 1;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto empty = RequestBody::parse("{}");
  using nemo::call::Surface;
  for (const Surface surface : {Surface::ollama_chat, Surface::ollama_generate, Surface::ollama_embed}) {
    const SurfaceForm& form = form_of(surface);
    check_request(form, text);
    nemo::call::CallSpec spec;
    spec.surface = surface;
    check_answer(form, {*empty, spec, {}, "m"}, text);
  }
  return 0;
}
