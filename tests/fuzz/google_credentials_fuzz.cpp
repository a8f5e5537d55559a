// A credentials file is refused with its name, or gives an identity whose request for a token is one form with nothing
// else in it; what the environment says gives a project that can stand in a URL, or a refusal.
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "daemon/upstream/google/adc.h"
#include "daemon/upstream/google/credentials_file.h"
#include "daemon/upstream/google/rsa_key.h"
#include "daemon/upstream/google/token_exchange.h"
#include "tests/fuzz/require.h"

using namespace nemo::upstream::google;

namespace {

constexpr std::string_view k_name = "the/file.json";
constexpr std::string_view k_key_mark = "@KEY@";  // in an input: a real key, which no mutation finds

// As it stands in a JSON text. Small, so that it signs fast.
std::string make_key() {
  const RsaKey key(EVP_RSA_gen(1024));
  REQUIRE_RULE(key != nullptr);
  BIO* bio = BIO_new(BIO_s_mem());
  REQUIRE_RULE(PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  std::string text;
  for (const char c : std::string_view(bytes, static_cast<std::size_t>(size))) {
    if (c == '\n') text += "\\n";
    if (c != '\n') text += c;
  }
  BIO_free(bio);
  return text;
}

std::string with_key(std::string text) {
  static const std::string k_key = make_key();
  const auto at = text.find(k_key_mark);
  if (at != std::string::npos) text.replace(at, k_key_mark.size(), k_key);
  return text;
}

bool is_form(std::string_view text, std::ptrdiff_t fields) {
  const bool clean = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~%=&").find(c) != std::string_view::npos;
  });
  return clean && std::count(text.begin(), text.end(), '&') == fields - 1 &&
         std::count(text.begin(), text.end(), '=') == fields;
}

void check_service_account(const ServiceAccount& account) {
  REQUIRE_RULE(!account.client_email.empty());
  const auto request = token_request(account, "", nemo::WallTime{});
  REQUIRE_RULE(request.ok());
  REQUIRE_RULE(is_form(request->body, 2));
  const std::string_view url = request->url;
  REQUIRE_RULE(url.starts_with("https://") || url.starts_with("http://127.0.0.1:") ||
               url.starts_with("http://localhost:") || url.starts_with("http://[::1]:"));
}

void check_authorized_user(const AuthorizedUser& user) {
  REQUIRE_RULE(!user.client_id.empty() && !user.client_secret.expose().empty() && !user.refresh_token.expose().empty());
  const auto request = token_request(user, "", nemo::WallTime{});
  REQUIRE_RULE(request.ok());
  REQUIRE_RULE(is_form(request->body, 4));
}

// The same bytes by way of a file.
bool loads_from_a_file(const std::string& text) {
  const int fd = ::memfd_create("credentials", MFD_CLOEXEC);
  REQUIRE_RULE(fd >= 0);
  REQUIRE_RULE(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  const bool ok = load_credentials_file("/proc/self/fd/" + std::to_string(fd)).ok();
  ::close(fd);
  return ok;
}

void check_file(const std::string& text) {
  const auto read = parse_credentials(text, std::string(k_name));
  REQUIRE_RULE(loads_from_a_file(text) == read.ok());
  if (!read.ok()) {
    REQUIRE_RULE(read.error().kind == nemo::ErrorKind::invalid_config);
    REQUIRE_RULE(read.error().message.find(k_name) != std::string::npos);
    return;
  }
  if (const auto* account = std::get_if<ServiceAccount>(&*read)) check_service_account(*account);
  if (const auto* user = std::get_if<AuthorizedUser>(&*read)) check_authorized_user(*user);
}

// Each line of the text is what one variable holds.
void check_environment(const std::string& text) {
  constexpr std::array<const char*, 5> k_names{"GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "GOOGLE_CLOUD_QUOTA_PROJECT",
                                               "GCE_METADATA_HOST", "GCE_METADATA_IP"};
  std::map<std::string, std::string, std::less<>> variables{{"HOME", "/nonexistent"}};
  std::size_t at = 0;
  for (const char* name : k_names) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    variables[name] = text.substr(at, end - at);
    at = std::min(end + 1, text.size());
  }
  nemo::config::Upstream settings;
  settings.name = "vertex";
  const auto found = find_identity(settings, [&](const char* name) -> std::optional<std::string> {
    const auto value = variables.find(std::string_view(name));
    return value == variables.end() ? std::nullopt : std::optional(value->second);
  });
  if (!found.ok()) return;
  constexpr std::string_view k_in_ids = "abcdefghijklmnopqrstuvwxyz0123456789-.:";
  REQUIRE_RULE(!found->project.empty());
  REQUIRE_RULE(found->project.find_first_not_of(k_in_ids) == std::string::npos);
  REQUIRE_RULE(found->quota_project.find_first_not_of(k_in_ids) == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_file(with_key(text));
  check_environment(text);
  return 0;
}
