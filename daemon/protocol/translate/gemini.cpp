#include "daemon/protocol/translate/gemini.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/pass_through.h"
#include "daemon/protocol/surfaces/gemini_errors.h"
#include "daemon/protocol/surfaces/gemini_fields.h"

namespace nemo::protocol {
namespace {

constexpr std::string_view k_config = "generationConfig";
constexpr std::string_view k_cap = "maxOutputTokens";

// As far as stated: counts come event by event, each for all that was said so far.
struct StatedTokens {
  std::optional<std::int64_t> prompt, tools, cached, candidates, thoughts, total;

  bool any() const { return prompt || candidates || thoughts || total; }

  // Thoughts are billed as output and stand beside the candidates; what tools read is input beside the prompt.
  call::Usage to_usage() const {
    call::Usage usage;
    usage.source = call::UsageSource::provider;
    const std::int64_t said = candidates.value_or(0) + thoughts.value_or(0);
    usage.input_tokens = prompt.value_or(0) + tools.value_or(0);
    if (!prompt && total) usage.input_tokens = std::max(usage.input_tokens, *total - said);
    usage.output_tokens = std::max(said, total.value_or(0) - usage.input_tokens);
    usage.reasoning_tokens = std::min(thoughts.value_or(0), usage.output_tokens);
    usage.cached_tokens = std::min(cached.value_or(0), usage.input_tokens);
    return usage;
  }
};

void read_tokens(JsonCursor& cursor, std::optional<std::int64_t>& count) {
  if (const auto stated = read_token_count(cursor.take())) count = stated;
}

void read_stated(JsonCursor& cursor, StatedTokens& stated) {
  each_field(cursor, [&](std::string_view key) {
    if (key == "promptTokenCount") {
      read_tokens(cursor, stated.prompt);
    } else if (key == "toolUsePromptTokenCount") {
      read_tokens(cursor, stated.tools);
    } else if (key == "cachedContentTokenCount") {
      read_tokens(cursor, stated.cached);
    } else if (key == "candidatesTokenCount") {
      read_tokens(cursor, stated.candidates);
    } else if (key == "thoughtsTokenCount") {
      read_tokens(cursor, stated.thoughts);
    } else if (key == "totalTokenCount") {
      read_tokens(cursor, stated.total);
    } else {
      cursor.skip();
    }
  });
}

// The top level of an answer, whole or an event of a stream.
struct GeminiSaid {
  std::size_t content_bytes = 0;
  std::size_t finished = 0;
  std::int64_t highest_index = 0;
  std::string_view text;  // of candidate 0, as it stands between its quotes
  bool has_candidates = false;
  bool is_blocked = false;  // the prompt was: there will be no candidate
  bool has_usage = false;
  bool has_error = false;
};

// Returns its bytes; the text, where it is one for the user.
std::size_t read_part(JsonCursor& cursor, std::string_view& shown) {
  // A picture that is made costs some 1,290 tokens, whatever its bytes.
  constexpr std::size_t k_picture_bytes = 5'160;
  std::size_t bytes = 0;
  std::string_view text;
  bool is_thought = false;
  each_field(cursor, [&](std::string_view key) {
    if (key == "text") {
      text = text_body(cursor.take());
      bytes += text.size();
    } else if (key == "thought") {
      is_thought = cursor.take() == "true";
    } else if (key == "inlineData") {
      cursor.skip();
      bytes += k_picture_bytes;
    } else if (key == "thoughtSignature") {
      cursor.skip();
    } else {  // functionCall, executableCode, …
      bytes += cursor.take().size();
    }
  });
  if (!is_thought) shown = text;
  return bytes;
}

void read_content(JsonCursor& cursor, GeminiSaid& said, std::string_view& text) {
  each_field(cursor, [&](std::string_view key) {
    if (key != "parts") {
      cursor.skip();
      return;
    }
    each_element(cursor, [&] {
      std::string_view shown;
      said.content_bytes += read_part(cursor, shown);
      if (text.empty()) text = shown;
    });
  });
}

void read_candidate(JsonCursor& cursor, GeminiSaid& said) {
  std::int64_t index = 0;
  std::string_view text;
  each_field(cursor, [&](std::string_view key) {
    if (key == "content") {
      read_content(cursor, said, text);
    } else if (key == "finishReason") {
      const std::string_view reason = text_body(cursor.take());
      if (!reason.empty() && reason != "FINISH_REASON_UNSPECIFIED") ++said.finished;
    } else if (key == "index") {
      index = read_integer(cursor.take()).value_or(0);
    } else {
      cursor.skip();
    }
  });
  said.highest_index = std::max(said.highest_index, index);
  if (index == 0 && said.text.empty()) said.text = text;
}

// nullopt: not JSON, or neither an object nor a list that holds an error (Google wraps some of its errors so).
std::optional<GeminiSaid> read_said(std::string_view json, StatedTokens& stated) {
  JsonCursor cursor(json);
  GeminiSaid said;
  if (cursor.peek() == '[') {
    cursor.begin_array();
    said.has_error = cursor.next_element() && find_member(cursor.take(), "error").has_value();
    return said.has_error ? std::optional(said) : std::nullopt;
  }
  if (cursor.peek() != '{') return std::nullopt;
  each_field(cursor, [&](std::string_view key) {
    if (key == "candidates") {
      each_element(cursor, [&] {
        said.has_candidates = true;
        read_candidate(cursor, said);
      });
    } else if (key == "usageMetadata") {
      read_stated(cursor, stated);
      said.has_usage = true;
    } else if (key == "promptFeedback") {
      const std::string_view feedback = cursor.take();
      said.is_blocked =
          !feedback.empty() && feedback.front() == '{' && find_member(feedback, "blockReason").has_value();
    } else if (key == "error") {
      said.has_error = cursor.take() != "null";
    } else {
      cursor.skip();
    }
  });
  return cursor.at_end() ? std::optional(said) : std::nullopt;
}

class GeminiEventReader final : public stream::ChunkReader {
 public:
  stream::ChunkFacts read(const stream::SseEvent& event, bool& malformed) override {
    stream::ChunkFacts facts;
    const std::string_view data = trim(event.data);
    if (data.empty()) return facts;
    const auto said = read_said(data, m_stated);
    malformed = !said;
    if (!said) return facts;
    facts.content_bytes = said->content_bytes;
    facts.has_content = said->content_bytes != 0;
    facts.text = said->text;
    facts.highest_choice = said->highest_index;
    facts.finished = said->is_blocked && !said->has_candidates ? 1 : said->finished;
    facts.is_error = said->has_error && !said->has_candidates;
    if (facts.is_error) facts.error_message = read_complaint(data).message;
    if (said->has_usage && m_stated.any()) facts.usage = m_stated.to_usage();
    m_has_finished = m_has_finished || facts.finished != 0;
    // Some streams begin with the prompt's count alone: that is not the last word.
    facts.only_usage = said->has_usage && !said->has_candidates && m_has_finished && facts.finished == 0;
    return facts;
  }

