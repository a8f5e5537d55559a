#include "daemon/protocol/translate/responses.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/pass_through.h"
#include "daemon/protocol/surfaces/responses_object.h"

namespace nemo::protocol {
namespace {

// nullopt: null, or nothing is stated.
std::optional<call::Usage> read_usage(std::string_view raw) {
  std::int64_t input = -1, output = -1, total = -1, cached = -1, reasoning = -1;
  JsonCursor cursor(raw);
  each_field(cursor, [&](std::string_view key) {
    const std::string_view value = cursor.take();
    const auto count = [](std::string_view raw_count) { return read_token_count(raw_count).value_or(-1); };
    if (key == "input_tokens") input = count(value);
    if (key == "output_tokens") output = count(value);
    if (key == "total_tokens") total = count(value);
    if (key == "input_tokens_details") cached = count(find_member(value, "cached_tokens").value_or(""));
    if (key == "output_tokens_details") reasoning = count(find_member(value, "reasoning_tokens").value_or(""));
  });
  if (input < 0 && output < 0 && total < 0) return std::nullopt;
  call::Usage usage;
  usage.source = call::UsageSource::provider;
  usage.output_tokens = std::max<std::int64_t>(output, 0);
  usage.input_tokens = input >= 0 ? input : std::max<std::int64_t>(total - usage.output_tokens, 0);
  usage.output_tokens = std::max(usage.output_tokens, total - usage.input_tokens);
  usage.cached_tokens = std::clamp<std::int64_t>(cached, 0, usage.input_tokens);
  usage.reasoning_tokens = std::clamp<std::int64_t>(reasoning, 0, usage.output_tokens);
  return usage;
}

// What the model said, between the quotes.
struct ResponseSaid {
  std::size_t bytes = 0;
  std::string_view text;  // the first for the user
};

void read_content(JsonCursor& cursor, ResponseSaid& said) {
  each_element(cursor, [&] {
    each_field(cursor, [&](std::string_view key) {
      const std::string_view value = cursor.take();
      if (key != "text" && key != "refusal") return;
      const std::string_view body = text_body(value);
      said.bytes += body.size();
      if (said.text.empty()) said.text = body;
    });
  });
}

void read_item(JsonCursor& cursor, ResponseSaid& said) {
  ResponseSaid item;
  bool is_message = false;
  each_field(cursor, [&](std::string_view key) {
    if (key == "content" || key == "summary") {
      read_content(cursor, item);
      return;
    }
    const std::string_view value = cursor.take();
    if (key == "type") is_message = value == "\"message\"";
    if (key == "name" || key == "arguments" || key == "input") item.bytes += text_body(value).size();
  });
  said.bytes += item.bytes;
  if (is_message && said.text.empty()) said.text = item.text;
}

// A response object.
struct ResponseFacts {
  std::string_view id, model, error;  // raw
  bool has_output = false;
  bool has_failed = false;
  ResponseSaid said;
  std::optional<call::Usage> usage;
};

ResponseFacts read_response(JsonCursor& cursor) {
  ResponseFacts facts;
  each_field(cursor, [&](std::string_view key) {
    if (key == "output") {
      facts.has_output = each_element(cursor, [&] { read_item(cursor, facts.said); });
      return;
    }
    const std::string_view value = cursor.take();
    if (key == "id") facts.id = value;
    if (key == "model") facts.model = value;
    if (key == "usage") facts.usage = read_usage(value);
    if (key == "error" && value != "null") facts.error = value;
    if (key == "status") facts.has_failed = value == "\"failed\"" || value == "\"cancelled\"";
  });
  return facts;
}

bool is_last(std::string_view type) {
  return type == "response.completed" || type == "response.incomplete" || type == "response.failed";
}

// Raw values; empty: not there.
struct ResponseEvent {
  std::string_view type;  // between the quotes
  std::string_view delta, item, response, error, message;
};

std::optional<ResponseEvent> read_event(std::string_view data) {
  ResponseEvent event;
  JsonCursor cursor(data);
  if (cursor.peek() != '{') return std::nullopt;
  each_field(cursor, [&](std::string_view key) {
    const std::string_view value = cursor.take();
    if (value == "null") return;
    if (key == "type") event.type = text_body(value);
    if (key == "delta") event.delta = value;
    if (key == "item") event.item = value;
    if (key == "response") event.response = value;
    if (key == "error") event.error = value;
    if (key == "message") event.message = value;
  });
  if (!cursor.at_end()) return std::nullopt;
  return event;
}

class ResponseEventReader final : public stream::ChunkReader {
 public:
  stream::ChunkFacts read(const stream::SseEvent& event, bool& malformed) override {
    stream::ChunkFacts facts;
    if (event.data.empty()) return facts;
    if (event.data == "[DONE]") {  // not OpenAI's, but some servers end every stream so
      facts.end_marker = true;
      return facts;
    }
    const auto read = read_event(event.data);
    if (!read) {
      malformed = true;
      return facts;
    }
    if (read->type == "error" || (read->type.empty() && !read->error.empty())) {
      facts.is_error = true;
      facts.error_message = read_complaint(event.data).message;
    } else if (read->type.ends_with(".delta")) {
      take_delta(*read, facts);
    } else if (read->type == "response.output_item.added") {
      take_begun(read->item, facts);
    } else if (read->type == "response.failed") {
      facts.is_error = facts.end_marker = true;
      facts.error_message = read_complaint(read->response).message;
      JsonCursor cursor(read->response);
      facts.usage = read_response(cursor).usage;
    } else if (is_last(read->type)) {
      JsonCursor cursor(read->response);
      facts.usage = read_response(cursor).usage;
      facts.finished = 1;
      facts.end_marker = true;
    }
    return facts;
  }

