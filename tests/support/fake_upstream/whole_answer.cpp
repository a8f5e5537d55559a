#include "tests/support/fake_upstream/whole_answer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "tests/support/fake_upstream/answer_body.h"
#include "tests/support/fake_upstream/event_stream.h"

namespace nemo::fake_upstream {
namespace {

// Every byte in a send of its own.
class SplitText final : public Playback {
 public:
  explicit SplitText(Step whole) : m_whole(std::move(whole)) {}
  Step next() override {
    Step step;
    step.wait_ms = m_at == 0 ? m_whole.wait_ms : 0;
    step.bytes = m_whole.bytes.substr(m_at++, 1);
    if (m_at >= m_whole.bytes.size()) {
      step.ending = m_whole.ending;
      step.chunks = m_whole.chunks;
      step.words = m_whole.words;
    }
    return step;
  }

 private:
  Step m_whole;
  std::size_t m_at = 0;
};

// The head in its time, the body when the gate opens.
class HeldBody final : public Playback {
 public:
  explicit HeldBody(Step whole) : m_whole(std::move(whole)) {}
  Step next() override {
    if (m_head_sent) return std::move(m_whole);
    m_head_sent = true;
    constexpr std::string_view k_end_of_head = "\r\n\r\n";
    const auto body_at = m_whole.bytes.find(k_end_of_head) + k_end_of_head.size();
    Step head;
    head.wait_ms = std::exchange(m_whole.wait_ms, 0);
    head.bytes = m_whole.bytes.substr(0, body_at);
    m_whole.bytes.erase(0, body_at);
    m_whole.held = true;
    return head;
  }

 private:
  Step m_whole;
  bool m_head_sent = false;
};

std::unique_ptr<Playback> in_one_step(Step whole, const Script& script) {
  if (script.hold_after_chunks) return std::make_unique<HeldBody>(std::move(whole));
  return std::make_unique<SingleStep>(std::move(whole));
}

double whole_wait_ms(const Ask& ask, const Script& script, const BilledUsage& planned) {
  const double chunks =
      ask.kind == AskKind::embedding
          ? 0
          : static_cast<double>(std::max<std::int64_t>(planned.output_tokens - planned.reasoning_tokens - 1, 0));
  return script.delay_ms + script.first_token_ms + chunks * script.chunk_ms;
}

std::string body_of(const Ask& ask, const Script& script, const std::string& id, const BilledUsage& planned) {
  if (script.empty_200) return "";
  if (script.gzip_garbage) return "this is not gzip, whatever the header says";
  if (script.error_event_after) return error_body(script);
  std::string body = answer_body(ask, script, id, planned);
  if (script.malformed == "garbage") return std::string("\x00\xff<\x80 not json", 13);
  if (!script.malformed.empty()) body.resize(body.size() / 2);
  return body;
}

}  // namespace

std::unique_ptr<Playback> refusal(const Script& script) {
  Step step;
  const std::string body = error_body(script);
  const char* type = script.error_shape == "html" ? "text/html" : "application/json";
  step.wait_ms = script.delay_ms;
  step.bytes = response_head(script.status, type, static_cast<std::int64_t>(body.size()), script) + "\r\n" + body;
  step.ending = Ending::keep_alive;
  return std::make_unique<SingleStep>(std::move(step));
}

std::unique_ptr<Playback> cut_before_head(const Script& script) {
  Step step = cut_step(script, "");
  step.wait_ms = script.delay_ms;
  return std::make_unique<SingleStep>(std::move(step));
}

std::unique_ptr<Playback> whole_answer(const Ask& ask, const Script& script, const std::string& id,
                                       const BilledUsage& planned) {
  const std::string body = body_of(ask, script, id, planned);
  const char* type = ask.stream ? "text/event-stream; charset=utf-8" : "application/json";
  Step step;
  step.wait_ms = whole_wait_ms(ask, script, planned);
  step.bytes =
      response_head(200, type, static_cast<std::int64_t>(body.size()), script) + "X-Request-Id: " + id + "\r\n\r\n";
  step.ending = Ending::keep_alive;
  if (script.cut_after_chunks || script.stall_after_chunks) {
    const bool some = script.cut_after_chunks.value_or(script.stall_after_chunks.value_or(0)) > 0;
    if (some) step.bytes += body.substr(0, body.size() / 2);
    step.ending = script.stall_after_chunks ? Ending::stall : cut_step(script, "").ending;
    return in_one_step(std::move(step), script);
  }
  step.bytes += body;
  step.chunks = 1;
  step.words = script.error_event_after ? 0 : planned.output_tokens - planned.reasoning_tokens;
  if (script.split == "bytes" && !script.hold_after_chunks) return std::make_unique<SplitText>(std::move(step));
  return in_one_step(std::move(step), script);
}

}  // namespace nemo::fake_upstream
