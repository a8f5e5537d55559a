// An enumerator by the name that to_string gives it.
#pragma once

#include <cstdint>
#include <string_view>

namespace nemo::store {

// Enumerators are counted up from 0 and "?" is the name of none, so that a new one needs no change here. A name that
// only a newer Nemo knows becomes `unknown`: one such row must not hide the others.
template <typename Enum>
Enum named(std::string_view text, Enum unknown) {
  for (std::uint8_t number = 0;; ++number) {
    const auto value = static_cast<Enum>(number);
    const std::string_view name = to_string(value);
    if (name == text) return value;
    if (name == "?") return unknown;
  }
}

}  // namespace nemo::store
