#include "daemon/protocol/surfaces/anthropic_parts.h"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

struct Source {
  std::string_view type, media_type, data, url, content;  // raw
};

Source read_source(std::string_view raw) {
  Source source;
  if (raw.empty() || raw.front() != '{') return source;
  const std::array<std::pair<std::string_view, std::string_view*>, 5> fields{{
      {"type", &source.type},
      {"media_type", &source.media_type},
      {"data", &source.data},
      {"url", &source.url},
      {"content", &source.content},
  }};
  JsonCursor cursor(raw);
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    const auto* const known =
        std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.first == *key; });
    const std::string_view value = cursor.take();
    if (known != fields.end() && value != "null") *known->second = value;
  }
  return source;
}

Status add_document_content(std::string_view content, const ContentBlock& document, const std::string& path,
                            ChatParts& parts) {
  if (!content.empty() && content.front() == '"') {
    parts.add_text(text_body(content), document.cache_control);
    return Done{};
  }
  JsonCursor cursor(content);
  if (cursor.peek() != '[') return refuse_field(path, "must be text or a list of blocks");
  cursor.begin_array();
  for (std::size_t i = 0; cursor.next_element(); ++i) {
    const std::string at = path + "[" + std::to_string(i) + "]";
    if (cursor.peek() != '{') return refuse_field(at, "must be an object");
    const ContentBlock block = read_content_block(cursor);
    if (block.type == "\"image\"") {
      if (Status added = add_image(block, at, parts); !added) return added;
    } else if (block.type == "\"text\"" && !block.text.empty() && block.text.front() == '"') {
      parts.add_text(text_body(block.text), block.cache_control);
    } else {
      return refuse_field(at + ".type", "must be text or image");
    }
  }
  return Done{};
}

}  // namespace

ContentBlock read_content_block(JsonCursor& cursor) {
  ContentBlock block;
  const std::array<std::pair<std::string_view, std::string_view*>, 13> fields{{
      {"type", &block.type},
      {"text", &block.text},
      {"source", &block.source},
      {"id", &block.id},
      {"name", &block.name},
      {"input", &block.input},
      {"tool_use_id", &block.tool_use_id},
      {"content", &block.content},
      {"is_error", &block.is_error},
      {"thinking", &block.thinking},
      {"signature", &block.signature},
      {"data", &block.data},
      {"cache_control", &block.cache_control},
  }};
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    const auto* const known =
        std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.first == *key; });
    const std::string_view value = cursor.take();
    if (known != fields.end() && value != "null") *known->second = value;
  }
  if (!block.cache_control.empty() && block.cache_control.front() != '{') block.cache_control = {};
  return block;
}

void ChatParts::add(std::string_view part) {
  if (m_count++ != 0) m_json.push_back(',');
  m_json.append(part);
  m_last_is_cached = false;
}

void ChatParts::add_text(std::string_view body, std::string_view cache_control) {
  add(R"({"type":"text","text":")");
  if (m_first_text == std::string::npos) m_first_text = m_json.size();
  m_json.append(body).append("\"}");
  m_texts.append(body);
  if (!cache_control.empty()) keep_cached(cache_control);
}

void ChatParts::add_image(std::string_view url_body, std::string_view cache_control) {
  add(R"({"type":"image_url","image_url":{"url":")");
  m_json.append(url_body).append("\"}}");
  m_is_plain = false;
  if (!cache_control.empty()) keep_cached(cache_control);
}

void ChatParts::add_all(const ChatParts& others) {
  if (others.empty()) return;
  const std::size_t begin = m_json.size() + (m_count == 0 ? 0 : 1);
  if (m_first_text == std::string::npos && others.m_first_text != std::string::npos) {
    m_first_text = begin + others.m_first_text;
  }
  if (m_count != 0) m_json.push_back(',');
  m_json.append(others.m_json);
  m_texts.append(others.m_texts);
  m_count += others.m_count;
  m_is_plain = m_is_plain && others.m_is_plain;
  m_last_is_cached = others.m_last_is_cached;
}

void ChatParts::begin_with(std::string_view text) {
  if (m_first_text == std::string::npos) {
    add_text(text, {});
    return;
  }
  m_json.insert(m_first_text, text);
  m_texts.insert(0, text);
}

void ChatParts::keep_cached(std::string_view cache_control) {
  if (m_count == 0 || m_last_is_cached) return;
  m_json.pop_back();
  m_json.append(",\"cache_control\":").append(cache_control).append("}");
  m_is_plain = false;
  m_last_is_cached = true;
}

std::string ChatParts::content(Texts texts) const {
  const bool is_one = m_count <= 1 || texts == Texts::joined;
  if (m_is_plain && is_one) return "\"" + m_texts + "\"";
  return "[" + m_json + "]";
}

Status add_image(const ContentBlock& block, const std::string& path, ChatParts& parts) {
  const Source source = read_source(block.source);
  if (source.type == "\"url\"") {
    if (text_body(source.url).empty()) return refuse_field(path + ".source.url", "must be text that is not empty");
    parts.add_image(text_body(source.url), block.cache_control);
    return Done{};
  }
  if (source.type != "\"base64\"") {
    return refuse_field(path + ".source.type",
                        "must be base64 or url; files stored at Anthropic cannot be served by this model");
  }
  const std::string_view media_type = text_body(source.media_type);
  if (!media_type.starts_with("image/")) return refuse_field(path + ".source.media_type", "must be an image's");
  if (text_body(source.data).empty()) return refuse_field(path + ".source.data", "must be text that is not empty");
  std::string url = "data:";
  url.append(media_type).append(";base64,").append(text_body(source.data));
  parts.add_image(url, block.cache_control);
  return Done{};
}

Status add_document(const ContentBlock& block, const std::string& path, ChatParts& parts) {
  const Source source = read_source(block.source);
  if (source.type == "\"text\"") {
    if (source.data.empty() || source.data.front() != '"') return refuse_field(path + ".source.data", "must be text");
    parts.add_text(text_body(source.data), block.cache_control);
    return Done{};
  }
  if (source.type == "\"content\"") {
    return add_document_content(source.content, block, path + ".source.content", parts);
  }
  return refuse_field(path + ".source.type",
                      "PDF documents and stored files cannot be served by this model; send the text of the document");
}

}  // namespace nemo::protocol
