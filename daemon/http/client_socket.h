// Owns: one client's TCP connection and the bytes read from it. Bounds what a client may send and how slowly.
// Must not know: HTTP beyond where a request's head ends.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/call/origin.h"
#include "shared/clock.h"
#include "shared/file_descriptor.h"

namespace nemo::http {

// Request line and headers together; the largest head seen from a real client is 1.4 kB.
constexpr std::size_t k_largest_head = std::size_t{64} << 10U;
// How long a client may be slow.
struct Patience {
  std::chrono::milliseconds head{30'000};         // from a head's first byte to its last
  std::chrono::milliseconds body{30'000};         // between two pieces of a body
  std::chrono::milliseconds whole_body{300'000};  // so that byte after byte cannot hold a worker for ever
  std::chrono::milliseconds send{60'000};         // with our bytes unread; then it counts as gone
  std::chrono::milliseconds idle{120'000};        // between two requests; an idle connection holds no thread
};

// Whose work a connection's calls are, and when that was asked for.
struct AskedOrigin {
  std::shared_ptr<call::OriginSlot> slot;  // null: nobody did
  SteadyTime at{};
};

// One thread at a time; the pool hands it from worker to worker.
class ClientSocket {
 public:
  ClientSocket(FileDescriptor fd, const Patience& patience);

  int fd() const { return m_fd.get(); }
  AskedOrigin& origin() { return m_origin; }

  enum class Filled : std::uint8_t { some, nothing, closed };
  Filled fill();  // reads what is there, without waiting
  bool has_head() const { return m_head_end != std::string::npos; }
  std::string_view head() const { return std::string_view(m_in).substr(m_at, m_head_end - m_at); }
  bool head_too_large() const { return (has_head() ? m_head_end - m_at : unread()) > k_largest_head; }
  std::size_t unread() const { return m_in.size() - m_at; }

  // Waits for at least one byte: 0 the client closed, -1 nothing came within the patience for bodies (or an error).
  ssize_t read(char* into, std::size_t most);
  bool read_exactly(char* into, std::size_t size);
  // Holds the bytes back when they are the first of an answer, so that head and body leave in one send.
  bool write(std::string_view bytes);
  bool flush();

  void pass_head() { m_at = m_head_end; }  // for who has read it by head(), which stays valid until end_request()
  void begin_request();                    // forgets the old head; call before each request is read
  void end_request();                      // flushes and looks for the next head
  bool timed_out() const { return m_timed_out; }
  Filled discard();  // as fill(), for bytes that nobody will look at

 private:
  bool send_all(std::string_view first, std::string_view second);
  void find_head();

  FileDescriptor m_fd;
  Patience m_patience;
  AskedOrigin m_origin;
  std::string m_in;
  std::size_t m_at = 0;
  std::size_t m_searched = 0;
  std::size_t m_head_end = std::string::npos;
  std::string m_held;  // the beginning of an answer, not yet sent
  bool m_holding = true;
  bool m_timed_out = false;
  SteadyTime m_request_began{};
};

}  // namespace nemo::http
