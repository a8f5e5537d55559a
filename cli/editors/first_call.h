// One small call through the daemon as a client would make it, to prove its address and key.
#pragma once

#include <string>

#include "cli/editors/client.h"
#include "shared/admin/json.h"
#include "shared/result.h"

namespace nemo::cli::editors {

struct FirstCall {
  std::string url;  // of the daemon
  std::string key;
  CallShape shape = CallShape::chat;
  KeyPlace key_place = KeyPlace::bearer;
  std::string model;
};

struct FirstAnswer {
  int status = 0;
  std::string path;      // where it was sent, without the key
  std::string model;     // that answered
  std::string upstream;  //
  std::string cost;      // dollars; empty: not stated
  double millis = 0;
  std::string error;  // what the daemon said when the status is not 200
};

// Waits for the answer, a minute and a half at most. internal: nobody answered there.
Result<FirstAnswer> make_first_call(const FirstCall& call);

void to_json(admin::Json& json, const FirstAnswer& answer);

}  // namespace nemo::cli::editors
