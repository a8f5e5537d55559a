#include "cli/editors/settings_edit.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "cli/editors/format_engine.h"

namespace nemo::cli::editors {
namespace {

Error in_file(const FileEdit& edit, Error error) {
  error.message = edit.file.string() + ": " + error.message;
  return error;
}

}  // namespace

Result<EditedText> put_settings(std::string_view text, const FileEdit& edit) {
  const FormatEngine& engine = engine_of(edit.format);
  EditedText edited{text.empty() ? edit.starter : std::string(text), {}};
  for (const Setting& setting : edit.settings) {
    const auto kept = engine.depth(edited.text, setting.path);
    if (!kept) return in_file(edit, kept.error());
    auto before = engine.find(edited.text, setting.path);
    if (!before) return in_file(edit, before.error());
    auto next = engine.put(edited.text, setting.path, setting.value);
    if (!next) return in_file(edit, next.error());
    edited.settings.push_back({setting.path, std::move(before).value(), *kept});
    edited.text = std::move(next).value();
  }
  return edited;
}

Result<std::string> take_settings_out(std::string_view text, Format format,
                                      const std::vector<WrittenSetting>& settings) {
  const FormatEngine& engine = engine_of(format);
  std::string left(text);
  for (auto setting = settings.rbegin(); setting != settings.rend(); ++setting) {
    const auto there = engine.find(left, setting->path);
    if (!there) return there.error();
    if (!*there) continue;
    auto next = setting->before ? engine.put_back(left, setting->path, *setting->before)
                                : engine.take_out(left, setting->path, setting->kept);
    if (!next) return next.error();
    left = std::move(next).value();
  }
  return left;
}

std::string find_key_in(std::string_view text) {
  constexpr std::string_view k_start = "sk-nemo-";
  const std::size_t begin = text.find(k_start);
  if (begin == std::string_view::npos) return {};
  std::size_t end = begin + k_start.size();
  while (end < text.size() && std::isalnum(static_cast<unsigned char>(text[end])) != 0) ++end;
  return end == begin + k_start.size() ? std::string() : std::string(text.substr(begin, end - begin));
}

std::string find_key(std::string_view text, const FileEdit& edit) {
  if (text.empty()) return {};
  const FormatEngine& engine = engine_of(edit.format);
  for (const Setting& setting : edit.settings) {
    const auto written = engine.find(text, setting.path);
    if (!written || !*written) continue;
    if (std::string key = find_key_in(**written); !key.empty()) return key;
  }
  return {};
}

}  // namespace nemo::cli::editors
