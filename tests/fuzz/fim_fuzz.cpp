// A prompt that is read says the same when it is written again; the FIM surfaces give JSON or a refusal; an answer is
// cleaned the same whole and byte by byte, and what is left is one piece of it.
#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/protocol/fim/answer_cleaner.h"
#include "daemon/protocol/fim/fim_prompt.h"
#include "daemon/protocol/fim/hole.h"
#include "daemon/protocol/surface_form.h"
#include "daemon/stream/sse_scanner.h"
#include "tests/fuzz/require.h"

using namespace nemo::protocol;
using nemo::call::FimForm;
using nemo::call::Surface;

namespace {

void check_prompt(const std::string& text) {
  const auto prompt = parse_fim_prompt(text);
  if (!prompt) return;
  const std::string again = render_fim_prompt(prompt->family, *prompt);
  REQUIRE_RULE(parse_fim_prompt(again) == prompt);
}

void check_hole(const std::string& text) {
  const auto body = RequestBody::parse(text);
  if (!body.ok()) return;
  const auto hole = find_hole(*body);
  if (!hole.ok() || !*hole) return;
  for (const FimForm form : {FimForm::suffix, FimForm::qwen, FimForm::codestral, FimForm::codegeex}) {
    const auto told = RequestBody::parse(tell_hole(form, **hole, *body));
    REQUIRE_RULE(told.ok());
    REQUIRE_RULE(told->find(k_files_field) == nullptr);
  }
}

void check_surface(const std::string& text, Surface surface) {
  const SurfaceForm& form = form_of(surface);
  const nemo::call::CallSpec none;
  const auto empty = RequestBody::parse("{}");
  if (simdjson::validate_utf8(text)) {
    const auto answer = form.hub->answer(text, {*empty, none, {}, "m"});
    if (answer.ok()) REQUIRE_RULE(simdjson::validate_utf8(*answer));
  }
  const auto translator = form.hub->translator({*empty, none, {}, "m"});
  std::string out;
  translator->translate({"data: x\n\n", {}, text}, out);
  translator->finish(out);
  REQUIRE_RULE(out.ends_with("\n\n"));

  const auto body = RequestBody::parse(text);
  if (!body.ok()) return;
  const auto spec = form.parse(*body, {});
  if (!spec.ok()) return;
  const auto hub = form.hub->request(*body, *spec);
  if (hub.ok()) REQUIRE_RULE(RequestBody::parse(*hub).ok());
}

// "prefix\0suffix\0answer"
void check_cleaning(std::string_view text) {
  const auto part = [&text] {
    const auto end = text.find('\0');
    const std::string_view taken = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return std::string(taken);
  };
  FimPrompt hole;
  hole.prefix = part();
  hole.suffix = part();
  const auto cleaning = clean_hole(hole, {"\n\n", "END", "ENDE"});
  AnswerCleaner whole(cleaning);
  std::string at_once;
  whole.push(text, at_once);
  whole.finish(at_once);
  AnswerCleaner pieces(cleaning);
  std::string byte_by_byte;
  for (const char& byte : text) pieces.push({&byte, 1}, byte_by_byte);
  pieces.finish(byte_by_byte);
  REQUIRE_RULE(at_once == byte_by_byte);
  REQUIRE_RULE(text.find(at_once) != std::string_view::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_prompt(text);
  check_hole(text);
  for (const Surface surface : {Surface::mistral_fim, Surface::llamacpp_infill, Surface::llamacpp_completion}) {
    check_surface(text, surface);
  }
  check_cleaning(text);
  return 0;
}
