// Owns: one call from its received request to its delivered answer, whole or as a stream. Must not know: httplib, how a
// request's head is read.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "daemon/call/origin.h"
#include "daemon/call/surface.h"
#include "daemon/gateway/gateway.h"
#include "daemon/http/answer_writer.h"
#include "daemon/http/client_socket.h"
#include "daemon/http/connection_pool.h"
#include "shared/clock.h"
#include "shared/secret.h"

namespace nemo::http {

struct ReceivedCall {
  call::Surface surface = call::Surface::openai_chat;
  protocol::PathWords path;
  std::string body;
  Secret key;  // as presented; empty: none
  std::string user_agent;
  std::vector<std::string> dialect_headers;        // see gateway::Incoming
  std::shared_ptr<const call::OriginSlot> origin;  // see gateway::Incoming
  SteadyTime received_at;
  std::string allowed_origin;  // of a web page that may read the answer; empty: none
  bool closes = false;         // the connection ends with this call
  Framing framing = Framing::chunked;
  int stop_fd = -1;  // see gateway::Incoming
};

// Any thread.
class CallServer {
 public:
  CallServer(gateway::Gateway& gateway, const Clock& clock) : m_gateway(gateway), m_clock(clock) {}

  // Answers in every case, a bug included. Says whether the connection can go on.
  After serve(ClientSocket& socket, ReceivedCall call) const;

 private:
  After deliver(ClientSocket& socket, const gateway::Answer& answer, AnswerWriter::Manners manners) const;

  gateway::Gateway& m_gateway;
  const Clock& m_clock;
};

// Room is made as bytes come: a large length alone must not cost memory. False: they did not all come.
bool read_body(ClientSocket& socket, std::size_t length, std::string& body);

// An error that ends the connection, in the surface's shape.
bool write_refusal(ClientSocket& socket, const Error& error, int status,
                   call::Surface surface = call::Surface::openai_chat);

}  // namespace nemo::http
