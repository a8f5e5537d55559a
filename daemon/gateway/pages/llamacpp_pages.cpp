#include "daemon/gateway/pages/page_view.h"

namespace nemo::gateway {

Result<Answer> llamacpp_props_page(const PageView& /*view*/) {
  return fail(ErrorKind::path_not_found, "this page is not there yet");
}

Result<Answer> llamacpp_tokenize_page(const PageView& /*view*/) {
  return fail(ErrorKind::path_not_found, "this page is not there yet");
}

}  // namespace nemo::gateway
