#include "daemon/protocol/openai_answer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/openai.h"

namespace nemo::protocol {
namespace {

// What stands between the quotes of a text; a list of parts (Mistral's reasoning) counts whole; null and the rest are
// nothing.
struct Content {
  std::size_t bytes = 0;
  std::string_view text;  // empty for a list
};

Content read_content(JsonCursor& cursor) {
  const char kind = cursor.peek();
  const std::string_view raw = cursor.take();
  if ((kind != '"' && kind != '[') || raw.size() < 2) return {};
  const std::string_view inside = raw.substr(1, raw.size() - 2);
  return {inside.size(), kind == '"' ? inside : std::string_view()};
}

std::size_t read_function(JsonCursor& cursor) {
  std::size_t bytes = 0;
  each_field(cursor, [&](std::string_view key) {
    if (key == "name" || key == "arguments") {
      bytes += read_content(cursor).bytes;
    } else {
      cursor.skip();
    }
  });
  return bytes;
}

std::size_t read_tool_calls(JsonCursor& cursor) {
  std::size_t bytes = 0;
  each_element(cursor, [&] {
    each_field(cursor, [&](std::string_view key) {
      if (key == "function") {
        bytes += read_function(cursor);
      } else {
        cursor.skip();
      }
    });
  });
  return bytes;
}

// A delta of a chunk, or the message of a whole answer.
Content read_message(JsonCursor& cursor) {
  Content content;
  each_field(cursor, [&](std::string_view key) {
    if (key == "content") {
      const Content part = read_content(cursor);
      content.bytes += part.bytes;
      content.text = part.text;
    } else if (key == "reasoning_content" || key == "reasoning" || key == "refusal") {
      content.bytes += read_content(cursor).bytes;
    } else if (key == "tool_calls") {
      content.bytes += read_tool_calls(cursor);
    } else if (key == "function_call") {
      content.bytes += read_function(cursor);
    } else {
      cursor.skip();
    }
  });
  return content;
}

void read_choice(JsonCursor& cursor, ChoicesFacts& facts) {
  std::int64_t index = 0;
  std::string_view text;
  each_field(cursor, [&](std::string_view key) {
    if (key == "delta" || key == "message" || key == "text") {
      const Content content = key == "text" ? read_content(cursor) : read_message(cursor);
      facts.content_bytes += content.bytes;
      if (!content.text.empty()) text = content.text;
    } else if (key == "finish_reason") {
      const std::string_view reason = cursor.take();
      if (reason.size() > 2 && reason.front() == '"') ++facts.finished;
    } else if (key == "index") {
      index = read_integer(cursor.take()).value_or(0);
    } else {
      cursor.skip();
    }
  });
  facts.highest_index = std::max(facts.highest_index, index);
  if (index == 0 && facts.text.empty()) facts.text = text;
}

ChoicesFacts read_choices(JsonCursor& cursor) {
  ChoicesFacts facts;
  each_element(cursor, [&] {
    ++facts.count;
    read_choice(cursor, facts);
  });
  return facts;
}

// What a usage object states; a number that is negative, absurd or not a number counts as not stated.
struct StatedUsage {
  std::optional<std::int64_t> prompt, completion, total, reasoning;
  std::optional<std::int64_t> cached;        // prompt_tokens_details.cached_tokens
  std::optional<std::int64_t> other_cached;  // the same fact beside prompt_tokens: DeepSeek, Moonshot, Anthropic-like
};

std::optional<std::int64_t> read_detail(JsonCursor& cursor, std::string_view name) {
  const auto raw = find_member(cursor.take(), name);
  if (!raw) return std::nullopt;
  JsonCursor detail(*raw);
  return read_token_count(detail.take());
}

StatedUsage read_stated(JsonCursor& cursor) {
  StatedUsage stated;
  each_field(cursor, [&](std::string_view key) {
    if (key == "prompt_tokens") {
      stated.prompt = read_token_count(cursor.take());
    } else if (key == "completion_tokens") {
      stated.completion = read_token_count(cursor.take());
    } else if (key == "total_tokens") {
      stated.total = read_token_count(cursor.take());
    } else if (key == "prompt_tokens_details") {
      stated.cached = read_detail(cursor, "cached_tokens");
    } else if (key == "completion_tokens_details") {
      stated.reasoning = read_detail(cursor, "reasoning_tokens");
    } else if (key == "prompt_cache_hit_tokens" || key == "cache_read_input_tokens" || key == "cached_tokens") {
      if (const auto tokens = read_token_count(cursor.take())) stated.other_cached = tokens;
    } else {
      cursor.skip();
    }
  });
  return stated;
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
  // More reasoning than there is output was left out of it, even where no total says so.
  if (!stated.total && stated.reasoning.value_or(0) > completion) usage.output_tokens += *stated.reasoning;
  usage.cached_tokens = std::min(stated.cached ? *stated.cached : stated.other_cached.value_or(0), usage.input_tokens);
  usage.reasoning_tokens = std::min(stated.reasoning.value_or(0), usage.output_tokens);
  return usage;
}

std::optional<std::string_view> find_usage(std::string_view answer_json) {
  auto raw = find_member(answer_json, "usage");
  return raw && !raw->empty() && raw->front() == '{' ? raw : std::nullopt;
}

}  // namespace

AnswerParts read_answer_object(JsonCursor& cursor) {
  AnswerParts parts;
  std::string_view usage;
  if (!cursor.begin_object()) return parts;
  while (const auto key = cursor.next_field()) {
    if (*key == "choices") {
      parts.choices = read_choices(cursor);
      parts.has_answer = true;
    } else if (*key == "usage") {
      usage = cursor.take();
    } else if (*key == "data") {
      cursor.skip();
      parts.has_answer = true;
    } else if (*key == "error") {
      if (cursor.take() != "null") parts.has_error = true;
    } else if (*key == "object" || *key == "type") {
      if (cursor.take() == "\"error\"") parts.is_named_error = true;
    } else {
      cursor.skip();
    }
  }
  parts.has_usage = !usage.empty() && usage.front() == '{';
  if (parts.has_usage) parts.usage = read_usage_object(usage);
  return parts;
}

std::optional<AnswerFacts> read_answer_facts(std::string_view answer_json) {
  JsonCursor cursor(answer_json);
  const AnswerParts parts = read_answer_object(cursor);
  if (!cursor.at_end()) return std::nullopt;
  AnswerFacts facts;
  facts.usage = parts.usage;
  facts.content_bytes = parts.choices.content_bytes;
  facts.text = parts.choices.text;
  facts.is_error = (parts.has_error || parts.is_named_error) && !parts.has_answer;
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
