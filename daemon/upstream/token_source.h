// Port: where the short-lived tokens of an upstream come from.
#pragma once

#include "shared/result.h"
#include "shared/secret.h"

namespace nemo::upstream {

// Any thread. A token is renewed ahead of its end by a thread of the source, so that token() answers at once; only
// before the very first one it waits, at most some seconds.
class TokenSource {
 public:
  virtual ~TokenSource() = default;
  // upstream_error: there is none, why, and what to do (the message names a file or a host, never a secret).
  virtual Result<Secret> token() = 0;
  // Upstream did not accept it: waits for another one, which all callers share. The same errors.
  virtual Result<Secret> renew(const Secret& refused) = 0;
};

}  // namespace nemo::upstream
