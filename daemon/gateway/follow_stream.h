// A stream that another call's answer feeds.
#pragma once

#include <memory>
#include <string>

#include "daemon/completion/running_answer.h"
#include "daemon/gateway/answer.h"
#include "daemon/gateway/completing.h"
#include "daemon/gateway/hub_completion.h"
#include "daemon/gateway/settlement.h"

namespace nemo::gateway {

// One worker thread.
class FollowStream final : public AnswerStream {
 public:
  // `text`: what has been taken from it already.
  FollowStream(std::unique_ptr<completion::Following> following, std::string text, const CompletionTeller::To& to,
               std::shared_ptr<Completing> completing, std::shared_ptr<Settlement> settlement);

  Step next(std::string& out, int client_fd) override;
  void client_left() override;

 private:
  Step end(std::string_view finish_reason, std::string& out);

  std::shared_ptr<Completing> m_completing;  // before what rings its bell
  std::unique_ptr<completion::Following> m_following;
  std::string m_text;
  CompletionTeller m_teller;
  std::shared_ptr<Settlement> m_settlement;
};

}  // namespace nemo::gateway
