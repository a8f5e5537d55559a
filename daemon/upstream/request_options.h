// A Request as libcurl options, and libcurl's failures as Errors. Internal to upstream/.
#pragma once

#include "daemon/lib/curl/curl_handle.h"
#include "daemon/upstream/transfer.h"

namespace nemo::upstream {

// What does not change from one call to the next at the same place: two requests with equal profiles can use one easy
// handle after another without setting these again.
std::string profile_of(const Request& request);
void apply_profile(CURL* easy, const Request& request);

// The rest. `request` and `headers` must outlive the transfer: curl reads the body and the list where they are.
void apply_request(CURL* easy, const Request& request, lib::curl::HeaderList& headers);

// "OPTIONS *", which RFC 9110 (9.3.7) names as a no-op, at the place where `request` goes.
Request no_op_at(const Request& request);
bool is_no_op(const Request& request);

// What went wrong, in words that say what to do; holds no secret.
Error describe_failure(const Transfer& transfer, CURLcode code);

}  // namespace nemo::upstream
