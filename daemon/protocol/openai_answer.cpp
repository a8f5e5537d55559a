#include "daemon/protocol/openai_answer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/openai.h"

namespace nemo::protocol {
namespace {

// Length between the quotes of a text; a list of parts (Mistral's reasoning) counts whole; null and the rest are
// nothing.
std::size_t content_length(JsonCursor& cursor) {
  const char kind = cursor.peek();
  const std::string_view raw = cursor.take();
  return (kind == '"' || kind == '[') && raw.size() >= 2 ? raw.size() - 2 : 0;
}

std::size_t read_function(JsonCursor& cursor) {
  if (cursor.peek() != '{') {
    cursor.skip();
    return 0;
  }
  std::size_t bytes = 0;
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    if (*key == "name" || *key == "arguments") {
      bytes += content_length(cursor);
    } else {
      cursor.skip();
    }
  }
  return bytes;
}

std::size_t read_tool_call(JsonCursor& cursor) {
  if (cursor.peek() != '{') {
    cursor.skip();
    return 0;
  }
  std::size_t bytes = 0;
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    if (*key == "function") {
      bytes += read_function(cursor);
    } else {
      cursor.skip();
    }
  }
  return bytes;
}

std::size_t read_tool_calls(JsonCursor& cursor) {
  if (cursor.peek() != '[') {
    cursor.skip();
    return 0;
  }
  std::size_t bytes = 0;
  cursor.begin_array();
  while (cursor.next_element()) bytes += read_tool_call(cursor);
  return bytes;
}

// A delta of a chunk, or the message of a whole answer.
std::size_t read_message(JsonCursor& cursor) {
  if (cursor.peek() != '{') {
    cursor.skip();
    return 0;
  }
  std::size_t bytes = 0;
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    if (*key == "content" || *key == "reasoning_content" || *key == "reasoning" || *key == "refusal") {
      bytes += content_length(cursor);
    } else if (*key == "tool_calls") {
      bytes += read_tool_calls(cursor);
    } else if (*key == "function_call") {
      bytes += read_function(cursor);
    } else {
      cursor.skip();
    }
  }
  return bytes;
}

void read_choice(JsonCursor& cursor, ChoicesFacts& facts) {
  if (cursor.peek() != '{') {
    cursor.skip();
    return;
  }
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    if (*key == "delta" || *key == "message") {
      facts.content_bytes += read_message(cursor);
    } else if (*key == "text") {
      facts.content_bytes += content_length(cursor);
    } else if (*key == "finish_reason") {
      const std::string_view reason = cursor.take();
      if (reason.size() > 2 && reason.front() == '"') ++facts.finished;
    } else if (*key == "index") {
      facts.highest_index = std::max(facts.highest_index, read_integer(cursor.take()).value_or(0));
    } else {
      cursor.skip();
    }
  }
}

// What a usage object states; a number that is negative, absurd or not a number counts as not stated.
struct StatedUsage {
  std::optional<std::int64_t> prompt, completion, total, reasoning;
  std::optional<std::int64_t> cached;        // prompt_tokens_details.cached_tokens
  std::optional<std::int64_t> other_cached;  // the same fact beside prompt_tokens: DeepSeek, Moonshot, Anthropic-like
};

std::optional<std::int64_t> read_tokens(JsonCursor& cursor) {
  constexpr std::int64_t k_most_tokens = 1'000'000'000;  // no model reads or writes this much in one call
  const auto number = read_integer(cursor.take());
  return number && *number >= 0 && *number <= k_most_tokens ? number : std::nullopt;
}

std::optional<std::int64_t> read_detail(JsonCursor& cursor, std::string_view name) {
  const auto raw = find_member(cursor.take(), name);
  if (!raw) return std::nullopt;
  JsonCursor detail(*raw);
  return read_tokens(detail);
}

