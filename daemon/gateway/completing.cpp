#include "daemon/gateway/completing.h"

#include <utility>

#include "daemon/gateway/settlement.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/openai.h"

namespace nemo::gateway {
namespace {

// Where a raw text must be cut so that no pair of surrogates (\ud83d\ude00) is: streams may cut there.
std::size_t whole_characters(std::string_view raw) {
  constexpr std::size_t k_escape = 6;
  if (raw.size() < k_escape) return raw.size();
  const std::string_view last = raw.substr(raw.size() - k_escape);
  const bool is_high =
      last.starts_with("\\u") && (last[2] == 'd' || last[2] == 'D') &&
      (last[3] == '8' || last[3] == '9' || last[3] == 'a' || last[3] == 'b' || last[3] == 'A' || last[3] == 'B');
  return is_high ? raw.size() - k_escape : raw.size();
}

class Listening final : public stream::Translator {
 public:
  Listening(std::unique_ptr<stream::Translator> inner, std::shared_ptr<Completing> completing)
      : m_inner(std::move(inner)), m_completing(std::move(completing)) {}

  void translate(const stream::SseEvent& event, std::string& out) override {
    const std::size_t had = out.size();
    m_inner->translate(event, out);
    hear(std::string_view(out).substr(had));
  }
  void complain(const stream::SseEvent& event, const Error& error, std::string& out) override {
    m_completing->lead.reset();
    m_inner->complain(event, error, out);
  }
  void break_off(const Error& error, std::string& out) override {
    m_completing->lead.reset();
    m_inner->break_off(error, out);
  }
  void finish(std::string& out) override {
    std::string last;
    m_inner->finish(last);
    if (m_completing->off->is_off() && m_finish_reason.empty() && !m_is_over) {
      m_completing->lead.reset();
      last.insert(std::min(last.find(protocol::k_openai_end), last.size()), end_event());
    } else {
      hear(last);
      end();
    }
    out.append(last);
  }
  bool is_satisfied() const override { return m_inner->is_satisfied(); }
  void end_early(const call::Usage* usage, std::string& out) override {
    std::string last;
    m_inner->end_early(usage, last);
    hear(last);
    end();
    out.append(last);
  }
  bool passes_bytes() const override { return m_inner->passes_bytes(); }

 private:
  static std::string end_event() {
    return "data: {\"id\":\"cmpl-superseded\",\"object\":\"text_completion\",\"created\":0,\"model\":\"\","
           "\"choices\":[{\"text\":\"\",\"index\":0,\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\n";
  }

  void hear(std::string_view events) {
    m_scanner.feed(events);
    while (const auto event = m_scanner.next()) {
      if (event->data == "[DONE]") {
        end();
      } else if (!event->data.empty() && !m_is_over) {
        const CompletionPiece piece = read_completion_piece(event->data);
        hear_text(piece.raw_text);
        if (!piece.finish_reason.empty()) m_finish_reason = piece.finish_reason;
      }
    }
  }

  void hear_text(std::string_view raw) {
    if (raw.empty()) return;
    m_raw.append(raw);
    const std::size_t whole = whole_characters(m_raw);
    m_completing->hear(protocol::unescape(std::string_view(m_raw).substr(0, whole)));
    m_raw.erase(0, whole);
  }

  void end() {
    if (std::exchange(m_is_over, true)) return;
    if (!m_raw.empty()) m_completing->hear(protocol::unescape(m_raw));
    m_completing->hear_end(m_finish_reason);
  }

  std::unique_ptr<stream::Translator> m_inner;
  std::shared_ptr<Completing> m_completing;
  stream::SseScanner m_scanner;
  std::string m_raw;  // half a pair that has yet to be completed
  std::string m_finish_reason;
  bool m_is_over = false;
};

}  // namespace

bool Completing::stays_for_others(upstream::Exchange& exchange) const {
  if (!lead) return false;
  return lead->answer()->stay([canceller = exchange.canceller()] {
    canceller->cancel(fail(ErrorKind::client_gone, "the last client closed the connection"));
  });
}

void Completing::hear(std::string_view text) {
  if (settlement) settlement->show(text);
  if (!lead) return;
  lead->append(text);
  place->look_again();
}

void Completing::hear_end(std::string_view finish_reason) {
  if (!lead) return;
  using completion::Ending;
  using Keep = completion::Lead::Keep;
  const bool by_itself = finish_reason == "stop" || finish_reason == "eos" || finish_reason == "eos_token";
  const bool by_length = finish_reason == "length";
  // What ends for another reason, or for none, might have gone on.
  lead->end(by_itself ? Ending::by_itself : Ending::by_length, clock.wall(),
            by_itself || by_length ? Keep::yes : Keep::no);
  lead.reset();
}

void Completing::hear_whole(std::string_view answer) {
  const CompletionPiece piece = read_completion_piece(answer);
  hear(protocol::unescape(piece.raw_text));
  hear_end(piece.finish_reason);
}

std::unique_ptr<stream::Translator> make_listening(std::unique_ptr<stream::Translator> inner,
                                                   std::shared_ptr<Completing> completing) {
  return std::make_unique<Listening>(std::move(inner), std::move(completing));
}

}  // namespace nemo::gateway
