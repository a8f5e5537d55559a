// One call of each client API that can be left while its answer is awaited or comes, as its clients write it.
#pragma once

#include <string>
#include <vector>

namespace nemo::bench {

enum class Mode { streamed, whole };
enum class Behind { fake_upstream, fake_google };  // who answers the call in the end

struct LeavingCall {
  std::string surface;  // as the ledger names it
  std::string spoken;   // what the upstream is asked in; the surface's own, when that is native there
  Mode mode = Mode::streamed;
  Behind behind = Behind::fake_upstream;
  std::string path;
  std::string body;  // '#' stands for what makes each call's text another
};

// With the deployments that scripts/bench gives to nemod: gemini-2.5-flash is asked in chat alone, gemini-2.5-pro and
// text-embedding-005 in all that OpenAI's API has, gemini-2.5-flash-lite, Claude, Codestral and gemini-embedding-001 as
// Vertex AI serves them.
std::vector<LeavingCall> leaving_calls();

// The call's bytes, with the key in a header.
std::string request_of(const LeavingCall& call, const std::string& key, int number);

}  // namespace nemo::bench
