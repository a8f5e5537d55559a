#include "tests/support/fake_upstream/event_stream.h"

#include <array>
#include <cstdio>

#include "tests/support/fake_upstream/http_message.h"

namespace nemo::fake_upstream {
namespace {

constexpr std::string_view k_garbage("\x00\xff\xfe{{[\x01 not an event\r\r\n\x80", 24);

std::string json_text(const std::string& text) {
  return to_text(Json(text));
}

// Where to cut a text so that a multi-byte character is split; npos: it has none.
std::size_t inside_a_character(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U) return i;
  }
  return std::string_view::npos;
}

}  // namespace

std::string http_chunk(std::string_view bytes) {
  std::array<char, 32> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
  return size.data() + std::string(bytes) + "\r\n";
}

std::string response_head(int status, std::string_view content_type, std::int64_t content_length,
                          const Script& script) {
  std::string head = "HTTP/1.1 " + std::to_string(status) + " ";
  head += reason_phrase(status);
  head += "\r\nContent-Type: ";
  head += content_type;
  if (content_length >= 0) head += "\r\nContent-Length: " + std::to_string(content_length);
  if (!script.retry_after.empty()) head += "\r\nRetry-After: " + script.retry_after;
  if (script.gzip_garbage) head += "\r\nContent-Encoding: gzip";
  head += "\r\n";
  for (const auto& [name, value] : script.headers) head.append(name).append(": ").append(value).append("\r\n");
  return head;
}

Step cut_step(const Script& script, std::string_view rest) {
  Step step;
  step.ending = script.cut == "reset" ? Ending::reset : Ending::close;
  if (script.cut == "truncate_chunked") step.bytes = rest.substr(0, rest.size() / 2);
  return step;
}

EventStream::EventStream(Ask ask, Script script, std::string id, BilledUsage planned)
    : m_ask(std::move(ask)), m_script(std::move(script)), m_planned(planned), m_id(std::move(id)) {
  const bool chat = m_ask.kind == AskKind::chat;
  m_prefix = "{\"id\":" + json_text(m_id) +
             ",\"object\":" + (chat ? "\"chat.completion.chunk\"" : "\"text_completion\"") +
             ",\"created\":" + std::to_string(k_created) + ",\"model\":" + json_text(m_ask.model) + ",\"choices\":[";
  for (std::size_t i = 0; i < m_ask.prompts.size(); ++i) m_words.emplace_back(m_ask, m_script, i);
  if (!m_ask.tool_name.empty()) m_pieces = argument_pieces(m_ask);
  if (!chat || !m_script.role_chunk) m_stage = Stage::words;
  m_index = m_pieces.empty() ? 0 : -1;
  skip_empty_stages();
}

std::string EventStream::framed(std::string_view bytes) const {
  return m_script.close_delimited ? std::string(bytes) : http_chunk(bytes);
}

std::string EventStream::chunk_json(std::size_t choice, const std::string& payload, const std::string& finish) const {
  std::string json = m_prefix + "{\"index\":" + std::to_string(choice) + ",";
  if (m_ask.kind == AskKind::chat) {
    json += "\"delta\":" + payload;
  } else {
    json += "\"text\":" + payload + ",\"logprobs\":null";
  }
  return json + ",\"finish_reason\":" + (finish.empty() ? "null" : json_text(finish)) + "}]}";
}

EventStream::Event EventStream::word_event() {
  Event event;
  event.words = 1;
  const std::string word = json_text(m_words[m_choice].word(m_index++));
  event.data = chunk_json(m_choice, m_ask.kind == AskKind::chat ? "{\"content\":" + word + "}" : word, "");
  return event;
}

EventStream::Event EventStream::tool_event() {
  Event event;
  Json call = {{"index", m_tool}};
  if (m_index < 0) {
    call["id"] = tool_call_id(m_id, m_tool);
    call["type"] = "function";
    call["function"] = {{"name", m_ask.tool_name}, {"arguments", ""}};
  } else {
    call["function"] = {{"arguments", m_pieces[static_cast<std::size_t>(m_index)]}};
    event.words = 1;
  }
  event.data = chunk_json(0, to_text({{"tool_calls", Json::array({call})}}), "");
  if (++m_index == static_cast<std::int64_t>(m_pieces.size())) {
    m_index = -1;
    ++m_tool;
  }
  return event;
}

EventStream::Event EventStream::finish_event() {
  Event event;
  const std::string reason = finish_reason(m_ask, m_script, m_words[m_choice].cut_by_limit());
  event.data = chunk_json(m_choice, m_ask.kind == AskKind::chat ? "{}" : "\"\"", reason);
  if (m_script.usage_on_finish && !m_script.no_usage) {
    event.data.pop_back();
    event.data += ",\"usage\":" + to_text(usage_json(m_ask, m_script, m_planned)) + "}";
  }
  ++m_choice;
  return event;
}