StatedUsage read_stated(JsonCursor& cursor) {
  StatedUsage stated;
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    if (*key == "prompt_tokens") {
      stated.prompt = read_tokens(cursor);
    } else if (*key == "completion_tokens") {
      stated.completion = read_tokens(cursor);
    } else if (*key == "total_tokens") {
      stated.total = read_tokens(cursor);
    } else if (*key == "prompt_tokens_details") {
      stated.cached = read_detail(cursor, "cached_tokens");
    } else if (*key == "completion_tokens_details") {
      stated.reasoning = read_detail(cursor, "reasoning_tokens");
    } else if (*key == "prompt_cache_hit_tokens" || *key == "cache_read_input_tokens" || *key == "cached_tokens") {
      if (const auto tokens = read_tokens(cursor)) stated.other_cached = tokens;
    } else {
      cursor.skip();
    }
  }
  return stated;
}

std::optional<std::string_view> find_usage(std::string_view answer_json) {
  auto raw = find_member(answer_json, "usage");
  return raw && !raw->empty() && raw->front() == '{' ? raw : std::nullopt;
}

}  // namespace

ChoicesFacts read_choices(JsonCursor& cursor) {
  ChoicesFacts facts;
  if (cursor.peek() != '[') {
    cursor.skip();
    return facts;
  }
  cursor.begin_array();
  while (cursor.next_element()) {
    ++facts.count;
    read_choice(cursor, facts);
  }
  return facts;
}

std::optional<call::Usage> read_usage_object(std::string_view raw) {
  JsonCursor cursor(raw);
  const StatedUsage stated = read_stated(cursor);
  if (cursor.failed() || !(stated.prompt || stated.completion || stated.total)) return std::nullopt;
  call::Usage usage;
  usage.source = call::UsageSource::provider;
  const std::int64_t completion = stated.completion.value_or(0);
  usage.input_tokens = stated.prompt.value_or(std::max<std::int64_t>(stated.total.value_or(0) - completion, 0));
  usage.output_tokens = completion;
  if (stated.total) usage.output_tokens = std::max(completion, *stated.total - usage.input_tokens);
  usage.cached_tokens = std::min(stated.cached ? *stated.cached : stated.other_cached.value_or(0), usage.input_tokens);
  usage.reasoning_tokens = std::min(stated.reasoning.value_or(0), usage.output_tokens);
  return usage;
}

std::optional<AnswerFacts> read_answer_facts(std::string_view answer_json) {
  JsonCursor cursor(answer_json);
  AnswerFacts facts;
  std::string_view usage;
  bool has_error = false;
  bool has_answer = false;
  if (!cursor.begin_object()) return std::nullopt;
  while (const auto key = cursor.next_field()) {
    if (*key == "choices") {
      facts.content_bytes += read_choices(cursor).content_bytes;
      has_answer = true;
    } else if (*key == "data") {
      cursor.skip();
      has_answer = true;
    } else if (*key == "error") {
      has_error = cursor.take() != "null";
    } else if (*key == "usage") {
      usage = cursor.take();
    } else {
      cursor.skip();
    }
  }
  if (!cursor.at_end()) return std::nullopt;
  if (!usage.empty() && usage.front() == '{') facts.usage = read_usage_object(usage);
  facts.is_error = has_error && !has_answer;
  return facts;
}

std::string with_cost(std::string_view raw_event, NanoUsd cost) {
  std::size_t line_at = 0;
  while (line_at < raw_event.size()) {
    const std::size_t line_end = std::min(raw_event.find_first_of("\r\n", line_at), raw_event.size());
    const std::string_view line = raw_event.substr(line_at, line_end - line_at);
    line_at = line_end + 1;
    constexpr std::string_view k_data = "data:";
    if (line.substr(0, k_data.size()) != k_data) continue;
    const auto usage = find_usage(line.substr(k_data.size()));
    if (!usage) continue;
    auto body = RequestBody::parse(std::string(*usage));
    if (!body) continue;
    FieldEdit edit;
    edit.set("nemo_cost", quote_json(to_dollars(cost)));
    const auto begin = static_cast<std::size_t>(usage->data() - raw_event.data());
    std::string out(raw_event.substr(0, begin));
    return out.append(edit.apply(*body)).append(raw_event.substr(begin + usage->size()));
  }
  return std::string(raw_event);
}

}  // namespace nemo::protocol
