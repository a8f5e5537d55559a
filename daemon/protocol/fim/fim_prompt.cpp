#include "daemon/protocol/fim/fim_prompt.h"

#include <algorithm>

#include "daemon/protocol/fim/fim_families.h"

namespace nemo::protocol {
namespace {

using call::FimForm;
using Text = std::string_view;

constexpr Text k_line_blanks = " \t";

bool take_begin(Text& text, Text mark) {
  if (!text.starts_with(mark)) return false;
  text.remove_prefix(mark.size());
  return true;
}

bool take_end(Text& text, Text mark) {
  if (!text.ends_with(mark)) return false;
  text.remove_suffix(mark.size());
  return true;
}

bool holds_once(Text text, Text mark) {
  const auto at = text.find(mark);
  return at != Text::npos && text.find(mark, at + 1) == Text::npos;
}

// Up to `end`, which is passed; all of it when there is none.
Text take_until(Text& text, Text end) {
  const auto at = text.find(end);
  const Text taken = text.substr(0, at);
  text.remove_prefix(at == Text::npos ? text.size() : at + end.size());
  return taken;
}

// CodeGPT puts a space after each mark.
Text without_leading_blanks(Text text) {
  text.remove_prefix(std::min(text.find_first_not_of(k_line_blanks), text.size()));
  return text;
}

// "<repo>R\n<file>path\ncontent\n<file>current\n"
bool read_files_with_paths(const FimFamily& family, Text section, FimPrompt& prompt) {
  if (section.empty()) return true;
  if (!family.before_repo.empty() && take_begin(section, family.before_repo)) {
    Text repo = section.substr(0, section.find(family.before_file));
    section.remove_prefix(repo.size());
    take_end(repo, "\n");
    if (repo.find('\n') != Text::npos) return false;
    prompt.repo = without_leading_blanks(repo);
  }
  while (take_begin(section, family.before_file)) {
    Text content = section.substr(0, section.find(family.before_file));
    section.remove_prefix(content.size());
    const std::string path(without_leading_blanks(take_until(content, "\n")));
    if (section.empty() && content.empty()) {
      prompt.path = path;
      return true;
    }
    take_end(content, "\n");
    prompt.files.push_back({path, std::string(content)});
  }
  return section.empty();
}

// "<file>content<file>content<file>"
bool read_bare_files(const FimFamily& family, Text section, FimPrompt& prompt) {
  if (section.empty()) return true;
  if (take_begin(section, family.before_repo)) {
    const auto end = section.find(family.before_file);
    if (end == Text::npos || section.substr(0, end).find('\n') != Text::npos) return false;
    prompt.repo = section.substr(0, end);
    section.remove_prefix(end);
  }
  if (!take_begin(section, family.before_file)) return false;
  while (!section.empty()) {
    const auto end = section.find(family.before_file);
    if (end == Text::npos) return false;
    prompt.files.push_back({"", std::string(section.substr(0, end))});
    section.remove_prefix(end + family.before_file.size());
  }
  return true;
}

// "+++++ path\ncontent\n\n+++++ current\nprefix"; anything else is prefix.
void read_headed_files(FimPrompt& prompt) {
  Text rest = prompt.prefix;
  std::vector<FimFile> files;
  while (take_begin(rest, k_file_heading)) {
    const auto line_end = rest.find('\n');
    if (line_end == Text::npos) return;
    const std::string path(rest.substr(0, line_end));
    rest.remove_prefix(line_end + 1);
    const auto next = rest.find("\n\n" + std::string(k_file_heading));
    if (next == Text::npos) {
      prompt.files = std::move(files);
      prompt.path = path;
      prompt.prefix = std::string(rest);
      return;
    }
    files.push_back({path, std::string(rest.substr(0, next))});
    rest.remove_prefix(next + 2);
  }
}

// "###REFERENCE:\n###PATH:p\ncontent\n" each, an empty line, "###PATH:current\n###LANGUAGE:l\n###MODE:BLOCK\n"
bool read_references(Text section, FimPrompt& prompt) {
  constexpr Text k_reference = "###REFERENCE:\n";
  constexpr Text k_path = "###PATH:";
  const auto own = section.rfind(k_path);
  if (own == Text::npos) return false;
  Text header = section.substr(own + k_path.size());
  Text references = section.substr(0, own);
  prompt.path = take_until(header, "\n");
  if (!take_begin(header, "###LANGUAGE:")) return false;
  prompt.language = take_until(header, "\n");
  if (!header.starts_with("###MODE:")) return false;
  if (!references.empty() && !take_end(references, "\n")) return false;
  while (take_begin(references, k_reference)) {
    Text one = references.substr(0, references.find(k_reference));
    references.remove_prefix(one.size());
    if (!take_begin(one, k_path)) return false;
    const std::string path(take_until(one, "\n"));
    take_end(one, "\n");
    prompt.files.push_back({path, std::string(one)});
  }
  return references.empty();
}

bool read_files(const FimFamily& family, Text section, FimPrompt& prompt) {
  switch (family.files) {
    case FimFiles::untold:
      return section.empty();
    case FimFiles::with_paths:
      return read_files_with_paths(family, section, prompt);
    case FimFiles::bare:
      return read_bare_files(family, section, prompt);
    case FimFiles::headed:
      read_headed_files(prompt);
      return section.empty();
    case FimFiles::referenced:
      return read_references(section, prompt);
  }
  return false;
}

std::optional<FimPrompt> parse_as(const FimFamily& family, Text text) {
  if (!take_begin(text, family.head)) return std::nullopt;
  if (!family.tail.empty()) {
    take_end(text, "\n");
    Text tail = family.tail;
    take_end(tail, "\n");
    if (!take_end(text, tail)) return std::nullopt;
  }
  if (!take_end(text, family.before_middle)) return std::nullopt;
  if (!family.before_middle.empty() && text.find(family.before_middle) != Text::npos) return std::nullopt;
  if (!holds_once(text, family.before_prefix) || !holds_once(text, family.before_suffix)) return std::nullopt;
  const bool prefix_first = family.order == FimOrder::prefix_first;
  const Text first_mark = prefix_first ? family.before_prefix : family.before_suffix;
  const Text second_mark = prefix_first ? family.before_suffix : family.before_prefix;
  const Text section = text.substr(0, text.find(first_mark));
  text.remove_prefix(section.size() + first_mark.size());
  const auto second = text.find(second_mark);
  if (second == Text::npos) return std::nullopt;
  const Text first = text.substr(0, second);
  const Text rest = text.substr(second + second_mark.size());
  FimPrompt prompt{family.form, std::string(prefix_first ? first : rest), std::string(prefix_first ? rest : first)};
  if (!read_files(family, section, prompt)) return std::nullopt;
  return prompt;
}

// "<QUERY>\nP{{FILL_HERE}}S\n</QUERY>", a sentence or two, "<COMPLETION>"; examples of the same may stand before.
std::optional<FimPrompt> parse_hole_filler(Text text) {
  constexpr Text k_open = "<QUERY>";
  constexpr Text k_close = "</QUERY>";
  constexpr Text k_hole = "{{FILL_HERE}}";
  constexpr std::size_t k_longest_task = 512;  // between the query and the answer's mark
  text.remove_suffix(text.size() - (text.find_last_not_of(" \t\r\n") + 1));
  if (!take_end(text, "<COMPLETION>")) return std::nullopt;
  const auto close = text.rfind(k_close);
  if (close == Text::npos || text.size() - close > k_longest_task) return std::nullopt;
  text = text.substr(0, close);
  const auto open = text.rfind(k_open);
  if (open == Text::npos) return std::nullopt;
  text.remove_prefix(open + k_open.size());
  if (!holds_once(text, k_hole)) return std::nullopt;
  take_begin(text, "\n");
  take_end(text, "\n");
  const Text prefix = take_until(text, k_hole);
  return FimPrompt{FimForm::hole_filler, std::string(prefix), std::string(text)};
}

}  // namespace

std::optional<FimPrompt> parse_fim_prompt(std::string_view text) {
  for (const FimFamily& family : fim_families()) {
    if (auto prompt = parse_as(family, text)) return prompt;
  }
  return parse_hole_filler(text);
}

bool is_same_fim_text(FimForm one, FimForm other, const FimPrompt& prompt) {
  if (one == other) return true;
  const FimFamily* told = find_fim_family(one);
  const FimFamily* wanted = find_fim_family(other);
  if (told == nullptr || wanted == nullptr) return false;
  const bool has_context = !prompt.files.empty() || !prompt.repo.empty() || !prompt.path.empty();
  return told->head == wanted->head && told->order == wanted->order && told->before_prefix == wanted->before_prefix &&
         told->before_suffix == wanted->before_suffix && told->before_middle == wanted->before_middle &&
         (!has_context || told->before_file == wanted->before_file);
}

}  // namespace nemo::protocol
