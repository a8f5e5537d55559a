#include "daemon/protocol/hub_conversation.h"

#include <optional>
#include <utility>

#include "daemon/protocol/chained_translator.h"
#include "daemon/protocol/openai.h"

namespace nemo::protocol {
namespace {

class HubConversation final : public Conversation {
 public:
  HubConversation(Dialect dialect, const Talk& talk, const HubForm& form)
      : m_dialect(dialect), m_talk(talk), m_form(form) {}

  Result<std::string> request(std::string_view model, std::optional<std::int64_t> output_cap) override {
    if (m_talk.hub == nullptr) {
      const CacheMarks marks = m_talk.extensions == Extensions::keep ? CacheMarks::keep : CacheMarks::strip;
      auto told = tell_in_hub(form_of(m_talk.spec.surface), m_talk.body, m_talk.spec, marks);
      if (!told) return told.error();
      m_told = std::move(*told);
      m_talk.hub = &*m_told;
    }
    const Talk inner{
        m_talk.hub->body, m_talk.hub->spec, m_talk.extensions, m_talk.completions, m_talk.max_output_tokens,
        m_talk.at,        m_talk.model,     nullptr,           m_talk.fim};
    auto made = make_conversation(m_dialect, inner);
    if (!made) return made.error();
    m_inner = std::move(*made);
    return m_inner->request(model, output_cap);
  }

  std::unique_ptr<stream::ChunkReader> chunk_reader() const override { return m_inner->chunk_reader(); }
  std::unique_ptr<stream::Translator> stream_translator() const override {
    return chain(m_inner->stream_translator(), m_form.translator(telling()));
  }
  stream::UsageFrames usage_frames() const override { return stream::UsageFrames::show; }
  std::optional<AnswerFacts> facts(std::string_view answer) const override { return m_inner->facts(answer); }
  Result<std::string> answer(std::string upstream_answer) const override {
    const auto told = m_inner->answer(std::move(upstream_answer));
    if (!told) return told;
    return m_form.answer(*told, telling());
  }

 private:
  Telling telling() const { return {m_talk.body, m_talk.spec, m_talk.at, m_talk.model}; }

  Dialect m_dialect;
  Talk m_talk;
  const HubForm& m_form;
  std::optional<HubRequest> m_told;
  std::unique_ptr<Conversation> m_inner;
};

Result<call::CallSpec> parse_in(call::Hub hub, const RequestBody& body) {
  switch (hub) {
    case call::Hub::chat:
      return parse_chat(body);
    case call::Hub::completions:
      return parse_completions(body);
    case call::Hub::embeddings:
      return parse_embeddings(body);
  }
  return parse_chat(body);
}

}  // namespace

std::unique_ptr<Conversation> make_hub_conversation(Dialect dialect, const Talk& talk, const HubForm& form) {
  return std::make_unique<HubConversation>(dialect, talk, form);
}

Result<HubRequest> tell_in_hub(const SurfaceForm& form, const RequestBody& body, const call::CallSpec& spec,
                               CacheMarks marks) {
  auto bytes = form.hub->request(body, spec);
  if (!bytes) return bytes.error();
  if (marks == CacheMarks::strip) strip_cache_marks(*bytes);
  auto hub_body = RequestBody::parse(std::move(*bytes));
  if (!hub_body) return hub_body.error();
  auto hub_spec = parse_in(call::hub_of(spec.surface), *hub_body);
  if (!hub_spec) return hub_spec.error();
  hub_spec->wants_usage = true;  // every surface's last event states it
  return HubRequest{std::move(*hub_body), std::move(*hub_spec)};
}

}  // namespace nemo::protocol
