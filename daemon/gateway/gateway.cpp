#include "daemon/gateway/gateway.h"

#include <algorithm>
#include <cctype>

#include "daemon/gateway/chance.h"
#include "daemon/gateway/completion_text.h"
#include "daemon/gateway/identify.h"
#include "daemon/protocol/hub_conversation.h"
#include "daemon/protocol/meant_path.h"
#include "daemon/protocol/surface_form.h"
#include "shared/ids.h"
#include "shared/money.h"

namespace nemo::gateway {
namespace {

std::string milliseconds_text(Micros time) {
  std::string text = std::to_string(time.count() / 1000) + ".";
  const std::string micros = std::to_string(time.count() % 1000);
  return text.append(3 - micros.size(), '0').append(micros);
}

void add_call_headers(Answer& answer, const Settlement& settlement) {
  const call::CallRecord& record = settlement.record;
  auto& headers = answer.headers;
  headers.emplace_back("x-nemo-request-id", record.id);
  headers.emplace_back("x-nemo-latency-ms",
                       milliseconds_text(settlement.added_by_daemon(std::chrono::steady_clock::now())));
  if (!record.model.empty()) headers.emplace_back("x-nemo-model", record.model);
  if (!record.upstream.empty()) headers.emplace_back("x-nemo-upstream", record.upstream);
  if (!record.lane.empty()) headers.emplace_back("x-nemo-lane", record.lane);
  headers.emplace_back("x-nemo-cache", record.cache);
  headers.emplace_back("x-nemo-attempts", std::to_string(record.trace.attempts.size()));
  if (record.error_code == code_of(ErrorKind::superseded)) headers.emplace_back("x-nemo-superseded", "true");
  if (!record.experiment.empty()) headers.emplace_back("x-nemo-ab-test", record.experiment + "=" + record.arm);
}

void pass_headers(Answer& answer, std::vector<upstream::Header>&& passed) {
  for (upstream::Header& header : passed) {
    const bool taken = std::any_of(answer.headers.begin(), answer.headers.end(),
                                   [&](const auto& own) { return own.first == header.name; });
    if (!taken) answer.headers.emplace_back(std::move(header.name), std::move(header.value));
  }
}

void note_decision(call::CallRecord& record, const routing::Decision& decision) {
  record.lane = decision.lane;
  if (decision.model != nullptr) record.model = decision.model->id;
  record.trace.model_reason = decision.model_reason;
  record.trace.strategy = routing::to_string(decision.strategy);
  record.trace.candidates.clear();  // told while upstream works
  if (decision.experiment != nullptr) {
    record.experiment = decision.experiment->name;
    record.arm = decision.arm->model;
  }
}

void note_spec(call::CallRecord& record, const call::CallSpec& spec) {
  record.requested_model = spec.model;
  record.stream = spec.stream;
  record.tags = spec.tags;
}

bool is_refusal(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::budget_exceeded:
    case ErrorKind::model_not_priced:
    case ErrorKind::rate_limit_exceeded:
    case ErrorKind::tpm_limit_exceeded:
    case ErrorKind::too_many_parallel:
      return true;
    default:
      return false;
  }
}

// An error that ends a call: its answer, and its row.
Answer ended_by(const Error& error, const std::shared_ptr<Settlement>& settlement) {
  if (error.kind == ErrorKind::client_gone) {
    Answer answer;
    answer.client_gone = true;
    answer.settlement = settlement;
    return answer;
  }
  if (is_refusal(error.kind)) {
    settlement->refused(error);
  } else {
    settlement->failed(error);
  }
  Answer answer = error_answer(error, settlement->record.surface);
  add_call_headers(answer, *settlement);
  if (settlement->record.trace.attempts.size() > 1) answer.headers.emplace_back("x-should-retry", "false");
  answer.settlement = settlement;
  return answer;
}

// What the minute is charged with until upstream has counted: an answer of unstated length is taken for a usual one.
std::int64_t likely_tokens(const call::CallSpec& spec) {
  constexpr std::int64_t k_usual_answer = 1'024;
  const auto input = static_cast<std::int64_t>(spec.prompt_bytes) / k_bytes_per_token;
  if (call::hub_of(spec.surface) == call::Hub::embeddings) return input;
  return input + spec.max_tokens.value_or(k_usual_answer) * spec.answers;
}

// "1m30s", "12s", "250ms", as OpenAI writes it.
std::string reset_text(std::chrono::milliseconds time) {
  if (time < std::chrono::seconds(1)) return std::to_string(time.count()) + "ms";
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(time).count();
  return (seconds >= 60 ? std::to_string(seconds / 60) + "m" : "") + std::to_string(seconds % 60) + "s";
}

void add_gauge(Answer& answer, const std::optional<limits::Gauge>& gauge, const char* what) {
  if (!gauge) return;
  const auto name = [what](const char* which) { return std::string("x-ratelimit-") + which + "-" + what; };
  answer.headers.emplace_back(name("limit"), std::to_string(gauge->limit));
  answer.headers.emplace_back(name("remaining"), std::to_string(gauge->remaining));
  answer.headers.emplace_back(name("reset"), reset_text(gauge->reset));
}

}  // namespace

