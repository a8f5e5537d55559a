#include "daemon/ollama_listener.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <thread>

#include "daemon/config/written_forms.h"
#include "daemon/http/listener.h"
#include "shared/log.h"
#include "shared/thread_name.h"

namespace nemo {
namespace {

using When = config::OllamaListen::When;

// Whether calls to that upstream would come back to the address that is to be listened on.
bool is_at(const config::Upstream& upstream, const config::OllamaListen& listen) {
  std::string_view authority = upstream.base_url;
  authority.remove_prefix(std::min(authority.size(), authority.find("://") + 3));
  const auto address = config::parse_listen(authority.substr(0, authority.find('/')));
  return address && address->port == listen.port && config::is_loopback(address->host);
}

// Without the advice that goes with it for the first address.
std::string first_sentence(const std::string& text) {
  return text.substr(0, text.find(". ")) + ".";
}

}  // namespace

OllamaPlace listen_for_ollama(http::EditorServer& server, const config::Settings& settings) {
  const config::OllamaListen& listen = settings.ollama_listen;
  if (listen.when == When::off) return {};
  const bool only_if_free = listen.when == When::if_free;
  const auto not_had = [&](const std::string& why) {
    // With "auto" a real Ollama may well be there.
    const auto level = only_if_free ? log::Level::info : log::Level::warn;
    log::write(level, "Ollama's clients find no Nemo at ollama_listen: " + why);
    return OllamaPlace{OllamaPlace::State::not_had, http::url_of(listen.host, listen.port), why, only_if_free};
  };
  const auto& upstreams = settings.upstreams;
  const auto same = std::find_if(upstreams.begin(), upstreams.end(),
                                 [&](const config::Upstream& upstream) { return is_at(upstream, listen); });
  if (same != upstreams.end()) return not_had("it is the address of the upstream \"" + same->name + "\".");
  if (const Status up = server.listen(listen.host, listen.port); !up)
    return not_had(first_sentence(up.error().message));
  OllamaPlace place{OllamaPlace::State::listening, http::url_of(listen.host, server.port()), "", only_if_free};
  log::info("ready for Ollama's clients on " + place.url);
  return place;
}

bool stop_both(http::EditorServer& first, http::EditorServer& second, std::chrono::milliseconds patience) {
  bool second_ended = false;
  std::thread other([&] {
    name_this_thread("nemo-ollama-end");
    second_ended = second.stop(patience);
  });
  const bool first_ended = first.stop(patience);
  other.join();
  return first_ended && second_ended;
}

}  // namespace nemo
