#include "harness.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "shared/log.h"
#include "stillness.h"

namespace nemo::test {
namespace {

constexpr const char* k_upstream_key = "sk-upstream-secret-0123456789";

// One HTTP exchange on a connection that is closed afterwards.
Reply exchange_once(int port, const std::string& bytes) {
  Client client(port);
  if (!client.send(bytes)) throw std::runtime_error("the connection broke while a request was sent");
  return client.receive();
}

std::string simple_request(const std::string& method, const std::string& path, const std::string& body) {
  return method + " " + path +
         " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n" +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string talk_to_socket(const std::filesystem::path& path, const std::string& bytes) {
  const FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("no connection to the admin socket");
  }
  if (::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) throw std::runtime_error("admin socket broke");
  std::string all;
  std::array<char, 65536> piece{};
  for (ssize_t got = 0; (got = ::recv(fd.get(), piece.data(), piece.size(), 0)) > 0;) {
    all.append(piece.data(), static_cast<std::size_t>(got));
  }
  return all;
}

}  // namespace

FakeUpstream::FakeUpstream() {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) throw std::runtime_error("no pipe");
  m_pid = ::fork();
  if (m_pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves nothing behind
    ::dup2(pipe[1], STDOUT_FILENO);
    ::close(pipe[0]);
    ::close(pipe[1]);
    ::execl(NEMO_FAKE_UPSTREAM, NEMO_FAKE_UPSTREAM, "--port", "0", nullptr);
    ::_exit(127);
  }
  ::close(pipe[1]);
  const FileDescriptor out(pipe[0]);
  std::string said;
  char byte = 0;
  while (::read(out.get(), &byte, 1) == 1 && byte != '\n') said.push_back(byte);
  const auto colon = said.rfind(':');
  if (colon == std::string::npos) throw std::runtime_error("the fake upstream does not start: " + said);
  m_port = std::stoi(said.substr(colon + 1));
}

FakeUpstream::~FakeUpstream() {
  ::kill(m_pid, SIGTERM);
  ::waitpid(m_pid, nullptr, 0);
}

void FakeUpstream::script(const Json& script) {
  exchange_once(m_port, simple_request("POST", "/control/default", script.dump()));
}

void FakeUpstream::script_model(const std::string& model, const Json& script) {
  exchange_once(m_port, simple_request("POST", "/control/rule", Json{{"model", model}, {"script", script}}.dump()));
}

Json FakeUpstream::journal() {
  return exchange_once(m_port, simple_request("GET", "/journal", "")).json();
}
Json FakeUpstream::summary() {
  return exchange_once(m_port, simple_request("GET", "/journal/summary", "")).json();
}
void FakeUpstream::reset() {
  exchange_once(m_port, simple_request("POST", "/journal/reset", "{}"));
}
void FakeUpstream::release() {
  exchange_once(m_port, simple_request("POST", "/control/release", "{}"));
}

Rig::Rig(const Options& options) : m_patience(options.patience) {
  log::set_level(log::Level::error);
  std::string text = "listen = \"127.0.0.1:0\"\n" + options.toml + "\n";
  if (!options.own_upstream) {
    text += "[[upstream]]\nname = \"fake\"\nkind = \"openai\"\nbase_url = \"" + upstream.base_url() +
            "\"\nkey = \"env:FAKE_KEY\"\n" + options.upstream_toml + "\n";
  }
  write_config(text);
  start();
  m_key = admin("POST", "/keys", {{"seat", "tester"}}).value("key", "");
  upstream.reset();
}

void Rig::start() {
  DaemonOptions daemon;
  daemon.config_file = config_file();
  daemon.data_folder = folder();
  daemon.socket = folder() / "nemod.sock";
  daemon.patience = m_patience;
  daemon.env = [](const char* name) -> std::optional<std::string> {
    if (std::string_view(name) == "FAKE_KEY") return k_upstream_key;
    return std::nullopt;
  };
  auto started = Daemon::start(std::move(daemon));
  if (!started) throw std::runtime_error("the daemon does not start: " + started.error().message);
  m_daemon = std::move(*started);
  // The upstream's model list is asked for in the background; a test should not depend on when it comes.
  eventually([&] {
    const Json status = admin("GET", "/status");
    for (const Json& one : status["upstreams"]) {
      const bool has_list = one["kind"] != "vertex";
      if (has_list && one["state"] == "not tried" && one["key"] != "missing") return false;
    }
    return true;
  });
}

void Rig::stop() {
  m_daemon.reset();
}

void Rig::restart() {
  stop();
  start();
}

Rig::~Rig() = default;

int Rig::port() const {
  return m_daemon->port();
}

std::filesystem::path Rig::folder() const {
  return m_folder.path() / "data";
}

std::filesystem::path Rig::config_file() const {
  return m_folder.path() / "nemo.toml";
}

void Rig::write_config(const std::string& text) {
  std::ofstream(config_file()) << text;
}

std::string Rig::request(const std::string& method, const std::string& path, const std::string& body,
                         const std::vector<std::string>& headers) const {
  std::string bytes = method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port()) + "\r\n";
  bool has_key = false;
  for (const std::string& header : headers) {
    bytes += header + "\r\n";
    has_key = has_key || header.starts_with("Authorization") || header.starts_with("x-api-key");
  }
  if (!has_key) bytes += "Authorization: Bearer " + m_key + "\r\n";
  if (method == "POST")
    bytes += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  return bytes + "\r\n" + body;
}

Reply Rig::post(const std::string& path, const std::string& body, const std::vector<std::string>& headers) {
  return exchange_once(port(), request("POST", path, body, headers));
}

Reply Rig::get(const std::string& path, const std::vector<std::string>& headers) {
  return exchange_once(port(), request("GET", path, "", headers));
}

Json Rig::admin(const std::string& method, const std::string& path, const Json& body) {
  return ask_admin(folder() / "nemod.sock", method, path, body);
}

Json ask_admin(const std::filesystem::path& socket, const std::string& method, const std::string& path,
               const Json& body) {
  const std::string text = body.is_null() || body.empty() ? std::string("{}") : body.dump();
  const std::string all = talk_to_socket(socket, simple_request(method, path, text));
  const auto end = all.find("\r\n\r\n");
  return end == std::string::npos ? Json() : Json::parse(all.substr(end + 4), nullptr, false);
}

bool Rig::waits_with(std::size_t open_calls) {
  return eventually([&] { return admin("GET", "/status")["open_calls"] == open_calls && all_others_sleep(); });
}

std::vector<Json> Rig::rows(std::size_t count) {
  Json found;
  eventually([&] {
    found = admin("GET", "/calls?limit=10000");
    return found.is_array() && found.size() >= count;
  });
  auto rows = found.is_array() ? found.get<std::vector<Json>>() : std::vector<Json>{};
  std::stable_sort(rows.begin(), rows.end(), [](const Json& a, const Json& b) {
    return a["at"].get_ref<const std::string&>() < b["at"].get_ref<const std::string&>();
  });
  return rows;
}

}  // namespace nemo::test
