#include "daemon/gateway/gateway.h"

#include <algorithm>
#include <cctype>

#include "daemon/gateway/attempts.h"
#include "daemon/gateway/dialect.h"
#include "daemon/protocol/openai.h"
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
}

void pass_headers(Answer& answer, std::vector<upstream::Header>&& passed) {
  for (upstream::Header& header : passed) {
    const bool taken = std::any_of(answer.headers.begin(), answer.headers.end(),
                                   [&](const auto& own) { return own.first == header.name; });
    if (!taken) answer.headers.emplace_back(std::move(header.name), std::move(header.value));
  }
}

void note_decision(call::CallRecord& record, routing::Decision& decision) {
  record.lane = decision.lane;
  if (decision.model != nullptr) record.model = decision.model->id;
  record.trace.model_reason = decision.model_reason;
  record.trace.candidates = std::move(decision.considered);
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
  Answer answer = error_answer(error);
  add_call_headers(answer, *settlement);
  if (settlement->record.trace.attempts.size() > 1) answer.headers.emplace_back("x-should-retry", "false");
  answer.settlement = settlement;
  return answer;
}

}  // namespace

Answer error_answer(const Error& error) {
  Answer answer;
  answer.status = error.status();
  answer.body = protocol::error_body(error);
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

Gateway::Gateway(const Live& live, const access::KeyBook& keys, upstream::Transport& transport, ledger::RequestLog& log,
                 const Clock& clock)
    : m_live(live), m_keys(keys), m_transport(transport), m_log(log), m_clock(clock) {}

Result<std::shared_ptr<const call::Principal>> Gateway::identify(const Snapshot& world, const Secret& key) const {
  static const auto k_local = std::make_shared<const call::Principal>(call::Principal{"", "local", "", {}});
  const bool is_ours = key.expose().starts_with("sk-nemo-");
  // Many editors insist on sending some key: without require_key, one that is not Nemo's means nothing.
  if (!world.settings.require_key && !is_ours) return k_local;
  if (key.empty()) {
    return fail(ErrorKind::invalid_api_key,
                m_keys.empty() ? "No key was sent, and none exists yet. Make one with: nemo keys create --seat NAME"
                               : "No key was sent. Send it as \"Authorization: Bearer sk-nemo-…\".");
  }
  return m_keys.identify(key.expose(), m_clock.wall());
}

Answer Gateway::answer(Incoming incoming) {
  auto settlement = std::make_shared<Settlement>(m_log, m_clock, incoming.received_at);
  call::CallRecord& record = settlement->record;
  record.at = incoming.at;
  record.id = make_request_id(incoming.at);
  record.surface = incoming.surface;
  record.client = client_name(incoming.user_agent);
  return serve(incoming, settlement);
}

Answer Gateway::serve(Incoming& incoming, const std::shared_ptr<Settlement>& settlement) {
  const std::shared_ptr<const Snapshot> world = m_live.get();
  call::CallRecord& record = settlement->record;
  auto principal = identify(*world, incoming.key);
  if (!principal) return ended_by(principal.error(), settlement);
  record.key = (*principal)->key;
  record.seat = (*principal)->seat;
  record.team = (*principal)->team;

  auto body = protocol::RequestBody::parse(std::move(incoming.body));
  if (!body) return ended_by(body.error(), settlement);
  auto spec = dialect_of(incoming.surface).parse(*body);
  if (!spec) return ended_by(spec.error(), settlement);
  note_spec(record, *spec);

  routing::Decision decision;
  const Status decided = routing::decide(world->table, world->catalog, *spec, (*principal)->models, decision);
  note_decision(record, decision);
  if (!decided) return ended_by(decided.error(), settlement);

  const Asked asked{*world, *spec, *body, decision, incoming.client_fd, incoming.stop_fd, incoming.received_at};
  auto answered = Attempts(m_transport, settlement, asked).run();
  if (!answered) return ended_by(answered.error(), settlement);

  Answer answer;
  answer.status = answered->status;
  record.http_status = answered->status;
  answer.content_type = std::move(answered->content_type);
  answer.settlement = settlement;
  add_call_headers(answer, *settlement);
  if (answered->relay) {
    answer.stream = std::move(answered->relay);
  } else {
    answer.headers.emplace_back("x-nemo-request-cost", to_dollars(settlement->cost()));
    answer.body = std::move(answered->body);
  }
  pass_headers(answer, std::move(answered->passed_headers));
  return answer;
}

}  // namespace nemo::gateway
