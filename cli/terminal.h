// What the other end of our streams is: a terminal of some width, with or without colour, or a file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "cli/output/style.h"
#include "shared/paths.h"
#include "shared/result.h"
#include "shared/secret.h"

namespace nemo::cli {

struct Terminal {
  std::optional<std::size_t> width;  // none: standard output is no terminal
  output::Colours colours = output::Colours::off;
};

// Colours only on a terminal that has them, and not when NO_COLOR is set to anything (https://no-color.org).
Terminal find_terminal(const Environment& env);

// The secret on standard input: typed unseen after `prompt` at a terminal, else the whole of what is piped in, without
// the white space around it. invalid_request: nothing came, or more than one line.
Result<Secret> read_secret(const std::string& prompt);

}  // namespace nemo::cli
