#include "daemon/gateway/pages/page_view.h"

namespace nemo::gateway {

Result<Answer> ollama_version_page(const PageView& /*view*/) {
  return fail(ErrorKind::path_not_found, "this page is not there yet");
}

Result<Answer> ollama_tags_page(const PageView& /*view*/) {
  return fail(ErrorKind::path_not_found, "this page is not there yet");
}

Result<Answer> ollama_show_page(const PageView& /*view*/) {
  return fail(ErrorKind::path_not_found, "this page is not there yet");
}

Result<Answer> ollama_ps_page(const PageView& /*view*/) {
  return fail(ErrorKind::path_not_found, "this page is not there yet");
}

}  // namespace nemo::gateway
