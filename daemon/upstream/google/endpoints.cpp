#include "daemon/upstream/google/endpoints.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "daemon/upstream/google/percent_encoding.h"

namespace nemo::upstream::google {
namespace {

constexpr std::string_view k_google = "google";
constexpr std::string_view k_anthropic = "anthropic";
constexpr std::string_view k_mistral = "mistralai";
constexpr std::string_view k_from_config = "config";

struct NamedSo {
  std::string_view start;
  std::string_view publisher;
};
// Whose a model is when nobody says so.
constexpr std::array<NamedSo, 9> k_names{{{"claude-", k_anthropic},
                                          {"codestral", k_mistral},
                                          {"mistral-", k_mistral},
                                          {"ministral", k_mistral},
                                          {"gemini-", k_google},
                                          {"gemma-", k_google},
                                          {"text-embedding-", k_google},
                                          {"textembedding-gecko", k_google},
                                          {"text-multilingual-embedding-", k_google}}};

std::string_view publisher_by_name(std::string_view model) {
  for (const NamedSo& name : k_names) {
    if (model.starts_with(name.start)) return name.publisher;
  }
  return {};
}

std::optional<Wire> embedding_wire(std::string_view model) {
  // The second family takes one text a call and has no :predict.
  if (model.starts_with("gemini-embedding-2")) return Wire::embed_content;
  for (const std::string_view start :
       {"gemini-embedding", "text-embedding-", "text-multilingual-embedding-", "textembedding-gecko"}) {
    if (model.starts_with(start)) return Wire::predict;
  }
  return std::nullopt;
}

// The ids with a version behind "@" carry it in the URL only.
std::string without_version(std::string_view model) {
  return std::string(model.substr(0, model.find('@')));
}

bool is_label(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::string_view method_of(Wire wire, Streamed streamed) {
  switch (wire) {
    case Wire::predict:
      return ":predict";
    case Wire::embed_content:
      return ":embedContent";
    case Wire::gemini:
      return streamed == Streamed::yes ? ":streamGenerateContent?alt=sse" : ":generateContent";
    case Wire::openai:
    case Wire::claude:
    case Wire::mistral:
      break;
  }
  return streamed == Streamed::yes ? ":streamRawPredict" : ":rawPredict";
}

struct OwnedModel {
  std::string_view publisher;
  std::string_view bare;
};
OwnedModel owner_and_name(std::string_view publisher, std::string_view model) {
  if (publisher == k_from_config) publisher = {};
  if (const auto slash = model.find('/'); slash != std::string_view::npos) {
    publisher = model.substr(0, slash);
    model.remove_prefix(slash + 1);
  }
  return {publisher.empty() ? publisher_by_name(model) : publisher, model};
}

}  // namespace

Result<Served> served_as(std::string_view publisher, std::string_view model) {
  const auto [owner, bare] = owner_and_name(publisher, model);
  publisher = owner;
  if (publisher == k_anthropic) return Served{Wire::claude, std::string(publisher), std::string(bare), ""};
  if (publisher == k_mistral) {
    return Served{Wire::mistral, std::string(publisher), std::string(bare), without_version(bare)};
  }
  if (publisher == k_google) {
    if (bare.starts_with("multimodalembedding")) {
      return fail(ErrorKind::invalid_config, "The model \"" + std::string(model) +
                                                 "\" embeds pictures and films beside text, which is not served here; "
                                                 "name text-embedding-005 or gemini-embedding-001 instead.");
    }
    if (const auto wire = embedding_wire(bare)) return Served{*wire, std::string(publisher), std::string(bare), ""};
  }
  Served served;
  if (!publisher.empty()) served.body_model.append(publisher).append("/");
  served.body_model.append(bare);
  return served;
}

std::optional<Served> served_as_gemini(std::string_view publisher, std::string_view model) {
  const auto [owner, bare] = owner_and_name(publisher, model);
  if (owner != k_google || !bare.starts_with("gemini-") || embedding_wire(bare)) return std::nullopt;
  return Served{Wire::gemini, std::string(owner), std::string(bare), ""};
}

Status check(const Place& place) {
  if (place.project.empty()) return fail(ErrorKind::invalid_config, "no project is named; write project = \"…\"");
  // Older projects belong to a domain: "example.com:my-project".
  constexpr std::string_view k_in_projects = "abcdefghijklmnopqrstuvwxyz0123456789-.:";
  if (place.project.find_first_not_of(k_in_projects) != std::string::npos) {
    return fail(ErrorKind::invalid_config,
                "project = \"" + place.project + "\" is not a project id: it has lower-case letters, digits and \"-\"");
  }
  if (place.location.empty()) {
    return fail(
        ErrorKind::invalid_config,
        "no location is named; write location = \"europe-west4\", another region, \"global\", \"us\" or \"eu\"");
  }
  if (!is_label(place.location)) {
    return fail(ErrorKind::invalid_config, "location = \"" + place.location +
                                               "\" is not a location; write \"europe-west4\", another region, "
                                               "\"global\", \"us\" or \"eu\"");
  }
  return Done{};
}

std::string base_url_of(std::string_view location) {
  constexpr std::string_view k_api = "aiplatform";
  std::string url = "https://";
  if (location == "global") return url.append(k_api).append(".googleapis.com");
  if (location == "us" || location == "eu") {
    return url.append(k_api).append(".").append(location).append(".rep.googleapis.com");
  }
  return url.append(location).append("-").append(k_api).append(".googleapis.com");
}

std::string url_of(const Place& place, const Served& served, Streamed streamed) {
  std::string url = place.base_url.empty() ? base_url_of(place.location) : place.base_url;
  while (url.ends_with('/')) url.pop_back();
  // Some write the address as other clients want it, with the version at its end.
  if (!url.ends_with("/v1")) url += "/v1";
  url.append("/projects/").append(percent_encoded(place.project, ":"));
  url.append("/locations/").append(percent_encoded(place.location));
  if (served.wire == Wire::openai) return url.append("/endpoints/openapi/chat/completions");
  url.append("/publishers/").append(percent_encoded(served.publisher));
  url.append("/models/").append(percent_encoded(served.url_model, "@"));
  return url.append(method_of(served.wire, streamed));
}

std::vector<std::string> headers_for(std::string_view quota_project) {
  if (quota_project.empty()) return {};
  return {"x-goog-user-project: " + std::string(quota_project)};
}

}  // namespace nemo::upstream::google
