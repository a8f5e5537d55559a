#include "daemon/protocol/conversation.h"

#include <utility>

#include "daemon/protocol/chained_translator.h"
#include "daemon/protocol/fim/hole.h"
#include "daemon/protocol/hub_conversation.h"
#include "daemon/protocol/pass_through.h"
#include "daemon/protocol/surface_form.h"
#include "daemon/protocol/translate/anthropic.h"
#include "daemon/protocol/translate/completions_to_chat.h"
#include "daemon/protocol/translate/gemini.h"
#include "daemon/protocol/translate/messages_native.h"
#include "daemon/protocol/translate/request_fields.h"
#include "daemon/protocol/translate/responses.h"
#include "daemon/protocol/translate/vertex.h"
#include "daemon/stream/sse_scanner.h"

namespace nemo::protocol {
namespace {

UsageChunk usage_chunk_for(const call::CallSpec& spec) {
  return spec.wants_usage ? UsageChunk::append : UsageChunk::omit;
}

stream::UsageFrames usage_frames_for(const call::CallSpec& spec) {
  return spec.wants_usage ? stream::UsageFrames::show : stream::UsageFrames::hide;
}

// "codestral@2405" is asked for by its place in the URL; the body names it without its version.
std::string_view without_version(std::string_view model) {
  return model.substr(0, model.find('@'));
}

// Upstream speaks the surface's own dialect.
class SameDialect : public Conversation {
 public:
  explicit SameDialect(const Talk& talk) : m_talk(talk) {}

  Result<std::string> request(std::string_view model, std::optional<std::int64_t> output_cap) override {
    return upstream_body(m_talk.body, m_talk.spec, model, m_talk.extensions, output_cap);
  }
  std::unique_ptr<stream::ChunkReader> chunk_reader() const override { return make_openai_chunk_reader(); }
  std::unique_ptr<stream::Translator> stream_translator() const override {
    return make_pass_through({k_openai_end, error_event});
  }
  stream::UsageFrames usage_frames() const override { return usage_frames_for(m_talk.spec); }
  std::optional<AnswerFacts> facts(std::string_view answer) const override { return read_answer_facts(answer); }
  Result<std::string> answer(std::string upstream_answer) const override { return upstream_answer; }

 protected:
  const Talk& talk() const { return m_talk; }

 private:
  Talk m_talk;
};

const FimPrompt* pointer_to(const std::optional<FimPrompt>& hole) {
  return hole ? &*hole : nullptr;
}

// The completion of a model that completes. A hole is told in the model's own form; where the caller did so already,
// the bytes pass.
class NativeCompletions final : public SameDialect {
 public:
  using SameDialect::SameDialect;

  Result<std::string> request(std::string_view model, std::optional<std::int64_t> output_cap) override {
    auto hole = find_hole(talk().body);
    if (!hole) return hole.error();
    if (!*hole || is_told_in(talk().fim, **hole, talk().body)) return SameDialect::request(model, output_cap);
    const auto body = RequestBody::parse(tell_hole(talk().fim, **hole, talk().body));
    if (!body) return body.error();
    // Some servers look for few stop texts only. Log probabilities are for what upstream wrote, so they are left alone.
    const bool ends_by_marks = !fim_stops(talk().fim, **hole).empty();
    if (ends_by_marks && given_value(talk().body, "logprobs").empty()) m_cleaning = clean_stops(stop_texts(*body));
    return upstream_body(*body, talk().spec, model, talk().extensions, output_cap);
  }
  std::unique_ptr<stream::Translator> stream_translator() const override {
    return m_cleaning ? make_chat_to_completions_translator(m_cleaning, talk().spec.choices)
                      : SameDialect::stream_translator();
  }
  Result<std::string> answer(std::string upstream_answer) const override {
    return m_cleaning ? chat_answer_to_completions(upstream_answer, m_cleaning) : Result(std::move(upstream_answer));
  }

 private:
  std::shared_ptr<const Cleaning> m_cleaning;
};

class CompletionsThroughChat final : public SameDialect {
 public:
  using SameDialect::SameDialect;

  Result<std::string> request(std::string_view model, std::optional<std::int64_t> output_cap) override {
    const auto hole = find_hole(talk().body);
    if (!hole) return hole.error();
    m_cleaning = cleaning_for(talk().body, pointer_to(*hole));
    return completions_request_to_chat(talk().body, talk().spec, pointer_to(*hole), model, output_cap);
  }
  std::unique_ptr<stream::Translator> stream_translator() const override {
    return make_chat_to_completions_translator(m_cleaning, talk().spec.choices);
  }
  Result<std::string> answer(std::string upstream_answer) const override {
    return chat_answer_to_completions(upstream_answer, m_cleaning);
  }

