// What upstreams say when they refuse or fail. Sources: OpenAI API reference; Google API design guide (errors);
// FastAPI's HTTPException and validation errors; the bodies that vLLM, llama.cpp and Ollama send.
#include <cctype>
#include <nlohmann/json.hpp>

#include "daemon/protocol/json_text.h"
#include "daemon/protocol/openai.h"
#include "shared/json_escape.h"
#include "shared/secret.h"

namespace nemo::protocol {
namespace {

using Json = nlohmann::json;

constexpr std::size_t k_longest_plain = 300;     // of a body in no known shape
constexpr std::size_t k_longest_message = 4000;  // FastAPI repeats the whole input in its complaint
constexpr std::size_t k_longest_code = 200;
constexpr std::size_t k_largest_read = std::size_t{1} << 20U;  // a larger error answer is not worth a JSON tree
constexpr int k_deepest_nesting = 4;                           // {"detail":{"error":{…}}} in a list, and some room

std::string as_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean()) return value.dump();
  return {};
}

std::string member(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? std::string() : as_text(*found);
}

void fill(std::string& target, std::string value) {
  if (target.empty()) target = std::move(value);
}

// FastAPI's "loc": ["body", "messages", 0, "role"] -> "messages.0.role".
std::string join_location(const Json& location) {
  std::string path;
  if (!location.is_array()) return path;
  for (const Json& step : location) {
    const std::string name = as_text(step);
    if (path.empty() && name == "body") continue;
    if (!path.empty()) path.push_back('.');
    path.append(name);
  }
  return path;
}

bool read_value(const Json& value, int depth, UpstreamComplaint& complaint);

bool read_object(const Json& object, int depth, UpstreamComplaint& complaint) {
  bool found = false;
  for (const char* key : {"error", "detail"}) {
    const auto inner = object.find(key);
    if (inner == object.end() || inner->is_null()) continue;
    // {"error":"endpoint_not_yet_available","message":"…"}: the text is a code when a message stands beside it.
    if (inner->is_string() && object.contains("message")) {
      fill(complaint.code, inner->get<std::string>());
    } else {
      found = read_value(*inner, depth + 1, complaint) || found;
    }
  }
  for (const char* key : {"message", "msg"}) {
    if (std::string text = member(object, key); !text.empty()) {
      fill(complaint.message, std::move(text));
      found = true;
    }
  }
  fill(complaint.type, member(object, "type"));
  fill(complaint.type, member(object, "status"));
  fill(complaint.code, member(object, "code"));
  fill(complaint.param, member(object, "param"));
  if (const auto location = object.find("loc"); location != object.end())
    fill(complaint.param, join_location(*location));
  return found;
}

bool read_value(const Json& value, int depth, UpstreamComplaint& complaint) {
  if (depth > k_deepest_nesting) return false;
  if (value.is_string()) {
    fill(complaint.message, value.get<std::string>());
    return !complaint.message.empty();
  }
  if (value.is_object()) return read_object(value, depth, complaint);
  if (!value.is_array()) return false;
  for (const Json& item : value) {
    if (read_value(item, depth + 1, complaint)) return true;
  }
  return false;
}

// Twice as much as will be shown: keys are taken out before the cut. Pages are shown without their tags; runs of white
// space become one space.
std::string plain_text(std::string_view body) {
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  const bool is_page = first != std::string_view::npos && body[first] == '<';
  std::string out;
  bool in_tag = false;
  bool gap = false;
  std::size_t at = 0;
  while (at < body.size() && out.size() < 2 * k_longest_plain) {
    const std::size_t length = utf8_length(body, at);
    const char c = body[at];
    if (is_page && c == '<') in_tag = true;
    if (in_tag || std::isspace(static_cast<unsigned char>(c)) != 0) {
      gap = true;
    } else {
      if (gap && !out.empty()) out.push_back(' ');
      gap = false;
      out.append(length == 0 ? std::string_view("\xEF\xBF\xBD") : body.substr(at, length));
    }
    if (c == '>') in_tag = false;
    at += length == 0 ? 1 : length;
  }
  return out;
}

std::string shown(std::string_view text, std::size_t longest) {
  return std::string(cut_text(redact(text), longest));
}

}  // namespace

UpstreamComplaint read_complaint(std::string_view body) {
  UpstreamComplaint complaint;
  bool found = false;
  if (body.size() <= k_largest_read) {
    const Json json = Json::parse(body.begin(), body.end(), nullptr, false);
    found = (json.is_object() || json.is_array()) && read_value(json, 0, complaint);
  }
  if (!found) complaint.message = shown(plain_text(body), k_longest_plain);
  if (complaint.message.empty()) complaint.message = "the upstream refused and gave no reason";
  complaint.message = shown(complaint.message, k_longest_message);
  complaint.type = shown(complaint.type, k_longest_code);
  complaint.code = shown(complaint.code, k_longest_code);
  complaint.param = shown(complaint.param, k_longest_code);
  return complaint;
}

Result<std::vector<std::string>> read_model_ids(std::string_view body) {
  const Json json = Json::parse(body.begin(), body.end(), nullptr, false);
  const auto not_a_list = [] {
    return fail(ErrorKind::upstream_error, "the upstream's answer to GET /models is not a list of models");
  };
  const Json* list = &json;
  if (json.is_object()) {
    const auto data = json.find("data");
    const auto models = json.find("models");
    list = data != json.end() ? &*data : models != json.end() ? &*models : nullptr;
  }
  if (list == nullptr || !list->is_array()) return not_a_list();
  std::vector<std::string> ids;
  for (const Json& item : *list) {
    if (!item.is_object()) continue;
    std::string id = member(item, "id");
    fill(id, member(item, "name"));
    if (!id.empty()) ids.push_back(std::move(id));
  }
  if (ids.empty() && !list->empty()) return not_a_list();
  return ids;
}

}  // namespace nemo::protocol
