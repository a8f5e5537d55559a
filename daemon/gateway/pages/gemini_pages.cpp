// Model list and token counts as the Gemini API has them. Source: Gemini API reference (models.list, models.get,
// models.countTokens). No upstream is asked: a count is an estimate, and its header x-nemo-usage-source says so.
#include <utility>

#include "daemon/budget/estimate.h"
#include "daemon/gateway/pages/page_view.h"
#include "daemon/gateway/purse.h"
#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/prompt_size.h"
#include "daemon/protocol/request_body.h"
#include "daemon/protocol/surfaces/gemini_fields.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::gateway {
namespace {

// A name that is routed call by call stands for no model, and can be asked all the same.
bool can_generate(const NamedModel& named) {
  return named.model == nullptr || named.model->capabilities.chat;
}

std::string gemini_model_json(const NamedModel& named) {
  std::string json = "{\"name\":" + protocol::quote_json("models/" + named.name);
  json.append(R"(,"version":"1","displayName":)").append(protocol::quote_json(named.name));
  if (named.model != nullptr) {
    const catalog::Model& model = *named.model;
    if (model.context_window > 0) json.append(",\"inputTokenLimit\":").append(std::to_string(model.context_window));
    if (model.max_output_tokens) json.append(",\"outputTokenLimit\":").append(std::to_string(*model.max_output_tokens));
    if (model.capabilities.reasoning) json.append(",\"thinking\":true");
  }
  const char* const methods = can_generate(named) ? R"("generateContent","streamGenerateContent","countTokens")" : "";
  return json.append(",\"supportedGenerationMethods\":[").append(methods).append("]}");
}

// What a model reads of a request: its texts, calls and tools, without the JSON around them.
class PromptMeasure {
 public:
  Status add_request(const protocol::RequestBody& body) {
    const std::string_view contents = protocol::spelled_value(body, "contents");
    if (contents.empty() || (contents.front() != '[' && contents.front() != '{')) {
      return protocol::refuse_field("contents", "must be a list of objects");
    }
    const Status read = protocol::each_item(contents, [&](std::string_view content, std::size_t i) {
      return add_content(content, protocol::item_path("contents", i));
    });
    if (!read) return read;
    const std::string_view system = protocol::spelled_value(body, "systemInstruction");
    if (!system.empty() && system.front() == '{') {
      if (Status added = add_content(system, "systemInstruction"); !added) return added;
    } else {
      add(protocol::text_body(system));
    }
    const std::string_view tools = protocol::spelled_value(body, "tools");
    if (tools != "[]") add(tools);
    return Done{};
  }

  const call::PromptSize& size() const { return m_size; }

 private:
  Status add_content(std::string_view content, const std::string& path) {
    std::string_view parts;
    if (!protocol::read_fields(content, {{"parts", &parts}})) return protocol::refuse_field(path, "must be an object");
    return protocol::each_item(parts, [&](std::string_view part, std::size_t i) -> Status {
      std::string_view text, media, file, call, response;
      const bool is_object = protocol::read_fields(part, {{"text", &text},
                                                          {"inlineData", &media},
                                                          {"fileData", &file},
                                                          {"functionCall", &call},
                                                          {"functionResponse", &response}});
      if (!is_object) return protocol::refuse_field(protocol::item_path(path + ".parts", i), "must be an object");
      add(protocol::text_body(text));
      add(call);
      add(response);
      if (!media.empty() || !file.empty()) ++m_size.images;
      return Done{};
    });
  }

  void add(std::string_view raw) {
    const call::PromptSize piece = protocol::measure_prompt(raw);
    m_size.ascii_bytes += piece.ascii_bytes;
    m_size.other_bytes += piece.other_bytes;
    m_size.images += piece.images;
  }

  call::PromptSize m_size;
};

// As where Nemo bills an upstream that does not count; an image is the most that the model's publisher counts for one.
std::int64_t estimated_tokens(const call::PromptSize& size, const catalog::Model& model) {
  const auto ascii = static_cast<std::int64_t>(size.ascii_bytes);
  const auto other = static_cast<std::int64_t>(size.other_bytes);
  return (ascii + k_bytes_per_token - 1) / k_bytes_per_token +
         (other + k_other_bytes_per_token - 1) / k_other_bytes_per_token + size.images * budget::tokens_an_image(model);
}

}  // namespace

Result<Answer> gemini_models_page(const PageView& view) {
  std::string body = R"({"models":[)";
  bool first = true;
  for (const NamedModel& named : named_models(view.world, view.principal)) {
    if (!can_generate(named)) continue;
    if (!std::exchange(first, false)) body.push_back(',');
    body.append(gemini_model_json(named));
  }
  return json_page(body.append("]}"));
}

Result<Answer> gemini_model_page(const PageView& view) {
  const auto named = find_named_model(view, view.rest);
  if (!named) return named.error();
  return json_page(gemini_model_json(*named));
}

Result<Answer> gemini_count_page(const PageView& view) {
  const auto named = find_named_model(view, view.rest);
  if (!named) return named.error();
  auto body = protocol::RequestBody::parse(view.body);
  if (!body) return body.error();
  if (const auto inner = protocol::spelled_value(*body, "generateContentRequest"); !inner.empty()) {
    body = protocol::RequestBody::parse(std::string(inner));
    if (!body) return body.error();
  }
  PromptMeasure prompt;
  if (Status measured = prompt.add_request(*body); !measured) return measured.error();
  const catalog::Model unknown;
  const std::int64_t tokens = estimated_tokens(prompt.size(), named->model == nullptr ? unknown : *named->model);
  Answer answer = json_page("{\"totalTokens\":" + std::to_string(tokens) + "}");
  answer.headers.emplace_back("x-nemo-usage-source", "estimated");
  return answer;
}

}  // namespace nemo::gateway
