// Owns: which answer a request gets. Must not know: sockets and time.
//
//   POST …/chat/completions   POST …/completions   POST …/embeddings   (any prefix: /v1, Vertex' long paths, none)
//   GET  …/models   GET …/models/{id}              POST /token (an OAuth access token)   GET /health
//   GET  /journal[?last=N]    GET /journal/summary
//   GET  /journal/wait?started=N&ended=N&cancelled=N&timeout_ms=N   answers once all are reached, 408 after the timeout
//   POST /journal/reset       POST /control/default {script}        POST /control/rule {model, script, times?}
//   POST /control/models ["id", …]                 POST /control/clear (default and rules)
//   POST /control/release                          lets go on what scripts hold back: see gate.h
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/fake_upstream/gate.h"
#include "tests/support/fake_upstream/http_message.h"
#include "tests/support/fake_upstream/journal.h"
#include "tests/support/fake_upstream/playback.h"
#include "tests/support/fake_upstream/script_book.h"

namespace nemo::fake_upstream {

struct Wait {
  std::uint64_t started = 0, ended = 0, cancelled = 0;
  double timeout_ms = 0;
};

struct Reply {
  std::unique_ptr<Playback> playback;
  std::shared_ptr<Call> call;                    // null: not a model call
  CallState final_state = CallState::completed;  // once the playback ends on its own terms
  std::optional<Wait> wait;                      // instead of a playback
};

class Endpoints {
 public:
  explicit Endpoints(Json base_script);
  virtual ~Endpoints() = default;
  Endpoints(const Endpoints&) = delete;
  Endpoints& operator=(const Endpoints&) = delete;

  virtual Reply answer(const Request& request);
  Reply bad_request(int status);
  // The answer to a Wait that is over.
  Reply waited(bool reached);
  Journal& journal() { return m_journal; }
  Gate& gate() { return m_gate; }

 protected:
  ScriptBook& scripts() { return m_scripts; }
  void count_other(const Request& request) { ++m_other_requests[request.method + " " + request.path]; }

 private:
  Reply model_call(AskKind kind, const Request& request);
  Reply control(const Request& request);
  Reply journal_page(const Request& request);
  Reply model_page(const Request& request, std::string_view id);

  ScriptBook m_scripts;
  Journal m_journal;
  Gate m_gate;
  std::vector<std::string> m_models;
  std::map<std::string, std::uint64_t> m_other_requests;  // by "METHOD /path"
};

}  // namespace nemo::fake_upstream
