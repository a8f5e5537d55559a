#include "daemon/protocol/fim/fim_families.h"
#include "daemon/protocol/fim/fim_prompt.h"

namespace nemo::protocol {
namespace {

using call::FimForm;

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

void append_headed_files(const FimPrompt& prompt, std::string& out) {
  for (const FimFile& file : prompt.files) {
    out.append(k_file_heading).append(first_line(file.path)).append("\n").append(file.content).append("\n\n");
  }
  // A prefix that begins with such a heading itself would be taken for a file.
  if (prompt.files.empty() && prompt.path.empty() && !prompt.prefix.starts_with(k_file_heading)) return;
  out.append(k_file_heading).append(first_line(prompt.path)).append("\n");
}

void append_files_with_paths(const FimFamily& family, const FimPrompt& prompt, std::string& out) {
  if (prompt.files.empty() && prompt.path.empty() && prompt.repo.empty()) return;
  if (!family.before_repo.empty() && !prompt.repo.empty()) {
    out.append(family.before_repo).append(first_line(prompt.repo)).append("\n");
  }
  for (const FimFile& file : prompt.files) {
    out.append(family.before_file).append(first_line(file.path)).append("\n").append(file.content).append("\n");
  }
  out.append(family.before_file).append(first_line(prompt.path)).append("\n");
}

void append_bare_files(const FimFamily& family, const FimPrompt& prompt, std::string& out) {
  if (prompt.files.empty() && prompt.repo.empty()) return;
  if (!prompt.repo.empty()) out.append(family.before_repo).append(first_line(prompt.repo));
  for (const FimFile& file : prompt.files) {
    out.append(family.before_file);
    if (!file.path.empty()) out.append(first_line(file.path)).append("\n");
    out.append(file.content);
  }
  out.append(family.before_file);
}

void append_references(const FimPrompt& prompt, std::string& out) {
  for (const FimFile& file : prompt.files) {
    out.append("###REFERENCE:\n###PATH:").append(first_line(file.path)).append("\n");
    out.append(file.content).append("\n");
  }
  if (!prompt.files.empty()) out.append("\n");
  out.append("###PATH:").append(first_line(prompt.path));
  out.append("\n###LANGUAGE:").append(first_line(prompt.language)).append("\n###MODE:BLOCK\n");
}

// In words of the shape alone: what a client says around it is not needed to read it back.
std::string render_hole_filler(const FimPrompt& prompt) {
  return "<QUERY>\n" + prompt.prefix + "{{FILL_HERE}}" + prompt.suffix + "\n</QUERY>\n<COMPLETION>";
}

bool tells_files_in_prefix(const FimFamily& family) {
  return family.files == FimFiles::untold || family.files == FimFiles::headed;
}

}  // namespace

std::string render_fim_prompt(FimForm form, const FimPrompt& prompt) {
  if (form == FimForm::hole_filler) return render_hole_filler(prompt);
  const FimFamily* family = find_fim_family(form);
  std::string prefix;
  if (family == nullptr || tells_files_in_prefix(*family)) append_headed_files(prompt, prefix);
  prefix.append(prompt.prefix);
  if (family == nullptr) return prefix;

  std::string out(family->head);
  if (family->files == FimFiles::with_paths) append_files_with_paths(*family, prompt, out);
  if (family->files == FimFiles::bare) append_bare_files(*family, prompt, out);
  if (family->files == FimFiles::referenced) append_references(prompt, out);
  if (family->order == FimOrder::prefix_first) {
    out.append(family->before_prefix).append(prefix).append(family->before_suffix).append(prompt.suffix);
  } else {
    out.append(family->before_suffix).append(prompt.suffix).append(family->before_prefix).append(prefix);
  }
  return out.append(family->before_middle).append(family->tail);
}

std::vector<std::string> fim_stops(FimForm form, const FimPrompt& prompt) {
  std::vector<std::string> stops;
  const FimFamily* family = find_fim_family(form);
  if (family == nullptr) return stops;
  for (const std::string_view stop : family->stops) {
    if (!stop.empty()) stops.emplace_back(stop);
  }
  if (family->files == FimFiles::untold && !prompt.files.empty()) stops.push_back("\n" + std::string(k_file_heading));
  return stops;
}

}  // namespace nemo::protocol
