// The outcome of an operation that is expected to fail sometimes: a value or an Error from a closed list.
// Exceptions are kept for start-up, corruption and bugs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace nemo {

// Every failure a caller can be told of. One function per surface turns these into a status and a body.
enum class ErrorKind : std::uint8_t {
  invalid_request,          // the body is not JSON, or a field has the wrong type
  invalid_api_key,          // no key, or one that nobody made
  key_expired,              //
  key_revoked,              //
  budget_exceeded,          //
  model_not_priced,         // no price in catalog or config, and the upstream does not allow that
  model_not_allowed,        // the key may not use this model
  origin_not_allowed,       // a web page, or a Host that is not this daemon
  path_not_found,           //
  method_not_allowed,       //
  model_not_found,          // the message offers the nearest ids
  request_too_large,        //
  rate_limit_exceeded,      //
  tpm_limit_exceeded,       //
  too_many_parallel,        //
  client_gone,              // nobody is left to be told
  superseded,               // a newer completion of the same editor took its place
  upstream_rejected,        // upstream's own 4xx, passed on with its status
  upstream_error,           // refused, reset, TLS, DNS, 5xx, a broken answer
  upstream_timeout,         //
  no_deployment_available,  //
  not_found,                // a named thing (key, call, lane) does not exist
  conflict,                 // it exists already, or the state forbids it
  invalid_config,           // file, line and reason are in the message
  storage,                  // database or file trouble; the message says what to do
  internal,                 // a bug
};

// The contract's code for a kind, such as "model_not_found".
std::string_view code_of(ErrorKind kind);
// The HTTP status for a kind. upstream_rejected carries its own in Error::http_status.
int status_of(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string message;                             // for people; never contains a secret
  std::string param = {};                          // the request field at fault, if any
  int http_status = 0;                             // upstream_rejected only
  std::string upstream_body = {};                  // upstream_rejected only: its body, redacted, to be passed on
  std::optional<std::int64_t> retry_after_s = {};  // when the caller may try again

  std::string_view code() const { return code_of(kind); }
  int status() const { return http_status != 0 ? http_status : status_of(kind); }
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : m_state(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : m_state(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return m_state.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return std::get<0>(m_state); }
  const T& value() const& { return std::get<0>(m_state); }
  T&& value() && { return std::get<0>(std::move(m_state)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  Error& error() & { return std::get<1>(m_state); }
  const Error& error() const& { return std::get<1>(m_state); }

 private:
  std::variant<T, Error> m_state;
};

struct Done {};
using Status = Result<Done>;

inline Error fail(ErrorKind kind, std::string message, std::string param = {}) {
  return Error{kind, std::move(message), std::move(param)};
}

}  // namespace nemo
