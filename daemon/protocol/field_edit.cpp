#include "daemon/protocol/field_edit.h"

#include <algorithm>
#include <cstddef>

#include "daemon/protocol/json_text.h"
#include "shared/json_escape.h"

namespace nemo::protocol {
namespace {

using Changes = std::vector<std::pair<std::string, std::string>>;

// What happens to one field of the body: null leaves it, an empty text removes it, else the text is its new value.
std::vector<const std::string*> plan(const RequestBody& body, const Changes& changes, std::string& added) {
  std::vector<const std::string*> per_field(body.fields().size(), nullptr);
  for (const auto& [key, value] : changes) {
    if (const Field* field = body.find(key); field != nullptr) {
      per_field[static_cast<std::size_t>(field - body.fields().data())] = &value;
    } else if (!value.empty()) {
      added.append(",").append(quote_json(key)).append(":").append(value);
    }
  }
  return per_field;
}

}  // namespace

void FieldEdit::set(std::string key, std::string raw_json) {
  const auto same = std::find_if(m_changes.begin(), m_changes.end(), [&](const auto& c) { return c.first == key; });
  if (same != m_changes.end()) {
    same->second = std::move(raw_json);
  } else {
    m_changes.emplace_back(std::move(key), std::move(raw_json));
  }
}

void FieldEdit::remove(std::string key) {
  set(std::move(key), {});
}

std::string FieldEdit::apply(const RequestBody& body) const {
  const std::string_view bytes = body.bytes();
  const std::vector<Field>& fields = body.fields();
  std::string added;
  const auto per_field = plan(body, m_changes, added);

  std::string out;
  out.reserve(bytes.size() + added.size() + 256);
  std::size_t copied = fields.empty() ? bytes.find('{') + 1 : fields.front().begin;
  out.append(bytes.substr(0, copied));
  bool has_kept = false;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Field& field = fields[i];
    if (per_field[i] != nullptr && per_field[i]->empty()) continue;
    // What separates a kept field from the one kept before it is what stood before the field itself.
    if (has_kept) out.append(bytes.substr(fields[i - 1].end, field.begin - fields[i - 1].end));
    has_kept = true;
    if (per_field[i] == nullptr) {
      out.append(bytes.substr(field.begin, field.end - field.begin));
    } else {
      const auto value_at = static_cast<std::size_t>(field.value.data() - bytes.data());
      out.append(bytes.substr(field.begin, value_at - field.begin)).append(*per_field[i]);
    }
  }
  if (!fields.empty()) copied = fields.back().end;
  if (!added.empty()) out.append(has_kept ? std::string_view(added) : std::string_view(added).substr(1));
  return out.append(bytes.substr(copied));
}

std::string quote_json(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  out.push_back('"');
  append_json_escaped(out, text);
  out.push_back('"');
  return out;
}

}  // namespace nemo::protocol
