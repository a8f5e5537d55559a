#include "daemon/lib/zlib/inflater.h"

#include <zlib.h>

#include <limits>
#include <new>

namespace nemo::lib::zlib {

struct Inflater::Stream {
  z_stream z{};
};

Inflater::Inflater() : m_stream(std::make_unique<Stream>()) {
  constexpr int k_gzip_or_zlib = MAX_WBITS + 32;
  if (inflateInit2(&m_stream->z, k_gzip_or_zlib) != Z_OK) throw std::bad_alloc();
}

Inflater::~Inflater() {
  inflateEnd(&m_stream->z);
}

Inflater::Step Inflater::inflate(std::string_view packed, std::string& out) {
  constexpr std::size_t k_step = 32768;
  z_stream& z = m_stream->z;
  if (packed.size() > std::numeric_limits<uInt>::max()) return Step::unreadable;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));  // NOLINT: zlib only reads there
  z.avail_in = static_cast<uInt>(packed.size());
  for (;;) {
    const std::size_t before = out.size();
    out.resize(before + k_step);
    z.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    z.avail_out = k_step;
    const int code = ::inflate(&z, Z_NO_FLUSH);
    out.resize(before + k_step - z.avail_out);
    if (code == Z_STREAM_END) return Step::done;
    if (code == Z_BUF_ERROR) return Step::more;  // nothing is left to take or to give
    if (code != Z_OK) return Step::unreadable;
    if (z.avail_in == 0 && z.avail_out > 0) return Step::more;
  }
}

}  // namespace nemo::lib::zlib
