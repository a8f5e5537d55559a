#include "daemon/protocol/conversation.h"

#include "daemon/protocol/translate/anthropic.h"
#include "daemon/protocol/translate/completions_to_chat.h"
#include "daemon/protocol/translate/vertex.h"
#include "daemon/stream/sse_scanner.h"

namespace nemo::protocol {
namespace {

// What fills a hole in code must not come in a block of Markdown.
Fences fences_for(const call::CallSpec& spec) {
  return spec.fill_in_middle ? Fences::strip : Fences::keep;
}

UsageChunk usage_chunk_for(const call::CallSpec& spec) {
  return spec.wants_usage ? UsageChunk::append : UsageChunk::omit;
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
  std::unique_ptr<stream::Translator> stream_translator() const override { return nullptr; }
  std::optional<AnswerFacts> facts(std::string_view answer) const override { return read_answer_facts(answer); }
  Result<std::string> answer(std::string upstream_answer) const override { return upstream_answer; }

 protected:
  const Talk& talk() const { return m_talk; }

 private:
  Talk m_talk;
};

class CompletionsThroughChat final : public SameDialect {
 public:
  using SameDialect::SameDialect;

  Result<std::string> request(std::string_view model, std::optional<std::int64_t> output_cap) override {
    return completions_request_to_chat(talk().body, talk().spec, model, output_cap);
  }
  std::unique_ptr<stream::Translator> stream_translator() const override {
    return make_chat_to_completions_translator(fences_for(talk().spec));
  }
  Result<std::string> answer(std::string upstream_answer) const override {
    return chat_answer_to_completions(upstream_answer, fences_for(talk().spec));
  }
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
    return completions_request_to_fim(talk().body, talk().spec, without_version(model), output_cap);
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
  std::optional<AnswerFacts> facts(std::string_view answer) const override { return read_message_facts(answer); }
  Result<std::string> answer(std::string upstream_answer) const override {
    return message_to_chat_answer(upstream_answer);
  }

 private:
  Talk m_talk;
  MessagesFor m_target;
};

// One translator after the other: the events of the first are what the second reads.
class ChainedTranslator final : public stream::Translator {
 public:
  ChainedTranslator(std::unique_ptr<stream::Translator> first, std::unique_ptr<stream::Translator> second)
      : m_first(std::move(first)), m_second(std::move(second)) {}

  void translate(const stream::SseEvent& event, std::string& out) override {
    m_between.clear();
    m_first->translate(event, m_between);
    pass_on(out);
  }
  void finish(std::string& out) override {
    m_between.clear();
    m_first->finish(m_between);
    pass_on(out);
    m_second->finish(out);
  }

 private:
  void pass_on(std::string& out) {
    m_scanner.feed(m_between);
    while (const auto event = m_scanner.next()) m_second->translate(*event, out);
  }

  std::unique_ptr<stream::Translator> m_first;
  std::unique_ptr<stream::Translator> m_second;
  stream::SseScanner m_scanner;
  std::string m_between;
};

// A completion asked of a model that only speaks Messages: by way of chat.
class CompletionsOverMessages final : public Conversation {
 public:
  CompletionsOverMessages(const Talk& talk, MessagesFor target) : m_talk(talk), m_target(target) {}

  Result<std::string> request(std::string_view model, std::optional<std::int64_t> output_cap) override {
    auto chat = completions_request_to_chat(m_talk.body, m_talk.spec, model, output_cap);
    if (!chat) return chat;
    const auto body = RequestBody::parse(std::move(*chat));
    if (!body) return body.error();
    const auto spec = parse_chat(*body);
    if (!spec) return spec.error();
    return chat_request_to_messages(*body, *spec, model, m_target, output_cap, m_talk.max_output_tokens);
  }
  std::unique_ptr<stream::ChunkReader> chunk_reader() const override { return make_messages_event_reader(); }
  std::unique_ptr<stream::Translator> stream_translator() const override {
    return std::make_unique<ChainedTranslator>(make_messages_to_chat_translator(usage_chunk_for(m_talk.spec)),
                                               make_chat_to_completions_translator(fences_for(m_talk.spec)));
  }
  std::optional<AnswerFacts> facts(std::string_view answer) const override { return read_message_facts(answer); }
  Result<std::string> answer(std::string upstream_answer) const override {
    auto chat = message_to_chat_answer(upstream_answer);
    if (!chat) return chat;
    return chat_answer_to_completions(*chat, fences_for(m_talk.spec));
  }

 private:
  Talk m_talk;
  MessagesFor m_target;
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
  std::unique_ptr<stream::Translator> stream_translator() const override { return nullptr; }
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
  switch (talk.spec.surface) {
    case call::Surface::openai_chat:
      return Made(std::make_unique<ChatOverMessages>(talk, target));
    case call::Surface::openai_completions:
      return Made(std::make_unique<CompletionsOverMessages>(talk, target));
    case call::Surface::openai_embeddings:
      break;
  }
  return cannot(talk);
}

Made make_mistral(const Talk& talk) {
  switch (talk.spec.surface) {
    case call::Surface::openai_chat:
      return Made(std::make_unique<MistralChat>(talk));
    case call::Surface::openai_completions:
      if (talk.completions == Completions::through_chat) return Made(std::make_unique<CompletionsThroughChat>(talk));
      return Made(std::make_unique<MistralFim>(talk));
    case call::Surface::openai_embeddings:
      break;
  }
  return cannot(talk);
}

}  // namespace

Result<std::unique_ptr<Conversation>> make_conversation(Dialect dialect, const Talk& talk) {
  const bool embeds = talk.spec.surface == call::Surface::openai_embeddings;
  switch (dialect) {
    case Dialect::openai:
      if (talk.completions == Completions::through_chat) return Made(std::make_unique<CompletionsThroughChat>(talk));
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
  }
  return cannot(talk);
}

}  // namespace nemo::protocol
