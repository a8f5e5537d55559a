#include "daemon/http/own_answers.h"

#include <string>

#include "daemon/protocol/surface_form.h"

namespace nemo::http {

void put_error(httplib::Response& response, const Error& error) {
  const call::Surface surface = t_context == nullptr ? call::Surface::openai_chat : t_context->voice;
  response.status = error.status();
  response.set_content(protocol::form_of(surface).error_body(error), "application/json");
}

HandlerResponse refuse_with(httplib::Response& response, const Error& error) {
  put_error(response, error);
  t_context->after = After::linger;
  return HandlerResponse::Handled;
}

void explain(httplib::Response& response) {
  if (!response.body.empty() || t_context == nullptr) return;
  t_context->after = After::linger;
  if (t_context->too_large) {
    put_error(response, body_too_large());
    return;
  }
  if (t_context->socket.timed_out()) {
    put_error(response, body_missing(t_context->socket));
    response.status = 408;
    return;
  }
  const int status = response.status;
  put_error(response, status == 414   ? fail(ErrorKind::invalid_request, "The path is too long.")
                      : status == 415 ? fail(ErrorKind::invalid_request, "This Content-Encoding is not understood.")
                                      : body_missing(t_context->socket));
  if (status >= 400 && status < 500) response.status = status;
}

// By now httplib has promised to keep the connection, unless the client asked otherwise.
void announce_close(httplib::Response& response) {
  if (t_context->after == After::keep) return;
  response.headers.erase("Keep-Alive");
  response.headers.erase("Connection");
  response.set_header("Connection", "close");
}

Error body_missing(const ClientSocket& socket) {
  return fail(ErrorKind::invalid_request, socket.timed_out() ? "The request's body did not arrive in time."
                                                             : "This is not a readable HTTP/1.1 request.");
}

Error body_too_large() {
  return fail(ErrorKind::request_too_large, "The body is larger than " +
                                                std::to_string(t_context->world->settings.max_body_bytes >> 20U) +
                                                " MiB (max_body_mib in the config).");
}

void allow_origin(httplib::Response& response) {
  if (t_context->allowed_origin.empty()) return;
  response.set_header("Access-Control-Allow-Origin", t_context->allowed_origin);
  response.set_header("Vary", "Origin");
  response.set_header("Access-Control-Expose-Headers", "*");
}

HandlerResponse preflight(const httplib::Request& request, httplib::Response& response) {
  response.status = 204;
  if (t_context->allowed_origin.empty()) {
    response.set_header("Allow", "GET, HEAD, POST, OPTIONS");
    return HandlerResponse::Handled;
  }
  response.set_header("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
  const std::string wanted = request.get_header_value("Access-Control-Request-Headers");
  response.set_header("Access-Control-Allow-Headers", wanted.empty() ? "authorization, content-type" : wanted);
  response.set_header("Access-Control-Max-Age", "600");
  return HandlerResponse::Handled;
}

}  // namespace nemo::http
