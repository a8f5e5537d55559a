// The listening TCP socket.
#pragma once

#include <string>

#include "shared/file_descriptor.h"
#include "shared/result.h"

namespace nemo::http {

struct Listener {
  FileDescriptor socket;  // non-blocking
  std::string host;
  int port = 0;  // the real one when 0 was asked for
};

// ErrorKind::conflict when the port is taken: the message names the process that holds it, if that can be seen.
Result<Listener> listen_on(const std::string& host, int port);

// "http://127.0.0.1:6366", "http://[::1]:6366"
std::string url_of(const std::string& host, int port);

}  // namespace nemo::http
