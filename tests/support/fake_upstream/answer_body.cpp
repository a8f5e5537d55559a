#include "tests/support/fake_upstream/answer_body.h"

#include <algorithm>
#include <cstring>

#include "tests/support/fake_upstream/google_status.h"

namespace nemo::fake_upstream {
namespace {

constexpr std::size_t k_argument_piece_bytes = 8;

std::string base64(const std::vector<float>& values) {
  static_assert(sizeof(float) == 4);
  std::string bytes(values.size() * 4, '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());  // the wire wants little endian, as all our machines are
  constexpr const char* k_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) -> std::uint32_t {
      return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
    };
    const std::uint32_t group = byte(i) << 16U | byte(i + 1) << 8U | byte(i + 2);
    for (std::size_t k = 0; k < 4; ++k) {
      const bool padding = i + k > bytes.size();
      text += padding ? '=' : k_alphabet[(group >> (18U - 6U * k)) & 63U];
    }
  }
  return text;
}

Json chat_choice(const Ask& ask, const Script& script, const std::string& id) {
  const Words words(ask, script, 0);
  Json message = {{"role", "assistant"}, {"content", nullptr}};
  if (ask.tool_name.empty()) {
    message["content"] = words.text();
  } else {
    for (std::int64_t i = 0; i < tool_call_count(ask, script); ++i) {
      message["tool_calls"].push_back({{"id", tool_call_id(id, i)},
                                       {"type", "function"},
                                       {"function", {{"name", ask.tool_name}, {"arguments", ask.tool_arguments}}}});
    }
  }
  return {{"index", 0},
          {"message", std::move(message)},
          {"logprobs", nullptr},
          {"finish_reason", finish_reason(ask, script, words.cut_by_limit())}};
}

std::string embeddings_body(const Ask& ask, const Script& script, const BilledUsage& planned) {
  Json data = Json::array();
  for (std::size_t i = 0; i < ask.prompts.size(); ++i) {
    const auto values = embedding(ask.prompts[i], ask.model, ask.dimensions);
    Json value = ask.base64 ? Json(base64(values)) : Json(values);
    data.push_back({{"object", "embedding"}, {"index", i}, {"embedding", std::move(value)}});
  }
  Json body = {{"object", "list"}, {"data", std::move(data)}, {"model", ask.model}};
  if (!script.no_usage) body["usage"] = usage_json(ask, script, planned);
  return to_text(body);
}

const char* openai_type(int status) {
  if (status == 401) return "authentication_error";
  if (status == 403) return "permission_error";
  if (status == 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

}  // namespace

std::vector<std::string> argument_pieces(const Ask& ask) {
  std::vector<std::string> pieces;
  const std::string& text = ask.tool_arguments;
  std::size_t start = 0;
  while (start < text.size()) {
    std::size_t end = std::min(start + k_argument_piece_bytes, text.size());
    // A JSON text cannot hold half a character.
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
    pieces.push_back(text.substr(start, end - start));
    start = end;
  }
  if (pieces.empty()) pieces.emplace_back();
  return pieces;
}

std::int64_t tool_call_count(const Ask& ask, const Script& script) {
  return ask.tool_name.empty() ? 0 : std::max<std::int64_t>(script.tool_calls.value_or(1), 1);
}

std::string tool_call_id(const std::string& answer_id, std::int64_t index) {
  return "call_" + answer_id + "_" + std::to_string(index);
}

std::string finish_reason(const Ask& ask, const Script& script, bool cut_by_limit) {
  if (!script.finish_reason.empty()) return script.finish_reason;
  if (!ask.tool_name.empty()) return "tool_calls";
  return cut_by_limit ? "length" : "stop";
}

BilledUsage planned_usage(const Ask& ask, const Script& script) {
  BilledUsage usage;
  usage.input_tokens = ask.input_tokens;
  usage.cached_tokens = std::min(script.cached_tokens, ask.input_tokens);
  if (ask.kind == AskKind::embedding) return usage;
  usage.reasoning_tokens = script.reasoning_tokens;
  usage.output_tokens = script.reasoning_tokens;
  if (!ask.tool_name.empty()) {
    usage.output_tokens += tool_call_count(ask, script) * static_cast<std::int64_t>(argument_pieces(ask).size());
    return usage;
  }
  for (std::size_t i = 0; i < ask.prompts.size(); ++i) usage.output_tokens += Words(ask, script, i).count();
  return usage;
}

std::string answer_body(const Ask& ask, const Script& script, const std::string& id, const BilledUsage& planned) {
  if (ask.kind == AskKind::embedding) return embeddings_body(ask, script, planned);
  Json body;
  body["id"] = id;
  body["object"] = ask.kind == AskKind::chat ? "chat.completion" : "text_completion";
  body["created"] = k_created;
  body["model"] = ask.model;
  if (ask.kind == AskKind::chat) {
    body["choices"].push_back(chat_choice(ask, script, id));
  } else {
    for (std::size_t i = 0; i < ask.prompts.size(); ++i) {
      const Words words(ask, script, i);
      body["choices"].push_back({{"index", i},
                                 {"text", words.text()},
                                 {"logprobs", nullptr},
                                 {"finish_reason", finish_reason(ask, script, words.cut_by_limit())}});
    }
  }
  if (!script.no_usage) body["usage"] = usage_json(ask, script, planned);
  return to_text(body);
}

std::string error_body(const Script& script) {
  const std::string message = script.error_message.empty()
                                  ? "the fake upstream was told to answer " + std::to_string(script.status)
                                  : script.error_message;
  const std::string type = script.error_type.empty() ? openai_type(script.status) : script.error_type;
  const Json code = script.error_code.empty() ? Json(nullptr) : Json(script.error_code);
  if (script.error_shape == "detail") return to_text({{"detail", message}});
  if (script.error_shape == "detail_object") {
    return to_text({{"detail", {{"error", {{"message", message}, {"type", type}, {"code", code}}}}}});
  }
  if (script.error_shape == "array") {
    const Json error = {{"code", script.status}, {"message", message}, {"status", google_status(script.status)}};
    return to_text(Json::array({{{"error", error}}}));
  }
  if (script.error_shape == "html") {
    return "<html><head><title>" + std::to_string(script.status) + "</title></head><body><h1>" + message +
           "</h1></body></html>\n";
  }
  if (script.error_shape == "empty") return "";
  return to_text({{"error", {{"message", message}, {"type", type}, {"param", nullptr}, {"code", code}}}});
}

std::string error_body(int status, const std::string& message, const std::string& code) {
  Script script;
  script.status = status;
  script.error_message = message;
  script.error_code = code;
  return error_body(script);
}

Json model_json(const std::string& id) {
  return {{"id", id}, {"object", "model"}, {"created", k_created}, {"owned_by", "fake"}};
}

std::string models_body(const std::vector<std::string>& ids) {
  Json data = Json::array();
  for (const auto& id : ids) data.push_back(model_json(id));
  return to_text({{"object", "list"}, {"data", std::move(data)}});
}

}  // namespace nemo::fake_upstream
