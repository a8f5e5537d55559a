#include "daemon/protocol/fim/hole.h"

#include <algorithm>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

using call::FimForm;

// Whether it is worth unescaping a prompt. The words of the sentinels stand near an end, and no client escapes letters.
bool may_be_rendered(std::string_view raw) {
  constexpr std::size_t k_last = 160;
  constexpr std::size_t k_first = 40;
  const std::string_view last = raw.substr(raw.size() - std::min(raw.size(), k_last));
  const auto ends_in = [last](std::string_view word) { return last.find(word) != std::string_view::npos; };
  return ends_in("fim") || ends_in("MID") || ends_in("code_middle") || ends_in("COMPLETION") ||
         raw.substr(0, k_first).find("SUFFIX") != std::string_view::npos;
}

Error unfit_files() {
  return refuse_field(k_files_field, R"(must be a list such as [{"path":"a.h","content":"…"}])");
}

// Passes one item. nullopt: it is not an object of two texts.
std::optional<FimFile> read_file(JsonCursor& cursor) {
  const std::string_view raw = cursor.take();
  const auto path = find_member(raw, "path");
  const auto content = find_member(raw, "content");
  auto path_text = path ? read_text(*path) : std::string();
  auto content_text = content ? read_text(*content) : std::nullopt;
  if (!path_text || !content_text) return std::nullopt;
  return FimFile{std::move(*path_text), std::move(*content_text)};
}

Status read_files(std::string_view raw, std::vector<FimFile>& files) {
  JsonCursor cursor(raw);
  bool all_fit = true;
  const bool is_list = each_element(cursor, [&] {
    auto file = read_file(cursor);
    all_fit = all_fit && file;
    if (file) files.push_back(std::move(*file));
  });
  if (!is_list || !all_fit) return unfit_files();
  return Done{};
}

std::string list_json(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) out.append(out.size() > 1 ? "," : "").append(quote_json(text));
  return out.append("]");
}

}  // namespace

std::string files_json(const std::vector<FimFile>& files) {
  std::string out = "[";
  for (const FimFile& file : files) {
    out.append(out.size() > 1 ? "," : "").append("{\"path\":").append(quote_json(file.path));
    out.append(",\"content\":").append(quote_json(file.content)).append("}");
  }
  return out.append("]");
}

Result<std::optional<FimPrompt>> find_hole(const RequestBody& body) {
  const std::string_view files = given_value(body, k_files_field);
  const std::string_view suffix = given_value(body, "suffix");
  const auto raw = single_prompt(body);
  if (!raw && !files.empty()) return raw.error();
  if (!raw) return std::optional<FimPrompt>();
  if (suffix.empty() && files.empty()) {
    if (!may_be_rendered(*raw)) return std::optional<FimPrompt>();
    return parse_fim_prompt(read_text(*raw).value_or(std::string()));
  }
  FimPrompt hole;
  hole.prefix = read_text(*raw).value_or(std::string());
  if (!suffix.empty()) {
    auto text = read_text(suffix);
    if (!text) return refuse_field("suffix", "must be text");
    hole.suffix = std::move(*text);
  }
  if (!files.empty()) {
    if (const Status read = read_files(files, hole.files); !read) return read.error();
  }
  return std::optional<FimPrompt>(std::move(hole));
}

bool is_told_in(FimForm form, const FimPrompt& hole, const RequestBody& body) {
  if (body.find(k_files_field) != nullptr) return false;
  return form == FimForm::none || is_same_fim_text(hole.family, form, hole);
}

std::string tell_hole(FimForm form, const FimPrompt& hole, const RequestBody& body) {
  const bool by_suffix = form == FimForm::suffix || form == FimForm::none;
  FieldEdit edit;
  edit.set("prompt", quote_json(render_fim_prompt(by_suffix ? FimForm::suffix : form, hole)));
  if (by_suffix && !hole.suffix.empty()) {
    edit.set("suffix", quote_json(hole.suffix));
  } else if (body.find("suffix") != nullptr) {
    edit.remove("suffix");
  }
  if (body.find(k_files_field) != nullptr) edit.remove(std::string(k_files_field));
  std::vector<std::string> added = fim_stops(form, hole);
  if (!added.empty()) {
    std::vector<std::string> stops = stop_texts(body);
    for (std::string& stop : added) {
      if (std::find(stops.begin(), stops.end(), stop) == stops.end()) stops.push_back(std::move(stop));
    }
    edit.set("stop", list_json(stops));
  }
  return edit.apply(body);
}

std::vector<std::string> stop_texts(const RequestBody& body) {
  std::vector<std::string> stops;
  const std::string_view raw = given_value(body, "stop");
  if (auto one = read_text(raw); one && !one->empty()) stops.push_back(std::move(*one));
  JsonCursor cursor(raw);
  if (raw.empty() || raw.front() != '[') return stops;
  each_element(cursor, [&] {
    auto text = read_text(cursor.take());
    if (text && !text->empty()) stops.push_back(std::move(*text));
  });
  return stops;
}

}  // namespace nemo::protocol