// Moves on while the stage has nothing (more) to send.
void EventStream::skip_empty_stages() {
  if (m_stage == Stage::words && m_ask.tool_name.empty()) {
    while (m_choice < m_words.size() && m_index >= m_words[m_choice].count()) {
      ++m_choice;
      m_index = 0;
    }
    if (m_choice < m_words.size()) return;
  }
  if (m_stage == Stage::words) {
    m_stage = Stage::tools;
    m_choice = 0;
  }
  if (m_stage == Stage::tools && m_tool >= tool_call_count(m_ask, m_script)) m_stage = Stage::finish;
  if (m_stage == Stage::finish && (m_script.no_finish || m_choice >= m_words.size())) m_stage = Stage::usage;
  const bool no_usage = m_script.no_usage || m_script.usage_on_finish || !m_ask.include_usage;
  if (m_stage == Stage::usage && no_usage) m_stage = Stage::done;
  if (m_stage == Stage::done && m_script.no_done) m_stage = Stage::end;
}

EventStream::Event EventStream::make_event() {
  Event event;
  switch (m_stage) {
    case Stage::role:
      event.data = chunk_json(0, R"({"role":"assistant","content":""})", "");
      m_stage = Stage::words;
      break;
    case Stage::words:
      event = word_event();
      break;
    case Stage::tools:
      event = tool_event();
      break;
    case Stage::finish:
      event = finish_event();
      break;
    case Stage::usage:
      event.data = m_prefix + "],\"usage\":" + to_text(usage_json(m_ask, m_script, m_planned)) + "}";
      m_stage = Stage::done;
      break;
    case Stage::done:
      event = {"[DONE]", 0, 0};
      m_stage = Stage::end;
      break;
    case Stage::end:
      break;
  }
  skip_empty_stages();
  return event;
}

void EventStream::queue_split(Step step, std::string_view text) {
  const auto cut = m_script.split == "utf8" ? inside_a_character(text) : std::string_view::npos;
  if (m_script.split == "bytes") {
    for (std::size_t i = 0; i < text.size(); ++i) {
      m_queue.push_back({i == 0 ? step.wait_ms : 0, framed(text.substr(i, 1))});
    }
  } else if (cut != std::string_view::npos) {
    m_queue.push_back({step.wait_ms, framed(text.substr(0, cut))});
    m_queue.push_back({0, framed(text.substr(cut))});
  } else {
    step.bytes = framed(text);
    m_queue.push_back(step);
    return;
  }
  m_queue.back().chunks = step.chunks;
  m_queue.back().words = step.words;
}

void EventStream::queue(const Event& event) {
  const std::string newline = m_script.crlf ? "\r\n" : "\n";
  std::string text;
  if (m_script.comments) text += ": keepalive" + newline + newline;
  if (m_script.event_lines && event.chunks > 0) text += "event: chunk" + newline;
  text += "data: " + event.data;
  const bool last = m_stage == Stage::end;
  if (!last || !m_script.no_final_newline) text += newline + newline;
  Step step;
  // The first chunk waits for its own time, [DONE] comes with what is before it.
  if (event.chunks > 0) step.wait_ms = m_chunks == 0 ? m_script.first_token_ms : m_script.chunk_ms;
  step.chunks = event.chunks;
  step.words = event.words;
  m_chunks += event.chunks;
  queue_split(std::move(step), text);
}

// The steps that break the stream here, if the script wants it broken here.
bool EventStream::fault_is_due(Step& step) {
  if (m_script.stall_after_chunks == m_chunks) {
    step.ending = Ending::stall;
    return true;
  }
  if (m_script.cut_after_chunks == m_chunks) {
    step = cut_step(m_script, framed("data: " + make_event().data + "\n\n"));
    return true;
  }
  if (m_script.error_event_after == m_chunks) {
    Script error = m_script;
    if (error.status == 200) error.status = 500;
    step.bytes = framed("data: " + error_body(error) + "\n\n");
    if (!m_script.close_delimited) step.bytes += "0\r\n\r\n";
    step.ending = m_script.close_delimited ? Ending::close : Ending::keep_alive;
    return true;
  }
  if (!m_script.malformed.empty() && !m_malformed_sent && m_script.malformed_after == m_chunks) {
    m_malformed_sent = true;
    step.bytes =
        m_script.malformed == "garbage" ? framed(k_garbage) : framed("data: " + m_prefix + "{\"index\":0,\n\n");
    return true;
  }
  return false;
}

Step EventStream::head() {
  Step step;
  step.wait_ms = m_script.delay_ms;
  step.bytes = response_head(200, "text/event-stream; charset=utf-8", -1, m_script);
  step.bytes += "Cache-Control: no-cache\r\nX-Request-Id: " + m_id + "\r\n";
  step.bytes += m_script.close_delimited ? "Connection: close\r\n\r\n" : "Transfer-Encoding: chunked\r\n\r\n";
  m_head_sent = true;
  return step;
}

Step EventStream::next() {
  if (!m_head_sent) return head();
  if (m_queue.empty()) {
    Step fault;
    if (fault_is_due(fault)) return fault;
    if (m_stage == Stage::end) {
      Step last;
      if (!m_script.close_delimited) last.bytes = "0\r\n\r\n";
      last.ending = m_script.close_delimited ? Ending::close : Ending::keep_alive;
      return last;
    }
    queue(make_event());
  }
  Step step = std::move(m_queue.front());
  m_queue.pop_front();
  if (m_queue.empty() && m_stage == Stage::end && !m_script.close_delimited && m_script.split.empty() &&
      step.chunks == 0) {
    // [DONE] and the end of the body leave together, as from a server that flushes once.
    step.bytes += "0\r\n\r\n";
    step.ending = Ending::keep_alive;
  }
  return step;
}

}  // namespace nemo::fake_upstream
