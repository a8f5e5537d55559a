// The Vertex paths of GoogleEndpoints.
#include <algorithm>
#include <utility>

#include "tests/support/fake_google/claude_answer.h"
#include "tests/support/fake_google/gemini_answer.h"
#include "tests/support/fake_google/google_endpoints.h"
#include "tests/support/fake_google/objections.h"
#include "tests/support/fake_upstream/answer_body.h"
#include "tests/support/fake_upstream/event_stream.h"
#include "tests/support/fake_upstream/whole_answer.h"

namespace nemo::fake_google {
namespace {

using fake_upstream::Ask;
using fake_upstream::AskKind;
using fake_upstream::CallState;
using fake_upstream::Request;
using fake_upstream::Script;
using fake_upstream::SingleStep;
using fake_upstream::Step;

bool is_gemini(std::string_view method) {
  return method == "generateContent" || method == "streamGenerateContent";
}

std::string_view bearer_of(const Request& request) {
  constexpr std::string_view k_scheme = "Bearer ";
  const std::string_view header = request.header("authorization");
  return header.substr(0, k_scheme.size()) == k_scheme ? header.substr(k_scheme.size()) : std::string_view();
}

// Its text as the input of an embedding, so that the fake upstream's own counting applies.
Json as_openai_embedding(const Json& body, const std::string& model, const char* options) {
  Json asked = {{"model", model}, {"input", Json::array()}};
  if (body.contains("instances")) {
    for (const Json& instance : body["instances"]) asked["input"].push_back(instance["content"]);
  } else {
    std::string text;
    for (const Json& part : body["content"]["parts"]) text += part["text"].get<std::string>();
    asked["input"].push_back(text);
  }
  const Json wanted = body.value(options, Json::object());
  if (wanted.is_object() && wanted.contains("outputDimensionality")) {
    asked["dimensions"] = wanted["outputDimensionality"];
  }
  return asked;
}

std::int64_t tokens_of(const std::string& text) {
  return static_cast<std::int64_t>((text.size() + 3) / 4);
}

std::string predictions(const Ask& ask) {
  Json list = Json::array();
  std::size_t characters = 0;
  for (const std::string& text : ask.prompts) {
    characters += text.size();
    list.push_back({{"embeddings",
                     {{"values", fake_upstream::embedding(text, ask.model, ask.dimensions)},
                      {"statistics", {{"token_count", tokens_of(text)}, {"truncated", false}}}}}});
  }
  return fake_upstream::to_text(
      {{"predictions", std::move(list)}, {"metadata", {{"billableCharacterCount", characters}}}});
}

std::string embedded_content(const Ask& ask) {
  return fake_upstream::to_text(
      {{"embedding", {{"values", fake_upstream::embedding(ask.prompts[0], ask.model, ask.dimensions)}}},
       {"usageMetadata", {{"promptTokenCount", ask.input_tokens}, {"totalTokenCount", ask.input_tokens}}}});
}

}  // namespace

struct GoogleEndpoints::CallOf {
  const Target& target;
  const Json& body;
  Script script;
  Reply reply;