 private:
  std::shared_ptr<const Cleaning> m_cleaning;
};

// Mistral's rawPredict takes OpenAI's chat as it is.
class MistralChat final : public SameDialect {
 public:
  using SameDialect::SameDialect;

  Result<std::string> request(std::string_view model, std::optional<std::int64_t> output_cap) override {
    return SameDialect::request(without_version(model), output_cap);
  }
};

class MistralFim final : public SameDialect {
 public:
  using SameDialect::SameDialect;

  Result<std::string> request(std::string_view model, std::optional<std::int64_t> output_cap) override {
    const auto hole = find_hole(talk().body);
    if (!hole) return hole.error();
    return completions_request_to_fim(talk().body, talk().spec, pointer_to(*hole), without_version(model), output_cap);
  }
  std::unique_ptr<stream::Translator> stream_translator() const override {
    return make_fim_to_completions_translator();
  }
  Result<std::string> answer(std::string upstream_answer) const override {
    return fim_answer_to_completions(upstream_answer);
  }
};

class ChatOverMessages final : public Conversation {
 public:
  ChatOverMessages(const Talk& talk, MessagesFor target) : m_talk(talk), m_target(target) {}

  Result<std::string> request(std::string_view model, std::optional<std::int64_t> output_cap) override {
    return chat_request_to_messages(m_talk.body, m_talk.spec, model, m_target, output_cap, m_talk.max_output_tokens);
  }
  std::unique_ptr<stream::ChunkReader> chunk_reader() const override { return make_messages_event_reader(); }
  std::unique_ptr<stream::Translator> stream_translator() const override {
    return make_messages_to_chat_translator(usage_chunk_for(m_talk.spec));
  }
  stream::UsageFrames usage_frames() const override { return usage_frames_for(m_talk.spec); }
  std::optional<AnswerFacts> facts(std::string_view answer) const override { return read_message_facts(answer); }
  Result<std::string> answer(std::string upstream_answer) const override {
    return message_to_chat_answer(upstream_answer);
  }

 private:
  Talk m_talk;
  MessagesFor m_target;
};

// A completion asked of a model that only speaks Messages: by way of chat.
class CompletionsOverMessages final : public Conversation {
 public:
  CompletionsOverMessages(const Talk& talk, MessagesFor target) : m_talk(talk), m_target(target) {}

  Result<std::string> request(std::string_view model, std::optional<std::int64_t> output_cap) override {
    const auto hole = find_hole(m_talk.body);
    if (!hole) return hole.error();
    m_cleaning = cleaning_for(m_talk.body, pointer_to(*hole));
    auto chat = completions_request_to_chat(m_talk.body, m_talk.spec, pointer_to(*hole), model, output_cap);
    if (!chat) return chat;
    const auto body = RequestBody::parse(std::move(*chat));
    if (!body) return body.error();
    const auto spec = parse_chat(*body);
    if (!spec) return spec.error();
    return chat_request_to_messages(*body, *spec, model, m_target, output_cap, m_talk.max_output_tokens);
  }
  std::unique_ptr<stream::ChunkReader> chunk_reader() const override { return make_messages_event_reader(); }
  std::unique_ptr<stream::Translator> stream_translator() const override {
    return chain(make_messages_to_chat_translator(usage_chunk_for(m_talk.spec)),
                 make_chat_to_completions_translator(m_cleaning, m_talk.spec.choices));
  }
  stream::UsageFrames usage_frames() const override { return usage_frames_for(m_talk.spec); }
  std::optional<AnswerFacts> facts(std::string_view answer) const override { return read_message_facts(answer); }
  Result<std::string> answer(std::string upstream_answer) const override {
    auto chat = message_to_chat_answer(upstream_answer);
    if (!chat) return chat;
    return chat_answer_to_completions(*chat, m_cleaning);
  }

 private:
  Talk m_talk;
  MessagesFor m_target;
  std::shared_ptr<const Cleaning> m_cleaning;
};

class EmbeddingsOverVertex final : public Conversation {
 public:
  enum class By : std::uint8_t { predict, embed_content };
  EmbeddingsOverVertex(const Talk& talk, By by) : m_talk(talk), m_by(by) {}

