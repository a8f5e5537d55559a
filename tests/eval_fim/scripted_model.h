// A model server that knows what belongs into the hole: it notes what it was asked and answers as it is told to.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "shared/guarded.h"
#include "tcp_server.h"

namespace nemo::eval {

class ScriptedModel {
 public:
  ScriptedModel();

  std::string base_url() const { return m_server.url("/v1"); }
  // Of the next call: the text that it answers with, in pieces where a stream is asked for.
  void answer_with(std::string text);
  // What the last call brought; null: none came.
  nlohmann::json asked() const;

 private:
  struct State {
    std::string text;
    nlohmann::json asked;
  };
  void serve(test::Peer& peer);

  Guarded<State> m_state;
  test::TcpServer m_server;
};

}  // namespace nemo::eval
