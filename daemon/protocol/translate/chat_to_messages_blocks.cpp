#include "daemon/protocol/translate/chat_to_messages_blocks.h"

#include <cctype>
#include <optional>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/translate/message_to_chat.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

// How much of a text's body is left without the white space at its end.
std::size_t trimmed_size(std::string_view body) {
  std::size_t end = 0;
  std::size_t at = 0;
  while (at < body.size()) {
    const bool is_escape = body[at] == '\\' && at + 1 < body.size();
    const char c = is_escape ? body[at + 1] : body[at];
    const bool is_space = is_escape ? c == 'n' || c == 'r' || c == 't' || c == 'f' : c == ' ';
    at += is_escape ? 2 : 1;
    if (!is_space) end = at;
  }
  return end;
}

std::string with_cache_control(std::string block, std::string_view cache_control) {
  block.pop_back();
  if (!cache_control.empty()) block.append(",\"cache_control\":").append(cache_control);
  return block.append("}");
}

// Raw values of a part; empty: not there, or null.
struct Part {
  std::string_view type, text, refusal, image_url, file, cache_control, thinking, signature, data;
};

Part read_part(std::string_view raw) {
  Part part;
  JsonCursor cursor(raw);
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    const std::string_view value = cursor.take();
    if (value == "null") continue;
    if (*key == "type") {
      part.type = value;
    } else if (*key == "text") {
      part.text = value;
    } else if (*key == "refusal") {
      part.refusal = value;
    } else if (*key == "image_url") {
      part.image_url = value;
    } else if (*key == "file") {
      part.file = value;
    } else if (*key == "cache_control" && value.front() == '{') {
      part.cache_control = value;
    } else if (*key == "thinking") {
      part.thinking = value;
    } else if (*key == "signature") {
      part.signature = value;
    } else if (*key == "data") {
      part.data = value;
    }
  }
  return part;
}

// "data:image/png;base64,…"
struct DataUrl {
  std::string media_type;  // in small letters
  std::string_view data;   // a view into the URL
};

std::optional<DataUrl> read_data_url(std::string_view url) {
  constexpr std::string_view k_scheme = "data:";
  constexpr std::string_view k_base64 = ";base64";
  const std::size_t comma = url.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  std::string_view head = url.substr(k_scheme.size(), comma - k_scheme.size());
  if (head.size() < k_base64.size() || head.substr(head.size() - k_base64.size()) != k_base64) return std::nullopt;
  head.remove_suffix(k_base64.size());
  DataUrl read{std::string(head.substr(0, head.find(';'))), url.substr(comma + 1)};
  for (char& c : read.media_type) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (read.media_type == "image/jpg") read.media_type = "image/jpeg";
  return read;
}

bool begins_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

std::string base64_source(const DataUrl& url) {
  return R"({"type":"base64","media_type":)" + quote_json(url.media_type) + ",\"data\":" + quote_json(url.data) + "}";
}

// image_url is an object with a url, or, as some clients send it, the URL itself.
Result<std::string> image_block(std::string_view image_url, const std::string& path, MessagesFor target) {
  const std::string_view raw = !image_url.empty() && image_url.front() == '{'
                                   ? find_member(image_url, "url").value_or(std::string_view())
                                   : image_url;
  const auto url = read_text(raw);
  const std::string field = path + ".image_url.url";
  if (!url || url->empty()) return refuse_field(field, "must be text");
  std::string source;
  if (begins_with(*url, "data:")) {
    const auto data = read_data_url(*url);
    if (!data || !begins_with(data->media_type, "image/")) {
      return refuse_field(field, "a data: URL must be of the form data:image/TYPE;base64,DATA");
    }
    source = base64_source(*data);
  } else if (begins_with(*url, "https://") || begins_with(*url, "http://")) {
    if (target == MessagesFor::vertex) {
      return refuse_field(field,
                          "Claude on Vertex AI fetches no images; send the image itself as a data: URL (base64)");
    }
    source = "{\"type\":\"url\",\"url\":" + quote_json(*url) + "}";
  } else {
    return refuse_field(field, "must be a data: or an https: URL");
  }
  return "{\"type\":\"image\",\"source\":" + source + "}";
}

Result<std::string> file_block(std::string_view file, const std::string& path) {
  const bool is_object = !file.empty() && file.front() == '{';
  const auto content = is_object ? find_member(file, "file_data") : std::nullopt;
  const auto url = content ? read_text(*content) : std::nullopt;
  const auto data = url && begins_with(*url, "data:") ? read_data_url(*url) : std::nullopt;
  if (!data || data->media_type != "application/pdf") {
    return refuse_field(path + ".file",
                        "only a PDF in file_data, as data:application/pdf;base64,DATA, can be served by this model");
  }
  std::string block = "{\"type\":\"document\",\"source\":" + base64_source(*data);
  const auto name = find_member(file, "filename");
  if (name && !text_body(*name).empty()) block.append(",\"title\":").append(*name);
  return block.append("}");
}

