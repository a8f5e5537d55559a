// Whether a sanitizer watches this program: everything takes about ten times as long then.
#pragma once

namespace nemo::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)  // g++
inline constexpr bool k_is_sanitized = true;
#elif defined(__has_feature)  // clang
inline constexpr bool k_is_sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool k_is_sanitized = false;
#endif

}  // namespace nemo::test
