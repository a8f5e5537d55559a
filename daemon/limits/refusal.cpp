#include "daemon/limits/refusal.h"

#include <string>
#include <string_view>

namespace nemo::limits {
namespace {

std::string subject_of(const call::Scope& scope) {
  switch (scope.kind) {
    case call::ScopeKind::key:
      return "The key " + scope.name;
    case call::ScopeKind::seat:
      return "Seat \"" + scope.name + '"';
    case call::ScopeKind::team:
      return "Team \"" + scope.name + '"';
  }
  return scope.name;
}

std::string counted(std::int64_t count, std::string_view noun) {
  return std::to_string(count) + ' ' + std::string(noun) + (count == 1 ? "" : "s");
}

std::string rule_of(const Refusal& refusal) {
  switch (refusal.kind) {
    case ErrorKind::tpm_limit_exceeded:
      return " may use " + counted(refusal.limit, "token") + " a minute";
    case ErrorKind::too_many_parallel:
      return " allows " + counted(refusal.limit, "call") + " at once";
    default:
      return " may make " + counted(refusal.limit, "request") + " a minute";
  }
}

}  // namespace

Error describe(const Refusal& refusal, const call::Scope& scope, std::int64_t tokens) {
  Error error = fail(refusal.kind, subject_of(scope) + rule_of(refusal));
  if (refusal.wait_s == Refusal::k_never) {
    error.message += ": none is let in.";
    return error;
  }
  error.message += " (" + std::string(code_of(refusal.kind)) + ").";
  if (refusal.kind == ErrorKind::tpm_limit_exceeded && tokens > refusal.limit) {
    error.message +=
        " This call may need " + std::to_string(tokens) + ", more than all of it: it waits for an unused minute.";
  }
  error.message += " Try again in " + std::to_string(refusal.wait_s) + " s.";
  error.retry_after_s = refusal.wait_s;
  return error;
}

}  // namespace nemo::limits
