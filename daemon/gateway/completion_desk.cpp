#include "daemon/gateway/completion_desk.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "daemon/gateway/completion_text.h"
#include "daemon/gateway/follow_stream.h"
#include "daemon/gateway/hub_completion.h"

namespace nemo::gateway {
namespace {

using completion::Ending;
using completion::Following;
using completion::Memory;

// An answer that is read along may turn out to be another's so often; then the call is made.
constexpr int k_most_followed = 4;

std::string_view finish_reason(Ending ending) {
  return ending == Ending::by_itself ? "stop" : "length";
}

CompletionTeller::To told_to(const CompletionDesk::Request& request, const std::string& model) {
  return {protocol::form_of(request.incoming.surface),
          request.body,
          request.spec,
          request.settlement->record.id,
          model,
          request.incoming.at};
}

// All of an answer at once, streamed or not.
Result<Answered> told(const CompletionDesk::Request& request, const std::string& model, std::string_view text,
                      std::string_view reason) {
  const CompletionTeller::To to = told_to(request, model);
  Answered answered;
  answered.content_type = "application/json";
  if (!request.spec.stream) {
    auto body = CompletionTeller::whole(to, text, reason);
    if (!body) return body.error();
    answered.body = std::move(*body);
    return answered;
  }
  answered.content_type = to.form.stream_type;
  answered.is_stream = true;
  CompletionTeller teller(to);
  if (!text.empty()) teller.say(text, answered.body);
  teller.finish(reason, answered.body);
  return answered;
}

// Served by an earlier call: what it is in the ledger.
void note(const CompletionDesk::Request& request, const char* how, const std::string& model) {
  call::CallRecord& record = request.settlement->record;
  record.cache = how;
  record.model = model;
}

bool may_use(const call::Principal& principal, const std::string& model) {
  const auto& allowed = principal.models;
  return allowed.empty() || std::find(allowed.begin(), allowed.end(), model) != allowed.end();
}

bool is_bypassed(const protocol::RequestBody& body) {
  const protocol::Field* cache = body.find("nemo_cache");
  return cache != nullptr && cache->value == "false";
}

std::shared_ptr<completion::Asked> asked_by(const CompletionDesk::Request& request, CompletionText text) {
  auto asked = std::make_shared<completion::Asked>();
  asked->seat = request.principal.seat;
  asked->terms = "model=" + request.decision.model->id + "\n" + std::move(text.terms);
  asked->prefix = std::move(text.prefix);
  asked->suffix = std::move(text.suffix);
  asked->has_hole = text.has_hole;
  asked->may_share = text.may_share;
  asked->is_steady = text.is_steady;
  return asked;
}

// Of one that has waited in vain for another's answer, and has left it, so that it does not keep it alive: it may go
// before that one, or behind a newer one.
bool is_stale(const Completing& completing) {
  completing.place->contest();
  return completing.place->is_overtaken();
}

}  // namespace

Result<Answered> CompletionDesk::answer(const Request& request, const Ask& ask) {
  if (is_bypassed(request.body)) {
    request.settlement->record.cache = "bypass";
    return ask(nullptr);
  }
  auto text = completion_text(request.hub_body, request.hub_spec);
  if (!text) return ask(nullptr);
  config::Lane lane;
  const auto found = request.world.settings.lanes.find(request.decision.lane);
  if (found != request.world.settings.lanes.end()) lane = found->second;
  auto asked = asked_by(request, std::move(*text));
  if (lane.remember.count() == 0) asked->may_share = false;

  auto completing = std::make_shared<Completing>(
      Completing{protocol::form_of(request.incoming.surface), request.body, request.spec, m_clock});
  completing->asked = asked;
  completing->settlement = request.settlement;
  const std::string& payer = request.principal.key.empty() ? asked->seat : request.principal.key;
  using Held = completion::LatestWins::Held;
  completing->place =
      m_latest.enter(payer + "\n" + request.settlement->record.client, asked,
                     lane.settle.count() > 0 ? Held::yes : Held::no, [off = completing->off] { off->now(); });
  return settle(request, completing, m_clock.wall() - lane.remember, lane.settle, ask);
}

// What can be answered at once is not held back.
Result<Answered> CompletionDesk::settle(const Request& request, const std::shared_ptr<Completing>& completing,
                                        WallTime oldest, std::chrono::milliseconds time, const Ask& ask) {
  if (time.count() == 0) return join(request, completing, oldest, ask);
  Memory::Found found = m_memory.find(*completing->asked, oldest, completing->off->bell);
  if (!std::holds_alternative<std::monostate>(found)) {
    if (auto answered = use(request, completing, std::move(found))) return std::move(*answered);
    if (is_stale(*completing)) return superseded();
    return join(request, completing, oldest, ask);
  }
  const SteadyTime until = std::chrono::steady_clock::now() + time;
  EventBell::Rung rung = EventBell::Rung::bell;
  while (rung == EventBell::Rung::bell && !completing->off->is_off()) {
    rung = completing->off->bell.wait(request.incoming.client_fd, until);
  }
  if (completing->off->is_off()) return superseded();
  if (rung == EventBell::Rung::client_gone) return fail(ErrorKind::client_gone, "the client closed the connection");
  return join(request, completing, oldest, ask);
}

Result<Answered> CompletionDesk::join(const Request& request, const std::shared_ptr<Completing>& completing,
                                      WallTime oldest, const Ask& ask) {
  for (int followed = 0; followed < k_most_followed; ++followed) {
    Memory::Joined joined = m_memory.join(completing->asked, oldest, completing->off->bell);
    if (auto* lead = std::get_if<std::shared_ptr<completion::Lead>>(&joined)) {
      completing->lead = std::move(*lead);
      break;
    }
    Memory::Found found;
    if (auto* rest = std::get_if<Memory::Rest>(&joined)) {
      found = std::move(*rest);
    } else {
      found.emplace<Following>(std::move(std::get<Following>(joined)));
    }
    if (auto answered = use(request, completing, std::move(found))) return std::move(*answered);
    if (is_stale(*completing)) return superseded();
  }
  if (!completing->lead) completing->lead = std::make_shared<completion::Lead>(nullptr, completing->asked);
  completing->place->is_answered_by(completing->lead->answer());
  return ask(completing);
}

std::optional<Result<Answered>> CompletionDesk::use(const Request& request,
                                                    const std::shared_ptr<Completing>& completing,
                                                    Memory::Found found) const {
  if (const auto* rest = std::get_if<Memory::Rest>(&found)) return serve(request, *rest);
  return follow(request, completing, std::move(std::get<Following>(found)));
}

std::optional<Result<Answered>> CompletionDesk::serve(const Request& request, const Memory::Rest& rest) const {
  if (!may_use(request.principal, rest.model)) return std::nullopt;
  auto answered = told(request, rest.model, rest.text, finish_reason(rest.ending));
  if (answered) note(request, "type-through", rest.model);
  request.settlement->show(rest.text);
  return answered;
}

std::optional<Result<Answered>> CompletionDesk::follow(const Request& request,
                                                       const std::shared_ptr<Completing>& completing,
                                                       Following following) const {
  using Heard = Following::Heard;
  auto followed = std::make_unique<Following>(std::move(following));
  completing->place->reads_along(followed->answer(), followed->typed());
  std::string text;
  for (;;) {
    const Heard heard = followed->take(text);
    if (heard == Heard::more) completing->place->look_again();
    if (heard == Heard::disagrees || heard == Heard::broken) return std::nullopt;
    if (completing->off->is_off()) return Result<Answered>(superseded());
    if (heard == Heard::nothing) {
      const SteadyTime from = std::chrono::steady_clock::now();
      const auto rung = completing->off->bell.wait(request.incoming.client_fd);
      request.settlement->waited(std::chrono::duration_cast<Micros>(std::chrono::steady_clock::now() - from));
      if (rung == EventBell::Rung::client_gone) {
        return Result<Answered>(fail(ErrorKind::client_gone, "the client closed the connection"));
      }
      continue;
    }
    const std::string model = followed->model();
    if (!may_use(request.principal, model)) return std::nullopt;
    if (heard == Heard::ended) {
      note(request, "join", model);
      request.settlement->show(text);
      return told(request, model, text, finish_reason(followed->ending()));
    }
    if (!request.spec.stream) continue;
    note(request, "join", model);
    Answered answered;
    answered.content_type = completing->form.stream_type;
    answered.relay = std::make_unique<FollowStream>(std::move(followed), std::move(text), told_to(request, model),
                                                    completing, request.settlement);
    return Result<Answered>(std::move(answered));
  }
}

Result<Answered> CompletionDesk::empty_answer(const Request& request) {
  return told(request, request.settlement->record.model, "", "stop");
}

}  // namespace nemo::gateway
