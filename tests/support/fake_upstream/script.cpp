#include "tests/support/fake_upstream/script.h"

#include <functional>
#include <map>

namespace nemo::fake_upstream {
namespace {

using Setter = std::function<void(Script&, const Json&)>;

template <typename T>
Setter field(T Script::*member) {
  return [member](Script& script, const Json& value) { script.*member = value.get<T>(); };
}

template <typename T>
Setter field(std::optional<T> Script::*member) {
  return [member](Script& script, const Json& value) {
    if (value.is_null()) {
      script.*member = std::nullopt;
    } else {
      script.*member = value.get<T>();
    }
  };
}

// Numbers and objects are welcome where a text is wanted: retry_after 3, tool_arguments {"path": "a"}.
template <typename Member>
Setter loose_text(Member Script::*member) {
  return [member](Script& script, const Json& value) {
    script.*member = value.is_string() ? value.get<std::string>() : value.dump();
  };
}

// true stands for the most usual kind.
Setter named_kind(std::string Script::*member, std::string usual) {
  return [member, usual = std::move(usual)](Script& script, const Json& value) {
    if (value.is_boolean()) {
      script.*member = value.get<bool>() ? usual : "";
    } else {
      script.*member = value.get<std::string>();
    }
  };
}

void set_headers(Script& script, const Json& value) {
  for (const auto& [name, text] : value.items()) {
    script.headers.emplace_back(name, text.get<std::string>());
  }
}

void set_tool_calls(Script& script, const Json& value) {
  script.tool_calls = value.is_boolean() ? (value.get<bool>() ? 1 : 0) : value.get<std::int64_t>();
}

const std::map<std::string, Setter, std::less<>>& setters() {
  static const std::map<std::string, Setter, std::less<>> table = {
      {"delay_ms", field(&Script::delay_ms)},
      {"first_token_ms", field(&Script::first_token_ms)},
      {"chunk_ms", field(&Script::chunk_ms)},
      {"hold", field(&Script::hold)},
      {"hold_after_chunks", field(&Script::hold_after_chunks)},
      {"tokens", field(&Script::tokens)},
      {"ignore_max_tokens", field(&Script::ignore_max_tokens)},
      {"seed", loose_text(&Script::seed)},
      {"content", field(&Script::content)},
      {"finish_reason", field(&Script::finish_reason)},
      {"unicode", field(&Script::unicode)},
      {"huge_chunk_bytes", field(&Script::huge_chunk_bytes)},
      {"tool_calls", set_tool_calls},
      {"tool_name", field(&Script::tool_name)},
      {"tool_arguments", loose_text(&Script::tool_arguments)},
      {"reasoning_tokens", field(&Script::reasoning_tokens)},
      {"cached_tokens", field(&Script::cached_tokens)},
      {"prompt_tokens", field(&Script::prompt_tokens)},
      {"gemini_usage", field(&Script::gemini_usage)},
      {"no_usage", field(&Script::no_usage)},
      {"usage_on_finish", field(&Script::usage_on_finish)},
      {"status", field(&Script::status)},
      {"error_shape", field(&Script::error_shape)},
      {"error_message", field(&Script::error_message)},
      {"error_code", field(&Script::error_code)},
      {"error_type", field(&Script::error_type)},
      {"retry_after", loose_text(&Script::retry_after)},
      {"cut_before_head", field(&Script::cut_before_head)},
      {"cut_after_chunks", field(&Script::cut_after_chunks)},
      {"cut", named_kind(&Script::cut, "reset")},
      {"stall_after_chunks", field(&Script::stall_after_chunks)},
      {"malformed", named_kind(&Script::malformed, "json")},
      {"malformed_after", field(&Script::malformed_after)},
      {"error_event_after", field(&Script::error_event_after)},
      {"empty_200", field(&Script::empty_200)},
      {"gzip_garbage", field(&Script::gzip_garbage)},
      {"role_chunk", field(&Script::role_chunk)},
      {"no_done", field(&Script::no_done)},
      {"no_finish", field(&Script::no_finish)},
      {"crlf", field(&Script::crlf)},
      {"comments", field(&Script::comments)},
      {"event_lines", field(&Script::event_lines)},
      {"no_final_newline", field(&Script::no_final_newline)},
      {"close_delimited", field(&Script::close_delimited)},
      {"split", named_kind(&Script::split, "bytes")},
      {"headers", set_headers},
  };
  return table;
}

}  // namespace

std::optional<std::string> apply_fields(Script& script, const Json& fields) {
  if (!fields.is_object()) return "a script must be a JSON object";
  for (const auto& [name, value] : fields.items()) {
    const auto found = setters().find(name);
    if (found == setters().end()) return "unknown script field: " + name;
    try {
      found->second(script, value);
    } catch (const Json::exception& error) {
      return "script field " + name + ": " + error.what();
    }
  }
  return std::nullopt;
}

}  // namespace nemo::fake_upstream
