// The name that Google's errors give an HTTP status (google.rpc.Code, as its HTTP mapping has it).
#pragma once

namespace nemo::fake_upstream {

const char* google_status(int status);

}  // namespace nemo::fake_upstream