 private:
  StatedTokens m_stated;
  bool m_has_finished = false;
};

std::optional<AnswerFacts> read_facts(std::string_view answer) {
  StatedTokens stated;
  const auto said = read_said(answer, stated);
  if (!said) return std::nullopt;
  AnswerFacts facts;
  facts.content_bytes = said->content_bytes;
  facts.text = said->text;
  facts.is_error = said->has_error && !said->has_candidates;
  if (said->has_usage && stated.any()) facts.usage = stated.to_usage();
  return facts;
}

// Bytes pass; an error comes as Google's clients know it, also where upstream put it into a list.
class GeminiPassThrough final : public stream::Translator {
 public:
  GeminiPassThrough() : m_pass(make_pass_through({{}, gemini_error_event})) {}

  void translate(const stream::SseEvent& event, std::string& out) override { m_pass->translate(event, out); }
  void finish(std::string& out) override { m_pass->finish(out); }
  void break_off(const Error& error, std::string& out) override { m_pass->break_off(error, out); }
  void complain(const stream::SseEvent& event, const Error& error, std::string& out) override {
    if (trim(event.data).starts_with("[")) {
      m_pass->break_off(error, out);
    } else {
      m_pass->complain(event, error, out);
    }
  }
  bool passes_bytes() const override { return true; }

 private:
  std::unique_ptr<stream::Translator> m_pass;
};

// The spelling that the object uses already.
std::string key_in(const RequestBody& object, std::string_view name) {
  const auto& fields = object.fields();
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return is_field(f.key, name); });
  return std::string(found == fields.end() ? name : found->key);
}

Status cap_gemini_output(const RequestBody& body, std::int64_t cap, FieldEdit& edit) {
  const std::string_view given = spelled_value(body, k_config);
  auto config = RequestBody::parse(given.empty() ? "{}" : std::string(given));
  if (!config) return config.error();
  FieldEdit inner;
  inner.set(key_in(*config, k_cap), std::to_string(cap));
  edit.set(key_in(body, k_config), inner.apply(*config));
  return Done{};
}

class GeminiConversation final : public Conversation {
 public:
  explicit GeminiConversation(const Talk& talk) : m_talk(talk) {}

  // The model stands in the URL.
  Result<std::string> request(std::string_view /*model*/, std::optional<std::int64_t> output_cap) override {
    constexpr std::array<const char*, 5> k_ours{"model", "nemo_cache", "nemo_tags", "nemo_lane", "nemo_fallbacks"};
    FieldEdit edit;
    for (const char* key : k_ours) {
      const bool stays = m_talk.extensions == Extensions::keep && key != k_ours[0];
      if (!stays && m_talk.body.find(key) != nullptr) edit.remove(key);
    }
    if (output_cap) {
      if (Status capped = cap_gemini_output(m_talk.body, *output_cap, edit); !capped) return capped.error();
    }
    return edit.empty() ? std::string(m_talk.body.bytes()) : edit.apply(m_talk.body);
  }
  std::unique_ptr<stream::ChunkReader> chunk_reader() const override { return std::make_unique<GeminiEventReader>(); }
  std::unique_ptr<stream::Translator> stream_translator() const override {
    return std::make_unique<GeminiPassThrough>();
  }
  stream::UsageFrames usage_frames() const override { return stream::UsageFrames::show; }
  std::optional<AnswerFacts> facts(std::string_view answer) const override { return read_facts(answer); }
  Result<std::string> answer(std::string upstream_answer) const override { return upstream_answer; }

 private:
  Talk m_talk;
};

}  // namespace

std::unique_ptr<Conversation> make_gemini_conversation(const Talk& talk) {
  return std::make_unique<GeminiConversation>(talk);
}

}  // namespace nemo::protocol
