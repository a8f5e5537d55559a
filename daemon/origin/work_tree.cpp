#include "daemon/origin/work_tree.h"

#include "daemon/origin/small_file.h"

namespace nemo::origin {
namespace {

namespace fs = std::filesystem;

constexpr int k_most_folders_up = 64;  // deeper than people nest projects
constexpr std::string_view k_branch_prefix = "ref: refs/heads/";
constexpr std::string_view k_folder_prefix = "gitdir: ";
// What HEAD says where the references are not kept as files (git's reftable format).
constexpr std::string_view k_no_branch = ".invalid";

std::string_view first_line(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  while (!text.empty() && (text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  return text;
}

// The folder that has the HEAD of the work tree at `root`.
std::optional<fs::path> find_git_folder(const fs::path& root) {
  const fs::path git = root / ".git";
  std::error_code ignored;
  const auto kind = fs::status(git, ignored).type();
  if (kind == fs::file_type::directory) return git;
  if (kind != fs::file_type::regular) return std::nullopt;
  const auto text = read_small_file(git);
  const auto folder = text ? git_folder_of(*text) : std::nullopt;
  return folder ? std::optional(root / *folder) : std::nullopt;
}

}  // namespace

std::string branch_of(std::string_view head) {
  const std::string_view line = first_line(head);
  if (!line.starts_with(k_branch_prefix)) return {};
  const std::string_view branch = line.substr(k_branch_prefix.size());
  return branch == k_no_branch ? std::string() : std::string(branch);
}

std::optional<fs::path> git_folder_of(std::string_view git_file) {
  const std::string_view line = first_line(git_file);
  if (!line.starts_with(k_folder_prefix) || line.size() == k_folder_prefix.size()) return std::nullopt;
  const std::string_view folder = line.substr(k_folder_prefix.size());
  if (folder.find('\0') != std::string_view::npos) return std::nullopt;
  return fs::path(folder);
}

// A .git without a HEAD is no repository to git either, which looks further up.
std::optional<WorkTree> find_work_tree(const fs::path& folder) {
  fs::path root = folder;
  for (int i = 0; i < k_most_folders_up && root.is_absolute(); ++i) {
    if (const auto git = find_git_folder(root)) {
      if (const auto head = read_small_file(*git / "HEAD")) return WorkTree{root, branch_of(*head)};
    }
    if (root == root.root_path()) break;
    root = root.parent_path();
  }
  return std::nullopt;
}

}  // namespace nemo::origin
