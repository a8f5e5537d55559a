#include "daemon/protocol/prompt_size.h"

#include <algorithm>
#include <cstdint>

namespace nemo::protocol {
namespace {

// In quotes: the same word inside a text has a backslash before its closing quote.
constexpr std::string_view k_image_part = "\"image_url\"";
constexpr std::string_view k_image_data = "\"data:image/";
constexpr std::string_view k_base64 = ";base64,";

std::size_t count_other(std::string_view text) {
  std::size_t other = 0;
  for (const char c : text) other += static_cast<std::uint8_t>(c) >> 7U;
  return other;
}

std::size_t count_of(std::string_view text, std::string_view word) {
  std::size_t count = 0;
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + word.size())) ++count;
  return count;
}

struct ImageData {
  std::int64_t images = 0;
  std::size_t bytes = 0;
};

// Base64 holds no quote and no backslash but the escaped slash, so the next quote ends it.
ImageData find_image_data(std::string_view body) {
  ImageData found;
  for (auto at = body.find(k_image_data); at != std::string_view::npos; at = body.find(k_image_data, at)) {
    const auto end = std::min(body.find('"', at + k_image_data.size()), body.size());
    const std::string_view url = body.substr(at, end - at);
    at = end;
    if (url.find(k_base64) == std::string_view::npos) continue;
    ++found.images;
    found.bytes += url.size();
  }
  return found;
}

}  // namespace

call::PromptSize measure_prompt(std::string_view body) {
  call::PromptSize size;
  size.other_bytes = count_other(body);
  const ImageData data = find_image_data(body);
  // A part is {"type":"image_url","image_url":{…}}: the word stands there twice.
  const auto parts = static_cast<std::int64_t>((count_of(body, k_image_part) + 1) / 2);
  size.images = std::max(data.images, parts);
  size.ascii_bytes = body.size() - size.other_bytes - data.bytes;
  return size;
}

}  // namespace nemo::protocol
