#include "daemon/http/call_server.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "daemon/gateway/settlement.h"
#include "shared/log.h"

namespace nemo::http {
namespace {

// Nearly all bodies fit, so that they are read in one piece.
constexpr std::size_t k_first_room = std::size_t{1} << 20U;

void tell_of(const std::exception& bug) {
  log::error(std::string("a call ended by a bug: ") + bug.what());
}

// Runs a stream to its end. False: the client left.
bool pump(gateway::AnswerStream& stream, gateway::Settlement& settlement, int client_fd, AnswerWriter& writer) {
  using Step = gateway::AnswerStream::Step;
  std::string out;
  for (;;) {
    out.clear();
    const Step step = stream.next(out, client_fd);
    const bool written = out.empty() || writer.write_piece(out);
    if (!out.empty()) settlement.first_content_sent(std::chrono::steady_clock::now());
    if (step == Step::client_gone || (!written && step != Step::end)) {
      stream.client_left();
      settlement.finish(gateway::Delivery::client_gone);
      return false;
    }
    if (step == Step::end) {
      stream.client_left();
      settlement.finish(written ? gateway::Delivery::complete : gateway::Delivery::client_gone);
      return written && writer.end();
    }
  }
}

gateway::Incoming incoming_from(ReceivedCall& call, int client_fd, WallTime at) {
  gateway::Incoming incoming;
  incoming.surface = call.surface;
  incoming.path = std::move(call.path);
  incoming.body = std::move(call.body);
  incoming.key = std::move(call.key);
  incoming.user_agent = std::move(call.user_agent);
  incoming.dialect_headers = std::move(call.dialect_headers);
  incoming.client_fd = client_fd;
  incoming.stop_fd = call.stop_fd;
  incoming.origin = std::move(call.origin);
  incoming.received_at = call.received_at;
  incoming.at = at;
  return incoming;
}

}  // namespace

bool read_body(ClientSocket& socket, std::size_t length, std::string& body) {
  while (body.size() < length) {
    const std::size_t had = body.size();
    body.resize(std::min(length, std::max(k_first_room, 2 * had)));
    if (!socket.read_exactly(body.data() + had, body.size() - had)) return false;
  }
  return true;
}

bool write_refusal(ClientSocket& socket, const Error& error, int status, call::Surface surface) {
  gateway::Answer answer = gateway::error_answer(error, surface);
  answer.status = status;
  AnswerWriter::Manners manners;
  manners.closes = true;
  return AnswerWriter(socket, manners).write_whole(answer);
}

After CallServer::serve(ClientSocket& socket, ReceivedCall call) const {
  const call::Surface surface = call.surface;
  AnswerWriter::Manners manners;
  manners.allowed_origin = call.allowed_origin;
  manners.closes = call.closes;
  manners.framing = call.framing;
  gateway::Answer answer;
  try {
    answer = m_gateway.answer(incoming_from(call, socket.fd(), m_clock.wall()));
  } catch (const std::exception& bug) {
    tell_of(bug);
    const Error error = fail(ErrorKind::internal, "Nemo failed at this call; its log says more.");
    write_refusal(socket, error, error.status(), surface);
    return After::close;
  }
  try {
    return deliver(socket, answer, manners);
  } catch (const std::exception& bug) {
    tell_of(bug);  // something of the answer is out
    return After::close;
  }
}

After CallServer::deliver(ClientSocket& socket, const gateway::Answer& answer, AnswerWriter::Manners manners) const {
  if (answer.client_gone) {
    answer.settlement->finish(gateway::Delivery::client_gone);
    // Read only by a client that closed no more than its sending half.
    const Error gone =
        fail(ErrorKind::client_gone, "The client closed its side of the connection before the answer was there.");
    write_refusal(socket, gone, gone.status());
    return After::close;
  }
  if (answer.stream && manners.framing == Framing::until_close) manners.closes = true;
  AnswerWriter writer(socket, manners);
  bool delivered = false;
  if (answer.stream) {
    delivered = writer.begin(answer) && pump(*answer.stream, *answer.settlement, socket.fd(), writer);
  } else {
    delivered = writer.write_whole(answer);
    const auto delivery = delivered ? gateway::Delivery::complete : gateway::Delivery::client_gone;
    if (answer.settlement) answer.settlement->finish(delivery);
  }
  return delivered && !manners.closes ? After::keep : After::close;
}

}  // namespace nemo::http
