// With httplib_request.h the only file that includes httplib.h for the editor's side, and the only one that depends on
// its version: 0.11.4 gives a subclass process_request(Stream&, bool, bool&, setup); later ones add addresses.
#include "daemon/http/editor_server.h"

#include <httplib.h>

#include <atomic>

#include "daemon/http/call_head.h"
#include "daemon/http/call_server.h"
#include "daemon/http/client_socket.h"
#include "daemon/http/connection_pool.h"
#include "daemon/http/gatekeeper.h"
#include "daemon/http/httplib_request.h"
#include "daemon/http/listener.h"
#include "daemon/http/own_answers.h"
#include "daemon/http/request_facts.h"
#include "daemon/http/routes.h"
#include "shared/log.h"

namespace nemo::http {
namespace {

constexpr std::chrono::seconds k_origin_holds{30};

}  // namespace

class EditorServer::Edge final : private httplib::Server {
 public:
  Edge(gateway::Gateway& gateway, const gateway::Pages& pages, const gateway::Live& live, call::OriginFinder& origins,
       const Clock& clock, const Patience& patience)
      : m_calls(gateway, clock),
        m_pages(pages),
        m_live(live),
        m_origins(origins),
        m_clock(clock),
        m_patience(patience) {
    set_keep_alive_timeout(std::chrono::duration_cast<std::chrono::seconds>(m_patience.idle).count());
    set_keep_alive_max_count(1'000'000);
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      return before_body(request, response);
    });
    // Every POST that reaches a body has a path from our own table, so this pattern never sees a long one.
    Post(".*", [this](const httplib::Request& request, httplib::Response& response,
                      const httplib::ContentReader& reader) { call(request, response, reader); });
    set_error_handler([](const httplib::Request&, httplib::Response& response) { explain(response); });
    set_post_routing_handler([](const httplib::Request&, httplib::Response& response) { announce_close(response); });
    set_exception_handler([](const httplib::Request&, httplib::Response& response, std::exception_ptr thrown) {
      try {
        std::rethrow_exception(std::move(thrown));
      } catch (const std::exception& bug) {
        log::error(std::string("a call ended by a bug: ") + bug.what());
      }
      put_error(response, fail(ErrorKind::internal, "Nemo failed at this call; its log says more."));
      t_context->after = After::linger;  // its body may be unread
    });
  }

  Status listen_on_port(const std::string& host, int port) {
    auto listener = listen_on(host, port);
    if (!listener) return listener.error();
    m_port = listener->port;
    m_pool = std::make_unique<ConnectionPool>(
        std::move(listener->socket), [this](ClientSocket& socket) { return serve(socket); },
        [](ClientSocket& socket, bool late) { refuse(socket, late); }, m_clock, m_patience);
    m_pool->start();
    m_serving = m_pool.get();
    return Done{};
  }

  // Both from any thread: the command line may ask before this server is up.
  int port() const { return m_port; }
  ConnectionPool* pool() const { return m_serving; }

 private:
  After serve(ClientSocket& socket) {
    const SteadyTime received_at = m_clock.steady();
    const auto world = m_live.get();
    ask_origin(socket, world->settings, received_at);
    if (const auto head = read_call_head(socket.head(), world->settings)) {
      return serve_plain_call(socket, *head, received_at);
    }
    return serve_by_httplib(socket, world, received_at);
  }

  // With a connection's first request, and again with a later one after a while: an editor keeps its connection for
  // hours, and its branch does not stay.
  void ask_origin(ClientSocket& socket, const config::Settings& settings, SteadyTime now) {
    AskedOrigin& origin = socket.origin();
    if (!settings.whose_work) return origin.slot.reset();
    if (origin.slot && now - origin.at < k_origin_holds) return;
    if (!origin.slot) origin.slot = std::make_shared<call::OriginSlot>();
    origin.at = now;
    m_origins.find(socket.fd(), origin.slot);
  }

  After serve_plain_call(ClientSocket& socket, const CallHead& head, SteadyTime received_at) {
    ReceivedCall call;
    call.surface = head.surface;
    call.key = Secret(std::string(head.key));
    call.user_agent = head.user_agent;
    call.origin = socket.origin().slot;
    call.received_at = received_at;
    call.closes = m_pool->draining();
    call.stop_fd = m_pool->stop_fd();
    socket.pass_head();
    socket.begin_request();
    After after = After::linger;
    if (read_body(socket, head.body_size, call.body)) {
      after = m_calls.serve(socket, std::move(call));
    } else {
      refuse_body(socket);
    }
    socket.end_request();
    return after;
  }

  After serve_by_httplib(ClientSocket& socket, const std::shared_ptr<const gateway::Snapshot>& world,
                         SteadyTime received_at) {
    StreamOverSocket stream(socket);
    bool closed = m_pool->draining();
    RequestContext context{socket, stream, closed, received_at, world, After::keep, false, {}, {}};
    const CurrentContext current(context);
    socket.begin_request();
    const bool written = process_request(stream, closed, closed, [](httplib::Request& request) {
      // Compressing on loopback costs time and saves nothing; ranges make no sense here.
      request.headers.erase("Accept-Encoding");
      request.headers.erase("Range");
      request.ranges.clear();
    });
    socket.end_request();
    if (!written) return After::close;
    return closed && context.after == After::keep ? After::close : context.after;
  }

  static void refuse(ClientSocket& socket, bool late) {
    const Error error = late ? fail(ErrorKind::invalid_request, "The request's head did not arrive in time.")
                             : fail(ErrorKind::request_too_large, "The request's head is larger than 64 KiB.");
    socket.begin_request();
    write_refusal(socket, error, late ? 408 : 431);
  }

  static void refuse_body(ClientSocket& socket) {
    write_refusal(socket, body_missing(socket), socket.timed_out() ? 408 : 400);
  }

  // All that can be said before the body is read. A refusal leaves the body unread, so the connection is closed after
  // it.
  HandlerResponse before_body(const httplib::Request& request, httplib::Response& response) {
    const config::Settings& settings = t_context->world->settings;
    const std::string origin = request.get_header_value("Origin");
    if (!host_is_allowed(request.get_header_value("Host"), settings) || !origin_is_allowed(origin, settings)) {
      return refuse_with(response, fail(ErrorKind::origin_not_allowed,
                                        "Requests from web pages and for other hosts are refused. Allow this one with "
                                        "allowed_origins or allowed_hosts in the config."));
    }
    t_context->allowed_origin = origin;
    allow_origin(response);
    // Only calls read a body; what else brings one must not have it taken for its next request.
    const bool has_body = request.has_header("Content-Length") || request.has_header("Transfer-Encoding");
    if (request.method != "POST" && has_body) t_context->after = After::linger;
    if (request.method == "OPTIONS") return preflight(request, response);
    const std::string_view path = path_of(request);
    const auto route = find_route(path);
    t_context->voice = route ? route->surface : voice_of(path);
    if (!route) {
      return refuse_with(response, fail(ErrorKind::path_not_found, "There is nothing at " + request.method + " " +
                                                                       shortened(path) + ". The API begins at /v1."));
    }
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (route->method == "POST" ? request.method != "POST" : !reads) {
      response.set_header("Allow", std::string(route->method));
      const HandlerResponse refused = refuse_with(
          response, fail(ErrorKind::method_not_allowed,
                         shortened(path) + " answers " + std::string(route->method) + ", not " + request.method + "."));
      // Clients that would rather have a WebSocket go on with POST at once.
      if (strcasecmp(request.get_header_value("Upgrade").c_str(), "websocket") == 0) response.status = 426;
      return refused;
    }
    if (route->method == "POST") return take_body(request, response, *route);
    show_page(request, response, *route, {});
    return HandlerResponse::Handled;
  }

  static std::string shortened(std::string_view path) {
    constexpr std::size_t k_shown = 100;
    return std::string(path.substr(0, k_shown)) + (path.size() > k_shown ? "…" : "");
  }

  // A body of known length is read here, at once and in one piece. One that is chunked or compressed goes through
  // httplib's reader, behind the pattern route.
  HandlerResponse take_body(const httplib::Request& request, httplib::Response& response, const Route& route) {
    const std::size_t limit = t_context->world->settings.max_body_bytes;
    const std::string length_text = request.get_header_value("Content-Length");
    if (!framing_is_clear(request)) {
      return refuse_with(response,
                         fail(ErrorKind::invalid_request,
                              "Where the body ends is not clear: send one Content-Length that is a number, or "
                              "Transfer-Encoding: chunked."));
    }
    const std::size_t length = std::strtoull(length_text.c_str(), nullptr, 10);
    if (length_text.empty() && !request.has_header("Transfer-Encoding")) {
      return refuse_with(response,
                         fail(ErrorKind::invalid_request, "The request has no body; a JSON object is expected."));
    }
    if (length > limit) return refuse_with(response, body_too_large());
    if (length_text.empty() || request.has_header("Transfer-Encoding") || request.has_header("Content-Encoding")) {
      return HandlerResponse::Unhandled;
    }
    std::string body;
    if (read_body(t_context->socket, length, body)) {
      answer(request, response, route, std::move(body));
    } else {
      response.status = 400;  // explain() says why
    }
    return HandlerResponse::Handled;
  }

  void answer(const httplib::Request& request, httplib::Response& response, const Route& route, std::string body) {
    if (route.page == Page::call) {
      answer_call(request, response, route, std::move(body));
    } else {
      show_page(request, response, route, std::move(body));
    }
  }

  void show_page(const httplib::Request& request, httplib::Response& response, const Route& route, std::string body) {
    put_page(response,
             m_pages.answer({route.page, route.surface, std::string(route.rest), std::move(body), key_of(request)}));
  }

  void call(const httplib::Request& request, httplib::Response& response, const httplib::ContentReader& reader) {
    const std::size_t limit = t_context->world->settings.max_body_bytes;
    std::string body;
    // Counted after decompression, so that a small body cannot become a huge one.
    const bool whole = reader([&](const char* bytes, std::size_t size) {
      t_context->too_large = body.size() + size > limit;
      if (!t_context->too_large) body.append(bytes, size);
      return !t_context->too_large;
    });
    if (!whole) return;  // httplib has set the status; explain() says why
    if (const auto route = find_route(path_of(request))) answer(request, response, *route, std::move(body));
  }

  // Answers of calls leave directly, whole or as a stream.
  void answer_call(const httplib::Request& request, httplib::Response& response, const Route& route, std::string body) {
    ReceivedCall call;
    call.surface = route.surface;
    call.path = {std::string(route.rest), route.stream};
    call.body = std::move(body);
    call.key = key_of(request);
    call.user_agent = request.get_header_value("User-Agent");
    call.dialect_headers = dialect_headers_of(request);
    call.origin = t_context->socket.origin().slot;
    call.received_at = t_context->received_at;
    call.allowed_origin = t_context->allowed_origin;
    call.closes = t_context->closed || t_context->after != After::keep;
    call.framing = request.version == "HTTP/1.0" ? Framing::until_close : Framing::chunked;
    call.stop_fd = m_pool->stop_fd();
    t_context->stream.answered();
    response.status = 200;
    response.body = " ";  // keeps the error hook from explaining what has been said
    const After after = m_calls.serve(t_context->socket, std::move(call));
    if (after != After::keep) t_context->after = after;
  }

  // A page that is not a call goes httplib's way, which knows HEAD.
  static void put_page(httplib::Response& response, gateway::Answer answer) {
    response.status = answer.status;
    for (const auto& [name, value] : answer.headers) response.set_header(name, value);
    response.set_content(answer.body, answer.content_type);
  }

  CallServer m_calls;
  const gateway::Pages& m_pages;
  const gateway::Live& m_live;
  call::OriginFinder& m_origins;
  const Clock& m_clock;
  Patience m_patience;
  std::atomic<int> m_port{0};
  std::unique_ptr<ConnectionPool> m_pool;
  std::atomic<ConnectionPool*> m_serving{nullptr};
};

EditorServer::EditorServer(gateway::Gateway& gateway, const gateway::Pages& pages, const gateway::Live& live,
                           call::OriginFinder& origins, const Clock& clock, const Patience& patience)
    : m_edge(std::make_unique<Edge>(gateway, pages, live, origins, clock, patience)) {}

EditorServer::~EditorServer() {
  stop(std::chrono::milliseconds(0));
}

Status EditorServer::listen(const std::string& host, int port) {
  return m_edge->listen_on_port(host, port);
}

int EditorServer::port() const {
  return m_edge->port();
}

bool EditorServer::stop(std::chrono::milliseconds patience) {
  if (m_edge->pool() == nullptr) return true;
  const bool all_ended = m_edge->pool()->drain(patience);
  m_edge->pool()->stop();
  return all_ended;
}

std::size_t EditorServer::open_connections() const {
  return m_edge->pool() ? m_edge->pool()->open_connections() : 0;
}

std::size_t EditorServer::open_calls() const {
  return m_edge->pool() ? m_edge->pool()->busy() : 0;
}

}  // namespace nemo::http
