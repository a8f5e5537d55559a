// One exchange over a loop of libcurl, and the waiting for two at once. Internal to upstream/.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/upstream/curl_loop.h"
#include "daemon/upstream/patience.h"
#include "daemon/upstream/transfer.h"
#include "daemon/upstream/transport.h"

namespace nemo::upstream {

class CurlExchange final : public Exchange {
 public:
  CurlExchange(std::shared_ptr<CurlLoop> loop, std::shared_ptr<Transfer> transfer);
  ~CurlExchange() override;
  CurlExchange(const CurlExchange&) = delete;
  CurlExchange& operator=(const CurlExchange&) = delete;

  Wake wait_head(int client_fd) override;
  Wake wait_body(int client_fd, std::optional<SteadyTime> until) override;
  // Transport::wait_first(). Both run on one loop: std::logic_error when they do not.
  static Transport::Race wait_first(CurlExchange& first, CurlExchange& second, int client_fd,
                                    std::optional<SteadyTime> until);

  const Head& head() const override { return m_transfer->head; }
  bool take(std::string& into) override;
  std::shared_ptr<Canceller> canceller() override;
  std::optional<Error> failure() const override;
  SteadyTime sent_at() const override;
  SteadyTime last_bytes_at() const override;

 private:
  template <typename There>
  Wake wait(int client_fd, std::optional<SteadyTime> until, There there);
  bool has_turn(int bell);
  void give_up();

  std::shared_ptr<CurlLoop> m_loop;
  std::shared_ptr<Transfer> m_transfer;
  Patience m_patience;
  std::optional<Error> m_timed_out;
};

}  // namespace nemo::upstream
