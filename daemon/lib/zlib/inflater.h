// Owns: zlib's inflating stream. The only place that includes its header. Sources: RFC 1950 and 1952.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace nemo::lib::zlib {

// Unpacks one gzip or zlib stream piece by piece. One thread at a time.
class Inflater {
 public:
  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  enum class Step : std::uint8_t { more, done, unreadable };
  // Appends what `packed` holds to `out`: up to some thousand times as much. done: the stream has ended, and what
  // follows it is passed over.
  Step inflate(std::string_view packed, std::string& out);

 private:
  struct Stream;
  std::unique_ptr<Stream> m_stream;
};

}  // namespace nemo::lib::zlib
