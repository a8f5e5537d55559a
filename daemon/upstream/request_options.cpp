#include "daemon/upstream/request_options.h"

#include <algorithm>
#include <string>

#include "daemon/upstream/failure.h"
#include "daemon/upstream/local/target.h"
#include "daemon/upstream/request_lines.h"

namespace nemo::upstream {
namespace {

using lib::curl::set;

constexpr const char* k_no_op = "OPTIONS";
constexpr long k_no_op_timeout_ms = 10'000;  // nobody waits for its answer

bool is_loopback(std::string_view authority) {
  if (authority.starts_with("[::1]")) return true;
  return local::is_this_machine(authority.substr(0, authority.find(':')));
}

long version_for(const Request& request) {
  switch (request.version) {
    case HttpVersion::http1:
      return CURL_HTTP_VERSION_1_1;
    case HttpVersion::http2:
      return request.url.starts_with("https:") ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
    case HttpVersion::negotiate:
      break;
  }
  return request.url.starts_with("https:") ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
}

std::string_view advice_for(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return "its name was not found: check base_url and the network";
    case CURLE_COULDNT_RESOLVE_PROXY:
      return "the proxy's name was not found: check https_proxy and http_proxy";
    case CURLE_COULDNT_CONNECT:
      return "it refused the connection: is it running?";
    case CURLE_OPERATION_TIMEDOUT:
      return "it did not accept a connection in time";
    case CURLE_PEER_FAILED_VERIFICATION:
      return "its TLS certificate is not trusted: check base_url, or set ca_file";
    case CURLE_SSL_CONNECT_ERROR:
      return "the TLS handshake failed: does base_url have the right scheme and port?";
    case CURLE_GOT_NOTHING:
      return "it closed the connection without an answer";
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return "the connection was reset";
    case CURLE_PARTIAL_FILE:
      return "its answer ended too early";
    case CURLE_BAD_CONTENT_ENCODING:
      return "its answer is compressed, but not readable";
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return "what answers there does not speak HTTP";
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return "the HTTP/2 stream was ended by the other side";
    default:
      return "the call failed";
  }
}

}  // namespace

std::string profile_of(const Request& request) {
  std::string profile = request.url;
  profile.append("\n").append(request.method).append("\n").append(request.ca_file).append("\n");
  profile.append(std::to_string(static_cast<int>(request.version))).append("\n");
  return profile.append(std::to_string(request.connect_timeout.count()));
}

Request no_op_at(const Request& request) {
  Request no_op;
  no_op.method = k_no_op;
  no_op.url = request.url;
  no_op.version = request.version;
  no_op.ca_file = request.ca_file;
  no_op.connect_timeout = request.connect_timeout;
  return no_op;
}

bool is_no_op(const Request& request) {
  return request.method == k_no_op;
}

void apply_profile(CURL* easy, const Request& request) {
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_USERAGENT, user_agent().c_str());
  set(easy, CURLOPT_HTTP_VERSION, version_for(request));
  set(easy, CURLOPT_PIPEWAIT, 1L);  // share the HTTP/2 connection that is being made rather than open another
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy, CURLOPT_ACCEPT_ENCODING, "identity");   // a compressed answer that nobody asked for is still read
  set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);  // a proxy's "200 Connection established" is not the answer's head
  if (is_loopback(host_of(request.url))) set(easy, CURLOPT_PROXY, "");
  if (!request.ca_file.empty()) set(easy, CURLOPT_CAINFO, request.ca_file.c_str());
  if (is_no_op(request)) {
    set(easy, CURLOPT_REQUEST_TARGET, "*");
    set(easy, CURLOPT_TIMEOUT_MS, k_no_op_timeout_ms);
  }
  if (request.method == "POST") {
    set(easy, CURLOPT_POST, 1L);
  } else if (request.method != "GET") {
    set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

void apply_request(CURL* easy, const Request& request, lib::curl::HeaderList& headers) {
  if (!request.bearer.empty()) {
    const std::string name = request.key_header.empty() ? "Authorization: Bearer " : request.key_header + ": ";
    headers.add(name + std::string(request.bearer.expose()));
  }
  for (const std::string& line : request.headers) {
    if (is_one_line(line)) headers.add(line);
  }
  if (request.method == "POST") {
    // libcurl would wait for "100 Continue" before a body above 1 MiB: one round trip for nothing.
    if (request.body.size() >= (std::size_t{1} << 20U)) headers.add("Expect:");
    set(easy, CURLOPT_POSTFIELDS, request.body.data());
    // One piece instead of many for a long body; libcurl takes 16 KiB to 2 MiB.
    set(easy, CURLOPT_UPLOAD_BUFFERSIZE, std::clamp(static_cast<long>(request.body.size()), 65536L, 2097152L));
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  set(easy, CURLOPT_HTTPHEADER, headers.get());
}

Error describe_failure(const Transfer& transfer, CURLcode code) {
  const std::string& url = transfer.request.url;
  if (transfer.overflowed) {
    return fail(ErrorKind::upstream_error,
                "The answer of " + host_of(url) + " was not read for so long that it was given up.");
  }
  return could_not_answer(url, advice_for(code), transfer.error_text.data(),
                          code == CURLE_OPERATION_TIMEDOUT ? ErrorKind::upstream_timeout : ErrorKind::upstream_error);
}

}  // namespace nemo::upstream