Answer error_answer(const Error& error, call::Surface surface) {
  Answer answer;
  answer.status = error.status();
  answer.body = protocol::form_of(surface).error_body(error);
  if (error.retry_after_s) answer.headers.emplace_back("retry-after", std::to_string(*error.retry_after_s));
  return answer;
}

std::string client_name(std::string_view user_agent) {
  constexpr std::size_t k_longest = 40;
  std::string name;
  for (std::size_t i = 0; i < user_agent.size() && name.size() < k_longest; ++i) {
    const char c = user_agent[i];
    const bool version_follows =
        (c == '/' || c == ' ') && i + 1 < user_agent.size() &&
        (std::isdigit(static_cast<unsigned char>(user_agent[i + 1])) != 0 || user_agent[i + 1] == '(');
    if (version_follows || std::isprint(static_cast<unsigned char>(c)) == 0) break;
    if (c == ' ') break;
    name.push_back(c);
  }
  return name;
}

struct Gateway::Call {
  const Snapshot& world;
  const Incoming& incoming;
  std::shared_ptr<Settlement> settlement;
  std::shared_ptr<const call::Principal> principal = nullptr;  // null: nobody knows who called
  std::optional<protocol::RequestBody> body = std::nullopt;
  call::CallSpec spec = {};
  std::optional<protocol::HubRequest> hub = std::nullopt;  // of a completion that is no OpenAI completion
  std::shared_ptr<Completing> completing = nullptr;        // null: no other call has to do with it
};

Gateway::Gateway(const Live& live, Terms terms, upstream::Transport& transport, ledger::RequestLog& log,
                 const Clock& clock, completion::MemoryStore* remembered)
    : m_live(live),
      m_terms(terms),
      m_transport(transport),
      m_log(log),
      m_clock(clock),
      m_suggestions(log, clock),
      m_desk(remembered, clock) {}

Answer Gateway::answer(Incoming incoming) {
  const std::shared_ptr<const Snapshot> world = m_live.get();
  Call call{*world, incoming, std::make_shared<Settlement>(m_log, m_clock, incoming.received_at)};
  call::CallRecord& record = call.settlement->record;
  record.at = incoming.at;
  record.id = make_request_id(incoming.at);
  record.surface = incoming.surface;
  record.client = client_name(incoming.user_agent);
  call.settlement->belongs_to(std::move(incoming.origin));
  Answer answer = serve(incoming, call);
  if (answer.client_gone) return answer;
  if (!answer.stream) call.settlement->conclude();
  if (call.principal) add_standing(answer, *call.principal);
  return answer;
}

