// The fake Google as a child process on a free port, and the credentials file that it gives out.
// See tests/support/fake_google/google_endpoints.h for what it checks and counts.
#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "child_process.h"
#include "harness.h"

namespace nemo::test {

class FakeGoogle {
 public:
  FakeGoogle() : m_process({NEMO_FAKE_GOOGLE, "--port", "0", "--exit-with-parent"}) {
    const std::string said = m_process.wait_for_line("ready on");
    const auto colon = said.rfind(':');
    if (colon == std::string::npos) throw std::runtime_error("the fake Google does not start: " + said);
    m_port = std::stoi(said.substr(colon + 1));
  }

  int port() const { return m_port; }
  std::string origin() const { return "http://127.0.0.1:" + std::to_string(m_port); }
  void set(const Json& settings) const { talk("POST", "/control/google", settings.dump()); }
  void script_model(const std::string& model, const Json& script) const {
    talk("POST", "/control/rule", Json{{"model", model}, {"script", script}}.dump());
  }
  void release() const { talk("POST", "/control/release", "{}"); }
  void revoke() const { talk("POST", "/control/revoke", "{}"); }
  Json service_account() const { return talk("GET", "/control/service-account.json", ""); }
  Json journal() const { return talk("GET", "/journal", ""); }
  Json summary() const { return talk("GET", "/journal/summary", ""); }
  int token_requests() const { return summary()["other"].value("POST /token", 0); }

 private:
  Json talk(const std::string& method, const std::string& path, const std::string& body) const {
    Client client(m_port);
    client.send(method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
    const Reply reply = client.receive();
    if (reply.status != 200) throw std::runtime_error(method + " " + path + ": " + reply.body);
    return reply.json();
  }

  ChildProcess m_process;
  int m_port = 0;
};

// For nobody else to read, as a key file should be.
inline void write_private(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file) << text;
  std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace nemo::test
