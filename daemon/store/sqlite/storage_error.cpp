#include "daemon/store/sqlite/storage_error.h"

#include <string>

namespace nemo::store {
namespace {

std::string advice(lib::sqlite::Cause cause, const std::filesystem::path& file) {
  using lib::sqlite::Cause;
  const std::string folder = file.parent_path().string();
  switch (cause) {
    case Cause::busy:
      return "Another program holds it; close what else has it open.";
    case Cause::full:
      return "The disk is full: free space where " + folder + " lies.";
    case Cause::read_only:
      return "It may not be written: check that the user of nemod owns " + folder + " and may write there.";
    case Cause::cannot_open:
      return "Check that " + folder + " exists and that the user of nemod may read and write it.";
    case Cause::corrupt:
      return "It is damaged, or not a database. Restore it from a backup, or stop nemod and move " + file.string() +
             ", -wal and -shm away to begin anew.";
    case Cause::io:
      return "The disk answers with errors; look into the system's log.";
    case Cause::constraint:
    case Cause::other:
      return {};
  }
  return {};
}

}  // namespace

Error storage_error(const lib::sqlite::Failure& failure, const std::filesystem::path& file, std::string_view doing) {
  std::string message = "cannot " + std::string(doing) + " (" + file.string() + "): " + failure.what();
  const std::string what_to_do = advice(failure.cause(), file);
  if (!what_to_do.empty()) message += ". " + what_to_do;
  return fail(ErrorKind::storage, message);
}

}  // namespace nemo::store
