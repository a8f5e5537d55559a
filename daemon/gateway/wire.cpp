#include "daemon/gateway/wire.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/catalog/guess_fim.h"
#include "daemon/gateway/attempt.h"
#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/surface_form.h"
#include "daemon/upstream/google/endpoints.h"

namespace nemo::gateway {
namespace {

using protocol::Completions;
using protocol::Dialect;

constexpr std::string_view k_beta_header = "anthropic-beta:";

// What an upstream of its kind speaks for this call, and where.
struct Place {
  Dialect dialect = Dialect::openai;
  std::string url;
  std::string model;  // what the body calls it
};

// Stated, known of the model, or read out of its name: a server that runs models as they are fills holes that are
// marked as the model learned it, and ignores a suffix.
call::FimForm fim_at(const routing::Decision::Choice& choice) {
  const catalog::Model& model = *choice.model;
  if (model.fim) return *model.fim;
  if (model.publisher != "config") return model.capabilities.fim ? call::FimForm::suffix : call::FimForm::none;
  if (const auto form = catalog::guess_fim(choice.deployment->upstream_model)) return *form;
  return catalog::guess_fim(model.id).value_or(call::FimForm::suffix);
}

Completions completions_at(const config::Upstream& upstream, const call::CallSpec& spec, const catalog::Model& model) {
  if (call::hub_of(spec.surface) != call::Hub::completions) return Completions::native;
  if (upstream.completions == "native") return Completions::native;
  if (upstream.completions == "chat") return Completions::through_chat;
  if (model.fim && model.capabilities.chat) {
    return *model.fim == call::FimForm::none ? Completions::through_chat : Completions::native;
  }
  // Left to the catalog: a model that fills in the middle, or one that the catalog knows nothing of, is asked natively.
  const bool chat_only = model.capabilities.chat && !model.capabilities.fim;
  return chat_only && model.publisher != "config" ? Completions::through_chat : Completions::native;
}

Dialect dialect_at(upstream::google::Wire wire) {
  switch (wire) {
    case upstream::google::Wire::openai:
      return Dialect::openai;
    case upstream::google::Wire::claude:
      return Dialect::vertex_claude;
    case upstream::google::Wire::mistral:
      return Dialect::vertex_mistral;
    case upstream::google::Wire::predict:
      return Dialect::vertex_predict;
    case upstream::google::Wire::embed_content:
      return Dialect::vertex_embed;
    case upstream::google::Wire::gemini:
      return Dialect::gemini;
  }
  return Dialect::openai;
}

// A caller that speaks Gemini's own dialect is answered in it where the model has it.
Result<upstream::google::Served> served_at(const call::CallSpec& spec, const routing::Decision::Choice& choice) {
  const std::string& model = choice.deployment->upstream_model;
  if (spec.surface == call::Surface::gemini) {
    if (auto native = upstream::google::served_as_gemini(choice.model->publisher, model)) return std::move(*native);
  }
  return upstream::google::served_as(choice.model->publisher, model);
}

Result<Place> vertex_place(const config::Upstream& upstream, const call::CallSpec& spec,
                           const routing::Decision::Choice& choice) {
  const auto served = served_at(spec, choice);
  if (!served) return served.error();
  const upstream::google::Place at{upstream.project, upstream.location, upstream.base_url};
  const auto streamed = spec.stream ? upstream::google::Streamed::yes : upstream::google::Streamed::no;
  return Place{dialect_at(served->wire), upstream::google::url_of(at, *served, streamed),
               served->body_model.empty() ? choice.deployment->upstream_model : served->body_model};
}

std::string_view openai_path(const call::CallSpec& spec, Completions completions) {
  if (completions == Completions::through_chat) return "/chat/completions";
  switch (call::hub_of(spec.surface)) {
    case call::Hub::chat:
      return "/chat/completions";
    case call::Hub::completions:
      return "/completions";
    case call::Hub::embeddings:
      return "/embeddings";
  }
  return "/chat/completions";
}

Result<Place> place_of(const config::Upstream& upstream, const call::CallSpec& spec,
                       const routing::Decision::Choice& choice, Completions completions) {
  const std::string& model = choice.deployment->upstream_model;
  if (upstream.kind == config::UpstreamKind::vertex) return vertex_place(upstream, spec, choice);
  if (upstream.kind == config::UpstreamKind::anthropic) {
    return Place{Dialect::anthropic, upstream.base_url + "/messages", model};
  }
  if (spec.surface == call::Surface::openai_responses && upstream.responses == "native") {
    return Place{Dialect::responses, upstream.base_url + "/responses", model};
  }
  return Place{Dialect::openai, upstream.base_url + std::string(openai_path(spec, completions)), model};
}

// What the client of Anthropic's dialect has asked for in headers beside the version.
std::string betas_of(const Asked& asked) {
  std::string betas;
  if (asked.spec.surface != call::Surface::anthropic_messages) return betas;
  for (const std::string& header : asked.incoming.dialect_headers) {
    if (header.starts_with(k_beta_header)) betas.append(header.substr(k_beta_header.size())).append(",");
  }
  return betas;
}

// On Vertex the version stands in the body.
void append_betas(const Asked& asked, std::vector<std::string>& headers) {
  for (const std::string& header : asked.incoming.dialect_headers) {
    if (header.starts_with(k_beta_header)) headers.push_back(header);
  }
}

// The client's own where it speaks Anthropic's dialect itself.
void append_dialect_headers(const Asked& asked, std::vector<std::string>& headers) {
  bool has_version = false;
  if (asked.spec.surface == call::Surface::anthropic_messages) {
    for (const std::string& header : asked.incoming.dialect_headers) {
      has_version = has_version || header.starts_with("anthropic-version:");
      headers.push_back(header);
    }
  }
  if (!has_version) headers.emplace_back("anthropic-version: 2023-06-01");
}

// Whose chat takes OpenAI's own fields and no others. Other servers of that API (llama.cpp, Ollama, vLLM, OpenRouter
// and the like) take top_k too, and pass over what they have no use for.
bool is_strict(const config::Upstream& upstream) {
  constexpr std::array<std::string_view, 4> k_hosts{"api.openai.com", "api.mistral.ai", "codestral.mistral.ai",
                                                    "generativelanguage.googleapis.com"};
  constexpr std::string_view k_azure = ".openai.azure.com";
  std::string_view host = upstream.base_url;
  if (const auto scheme = host.find("://"); scheme != std::string_view::npos) host.remove_prefix(scheme + 3);
  host = host.substr(0, host.find_first_of(":/"));
  return host.ends_with(k_azure) || std::find(k_hosts.begin(), k_hosts.end(), host) != k_hosts.end();
}

// Fields that only a translation has put there must not be why a call is refused.
void drop_refused_fields(std::string& body, const config::Upstream& upstream, const catalog::Model& model) {
  const bool is_vertex = upstream.kind == config::UpstreamKind::vertex;
  if (upstream.kind == config::UpstreamKind::nemo || (!is_vertex && !is_strict(upstream))) return;
  std::vector<std::string> refused{"top_k"};
  if (!is_vertex && !model.capabilities.reasoning) refused.emplace_back("reasoning_effort");
  std::erase_if(refused, [&](const std::string& key) { return body.find('"' + key + '"') == std::string::npos; });
  if (refused.empty()) return;
  const auto parsed = protocol::RequestBody::parse(body);
  protocol::FieldEdit edit;
  for (std::string& key : refused) {
    if (parsed && parsed->find(key) != nullptr) edit.remove(std::move(key));
  }
  if (!edit.empty()) body = edit.apply(*parsed);
}

bool is_openai(Dialect dialect) {
  return dialect == Dialect::openai || dialect == Dialect::vertex_mistral;
}

}  // namespace

Result<Sending> prepare(const Asked& asked, const routing::Decision::Choice& choice,
                        std::optional<std::int64_t> output_cap) {
  const Snapshot& world = asked.world;
  const call::CallSpec& spec = asked.spec;
  const Endpoint& endpoint = world.endpoints.at(choice.deployment->upstream);
  const config::Upstream& settings = endpoint.settings;
  const Completions completions = completions_at(settings, spec, *choice.model);
  auto place = place_of(settings, spec, choice, completions);
  if (!place) return place.error();
  const std::string betas = betas_of(asked);
  const protocol::Talk talk{
      asked.body,
      spec,
      settings.kind == config::UpstreamKind::nemo ? protocol::Extensions::keep : protocol::Extensions::strip,
      completions,
      choice.model->max_output_tokens.value_or(0),
      asked.incoming.at,
      choice.model->id,
      asked.hub,
      fim_at(choice),
      betas};
  auto conversation = protocol::make_conversation(place->dialect, talk);
  if (!conversation) return conversation.error();
  auto bytes = (*conversation)->request(place->model, output_cap);
  if (!bytes) return bytes.error();
  if (is_openai(place->dialect) && protocol::form_of(asked.incoming.surface).hub) {
    drop_refused_fields(*bytes, settings, *choice.model);
  }

  upstream::Request request;
  request.url = std::move(place->url);
  request.body = std::move(*bytes);
  request.headers = {"Content-Type: application/json",
                     spec.stream ? "Accept: text/event-stream" : "Accept: application/json"};
  if (settings.kind == config::UpstreamKind::anthropic) {
    request.key_header = "x-api-key";
    append_dialect_headers(asked, request.headers);
  }
  if (settings.kind == config::UpstreamKind::vertex) {
    for (std::string& header : upstream::google::headers_for(endpoint.quota_project)) {
      request.headers.push_back(std::move(header));
    }
    if (place->dialect == Dialect::vertex_claude && !betas.empty()) append_betas(asked, request.headers);
  }
  request.ca_file = settings.ca_file;
  request.connect_timeout = settings.connect_timeout;
  request.first_byte_timeout = settings.first_token_timeout;
  const auto lane = world.settings.lanes.find(asked.decision.lane);
  if (lane != world.settings.lanes.end() && lane->second.first_token_timeout) {
    request.first_byte_timeout = *lane->second.first_token_timeout;
  }
  request.idle_timeout = settings.idle_timeout;
  if (settings.http2) request.version = *settings.http2 ? upstream::HttpVersion::http2 : upstream::HttpVersion::http1;
  return Sending{std::move(*conversation), std::move(request)};
}

}  // namespace nemo::gateway