 private:
  static void take_delta(const ResponseEvent& event, stream::ChunkFacts& facts) {
    const std::string_view body = text_body(event.delta);
    facts.content_bytes = body.size();
    facts.has_content = !body.empty();
    if (event.type == "response.output_text.delta") facts.text = body;
  }

  // A call's name is content: what follows it may be nothing.
  static void take_begun(std::string_view item, stream::ChunkFacts& facts) {
    facts.content_bytes = text_body(find_member(item, "name").value_or("")).size();
    facts.has_content = facts.content_bytes != 0;
  }
};

// Bytes as they come, up to the last event: clients hang up at it, and what some servers send behind it ([DONE]) would
// find nobody. Where the stream breaks, the failure as Responses tell it.
class NativeResponses final : public stream::Translator {
 public:
  explicit NativeResponses(std::string_view model)
      : m_model(quote_json(model)), m_passing(make_pass_through({{}, no_event})) {}

  void translate(const stream::SseEvent& event, std::string& out) override {
    if (m_over) return;
    note(event);
    m_passing->translate(event, out);
  }
  void complain(const stream::SseEvent& event, const Error& error, std::string& out) override {
    m_passing->complain(event, error, out);
  }
  void finish(std::string& out) override { m_passing->finish(out); }
  void break_off(const Error& error, std::string& out) override {
    m_passing->break_off(error, out);  // ends an event that was cut off
    std::string failed = "event: response.failed\ndata: {\"type\":\"response.failed\",\"sequence_number\":";
    failed.append(std::to_string(m_events)).append(",\"response\":{\"id\":").append(m_id);
    failed.append(",\"object\":\"response\",\"model\":").append(m_model);
    failed.append(",\"status\":\"failed\",\"output\":[],\"usage\":null,\"error\":");
    failed.append(response_error(response_error_code(error, {}), response_error_message(error)));
    out.append(failed).append("}}\n\n");
  }
  bool passes_bytes() const override { return true; }

 private:
  static std::string no_event(const Error& /*error*/) { return {}; }

  void note(const stream::SseEvent& event) {
    if (event.data.empty()) return;
    // Parsed only where it says something that is needed here.
    const bool is_first = m_events++ == 0;
    const auto read = is_first || event.event.empty() ? read_event(event.data) : std::nullopt;
    m_over = is_last(read ? read->type : event.event);
    if (!is_first || !read) return;
    JsonCursor cursor(read->response);
    const ResponseFacts facts = read_response(cursor);
    if (!text_body(facts.id).empty()) m_id = facts.id;
    if (!text_body(facts.model).empty()) m_model = facts.model;
  }

  std::string m_id = "\"resp_nemo\"";
  std::string m_model;
  std::size_t m_events = 0;
  bool m_over = false;
  std::unique_ptr<stream::Translator> m_passing;
};

class ResponsesConversation final : public Conversation {
 public:
  explicit ResponsesConversation(const Talk& talk) : m_talk(talk) {}

  Result<std::string> request(std::string_view model, std::optional<std::int64_t> output_cap) override {
    const RequestBody& body = m_talk.body;
    FieldEdit edit;
    const Field* named = body.find("model");
    if (named == nullptr || read_text(named->value) != model) edit.set("model", quote_json(model));
    if (m_talk.extensions == Extensions::strip) {
      constexpr std::array<const char*, 4> k_ours{"nemo_cache", "nemo_tags", "nemo_lane", "nemo_fallbacks"};
      for (const char* key : k_ours) {
        if (body.find(key) != nullptr) edit.remove(key);
      }
    }
    if (output_cap) edit.set("max_output_tokens", std::to_string(*output_cap));
    return edit.empty() ? std::string(body.bytes()) : edit.apply(body);
  }

  std::unique_ptr<stream::ChunkReader> chunk_reader() const override { return std::make_unique<ResponseEventReader>(); }
  std::unique_ptr<stream::Translator> stream_translator() const override {
    return std::make_unique<NativeResponses>(m_talk.model);
  }
  stream::UsageFrames usage_frames() const override { return stream::UsageFrames::show; }

  std::optional<AnswerFacts> facts(std::string_view answer) const override {
    JsonCursor cursor(answer);
    if (cursor.peek() != '{') return std::nullopt;
    const ResponseFacts read = read_response(cursor);
    if (!cursor.at_end()) return std::nullopt;
    AnswerFacts facts;
    facts.usage = read.usage;
    facts.content_bytes = read.said.bytes;
    facts.text = read.said.text;
    facts.is_error = read.has_failed || (!read.error.empty() && !read.has_output);
    return facts;
  }
  Result<std::string> answer(std::string upstream_answer) const override { return upstream_answer; }

 private:
  Talk m_talk;
};

}  // namespace

std::unique_ptr<Conversation> make_responses_conversation(const Talk& talk) {
  return std::make_unique<ResponsesConversation>(talk);
}

}  // namespace nemo::protocol
