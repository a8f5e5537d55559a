#include "tests/support/fake_upstream/endpoints.h"

#include <algorithm>
#include <charconv>

#include "tests/support/fake_upstream/answer_body.h"
#include "tests/support/fake_upstream/event_stream.h"
#include "tests/support/fake_upstream/whole_answer.h"

namespace nemo::fake_upstream {
namespace {

constexpr std::string_view k_json = "application/json";

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

std::uint64_t number(std::string_view text, std::uint64_t otherwise) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && !text.empty() ? value : otherwise;
}

Reply plain_reply(int status, const std::string& body) {
  Reply reply;
  Step step;
  step.bytes = response_head(status, k_json, static_cast<std::int64_t>(body.size()), {}) + "\r\n" + body;
  step.ending = Ending::keep_alive;
  reply.playback = std::make_unique<SingleStep>(std::move(step));
  return reply;
}

Reply error_reply(int status, const std::string& message, const std::string& code) {
  return plain_reply(status, error_body(status, message, code));
}

Reply done_or(const std::optional<std::string>& problem) {
  return problem ? error_reply(400, *problem, "bad_script") : plain_reply(200, R"({"ok":true})");
}

std::vector<std::string> default_models() {
  return {"gemini-2.5-flash", "gemini-2.5-pro",     "gemini-2.5-flash-lite",
          "codestral-2",      "text-embedding-005", "gemini-embedding-001"};
}

}  // namespace

Endpoints::Endpoints(Json base_script) : m_scripts(std::move(base_script)), m_models(default_models()) {}

Reply Endpoints::model_call(AskKind kind, const Request& request) {
  Reply reply;
  reply.call = m_journal.start(request);
  Call& call = *reply.call;
  const Json body = Json::parse(request.body, nullptr, false);
  ScriptBook::Choice choice;
  std::string model;
  if (body.is_object()) {
    if (body.contains("model") && body["model"].is_string()) model = body["model"].get<std::string>();
    const auto fake = body.find("fake");
    choice = m_scripts.choose(model, fake == body.end() ? nullptr : &*fake, request.header("x-fake-script"));
  } else {
    choice.problem = "the request body is not a JSON object";
  }
  if (!choice.problem.empty()) {
    choice.script = {};
    choice.script.status = 400;
    choice.script.error_message = choice.problem;
  }
  Ask ask = read_ask(kind, body, choice.script);
  call.model = model;
  call.stream = ask.stream;
  call.status = choice.script.status;
  call.planned = planned_usage(ask, choice.script);
  const Script& script = choice.script;
  if (script.status != 200) {
    reply.final_state = CallState::refused;
    reply.playback = refusal(script);
  } else if (script.cut_before_head) {
    reply.final_state = CallState::cut;
    reply.playback = cut_before_head(script);
  } else if (ask.stream && !script.empty_200 && !script.gzip_garbage) {
    if (script.cut_after_chunks || script.error_event_after) reply.final_state = CallState::cut;
    reply.playback = std::make_unique<EventStream>(std::move(ask), script, call.id, call.planned);
  } else {
    const bool broken = script.cut_after_chunks || script.empty_200 || script.error_event_after;
    if (broken) reply.final_state = CallState::cut;
    reply.playback = whole_answer(ask, script, call.id, call.planned);
  }
  if (script.hold) reply.playback = std::make_unique<HeldBack>(std::move(reply.playback));
  return reply;
}

Reply Endpoints::control(const Request& request) {
  const Json body = request.body.empty() ? Json::object() : Json::parse(request.body, nullptr, false);
  if (body.is_discarded()) return error_reply(400, "the body is not JSON", "bad_json");
  if (request.path == "/control/release") {
    m_gate.release();
    return done_or(std::nullopt);
  }
  if (request.path == "/control/default" || request.path == "/control/rule") {
    m_gate.shut();
    return done_or(request.path == "/control/rule" ? m_scripts.set_rule(body) : m_scripts.set_default(body));
  }
  if (request.path == "/control/clear") {
    m_gate.shut();
    m_scripts.clear();
    m_models = default_models();
    return done_or(std::nullopt);
  }
  if (request.path == "/control/models") {
    const Json& list = body.is_object() && body.contains("models") ? body["models"] : body;
    if (!list.is_array()) return error_reply(400, "a list of model ids is wanted", "bad_models");
    m_models.clear();
    for (const auto& id : list) {
      if (id.is_string()) m_models.push_back(id.get<std::string>());
    }
    return done_or(std::nullopt);
  }
  return error_reply(404, "no such control", "not_found");
}

Reply Endpoints::journal_page(const Request& request) {
  if (request.path == "/journal") {
    return plain_reply(200, to_text(m_journal.list(number(query_value(request.query, "last"), SIZE_MAX))));
  }
  if (request.path == "/journal/summary") {
    Json summary = m_journal.summary();
    summary["other"] = m_other_requests;
    return plain_reply(200, to_text(summary));
  }
  if (request.path == "/journal/reset") {
    m_journal.reset();
    m_other_requests.clear();
    return done_or(std::nullopt);
  }
  if (request.path == "/journal/wait") {
    Reply reply;
    Wait wait;
    wait.started = number(query_value(request.query, "started"), 0);
    wait.ended = number(query_value(request.query, "ended"), 0);
    wait.cancelled = number(query_value(request.query, "cancelled"), 0);
    wait.timeout_ms = static_cast<double>(number(query_value(request.query, "timeout_ms"), 5000));
    reply.wait = wait;
    return reply;
  }
  return error_reply(404, "no such page", "not_found");
}

Reply Endpoints::waited(bool reached) {
  return plain_reply(reached ? 200 : 408, to_text(m_journal.summary()));
}

Reply Endpoints::model_page(const Request& request, std::string_view id) {
  const ScriptBook::Choice choice = m_scripts.choose("", nullptr, request.header("x-fake-script"));
  if (choice.script.status != 200) {
    Reply reply;
    reply.playback = refusal(choice.script);
    return reply;
  }
  if (id.empty()) return plain_reply(200, models_body(m_models));
  if (std::find(m_models.begin(), m_models.end(), id) == m_models.end()) {
    return error_reply(404, "The model '" + std::string(id) + "' does not exist", "model_not_found");
  }
  return plain_reply(200, to_text(model_json(std::string(id))));
}

Reply Endpoints::answer(const Request& request) {
  const std::string_view path = request.path;
  if (path.substr(0, 9) == "/control/") return control(request);
  if (path.substr(0, 8) == "/journal") return journal_page(request);
  if (request.method == "POST") {
    if (ends_with(path, "/chat/completions")) return model_call(AskKind::chat, request);
    if (ends_with(path, "/completions")) return model_call(AskKind::completion, request);
    if (ends_with(path, "/embeddings")) return model_call(AskKind::embedding, request);
  }
  count_other(request);
  if (path == "/token") {
    return plain_reply(200, R"({"access_token":"fake-access-token","expires_in":3600,"token_type":"Bearer"})");
  }
  if (path == "/health") return plain_reply(200, R"({"status":"ok"})");
  if (ends_with(path, "/models")) return model_page(request, "");
  if (const auto at = path.find("/models/"); at != std::string_view::npos)
    return model_page(request, path.substr(at + 8));
  return error_reply(404, "no such path: " + request.method + " " + request.path, "not_found");
}

Reply Endpoints::bad_request(int status) {
  return error_reply(status, "not an HTTP/1.1 request that can be read", "bad_request");
}

}  // namespace nemo::fake_upstream
