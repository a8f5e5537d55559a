#include "daemon/call/usage.h"

namespace nemo::call {

std::string_view to_string(UsageSource source) {
  switch (source) {
    case UsageSource::none:
      return "none";
    case UsageSource::provider:
      return "provider";
    case UsageSource::partial:
      return "partial";
    case UsageSource::estimated:
      return "estimated";
  }
  return "?";
}

}  // namespace nemo::call
