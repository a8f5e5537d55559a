// What llama.cpp's clients ask a server about itself. Source: llama.cpp, README of its server (/props, /tokenize).
#include <string>

#include "daemon/gateway/pages/page_view.h"
#include "daemon/gateway/purse.h"
#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/request_body.h"
#include "shared/version.h"

namespace nemo::gateway {
namespace {

// Of a model that nobody has stated one for: what small code models are run with.
constexpr std::int64_t k_usual_context = 8'192;
// Clients count a file's chunks, some kilobytes each; the answer has a number for every token.
constexpr std::size_t k_longest_content = std::size_t{4} << 20U;

}  // namespace

// Of the completion lane's model, which answers /infill where the client names none.
Result<Answer> llamacpp_props_page(const PageView& view) {
  const auto named = find_named_model(view, "nemo/completion");
  const catalog::Model* model = named ? named->model : nullptr;
  const bool is_stated = model != nullptr && model->context_window > 0;
  const std::string context = std::to_string(is_stated ? model->context_window : k_usual_context);
  const std::string name = protocol::quote_json(model != nullptr ? model->id : "nemo/completion");
  const bool sees = model != nullptr && model->capabilities.vision;
  std::string body = "{\"default_generation_settings\":{\"n_ctx\":" + context + "},\"total_slots\":1,\"model_alias\":";
  body.append(name).append(",\"model_path\":").append(name);
  body.append(",\"modalities\":{\"vision\":").append(sees ? "true" : "false").append(",\"audio\":false}");
  body.append(",\"chat_template\":\"\",\"bos_token\":\"\",\"eos_token\":\"\",\"build_info\":");
  return json_page(body.append(protocol::quote_json("nemod " + std::string(version()))).append("}"));
}

// No model's tokens are known here, and clients only count them: an estimate, one number for every four bytes. The
// numbers themselves mean nothing.
Result<Answer> llamacpp_tokenize_page(const PageView& view) {
  const auto body = protocol::RequestBody::parse(view.body);
  if (!body) return body.error();
  const protocol::Field* field = body->find("content");
  const auto content = field == nullptr ? std::nullopt : protocol::read_text(field->value);
  if (!content) return fail(ErrorKind::invalid_request, "content must be text", "content");
  if (content->size() > k_longest_content) {
    return fail(ErrorKind::request_too_large, "content is longer than 4 MiB; send it in parts", "content");
  }
  const std::int64_t count = tokens_in(content->size());
  std::string json = "{\"tokens\":[";
  for (std::int64_t i = 0; i < count; ++i) json.append(i == 0 ? "" : ",").append(std::to_string(i));
  return json_page(json.append("]}"));
}

}  // namespace nemo::gateway
