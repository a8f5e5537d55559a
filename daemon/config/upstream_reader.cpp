// [[upstream]]: what every kind has, and what only some kinds may have.
#include <algorithm>
#include <array>
#include <cctype>

#include "daemon/config/section_readers.h"
#include "daemon/config/written_forms.h"

namespace nemo::config {
namespace {

constexpr std::string_view k_anthropic_base_url = "https://api.anthropic.com/v1";
constexpr std::string_view k_default_location = "global";
constexpr std::string_view k_file = "file:";
constexpr std::array<std::string_view, 4> k_vertex_keys{"project", "location", "credentials", "token_url"};

bool is_letter_or_digit(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

bool is_header_char(char c) {
  return is_letter_or_digit(c) || c == '-' || c == '_';
}

// Both stand in URLs. A project may carry its domain: "example.com:my-project".
bool is_project_char(char c) {
  return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.' || c == ':';
}

bool is_location_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

void read_header_prefix(const TableReader& reader, std::string& prefix) {
  reader.text("header_prefix", prefix);
  if (!std::all_of(prefix.begin(), prefix.end(), is_header_char)) {
    reader.report("header_prefix", "only letters, digits, \"-\" and \"_\" stand in a header's name");
  }
  // Header names are compared in lower case.
  for (char& c : prefix) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  // Anything wider would pass on headers that frame the answer or set cookies.
  if (!prefix.starts_with("x-")) reader.report("header_prefix", "it begins with \"x-\", such as \"x-nemo-\"");
}

// The value is not repeated: somebody may have put the key file's text there.
void read_credentials(const TableReader& reader, const FileExists& exists, std::string& credentials) {
  reader.text("credentials", credentials);
  if (credentials == "adc") return;
  const std::string path = credentials.starts_with(k_file) ? credentials.substr(k_file.size()) : "";
  if (path.empty() || path.find('\0') != std::string::npos) {
    reader.report("credentials",
                  "not a way to credentials; write \"adc\" (Google's application default credentials) or "
                  "\"file:PATH\" with the path of a JSON key file");
    return;
  }
  if (exists && !exists(path)) {
    reader.report("credentials", "there is no file " + shown(path) +
                                     "; write the path of the JSON key file, or \"adc\" for Google's application "
                                     "default credentials");
  }
}

void read_vertex(const TableReader& reader, const FileExists& exists, Upstream& upstream) {
  if (reader.find("key") != nullptr) {
    reader.report("key",
                  "an upstream of kind \"vertex\" has no key; write credentials = \"adc\" or \"file:PATH\" instead");
  }
  upstream.location = k_default_location;
  reader.text("project", upstream.project);
  if (!std::all_of(upstream.project.begin(), upstream.project.end(), is_project_char)) {
    reader.report("project", "not the id of a Google Cloud project; write it like \"my-project\"");
  }
  reader.text("location", upstream.location);
  if (!std::all_of(upstream.location.begin(), upstream.location.end(), is_location_char)) {
    reader.report("location",
                  "not a location; write a region such as \"europe-west4\", or \"global\", \"us\" or \"eu\"");
  }
  read_credentials(reader, exists, upstream.credentials);
  reader.parsed("token_url", parse_base_url, upstream.token_url);
}

void read_kind(const TableReader& reader, const FileExists& exists, Upstream& upstream) {
  reader.choice<UpstreamKind>("kind",
                              {{"nemo", UpstreamKind::nemo},
                               {"openai", UpstreamKind::openai},
                               {"vertex", UpstreamKind::vertex},
                               {"anthropic", UpstreamKind::anthropic}},
                              upstream.kind);
  if (upstream.kind == UpstreamKind::vertex) {
    read_vertex(reader, exists, upstream);
    return;
  }
  for (const std::string_view key : k_vertex_keys) {
    if (reader.find(key) == nullptr) continue;
    reader.report(key, "only an upstream of kind \"vertex\" has it; remove it, or write kind = \"vertex\"");
  }
  if (upstream.kind == UpstreamKind::nemo) upstream.base_url = k_nemo_base_url;
  if (upstream.kind == UpstreamKind::anthropic) upstream.base_url = k_anthropic_base_url;
  if (upstream.kind == UpstreamKind::openai) reader.require("base_url", "base_url = \"http://127.0.0.1:11434/v1\"");
}

}  // namespace

Upstream read_upstream(FirstProblem& problem, const TomlValue& table, const FileExists& exists) {
  Upstream upstream;
  const TableReader reader(problem, table, "[[upstream]]",
                           {"name", "kind", "base_url", "key", "project", "location", "credentials", "token_url",
                            "header_prefix", "unpriced", "completions", "responses", "http2", "ca_file",
                            "connect_timeout", "first_token_timeout", "idle_timeout"});
  reader.require("name", "name = \"local\"");
  reader.text("name", upstream.name);
  read_kind(reader, exists, upstream);
  reader.parsed("base_url", parse_base_url, upstream.base_url);
  reader.parsed("key", parse_secret_ref, upstream.key);
  read_header_prefix(reader, upstream.header_prefix);
  reader.choice<bool>("unpriced", {{"allow", true}, {"refuse", false}}, upstream.unpriced_allowed);
  reader.word("completions", {"auto", "native", "chat"}, upstream.completions);
  reader.word("responses", {"chat", "native"}, upstream.responses);
  if (reader.find("http2") != nullptr) {
    bool http2 = false;
    reader.truth("http2", http2);
    upstream.http2 = http2;
  }
  reader.text("ca_file", upstream.ca_file);
  reader.duration("connect_timeout", k_some_time, upstream.connect_timeout);
  reader.duration("first_token_timeout", k_some_time, upstream.first_token_timeout);
  reader.duration("idle_timeout", k_some_time, upstream.idle_timeout);
  return upstream;
}

}  // namespace nemo::config
