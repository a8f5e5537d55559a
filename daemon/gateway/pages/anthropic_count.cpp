// How long a Messages request is. Source: Anthropic API reference (count message tokens).
//
// No upstream is asked: the answer is an estimate, and its header x-nemo-usage-source says so. Counted are messages,
// system and tools as they stand in the body: four bytes of ASCII are a token, as where Nemo bills an upstream that
// does not count; two bytes of any other character; an image is the most that the model's publisher counts for one.
#include <algorithm>

#include "daemon/budget/estimate.h"
#include "daemon/gateway/pages/page_view.h"
#include "daemon/gateway/purse.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/prompt_size.h"
#include "daemon/protocol/request_body.h"

namespace nemo::gateway {
namespace {

// A lane's model is decided call by call: it counts as an unknown one.
Result<catalog::Model> model_of(const PageView& view, const protocol::RequestBody& body) {
  const protocol::Field* field = body.find("model");
  const auto name = field == nullptr ? std::nullopt : protocol::read_text(field->value);
  if (!name || name->empty()) return fail(ErrorKind::invalid_request, "model: must be the name of a model", "model");
  if (const catalog::Model* known = view.world.catalog.find(*name); known != nullptr) return *known;
  const auto named = find_named_model(view, *name);
  if (!named) return named.error();
  return named->model == nullptr ? catalog::Model{} : *named->model;
}

std::int64_t tokens_in(const catalog::Model& model, const call::PromptSize& size) {
  const auto ascii = static_cast<std::int64_t>(size.ascii_bytes);
  const auto other = static_cast<std::int64_t>(size.other_bytes);
  const std::int64_t text = (ascii + k_bytes_per_token - 1) / k_bytes_per_token +
                            (other + k_other_bytes_per_token - 1) / k_other_bytes_per_token;
  return std::max<std::int64_t>(text + size.images * budget::tokens_an_image(model), 1);
}

}  // namespace

Result<Answer> messages_count_page(const PageView& view) {
  const auto body = protocol::RequestBody::parse(view.body);
  if (!body) return body.error();
  const protocol::Field* messages = body->find("messages");
  if (messages == nullptr || messages->items != protocol::Items::objects) {
    return fail(ErrorKind::invalid_request, "messages: must be a list of objects that is not empty", "messages");
  }
  const auto model = model_of(view, *body);
  if (!model) return model.error();
  std::int64_t tokens = 0;
  for (const char* name : {"system", "messages", "tools"}) {
    const protocol::Field* field = body->find(name);
    if (field != nullptr) tokens += tokens_in(*model, protocol::measure_prompt(field->value));
  }
  Answer answer = json_page("{\"input_tokens\":" + std::to_string(tokens) + "}");
  answer.headers.emplace_back("x-nemo-usage-source", "estimated");
  return answer;
}

}  // namespace nemo::gateway