  fake_upstream::Call& entry() { return *reply.call; }
  void plan(const Ask& ask) {
    entry().stream = ask.stream;
    entry().planned = fake_upstream::planned_usage(ask, script);
  }
  // OpenAI's shape, streamed or whole, with all the faults that a script knows.
  void play(const Ask& ask) {
    plan(ask);
    if (script.cut_before_head) {
      reply.final_state = CallState::cut;
      reply.playback = fake_upstream::cut_before_head(script);
    } else if (ask.stream && !script.empty_200 && !script.gzip_garbage) {
      if (script.cut_after_chunks || script.error_event_after) reply.final_state = CallState::cut;
      reply.playback = std::make_unique<fake_upstream::EventStream>(ask, script, entry().id, entry().planned);
    } else {
      if (script.cut_after_chunks || script.empty_200) reply.final_state = CallState::cut;
      reply.playback = fake_upstream::whole_answer(ask, script, entry().id, entry().planned);
    }
  }
  void play_whole(const std::string& text) {
    if (script.cut_before_head || script.cut_after_chunks || script.empty_200) reply.final_state = CallState::cut;
    if (script.cut_before_head) {
      reply.playback = fake_upstream::cut_before_head(script);
      return;
    }
    Step step = whole_step(script, script.empty_200 ? "" : text, script.delay_ms + script.first_token_ms);
    step.chunks = 1;
    step.words = entry().planned.output_tokens - entry().planned.reasoning_tokens;
    if (script.cut_after_chunks) {
      step = fake_upstream::cut_step(script, "");
      step.wait_ms = script.delay_ms;
    }
    reply.playback = std::make_unique<SingleStep>(std::move(step));
  }
};

std::optional<GoogleEndpoints::Objection> GoogleEndpoints::object_to(const Request& request, const Target& target,
                                                                     const Json& body) const {
  if (m_settings.refuse_tokens || !m_desk.is_good(bearer_of(request))) {
    return Objection{401,
                     "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or "
                     "other valid authentication credential."};
  }
  if (target.project != m_settings.project) {
    return Objection{403,
                     "Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform.googleapis.com/"
                     "projects/" +
                         target.project + "' (or it may not exist)."};
  }
  if (m_settings.locations.count(target.location) == 0) {
    return Objection{404, "The location " + target.location + " is not one where this is served."};
  }
  if (!target.publisher.empty() && !is_served(target.publisher, target.model, target.method)) {
    return Objection{404, "Publisher Model `publishers/" + target.publisher + "/models/" + target.model +
                              "` was not found or does not have " + target.method + "."};
  }
  if (!body.is_object()) return Objection{400, "the request body is not a JSON object"};
  const bool streamed = target.method == "streamRawPredict";
  std::string wrong;
  if (target.publisher.empty()) {
    wrong = object_to_chat(body);
  } else if (target.publisher == "anthropic") {
    wrong = object_to_claude(body, streamed);
  } else if (target.publisher == "mistralai") {
    wrong = object_to_mistral(body, target.model, streamed);
  } else if (is_gemini(target.method)) {
    wrong = object_to_gemini(body, target.method == "streamGenerateContent", request.query);
  } else {
    wrong = target.method == "predict" ? object_to_predict(body) : object_to_embed_content(body);
  }
  if (wrong.empty()) return std::nullopt;
  return Objection{400, std::move(wrong)};
}

Reply GoogleEndpoints::vertex(const Request& request, const Target& target) {
  if (target.publisher == "anthropic" && target.model == "count-tokens") return count_tokens(request);
  const Json body = Json::parse(request.body, nullptr, false);
  CallOf call{target, body, {}, {}};
  call.reply.call = journal().start(request);
  call.entry().model = target.publisher.empty() && body.is_object() ? text_of(body, "model") : target.model;
  auto refuse = [&](Reply reply) {
    call.entry().status = call.script.status;
    call.reply.final_state = CallState::refused;
    call.reply.playback = std::move(reply.playback);
    return std::move(call.reply);
  };
  if (const auto objection = object_to(request, target, body)) {
    call.script.status = objection->status;
    return refuse(json_reply(objection->status, error_json(objection->status, objection->message, form())));
  }
  const auto fake = body.find("fake");
  auto choice =
      scripts().choose(call.entry().model, fake == body.end() ? nullptr : &*fake, request.header("x-fake-script"));
  call.script = std::move(choice.script);
  if (!choice.problem.empty()) {
    call.script.status = 400;
    call.script.error_message = choice.problem;
  }
  if (call.script.status != 200) return refuse(scripted_refusal(call.script, form()));
  call.entry().status = 200;
  if (target.publisher.empty()) {
    chat(call);
  } else if (target.publisher == "anthropic") {
    claude(call);
  } else if (target.publisher == "mistralai") {
    mistral(call);
  } else if (is_gemini(target.method)) {
    gemini(call);
  } else {
    embeddings(call);
  }
  return std::move(call.reply);
}

void GoogleEndpoints::chat(CallOf& call) {
  constexpr std::string_view k_google = "google/";
  call.script.gemini_usage = call.entry().model.compare(0, k_google.size(), k_google) == 0;
  call.play(fake_upstream::read_ask(AskKind::chat, call.body, call.script));
}

void GoogleEndpoints::claude(CallOf& call) {
  const ClaudeAsk read = read_claude_ask(call.body, call.target.model, call.script);
  if (!read.thinks) call.script.reasoning_tokens = 0;
  call.plan(read.ask);
  const auto& planned = call.entry().planned;
  const ClaudeAnswer answer{read.ask, call.script, planned, call.entry().id,
                            std::min(m_settings.cache_write_tokens, planned.input_tokens - planned.cached_tokens)};
  if (!read.ask.stream || call.script.empty_200 || call.script.cut_before_head) {
    call.play_whole(claude_message(answer));
    return;
  }
  if (call.script.cut_after_chunks || call.script.error_event_after) call.reply.final_state = CallState::cut;
  call.reply.playback = claude_stream(answer);
}

void GoogleEndpoints::gemini(CallOf& call) {
  const GeminiAsk read =
      read_gemini_ask(call.body, call.target.model, call.target.method == "streamGenerateContent", call.script);
  call.plan(read.ask);
  const GeminiAnswer answer{read, call.script, call.entry().planned, call.entry().id, form()};
  if (!read.ask.stream || call.script.empty_200 || call.script.cut_before_head) {
    call.play_whole(gemini_whole(answer));
    return;
  }
  if (call.script.cut_after_chunks || call.script.error_event_after) call.reply.final_state = CallState::cut;
  call.reply.playback = gemini_stream(answer);
}

void GoogleEndpoints::mistral(CallOf& call) {
  call.script.reasoning_tokens = 0;
  call.script.usage_on_finish = true;
  const bool fim = call.body.contains("prompt");
  Ask ask = fake_upstream::read_ask(fim ? AskKind::completion : AskKind::chat, call.body, call.script);
  ask.kind = AskKind::chat;  // also a filled hole comes in chat's shape
  call.play(ask);
}

void GoogleEndpoints::embeddings(CallOf& call) {
  const bool predict = call.target.method == "predict";
  const Json asked = as_openai_embedding(call.body, call.target.model, predict ? "parameters" : "embedContentConfig");
  const Ask ask = fake_upstream::read_ask(AskKind::embedding, asked, call.script);
  call.plan(ask);
  call.play_whole(predict ? predictions(ask) : embedded_content(ask));
}

// Costs nothing, so the journal does not list it.
Reply GoogleEndpoints::count_tokens(const Request& request) {
  count_other(request);
  if (!m_desk.is_good(bearer_of(request))) return json_reply(401, error_json(401, "no good token", form()));
  const Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object() || text_of(body, "model").empty()) {
    return json_reply(400, error_json(400, "model: Field required", form()));
  }
  const ClaudeAsk read = read_claude_ask(body, text_of(body, "model"), {});
  return json_reply(200, {{"input_tokens", read.ask.input_tokens}});
}

}  // namespace nemo::fake_google
