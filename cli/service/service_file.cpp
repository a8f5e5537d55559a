#include "cli/service/service_file.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include "cli/service/service_text.h"

namespace nemo::cli::service {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& file) {
  std::error_code ignored;
  return fs::symlink_status(file, ignored).type() != fs::file_type::not_found;
}

// What is there now. Absent: it cannot be read.
std::optional<std::string> read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

Error foreign(const fs::path& file) {
  return fail(ErrorKind::conflict, file.string() +
                                       " was not written by \"nemo service install\": it stays as it is. "
                                       "Move it away if Nemo should write its own");
}

Error unwritable(const fs::path& file, const std::string& why) {
  return fail(ErrorKind::storage, file.string() + " cannot be written (" + why +
                                      "): see to the rights of its folder, or put the text of \"nemo service install "
                                      "--print\" there yourself");
}

}  // namespace

Result<bool> find_service_file(const fs::path& file) {
  if (!is_there(file)) return false;
  const auto now = read(file);
  if (!now || !is_ours(*now)) return foreign(file);
  return true;
}

Result<Change> write_service_file(const fs::path& file, const std::string& text) {
  const auto was_there = find_service_file(file);
  if (!was_there) return was_there.error();
  if (*was_there && read(file) == text) return Change::none;
  std::error_code trouble;
  fs::create_directories(file.parent_path(), trouble);
  if (trouble) return unwritable(file, trouble.message());
  const fs::path beside = file.string() + "." + std::to_string(::getpid());
  std::ofstream out(beside, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (out.good()) {
    fs::rename(beside, file, trouble);
    if (!trouble) return *was_there ? Change::replaced : Change::made;
  }
  const std::string why = trouble ? trouble.message() : "the folder takes no file";
  fs::remove(beside, trouble);
  return unwritable(file, why);
}

Result<Change> remove_service_file(const fs::path& file) {
  const auto was_there = find_service_file(file);
  if (!was_there) return was_there.error();
  if (!*was_there) return Change::none;
  std::error_code trouble;
  fs::remove(file, trouble);
  if (trouble) return fail(ErrorKind::storage, file.string() + " cannot be removed: " + trouble.message());
  return Change::removed;
}

}  // namespace nemo::cli::service
