#include "daemon/gateway/pages/page_view.h"

namespace nemo::gateway {

Result<Answer> gemini_models_page(const PageView& /*view*/) {
  return fail(ErrorKind::path_not_found, "this page is not there yet");
}

Result<Answer> gemini_model_page(const PageView& /*view*/) {
  return fail(ErrorKind::path_not_found, "this page is not there yet");
}

Result<Answer> gemini_count_page(const PageView& /*view*/) {
  return fail(ErrorKind::path_not_found, "this page is not there yet");
}

}  // namespace nemo::gateway
