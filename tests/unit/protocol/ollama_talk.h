// One Ollama surface, held against requests, answers and streams in its hub's form.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/protocol/hub_conversation.h"
#include "daemon/protocol/surface_form.h"
#include "daemon/stream/sse_scanner.h"

namespace nemo::test {

using Json = nlohmann::json;

class OllamaTalk {
 public:
  explicit OllamaTalk(call::Surface surface, const Json& request = Json::object())
      : m_form(protocol::form_of(surface)), m_body(body_of(request.dump())) {
    auto spec = m_form.parse(m_body, {});
    if (spec) m_spec = std::move(*spec);
    if (!spec) m_error = spec.error();
  }

  // What parsing and telling say; kind internal: nothing.
  const Error& error() const { return m_error; }
  const call::CallSpec& spec() const {
    REQUIRE_MESSAGE(m_error.message.empty(), m_error.message);
    return m_spec;
  }
  Json hub() const {
    const auto told = protocol::tell_in_hub(m_form, m_body, spec());
    REQUIRE_MESSAGE(told.ok(), told.error().message);
    return Json::parse(told->body.bytes());
  }
  Error hub_refusal() const {
    const auto told = protocol::tell_in_hub(m_form, m_body, spec());
    return told ? Error{} : told.error();
  }

  Json answer(const Json& hub_answer) const {
    const auto told = m_form.hub->answer(hub_answer.dump(), telling());
    REQUIRE_MESSAGE(told.ok(), told.error().message);
    return Json::parse(*told);
  }
  Error answer_refusal(std::string_view hub_answer) const {
    const auto told = m_form.hub->answer(hub_answer, telling());
    return told ? Error{} : told.error();
  }

  std::unique_ptr<stream::Translator> translator() const { return m_form.hub->translator(telling()); }
  // The lines that a complete stream of these chunks gives.
  std::vector<Json> lines(const std::vector<Json>& chunks) const {
    std::string events;
    for (const Json& chunk : chunks) events += "data: " + chunk.dump() + "\n\n";
    return lines_of(translated(events + "data: [DONE]\n\n"));
  }
  std::string translated(const std::string& events) const {
    const auto made = translator();
    stream::SseScanner scanner;
    scanner.feed(events);
    std::string out;
    while (const auto event = scanner.next()) made->translate(*event, out);
    made->finish(out);
    return out;
  }

  static std::vector<Json> lines_of(const std::string& text) {
    std::vector<Json> lines;
    std::size_t at = 0;
    while (at < text.size()) {
      const auto end = text.find('\n', at);
      REQUIRE_MESSAGE(end != std::string::npos, text);
      lines.push_back(Json::parse(text.substr(at, end - at)));
      at = end + 1;
    }
    return lines;
  }

 private:
  static protocol::RequestBody body_of(const std::string& text) {
    auto body = protocol::RequestBody::parse(text);
    REQUIRE_MESSAGE(body.ok(), body.error().message);
    return std::move(*body);
  }
  // Asked in 1970, so that every duration is known to be long.
  protocol::Telling telling() const { return {m_body, m_spec, WallTime{}, "gemini-2.5-flash"}; }

  const protocol::SurfaceForm& m_form;
  protocol::RequestBody m_body;
  call::CallSpec m_spec;
  Error m_error;
};

inline Json delta(const Json& fields, const Json& finish_reason = nullptr) {
  return {{"choices", Json::array({{{"index", 0}, {"delta", fields}, {"finish_reason", finish_reason}}})}};
}
inline Json usage_chunk(int input, int output) {
  return {{"choices", Json::array()},
          {"usage", {{"prompt_tokens", input}, {"completion_tokens", output}, {"total_tokens", input + output}}}};
}

}  // namespace nemo::test
