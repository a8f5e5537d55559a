#include "daemon/upstream/google/token_exchange.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "daemon/upstream/google/percent_encoding.h"
#include "daemon/upstream/google/service_account_jwt.h"

namespace nemo::upstream::google {
namespace {

constexpr std::size_t k_longest_shown = 300;
constexpr std::int64_t k_longest_life = 24 * 60 * 60;  // seconds; Google gives twelve hours at most

void add_field(std::string& form, std::string_view name, std::string_view value) {
  if (!form.empty()) form += '&';
  form.append(name).append("=").append(percent_encoded(value));
}

Request form_post(std::string url, std::string form) {
  Request request;
  request.url = std::move(url);
  request.headers = {"Content-Type: application/x-www-form-urlencoded", "Accept: application/json"};
  request.body = std::move(form);
  return request;
}

struct Ask {
  const std::string& token_url;
  WallTime issued_at;

  Result<Request> operator()(const ServiceAccount& account) const {
    const auto assertion = make_assertion(account, issued_at);
    if (!assertion) return assertion.error();
    std::string form;
    add_field(form, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    add_field(form, "assertion", assertion->expose());
    return form_post(endpoint_or(account.token_uri), std::move(form));
  }
  Result<Request> operator()(const AuthorizedUser& user) const {
    std::string form;
    add_field(form, "grant_type", "refresh_token");
    add_field(form, "refresh_token", user.refresh_token.expose());
    add_field(form, "client_id", user.client_id);
    add_field(form, "client_secret", user.client_secret.expose());
    return form_post(endpoint_or(""), std::move(form));
  }
  Result<Request> operator()(const MetadataServer& server) const {
    Request request;
    request.method = "GET";
    request.url = server.base_url + "/computeMetadata/v1/instance/service-accounts/default/token?scopes=" +
                  percent_encoded(k_cloud_scope);
    request.headers = {"Metadata-Flavor: Google", "Accept: application/json"};
    return request;
  }

 private:
  std::string endpoint_or(const std::string& of_file) const {
    if (!token_url.empty()) return token_url;
    return of_file.empty() ? std::string(k_google_token_url) : of_file;
  }
};

bool mentions(const Refusal& refusal, std::string_view words) {
  return refusal.description.find(words) != std::string::npos;
}

std::string advice_for_account(const Refusal& refusal) {
  if (is_about_time(refusal)) return "Set this machine's clock right.";
  if (mentions(refusal, "ignature")) {
    return "The key has been deleted or replaced: create a new key for the account and put its file there.";
  }
  if (mentions(refusal, "not found")) return "The account has been deleted: use the key of another one.";
  if (mentions(refusal, "disabled")) return "Enable the account, or use the key of another one.";
  return "Check that the account and its key still exist (gcloud iam service-accounts keys list).";
}

std::string advice_for(const Refusal& refusal, const Credentials& credentials) {
  if (refusal.status == 429 || refusal.status >= 500) return "It is asked again by itself.";
  if (std::holds_alternative<MetadataServer>(credentials)) {
    return refusal.status == 404 ? "This machine has no service account: attach one, or set credentials = \"file:…\"."
                                 : "Check the service account of this machine.";
  }
  if (std::holds_alternative<AuthorizedUser>(credentials)) return "Run: gcloud auth application-default login";
  return advice_for_account(refusal);
}

std::optional<int> read_number(std::string_view text) {
  if (text.starts_with('-')) return std::nullopt;
  int value = 0;
  const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (trouble != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Result<Request> token_request(const Credentials& credentials, const std::string& token_url, WallTime issued_at) {
  return std::visit(Ask{token_url, issued_at}, credentials);
}

Result<Grant> read_grant(std::string_view body) {
  const auto broken = [](const char* what) {
    return fail(ErrorKind::upstream_error, std::string("the token endpoint's answer ") + what);
  };
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(body.data(), body.size()).get(object) != simdjson::SUCCESS) return broken("is not a JSON object");
  std::string_view token;
  if (object["access_token"].get(token) != simdjson::SUCCESS || token.empty()) return broken("has no access_token");
  // It goes into a header.
  const auto is_visible = [](char c) { return c > ' ' && c <= '~'; };
  if (!std::all_of(token.begin(), token.end(), is_visible))
    return broken("has an access_token that is no header's value");
  std::int64_t life = 0;
  if (object["expires_in"].get(life) != simdjson::SUCCESS || life <= 0) return broken("does not say how long it lasts");
  return Grant{Secret(std::string(token)), std::chrono::seconds(std::min(life, k_longest_life))};
}

Refusal read_refusal(int status, std::string_view body) {
  Refusal refusal;
  refusal.status = status;
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(body.data(), body.size()).get(object) != simdjson::SUCCESS) return refusal;
  std::string_view text;
  if (object["error"].get(text) == simdjson::SUCCESS) refusal.code = redact(text.substr(0, k_longest_shown));
  if (object["error_description"].get(text) == simdjson::SUCCESS) {
    refusal.description = redact(text.substr(0, k_longest_shown));
  }
  return refusal;
}

bool is_about_time(const Refusal& refusal) {
  if (refusal.code != "invalid_grant") return false;
  return mentions(refusal, "short-lived") || mentions(refusal, "timeframe") || mentions(refusal, "iat and exp");
}

Error explain(const Refusal& refusal, const Credentials& credentials, const std::string& origin) {
  std::string message = "Google gives no access token for " + origin + ": ";
  if (refusal.code.empty()) {
    message += "status " + std::to_string(refusal.status);
  } else {
    message += refusal.code;
  }
  if (!refusal.description.empty()) message += ": " + refusal.description;
  if (!message.ends_with('.')) message += '.';
  return fail(ErrorKind::upstream_error, message + " " + advice_for(refusal, credentials));
}

std::optional<WallTime> read_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> k_months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  constexpr std::string_view k_form = "Sun, 06 Nov 1994 08:49:37 GMT";
  if (text.size() != k_form.size() || text.substr(26) != "GMT") return std::nullopt;
  unsigned month = 0;
  while (month < k_months.size() && k_months.at(month) != text.substr(8, 3)) ++month;
  const auto day = read_number(text.substr(5, 2));
  const auto year = read_number(text.substr(12, 4));
  const auto hour = read_number(text.substr(17, 2));
  const auto minute = read_number(text.substr(20, 2));
  const auto second = read_number(text.substr(23, 2));
  if (!day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(month + 1),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

}  // namespace nemo::upstream::google
