#include "tests/support/fake_google/google_endpoints.h"

#include <map>
#include <utility>

#include "tests/support/fake_google/objections.h"

namespace nemo::fake_google {
namespace {

using fake_upstream::Request;

std::string decoded(std::string_view text, bool plus_is_space) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::map<std::string, std::string> form_fields(std::string_view body) {
  std::map<std::string, std::string> fields;
  while (!body.empty()) {
    const std::string_view pair = body.substr(0, body.find('&'));
    body.remove_prefix(std::min(pair.size() + 1, body.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    fields[decoded(pair.substr(0, equals), true)] = equals == pair.size() ? "" : decoded(pair.substr(equals + 1), true);
  }
  return fields;
}

// The next segment of a path, "/" left out.
std::string_view take_segment(std::string_view& path) {
  if (path.starts_with("/")) path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

Json token_error_json(const std::string& error, const std::string& description) {
  Json body = {{"error", error}};
  if (!description.empty()) body["error_description"] = description;
  return body;
}

template <typename T>
void read_into(const Json& fields, const char* name, T& target) {
  if (fields.contains(name)) target = fields[name].get<T>();
}

Settings::TokenError read_token_error(const Json& fields) {
  Settings::TokenError error;
  read_into(fields, "status", error.status);
  read_into(fields, "error", error.error);
  read_into(fields, "error_description", error.description);
  if (fields.contains("times")) error.times = fields["times"].get<std::int64_t>();
  return error;
}

}  // namespace

GoogleEndpoints::GoogleEndpoints(Json base_script) : Endpoints(std::move(base_script)) {}

void GoogleEndpoints::set_port(int port) {
  m_desk.set_url("http://127.0.0.1:" + std::to_string(port) + "/token");
}

Reply GoogleEndpoints::answer(const Request& request) {
  if (request.path.starts_with("/control/")) {
    if (auto reply = control(request)) return std::move(*reply);
    return Endpoints::answer(request);
  }
  if (request.path.starts_with("/journal") || request.path == "/health") return Endpoints::answer(request);
  if (request.path == "/token") return token_page(request);
  if (request.path.starts_with("/computeMetadata/")) return metadata_page(request);
  const auto target = read_target(request.path);
  if (target && request.method == "POST") return vertex(request, *target);
  count_other(request);
  return json_reply(404, error_json(404, "no such path: " + request.method + " " + request.path, form()));
}

std::optional<Reply> GoogleEndpoints::control(const Request& request) {
  if (request.path == "/control/service-account.json") {
    return json_reply(200, m_desk.service_account(m_settings.project));
  }
  if (request.path == "/control/authorized-user.json") return json_reply(200, m_desk.authorized_user());
  if (request.path == "/control/revoke") return json_reply(200, {{"revoked", m_desk.revoke_all()}});
  if (request.path == "/control/google") return set(Json::parse(request.body, nullptr, false));
  if (request.path == "/control/clear") {
    m_settings = {};
    m_desk.set_skew(0);
  }
  return std::nullopt;
}

Reply GoogleEndpoints::set(const Json& fields) try {
  if (!fields.is_object()) return json_reply(400, {{"error", "a JSON object is wanted"}});
  for (const auto& [name, value] : fields.items()) {
    if (name == "token_error") {
      m_settings.token_error.reset();
      if (!value.is_null()) m_settings.token_error = read_token_error(value);
    } else if (name != "project" && name != "locations" && name != "expires_in" && name != "skew_s" &&
               name != "error_list" && name != "token_delay_ms" && name != "cache_write_tokens" &&
               name != "refuse_tokens") {
      return json_reply(400, {{"error", "unknown setting: " + name}});
    }
  }
  read_into(fields, "project", m_settings.project);
  read_into(fields, "locations", m_settings.locations);
  read_into(fields, "expires_in", m_settings.expires_in);
  read_into(fields, "skew_s", m_settings.skew_s);
  read_into(fields, "error_list", m_settings.error_list);
  read_into(fields, "token_delay_ms", m_settings.token_delay_ms);
  read_into(fields, "cache_write_tokens", m_settings.cache_write_tokens);
  read_into(fields, "refuse_tokens", m_settings.refuse_tokens);
  m_desk.set_skew(m_settings.skew_s);
  return json_reply(200, {{"ok", true}});
} catch (const Json::exception& trouble) {
  return json_reply(400, {{"error", trouble.what()}});
}

std::optional<Reply> GoogleEndpoints::scripted_token_error() {
  if (!m_settings.token_error) return std::nullopt;
  const Settings::TokenError error = *m_settings.token_error;
  if (error.times && --*m_settings.token_error->times <= 0) m_settings.token_error.reset();
  return json_reply(error.status, token_error_json(error.error, error.description), m_settings.token_delay_ms,
                    "Date: " + m_desk.date_header() + "\r\n");
}

Reply GoogleEndpoints::give_token(const std::string& headers) {
  const Json body = {{"access_token", m_desk.give(m_settings.expires_in)},
                     {"expires_in", m_settings.expires_in},
                     {"token_type", "Bearer"}};
  return json_reply(200, body, m_settings.token_delay_ms, "Date: " + m_desk.date_header() + "\r\n" + headers);
}

Reply GoogleEndpoints::token_page(const Request& request) {
  count_other(request);
  if (auto scripted = scripted_token_error()) return std::move(*scripted);
  const auto fields = form_fields(request.body);
  const auto field = [&](const char* name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  };
  Refused refused{"unsupported_grant_type", "Invalid grant_type: " + field("grant_type")};
  if (request.method != "POST" || !request.header("content-type").starts_with("application/x-www-form-urlencoded")) {
    refused = {"invalid_request", "a form is to be posted"};
  } else if (field("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer") {
    refused = m_desk.check_assertion(field("assertion"));
  } else if (field("grant_type") == "refresh_token") {
    refused = m_desk.check_refresh(field("client_id"), field("client_secret"), field("refresh_token"));
  }
  if (!refused) return give_token("");
  const int status = refused.error == "invalid_client" ? 401 : 400;
  return json_reply(status, token_error_json(refused.error, refused.description), 0,
                    "Date: " + m_desk.date_header() + "\r\n");
}

Reply GoogleEndpoints::metadata_page(const Request& request) {
  count_other(request);
  if (request.header("metadata-flavor") != "Google") {
    return json_reply(403, token_error_json("forbidden", "the header Metadata-Flavor: Google is missing"));
  }
  constexpr const char* k_flavor = "Metadata-Flavor: Google\r\n";
  if (request.path == "/computeMetadata/v1/instance/service-accounts/default/token") {
    if (auto scripted = scripted_token_error()) return std::move(*scripted);
    return give_token(k_flavor);
  }
  if (request.path == "/computeMetadata/v1/project/project-id") return json_reply(200, m_settings.project, 0, k_flavor);
  return json_reply(404, token_error_json("not_found", request.path), 0, k_flavor);
}

std::optional<GoogleEndpoints::Target> GoogleEndpoints::read_target(std::string_view path) {
  Target target;
  if (take_segment(path) != "v1" || take_segment(path) != "projects") return std::nullopt;
  target.project = decoded(take_segment(path), false);
  if (take_segment(path) != "locations") return std::nullopt;
  target.location = decoded(take_segment(path), false);
  if (path == "/endpoints/openapi/chat/completions") return target;
  if (take_segment(path) != "publishers") return std::nullopt;
  target.publisher = decoded(take_segment(path), false);
  if (take_segment(path) != "models") return std::nullopt;
  const std::string_view last = take_segment(path);
  const auto colon = last.rfind(':');
  if (colon == std::string_view::npos || target.publisher.empty() || !path.empty()) return std::nullopt;
  target.model = decoded(last.substr(0, colon), false);
  target.method = last.substr(colon + 1);
  return target;
}

}  // namespace nemo::fake_google
