#include "shared/result.h"

namespace nemo {
namespace {

struct Row {
  std::string_view code;
  int status;
};

Row row_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid_request:
      return {"invalid_request", 400};
    case ErrorKind::invalid_api_key:
      return {"invalid_api_key", 401};
    case ErrorKind::key_expired:
      return {"key_expired", 401};
    case ErrorKind::key_revoked:
      return {"key_revoked", 401};
    case ErrorKind::budget_exceeded:
      return {"budget_exceeded", 402};
    case ErrorKind::model_not_priced:
      return {"model_not_priced", 402};
    case ErrorKind::model_not_allowed:
      return {"model_not_allowed", 403};
    case ErrorKind::origin_not_allowed:
      return {"origin_not_allowed", 403};
    case ErrorKind::path_not_found:
      return {"not_found", 404};
    case ErrorKind::method_not_allowed:
      return {"method_not_allowed", 405};
    case ErrorKind::model_not_found:
      return {"model_not_found", 404};
    case ErrorKind::request_too_large:
      return {"request_too_large", 413};
    case ErrorKind::rate_limit_exceeded:
      return {"rate_limit_exceeded", 429};
    case ErrorKind::tpm_limit_exceeded:
      return {"tpm_limit_exceeded", 429};
    case ErrorKind::too_many_parallel:
      return {"too_many_parallel_requests", 429};
    case ErrorKind::client_gone:
      return {"client_gone", 499};
    case ErrorKind::superseded:
      return {"superseded", 499};
    case ErrorKind::upstream_rejected:
      return {"upstream_error", 502};
    case ErrorKind::upstream_error:
      return {"upstream_error", 502};
    case ErrorKind::upstream_timeout:
      return {"upstream_timeout", 504};
    case ErrorKind::no_deployment_available:
      return {"no_deployment_available", 503};
    case ErrorKind::not_found:
      return {"not_found", 404};
    case ErrorKind::conflict:
      return {"conflict", 409};
    case ErrorKind::invalid_config:
      return {"invalid_config", 400};
    case ErrorKind::storage:
      return {"storage", 500};
    case ErrorKind::internal:
      return {"internal_error", 500};
  }
  return {"internal_error", 500};
}

}  // namespace

std::string_view code_of(ErrorKind kind) {
  return row_of(kind).code;
}

int status_of(ErrorKind kind) {
  return row_of(kind).status;
}

}  // namespace nemo
