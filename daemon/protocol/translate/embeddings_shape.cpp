#include "daemon/protocol/translate/embeddings_shape.h"

#include <array>
#include <bit>
#include <charconv>
#include <limits>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

constexpr std::int64_t k_most_dimensions = 1'000'000;  // far above any model's

Result<std::vector<std::string_view>> read_texts(const RequestBody& body) {
  const Field* input = body.find("input");
  if (input == nullptr) return refuse_field("input", "is missing");
  if (input->value.front() == '"') return std::vector{input->value};
  if (input->items == Items::numbers || input->items == Items::lists) {
    return refuse_field("input", "tokens cannot be given to this model's upstream; send text");
  }
  if (input->items != Items::texts) return refuse_field("input", "must be text or a list of texts");
  std::vector<std::string_view> texts;
  texts.reserve(input->item_count);
  JsonCursor cursor(input->value);
  each_element(cursor, [&] { texts.push_back(cursor.take()); });
  return texts;
}

Result<Encoding> read_encoding(const RequestBody& body) {
  const std::string_view raw = given_value(body, "encoding_format");
  if (raw.empty()) return Encoding::numbers;
  const auto name = read_text(raw);
  if (name == "float") return Encoding::numbers;
  if (name == "base64") return Encoding::base64;
  return refuse_field("encoding_format", "must be \"float\" or \"base64\"");
}

bool is_number(std::string_view raw) {
  return !raw.empty() && (raw.front() == '-' || (raw.front() >= '0' && raw.front() <= '9'));
}

// nullopt: larger than 32-bit floats can be.
std::optional<float> read_float(std::string_view raw) {
  double value = 0;
  const auto [end, fault] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  constexpr double k_largest = std::numeric_limits<float>::max();
  if (fault != std::errc{} || value > k_largest || value < -k_largest) return std::nullopt;
  return static_cast<float>(value);
}

void append_little_endian(std::string& out, float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  for (unsigned shift = 0; shift < 32U; shift += 8U) out.push_back(static_cast<char>((bits >> shift) & 0xFFU));
}

void append_base64(std::string& out, std::string_view bytes) {
  constexpr std::string_view k_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto byte_at = [bytes](std::size_t at) -> std::uint32_t {
    return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
  };
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::uint32_t three = byte_at(at) << 16U | byte_at(at + 1) << 8U | byte_at(at + 2);
    out.push_back(k_letters[three >> 18U]);
    out.push_back(k_letters[(three >> 12U) & 63U]);
    out.push_back(at + 1 < bytes.size() ? k_letters[(three >> 6U) & 63U] : '=');
    out.push_back(at + 2 < bytes.size() ? k_letters[three & 63U] : '=');
  }
}

// Number by number: Google puts each on a line of its own. False: not a list of numbers.
bool append_numbers(std::string& out, JsonCursor& cursor) {
  bool fits = true;
  bool is_first = true;
  out.push_back('[');
  const bool is_list = each_element(cursor, [&] {
    const std::string_view raw = cursor.take();
    fits = fits && is_number(raw);
    if (!is_first) out.push_back(',');
    is_first = false;
    out.append(raw);
  });
  out.push_back(']');
  return is_list && fits && cursor.at_end();
}

bool append_floats(std::string& out, JsonCursor& cursor) {
  bool fits = true;
  std::string bytes;
  const bool is_list = each_element(cursor, [&] {
    const std::string_view raw = cursor.take();
    const auto value = is_number(raw) ? read_float(raw) : std::nullopt;
    fits = fits && value.has_value();
    append_little_endian(bytes, value.value_or(0));
  });
  out.push_back('"');
  append_base64(out, bytes);
  out.push_back('"');
  return is_list && fits && cursor.at_end();
}

}  // namespace

Result<EmbeddingsAsked> read_embeddings_request(const RequestBody& body) {
  EmbeddingsAsked asked;
  auto texts = read_texts(body);
  if (!texts) return texts.error();
  asked.texts = std::move(*texts);
  const auto encoding = read_encoding(body);
  if (!encoding) return encoding.error();
  asked.encoding = *encoding;
  if (const std::string_view raw = given_value(body, "dimensions"); !raw.empty()) {
    asked.dimensions = read_integer(raw);
    if (!asked.dimensions || *asked.dimensions < 1 || *asked.dimensions > k_most_dimensions) {
      return refuse_field("dimensions", "must be a whole number above 0");
    }
  }
  return asked;
}

Result<std::string> write_embeddings_answer(const std::vector<std::string_view>& vectors, const EmbeddingsAsked& asked,
                                            std::string_view model, std::int64_t input_tokens) {
  if (vectors.size() != asked.texts.size()) {
    return fail(ErrorKind::upstream_error, "the upstream answered with " + std::to_string(vectors.size()) +
                                               " embeddings for " + std::to_string(asked.texts.size()) + " texts");
  }
  std::string out = R"({"object":"list","data":[)";
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    if (i != 0) out.push_back(',');
    out.append(R"({"object":"embedding","index":)").append(std::to_string(i)).append(",\"embedding\":");
    JsonCursor cursor(vectors[i]);
    const bool written = asked.encoding == Encoding::base64 ? append_floats(out, cursor) : append_numbers(out, cursor);
    if (!written) return fail(ErrorKind::upstream_error, "an embedding of the upstream's is not a list of numbers");
    out.push_back('}');
  }
  const std::string tokens = std::to_string(input_tokens);
  out.append("],\"model\":").append(quote_json(model));
  return out.append(",\"usage\":{\"prompt_tokens\":" + tokens + ",\"total_tokens\":" + tokens + "}}");
}

}  // namespace nemo::protocol
