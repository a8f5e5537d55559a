#include "daemon/protocol/surfaces/responses_parts.h"

#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

// Raw values; empty: not there, or null.
struct Part {
  std::string_view type, text, refusal, image_url, detail, file_data, filename, file_id, file_url, input_audio;
};

Part read_part(JsonCursor& cursor) {
  Part part;
  each_field(cursor, [&](std::string_view key) {
    const std::string_view value = cursor.take();
    if (value == "null") return;
    if (key == "type") part.type = value;
    if (key == "text") part.text = value;
    if (key == "refusal") part.refusal = value;
    if (key == "image_url") part.image_url = value;
    if (key == "detail") part.detail = value;
    if (key == "file_data") part.file_data = value;
    if (key == "filename") part.filename = value;
    if (key == "file_id") part.file_id = value;
    if (key == "file_url") part.file_url = value;
    if (key == "input_audio") part.input_audio = value;
  });
  return part;
}

class PartReader {
 public:
  explicit PartReader(std::string_view between) : m_between(between) {}

  void add_text(std::string_view raw) {
    if (m_content.texts++ != 0) m_content.text.append(m_between);
    m_content.text.append(text_body(raw));
    append(m_content.parts, R"({"type":"text","text":)" + std::string(raw) + "}");
  }

  Status add(const Part& part, const std::string& at) {
    const std::string_view type = text_body(part.type);
    if (type == "input_text" || type == "output_text" || type == "text" || type == "summary_text" ||
        type == "reasoning_text" || type == "refusal") {
      const std::string_view text = type == "refusal" ? part.refusal : part.text;
      if (text.empty() || text.front() != '"') return refuse_field(at, "its text is missing");
      add_text(text);
      return Done{};
    }
    if (type == "input_image") return add_image(part, at);
    if (type == "input_file") return add_file(part, at);
    if (type == "input_audio" && !part.input_audio.empty()) {
      add_media(R"({"type":"input_audio","input_audio":)" + std::string(part.input_audio) + "}");
      return Done{};
    }
    return refuse_field(at + ".type", type.empty() ? "is missing" : "\"" + std::string(type) + "\" is not served here");
  }

  ItemContent take() { return std::move(m_content); }

 private:
  static void append(std::string& list, std::string_view part) {
    if (!list.empty()) list.push_back(',');
    list.append(part);
  }
  void add_media(const std::string& part) {
    append(m_content.parts, part);
    append(m_content.media, part);
  }

  Status add_image(const Part& part, const std::string& at) {
    if (part.image_url.empty()) {
      return refuse_field(at, "files are not kept here; send the image itself as an image_url");
    }
    if (part.image_url.front() == '{') {  // chat's own shape
      add_media(R"({"type":"image_url","image_url":)" + std::string(part.image_url) + "}");
      return Done{};
    }
    if (part.image_url.front() != '"') return refuse_field(at + ".image_url", "must be text");
    std::string image = R"({"type":"image_url","image_url":{"url":)" + std::string(part.image_url);
    if (part.detail == "\"low\"" || part.detail == "\"high\"") image.append(",\"detail\":").append(part.detail);
    add_media(image.append("}}"));
    return Done{};
  }

  Status add_file(const Part& part, const std::string& at) {
    if (part.file_data.empty()) return refuse_field(at, "files are not kept or fetched here; send its file_data");
    std::string file = R"({"type":"file","file":{"file_data":)" + std::string(part.file_data);
    if (!part.filename.empty()) file.append(",\"filename\":").append(part.filename);
    add_media(file.append("}}"));
    return Done{};
  }

  std::string_view m_between;
  ItemContent m_content;
};

}  // namespace

Result<ItemContent> read_item_content(std::string_view raw, const std::string& path, std::string_view between) {
  PartReader reader(between);
  JsonCursor cursor(raw);
  const char first = cursor.peek();
  if (first == '"') {
    reader.add_text(cursor.take());
    return reader.take();
  }
  if (first != '[') return refuse_field(path, "must be text or a list of parts");
  cursor.begin_array();
  for (std::size_t i = 0; cursor.next_element(); ++i) {
    const std::string at = path + "[" + std::to_string(i) + "]";
    if (cursor.peek() != '{') return refuse_field(at, "must be an object");
    if (Status added = reader.add(read_part(cursor), at); !added) return added.error();
  }
  return reader.take();
}

}  // namespace nemo::protocol