Answer Gateway::serve(Incoming& incoming, Call& call) {
  const std::shared_ptr<Settlement>& settlement = call.settlement;
  call::CallRecord& record = settlement->record;
  auto principal = identify(call.world, m_terms.keys, incoming.key, m_clock.wall());
  if (!principal) return ended_by(principal.error(), settlement);
  call.principal = std::move(*principal);
  record.key = call.principal->key;
  record.seat = call.principal->seat;
  record.team = call.principal->team;

  auto body = protocol::RequestBody::parse(std::move(incoming.body));
  if (!body) return ended_by(body.error(), settlement);
  call.body = std::move(*body);
  const protocol::SurfaceForm& form = protocol::form_of(incoming.surface);
  auto spec = form.parse(*call.body, incoming.path);
  if (!spec) return ended_by(protocol::with_meant_path(spec.error(), incoming.surface, *call.body), settlement);
  call.spec = std::move(*spec);
  note_spec(record, call.spec);
  if (form.hub && call::hub_of(incoming.surface) == call::Hub::completions) {
    auto told = protocol::tell_in_hub(form, *call.body, call.spec);
    if (!told) return ended_by(told.error(), settlement);
    call.hub = std::move(*told);
  }

  auto answered = route(call);
  if (!answered) return ended_by(answered.error(), settlement);

  Answer answer;
  answer.status = answered->status;
  record.http_status = answered->status;
  answer.content_type = form.hub ? "application/json" : std::move(answered->content_type);
  answer.settlement = settlement;
  add_call_headers(answer, *settlement);
  if (answered->relay) {
    if (form.hub) answer.content_type = form.stream_type;
    answer.stream = std::move(answered->relay);
  } else if (answered->is_stream) {
    answer.content_type = form.stream_type;
    answer.body = std::move(answered->body);
    settlement->first_content_sent(m_clock.steady());
  } else {
    answer.headers.emplace_back("x-nemo-request-cost", to_dollars(settlement->cost()));
    answer.body = std::move(answered->body);
  }
  pass_headers(answer, std::move(answered->passed_headers));
  return answer;
}

routing::Circumstances Gateway::circumstances_of(const Call& call) const {
  return {call.principal->models, call.principal->seat, call.settlement->record.id, m_clock.steady(), draw_chance()};
}

// A completion's prompt tells whether what was suggested before was taken, and its own suggestion waits for the next
// one. Not so in chats: a follow-up repeats the answer, whatever became of it.
void Gateway::judge_suggestions(const Call& call, const routing::Decision& decision) {
  if (decision.lane != "completion" || call.spec.only_warms_up || call.spec.answers > 1) return;
  const auto text = call.hub ? completion_text(call.hub->body, call.hub->spec) : completion_text(*call.body, call.spec);
  if (!text) return;
  completion::Around around(text->prefix, text->suffix);
  m_suggestions.observe(call.principal->seat, around);
  call.settlement->watch_suggestion(m_suggestions.watch(call.principal->seat, std::move(around)));
}

// Where the call goes, whether it may go now, and there it goes.
Result<Answered> Gateway::route(Call& call) {
  routing::Decision decision;
  const Status decided =
      routing::decide(call.world.table, call.world.catalog, call.spec, circumstances_of(call), decision);
  call::CallRecord& record = call.settlement->record;
  note_decision(record, decision);
  auto answered = decided ? admit(call, decision) : Result<Answered>(decided.error());
  if (record.trace.candidates.empty()) record.trace.candidates = routing::explain(decision);
  return answered;
}

Result<Answered> Gateway::admit(Call& call, const routing::Decision& decision) {
  auto admission = m_terms.limiter.admit(call.principal->scopes, likely_tokens(call.spec));
  if (!admission) return admission.error();
  call.settlement->admit(std::move(*admission));
  const bool is_completion = call::hub_of(call.spec.surface) == call::Hub::completions;
  if (is_completion) judge_suggestions(call, decision);
  const bool may_be_known = is_completion && decision.lane == "completion";
  return may_be_known || call.spec.only_warms_up ? complete(call, decision) : ask(call, decision);
}

