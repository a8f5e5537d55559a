// What the editor's edge says by itself, before a call or in place of one: refusals in the shape of the API that is
// spoken, and what web pages are told. Within a request that httplib serves (t_context), on its thread.
#pragma once

#include "daemon/http/httplib_request.h"
#include "shared/result.h"

namespace nemo::http {

using HandlerResponse = httplib::Server::HandlerResponse;

// In the shape of the request's surface; OpenAI's while none is known.
void put_error(httplib::Response& response, const Error& error);
// The same, and the connection ends: the body is unread.
HandlerResponse refuse_with(httplib::Response& response, const Error& error);
// What httplib itself refused gets a body in the API's shape.
void explain(httplib::Response& response);
// Before an answer leaves: that the connection ends with it.
void announce_close(httplib::Response& response);

Error body_missing(const ClientSocket& socket);
Error body_too_large();

// A web page that the config allows may read the answer.
void allow_origin(httplib::Response& response);
HandlerResponse preflight(const httplib::Request& request, httplib::Response& response);

}  // namespace nemo::http
