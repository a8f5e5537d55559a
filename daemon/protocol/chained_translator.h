// One translator after the other: the events of the first are what the second reads.
#pragma once

#include <memory>

#include "daemon/stream/translator.h"

namespace nemo::protocol {

// `first` holds nothing back that break_off() would lose. Null: `second` alone.
std::unique_ptr<stream::Translator> chain(std::unique_ptr<stream::Translator> first,
                                          std::unique_ptr<stream::Translator> second);

}  // namespace nemo::protocol
