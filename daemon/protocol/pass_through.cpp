#include "daemon/protocol/pass_through.h"

#include "shared/secret.h"

namespace nemo::protocol {
namespace {

class PassThrough final : public stream::Translator {
 public:
  explicit PassThrough(const StreamEnding& ending) : m_ending(ending) {}

  void translate(const stream::SseEvent& event, std::string& out) override {
    // Continue takes a comment of this name for the end of what it has read so far.
    if (event.data.empty() && event.raw.starts_with(": ping")) return;
    append(event, event.raw, out);
  }
  void complain(const stream::SseEvent& event, const Error& /*error*/, std::string& out) override {
    append(event, redact(event.raw), out);
    close_event(out);
  }
  void finish(std::string& out) override {
    close_event(out);
    if (!m_has_ended) out.append(m_ending.last_event);
  }
  void break_off(const Error& error, std::string& out) override {
    close_event(out);
    out.append(m_ending.error_event(error));
  }
  bool passes_bytes() const override { return true; }

 private:
  void append(const stream::SseEvent& event, std::string_view bytes, std::string& out) {
    out.append(bytes);
    m_is_open = !bytes.ends_with("\n\n") && !bytes.ends_with("\r\n\r\n") && !bytes.ends_with("\r\r");
    m_has_ended = m_has_ended || event.data == "[DONE]";
  }
  void close_event(std::string& out) {
    if (m_is_open) out.append("\n\n");
    m_is_open = false;
  }

  StreamEnding m_ending;
  bool m_is_open = false;  // the client has a part of an event so far
  bool m_has_ended = false;
};

}  // namespace

std::unique_ptr<stream::Translator> make_pass_through(const StreamEnding& ending) {
  return std::make_unique<PassThrough>(ending);
}

}  // namespace nemo::protocol
