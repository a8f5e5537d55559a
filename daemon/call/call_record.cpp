#include "daemon/call/call_record.h"

namespace nemo::call {

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok:
      return "ok";
    case Outcome::error:
      return "error";
    case Outcome::cancelled:
      return "cancelled";
    case Outcome::refused:
      return "refused";
  }
  return "?";
}

}  // namespace nemo::call
