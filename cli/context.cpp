#include "cli/context.h"

#include <ostream>

#include "cli/output/json_text.h"
#include "cli/output/text.h"

namespace nemo::cli {

std::filesystem::path Context::socket_path() const {
  return socket.empty() ? admin_socket(env, std::nullopt) : std::filesystem::path(socket);
}

AdminClient Context::client() const {
  return AdminClient(socket_path());
}

int Context::show(const admin::Json& value) const {
  out << output::pretty(value);
  return k_done;
}

int Context::refuse(const Error& error) const {
  err << "nemo: " << output::printable(error.message) << '\n';
  return k_refused;
}

int Context::misused(const std::string& why) const {
  err << "nemo: " << output::printable(why) << '\n';
  return k_usage;
}

std::string Context::styled(std::string_view text, output::Style style) const {
  return output::styled(output::printable(text), style, terminal.colours);
}

}  // namespace nemo::cli
