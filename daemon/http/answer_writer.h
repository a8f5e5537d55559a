// Writes the answers of calls straight to the client's socket, as HTTP/1.1 bytes (RFC 9112): httplib's way of writing
// one costs more than reading its request.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/gateway/answer.h"
#include "daemon/http/client_socket.h"

namespace nemo::http {

enum class Framing : std::uint8_t { chunked, until_close };  // until_close: for clients of HTTP/1.0

// One answer on one worker thread. Every function says whether the client still takes bytes.
class AnswerWriter {
 public:
  struct Manners {
    std::string_view allowed_origin;  // of a web page that may read the answer; empty: none
    bool closes = false;              // the connection ends with this answer
    Framing framing = Framing::chunked;
  };
  AnswerWriter(ClientSocket& socket, const Manners& manners) : m_socket(socket), m_manners(manners) {}

  bool write_whole(const gateway::Answer& answer);

  // A stream: its head leaves together with the first piece.
  bool begin(const gateway::Answer& answer);
  bool write_piece(const std::string& piece);
  bool end();

 private:
  std::string head_of(const gateway::Answer& answer) const;

  ClientSocket& m_socket;
  Manners m_manners;
};

}  // namespace nemo::http