// From what is known already, where that will do.
Result<Answered> Gateway::complete(Call& call, const routing::Decision& decision) {
  const CompletionDesk::Request request{call.world,
                                        call.incoming,
                                        *call.body,
                                        call.spec,
                                        call.hub ? call.hub->body : *call.body,
                                        call.hub ? call.hub->spec : call.spec,
                                        decision,
                                        *call.principal,
                                        call.settlement};
  if (call.spec.only_warms_up) return CompletionDesk::empty_answer(request);
  auto answered = m_desk.answer(request, [&](const std::shared_ptr<Completing>& completing) {
    call.completing = completing;
    return ask(call, decision);
  });
  if (answered || answered.error().kind != ErrorKind::superseded) return answered;
  call.settlement->called_off(answered.error());
  return CompletionDesk::empty_answer(request);
}

Result<Answered> Gateway::ask(const Call& call, const routing::Decision& decision) {
  auto answered = attempt(call, call.spec, decision);
  const bool is_refused = !answered && answered.error().kind == ErrorKind::budget_exceeded;
  return is_refused ? attempt_fallback(call, decision, answered.error()) : std::move(answered);
}

Result<Answered> Gateway::attempt(const Call& call, const call::CallSpec& spec, const routing::Decision& decision) {
  const config::Budgets& budgets = call.world.settings.budgets;
  const bool is_chat = call::hub_of(spec.surface) == call::Hub::chat;
  Purse& purse = call.settlement->pay_from({{m_terms.budgets, m_terms.density, call.principal, call.incoming.at},
                                            spec,
                                            is_chat ? budgets.least_chat_tokens : budgets.least_completion_tokens});
  // What others may read along is asked in OpenAI's form; Completing tells it in the client's.
  const bool in_hub = call.completing && call.hub;
  const Asked asked{call.world,
                    in_hub ? call.hub->spec : spec,
                    in_hub ? call.hub->body : *call.body,
                    call.hub && !in_hub ? &*call.hub : nullptr,
                    call.incoming,
                    purse,
                    decision,
                    call.completing};
  return Attempts(m_transport, call.settlement, asked, m_clock).run();
}

// Nothing has been sent yet: the budget did not let the first candidate through. The key's own choice goes before the
// lane's.
Result<Answered> Gateway::attempt_fallback(const Call& call, const routing::Decision& decision, const Error& refusal) {
  std::string model = call.principal->fallback_model;
  const auto lane = call.world.settings.lanes.find(decision.lane);
  if (model.empty() && lane != call.world.settings.lanes.end()) model = lane->second.budget_fallback;
  if (model.empty() || (decision.model != nullptr && decision.model->id == model)) return refusal;
  call::CallSpec spec = call.spec;
  spec.model = model;
  spec.fallbacks.clear();
  routing::Decision instead;
  const Status decided = routing::decide(call.world.table, call.world.catalog, spec, circumstances_of(call), instead);
  if (!decided) return refusal;
  call::CallRecord& record = call.settlement->record;
  record.budget_fallback = std::exchange(record.model, std::string());
  note_decision(record, instead);
  record.lane = decision.lane;
  record.trace.model_reason = "the budget for " + record.budget_fallback + " is used up: on_budget";
  auto answered = attempt(call, spec, instead);
  // That the fallback cannot be paid for either is not what the caller needs to know.
  const bool is_refused = !answered && answered.error().kind == ErrorKind::budget_exceeded;
  return is_refused ? refusal : std::move(answered);
}

void Gateway::add_standing(Answer& answer, const call::Principal& principal) const {
  if (const auto remaining = m_terms.budgets.remaining(principal.scopes)) {
    answer.headers.emplace_back("x-nemo-budget-remaining", to_dollars(*remaining));
  }
  const limits::Gauges gauges = m_terms.limiter.gauges(principal.scopes);
  add_gauge(answer, gauges.requests, "requests");
  add_gauge(answer, gauges.tokens, "tokens");
}

}  // namespace nemo::gateway