  Result<std::string> request(std::string_view model, std::optional<std::int64_t> /*output_cap*/) override {
    m_model = model;
    return m_by == By::predict ? embeddings_request_to_predict(m_talk.body, m_talk.spec)
                               : embeddings_request_to_embed_content(m_talk.body, m_talk.spec);
  }
  std::unique_ptr<stream::ChunkReader> chunk_reader() const override { return make_openai_chunk_reader(); }
  std::unique_ptr<stream::Translator> stream_translator() const override {
    return make_pass_through({k_openai_end, error_event});
  }
  stream::UsageFrames usage_frames() const override { return stream::UsageFrames::show; }
  std::optional<AnswerFacts> facts(std::string_view answer) const override {
    return m_by == By::predict ? read_predict_facts(answer) : read_embed_content_facts(answer);
  }
  Result<std::string> answer(std::string upstream_answer) const override {
    return m_by == By::predict ? predict_answer_to_embeddings(upstream_answer, m_talk.body, m_model)
                               : embed_content_answer_to_embeddings(upstream_answer, m_talk.body, m_model);
  }

 private:
  Talk m_talk;
  By m_by;
  std::string m_model;
};

using Made = Result<std::unique_ptr<Conversation>>;

Error cannot(const Talk& talk) {
  return fail(ErrorKind::invalid_request,
              "the model's upstream cannot serve " + std::string(to_string(talk.spec.surface)) + " calls", "model");
}

Made make_messages(const Talk& talk, MessagesFor target) {
  switch (call::hub_of(talk.spec.surface)) {
    case call::Hub::chat:
      return Made(std::make_unique<ChatOverMessages>(talk, target));
    case call::Hub::completions:
      return Made(std::make_unique<CompletionsOverMessages>(talk, target));
    case call::Hub::embeddings:
      break;
  }
  return cannot(talk);
}

Made make_mistral(const Talk& talk) {
  switch (call::hub_of(talk.spec.surface)) {
    case call::Hub::chat:
      return Made(std::make_unique<MistralChat>(talk));
    case call::Hub::completions:
      if (talk.completions == Completions::through_chat) return Made(std::make_unique<CompletionsThroughChat>(talk));
      return Made(std::make_unique<MistralFim>(talk));
    case call::Hub::embeddings:
      break;
  }
  return cannot(talk);
}

// A surface whose own dialect upstream speaks. Null: it does not.
std::unique_ptr<Conversation> make_native(Dialect dialect, const Talk& talk) {
  const call::Surface surface = talk.spec.surface;
  if (surface == call::Surface::anthropic_messages && dialect == Dialect::anthropic) {
    return make_messages_conversation(talk, MessagesFor::anthropic);
  }
  if (surface == call::Surface::anthropic_messages && dialect == Dialect::vertex_claude) {
    return make_messages_conversation(talk, MessagesFor::vertex);
  }
  if (surface == call::Surface::gemini && dialect == Dialect::gemini) return make_gemini_conversation(talk);
  if (surface == call::Surface::openai_responses && dialect == Dialect::responses) {
    return make_responses_conversation(talk);
  }
  return nullptr;
}

}  // namespace

Result<std::unique_ptr<Conversation>> make_conversation(Dialect dialect, const Talk& talk) {
  if (auto native = make_native(dialect, talk)) return Made(std::move(native));
  if (const auto& hub = form_of(talk.spec.surface).hub) return Made(make_hub_conversation(dialect, talk, *hub));
  const bool embeds = talk.spec.surface == call::Surface::openai_embeddings;
  switch (dialect) {
    case Dialect::openai:
      if (talk.completions == Completions::through_chat) return Made(std::make_unique<CompletionsThroughChat>(talk));
      if (talk.spec.surface == call::Surface::openai_completions)
        return Made(std::make_unique<NativeCompletions>(talk));
      return Made(std::make_unique<SameDialect>(talk));
    case Dialect::anthropic:
      return make_messages(talk, MessagesFor::anthropic);
    case Dialect::vertex_claude:
      return make_messages(talk, MessagesFor::vertex);
    case Dialect::vertex_mistral:
      return make_mistral(talk);
    case Dialect::vertex_predict:
      if (!embeds) return cannot(talk);
      return Made(std::make_unique<EmbeddingsOverVertex>(talk, EmbeddingsOverVertex::By::predict));
    case Dialect::vertex_embed:
      if (!embeds) return cannot(talk);
      return Made(std::make_unique<EmbeddingsOverVertex>(talk, EmbeddingsOverVertex::By::embed_content));
    case Dialect::gemini:
    case Dialect::responses:
      break;  // for their own surfaces only
  }
  return cannot(talk);
}

}  // namespace nemo::protocol