void append_thinking_part(const Part& part, BlockList& blocks) {
  if (part.type == "\"redacted_thinking\"") {
    if (!text_body(part.data).empty()) blocks.add_thinking(redacted_thinking_block(text_body(part.data)));
  } else if (!text_body(part.signature).empty()) {
    blocks.add_thinking(thinking_block(text_body(part.thinking), text_body(part.signature)));
  }
}

bool is_thinking(const Part& part) {
  return part.type == "\"thinking\"" || part.type == "\"redacted_thinking\"";
}

Status append_part(const Part& part, const std::string& path, ContentOf whose, MessagesFor target, BlockList& blocks,
                   std::string_view& tool_cache_control) {
  const bool is_answer = whose == ContentOf::tool;
  if (is_answer && !part.cache_control.empty()) tool_cache_control = part.cache_control;
  const std::string_view cache_control = is_answer ? std::string_view() : part.cache_control;
  if (part.type == "\"text\"" || part.type == "\"refusal\"") {
    const std::string_view text = part.type == "\"text\"" ? part.text : part.refusal;
    if (text.empty() || text.front() != '"')
      return refuse_field(path + "." + std::string(text_body(part.type)), "must be text");
    blocks.add_text(text_body(text), cache_control);
    return Done{};
  }
  if (whose == ContentOf::assistant && is_thinking(part)) {
    append_thinking_part(part, blocks);
    return Done{};
  }
  const bool may_hold_media = whose == ContentOf::user || is_answer;
  if (may_hold_media && (part.type == "\"image_url\"" || part.type == "\"file\"")) {
    const auto block =
        part.type == "\"file\"" ? file_block(part.file, path) : image_block(part.image_url, path, target);
    if (!block) return block.error();
    blocks.add(with_cache_control(*block, cache_control));
    return Done{};
  }
  const std::string type(cut_text(text_body(part.type), 64));
  if (type == "input_audio") return refuse_field(path, "audio cannot be served by this model");
  return refuse_field(path + ".type", "a part of type \"" + type + "\" cannot be served by this model here");
}

}  // namespace

void BlockList::add(std::string_view block) {
  if (!m_json.empty()) m_json.push_back(',');
  m_json.append(block);
  m_text_end = 0;
}

void BlockList::add_text(std::string_view body, std::string_view cache_control) {
  if (trimmed_size(body) == 0) return;
  constexpr std::string_view k_head = R"({"type":"text","text":")";
  add(k_head);
  m_text_begin = m_json.size();
  m_text_end = m_text_begin + body.size();
  m_json.append(body).append("\"}");
  if (cache_control.empty()) return;
  m_json.pop_back();
  m_json.append(",\"cache_control\":").append(cache_control).append("}");
}

void BlockList::add_thinking(std::string_view block) {
  if (empty()) m_begins_with_thinking = true;
  add(block);
}

void BlockList::add_all(const BlockList& others) {
  if (others.empty()) return;
  if (empty()) m_begins_with_thinking = others.m_begins_with_thinking;
  const std::size_t before = m_json.size() + (m_json.empty() ? 0 : 1);
  add(others.m_json);
  if (others.m_text_end == 0) return;
  m_text_begin = before + others.m_text_begin;
  m_text_end = before + others.m_text_end;
}

void BlockList::trim_last_text() {
  if (m_text_end == 0) return;
  const std::string_view body = std::string_view(m_json).substr(m_text_begin, m_text_end - m_text_begin);
  const std::size_t kept = trimmed_size(body);
  m_json.erase(m_text_begin + kept, body.size() - kept);
  m_text_end = m_text_begin + kept;
}

Status append_content(std::string_view content, std::string_view path, ContentOf whose, MessagesFor target,
                      BlockList& blocks, std::string_view& cache_control) {
  if (content.empty() || content == "null") return Done{};
  if (content.front() == '"') {
    // What a message says of its cache holds for its one text; a tool's answer keeps it around the text.
    blocks.add_text(text_body(content), whose == ContentOf::tool ? std::string_view() : cache_control);
    return Done{};
  }
  const std::string field = std::string(path) + ".content";
  JsonCursor cursor(content);
  if (cursor.peek() != '[') return refuse_field(field, "must be text or a list of parts");
  cursor.begin_array();
  for (std::size_t i = 0; cursor.next_element(); ++i) {
    const std::string part_path = field + "[" + std::to_string(i) + "]";
    const std::string_view raw = cursor.take();
    if (raw.empty() || raw.front() != '{') return refuse_field(part_path, "must be an object");
    const Status appended = append_part(read_part(raw), part_path, whose, target, blocks, cache_control);
    if (!appended) return appended.error();
  }
  return Done{};
}

Status append_thinking(std::string_view thinking_blocks, std::string_view path, BlockList& blocks) {
  if (thinking_blocks.empty() || thinking_blocks == "null") return Done{};
  JsonCursor cursor(thinking_blocks);
  if (cursor.peek() != '[') return refuse_field(std::string(path) + ".thinking_blocks", "must be a list");
  cursor.begin_array();
  while (cursor.next_element()) {
    const std::string_view raw = cursor.take();
    if (raw.empty() || raw.front() != '{') continue;
    const Part part = read_part(raw);
    if (is_thinking(part)) append_thinking_part(part, blocks);
  }
  return Done{};
}

}  // namespace nemo::protocol
