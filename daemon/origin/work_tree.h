// Which git work tree a folder is in, and which branch is checked out there: gitrepository-layout(5), "HEAD" and
// "gitfile". Reads two small files; starts no git.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace nemo::origin {

struct WorkTree {
  std::filesystem::path root;
  std::string branch;  // empty: none is checked out, or nobody can say
};

// The nearest one above `folder`, or at it. Waits for the file system: no thread that serves may call it.
std::optional<WorkTree> find_work_tree(const std::filesystem::path& folder);

// Of the text of a HEAD: "main". Empty: it names a commit, or is something else.
std::string branch_of(std::string_view head);
// Of the text of a .git that is a file, as linked work trees and submodules have: the folder that it points to, which
// may be relative to its own. Absent: it points nowhere.
std::optional<std::filesystem::path> git_folder_of(std::string_view git_file);

}  // namespace nemo::origin
