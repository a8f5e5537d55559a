// What a request that httplib has parsed says beside its body: the key, the path, the headers that go on. Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/http/httplib_request.h"
#include "shared/secret.h"

namespace nemo::http {

// In a header, a parameter or before the path; empty: none.
Secret key_of(const httplib::Request& request);

// What an upstream of the client's own dialect is told too: "name: value".
std::vector<std::string> dialect_headers_of(const httplib::Request& request);

// The request's path without a key that may stand before it.
std::string_view path_of(const httplib::Request& request);

// False: two readers could take two different ends for the end of its body.
bool framing_is_clear(const httplib::Request& request);

}  // namespace nemo::http
