#include "daemon/upstream/google/credentials_file.h"

#include <openssl/crypto.h>
#include <simdjson.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "daemon/upstream/google/rsa_key.h"

namespace nemo::upstream::google {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_largest_file = std::size_t{1} << 20U;

Error refuse(const std::string& name, const std::string& what) {
  return fail(ErrorKind::invalid_config, "The credentials file " + name + " " + what);
}

// The fields of one kind of file, and the first thing that is wrong with them.
class Fields {
 public:
  Fields(const simdjson::dom::object& object, std::string_view type, const std::string& name)
      : m_object(object), m_type(type), m_name(name) {}

  std::string_view needed(const char* field) {
    const auto text = find(field);
    if (!text || text->empty()) {
      report("is of type \"" + std::string(m_type) + "\" and lacks the field \"" + field +
             "\"; create it again, or copy it whole.");
    }
    return text.value_or("");
  }
  std::string optional(const char* field) { return std::string(find(field).value_or("")); }
  void report(const std::string& what) {
    if (!m_problem) m_problem = refuse(m_name, what);
  }
  const std::optional<Error>& problem() const { return m_problem; }

 private:
  std::optional<std::string_view> find(const char* field) {
    simdjson::dom::element element;
    if (m_object[field].get(element) != simdjson::SUCCESS || element.is_null()) return std::nullopt;
    std::string_view text;
    if (element.get(text) == simdjson::SUCCESS) return text;
    report("has something else than a text in its field \"" + std::string(field) + "\".");
    return std::nullopt;
  }

  const simdjson::dom::object& m_object;
  std::string_view m_type;
  const std::string& m_name;
  std::optional<Error> m_problem;
};

// An assertion is good for an hour of somebody's cloud, so it does not travel in clear; loopback is for tests.
bool may_be_sent_to(std::string_view url) {
  for (const std::string_view start : {"https://", "http://127.0.0.1:", "http://localhost:", "http://[::1]:"}) {
    if (url.starts_with(start)) return true;
  }
  return false;
}

Result<FileCredentials> read_service_account(Fields& fields) {
  ServiceAccount account;
  account.client_email = fields.needed("client_email");
  account.private_key = Secret(std::string(fields.needed("private_key")));
  account.private_key_id = fields.optional("private_key_id");
  account.project_id = fields.optional("project_id");
  account.token_uri = fields.optional("token_uri");
  account.quota_project_id = fields.optional("quota_project_id");
  if (!account.token_uri.empty() && !may_be_sent_to(account.token_uri)) {
    fields.report("has a token_uri that does not begin with https://.");
  }
  if (!fields.problem()) {
    if (const auto key = read_rsa_key(account.private_key.expose()); !key) {
      fields.report("has a private_key that " + key.error().message +
                    "; download the key of the service account again, or copy the file whole.");
    }
  }
  if (fields.problem()) return *fields.problem();
  return FileCredentials(std::move(account));
}

Result<FileCredentials> read_authorized_user(Fields& fields) {
  AuthorizedUser user;
  user.client_id = fields.needed("client_id");
  user.client_secret = Secret(std::string(fields.needed("client_secret")));
  user.refresh_token = Secret(std::string(fields.needed("refresh_token")));
  user.quota_project_id = fields.optional("quota_project_id");
  if (fields.problem()) return *fields.problem();
  return FileCredentials(std::move(user));
}

}  // namespace

Result<FileCredentials> parse_credentials(std::string_view text, const std::string& name) {
  constexpr std::string_view k_supported =
      "supported are \"service_account\" (the key of a service account) and \"authorized_user\" (what gcloud auth "
      "application-default login writes)";
  simdjson::padded_string padded(text);
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const auto trouble = parser.parse(padded).get(root);
  OPENSSL_cleanse(padded.data(), padded.size());  // the parser has a copy of what it needs
  if (trouble != simdjson::SUCCESS) {
    return refuse(name, "is not JSON (" + std::string(simdjson::error_message(trouble)) + ").");
  }
  simdjson::dom::object object;
  if (root.get(object) != simdjson::SUCCESS) return refuse(name, "is JSON, but not an object.");
  std::string_view type;
  if (object["type"].get(type) != simdjson::SUCCESS) {
    std::string what = "lacks the field \"type\"";
    // What the console offers for download beside keys of service accounts.
    simdjson::dom::element client;
    if (object["installed"].get(client) == simdjson::SUCCESS || object["web"].get(client) == simdjson::SUCCESS) {
      what = "describes an OAuth client, not an account";
    }
    return refuse(name, what + "; " + std::string(k_supported) + ".");
  }
  Fields fields(object, type, name);
  if (type == "service_account") return read_service_account(fields);
  if (type == "authorized_user") return read_authorized_user(fields);
  return refuse(name, "is of type \"" + std::string(type.substr(0, 100)) + "\"; " + std::string(k_supported) + ".");
}

Result<FileCredentials> load_credentials_file(const fs::path& file) {
  const std::string name = file.string();
  std::error_code trouble;
  if (fs::is_directory(file, trouble)) return refuse(name, "is a folder.");
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in) return refuse(name, std::string("cannot be read: ") + std::strerror(errno) + ".");
  std::string text(k_largest_file + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  const auto size = static_cast<std::size_t>(in.gcount());
  if (in.bad()) {
    OPENSSL_cleanse(text.data(), text.size());
    return refuse(name, std::string("cannot be read: ") + std::strerror(errno) + ".");
  }
  if (size > k_largest_file) {
    OPENSSL_cleanse(text.data(), text.size());
    return refuse(name, "is above 1 MiB, so it is something else.");
  }
  text.resize(size);
  const Secret whole(std::move(text));
  return parse_credentials(whole.expose(), name);
}

}  // namespace nemo::upstream::google
