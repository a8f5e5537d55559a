#include "shared/ids.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace nemo {
namespace {

constexpr std::string_view k_crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::string_view k_rfc4648 = "abcdefghijklmnopqrstuvwxyz234567";

void fill_random(char* into, std::size_t count) {
  while (count > 0) {
    const ssize_t got = getrandom(into, count, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      throw std::system_error(errno, std::generic_category(), "no random numbers from the system");
    }
    into += got;
    count -= static_cast<std::size_t>(got);
  }
}

// Ids need to be unique, not secret: a buffer saves a system call on every request.
void fill_id_bytes(char* into, std::size_t count) {
  constexpr std::size_t k_buffer = 1024;
  thread_local std::array<char, k_buffer> t_buffer;
  thread_local std::size_t t_used = k_buffer;
  if (t_used + count > k_buffer) {
    fill_random(t_buffer.data(), k_buffer);
    t_used = 0;
  }
  for (std::size_t i = 0; i < count; ++i) into[i] = t_buffer[t_used + i];
  t_used += count;
}

}  // namespace

std::string make_request_id(WallTime now) {
  const auto millis =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
  std::array<char, 16> random{};
  fill_id_bytes(random.data(), random.size());
  std::string id = "req_";
  id.reserve(30);
  for (int shift = 45; shift >= 0; shift -= 5) id.push_back(k_crockford[(millis >> shift) & 31U]);
  for (const char byte : random) id.push_back(k_crockford[static_cast<unsigned char>(byte) & 31U]);
  return id;
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  fill_random(bytes.data(), count);
  return bytes;
}

std::string to_base32(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() * 8 + 4) / 5);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char byte : bytes) {
    bits = (bits << 8U) | static_cast<unsigned char>(byte);
    held += 8;
    while (held >= 5) {
      held -= 5;
      text.push_back(k_rfc4648[(bits >> static_cast<unsigned>(held)) & 31U]);
    }
  }
  if (held > 0) text.push_back(k_rfc4648[(bits << static_cast<unsigned>(5 - held)) & 31U]);
  return text;
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text.push_back(k_digits[value >> 4U]);
    text.push_back(k_digits[value & 15U]);
  }
  return text;
}

}  // namespace nemo
