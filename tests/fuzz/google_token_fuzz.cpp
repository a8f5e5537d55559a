// What a token endpoint answers gives a token that can stand in a header, with a life, or a refusal in bounded words; a
// date is what it says, or none.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/upstream/google/token_exchange.h"
#include "tests/fuzz/require.h"

using namespace nemo::upstream::google;

namespace {

void check_grant(const std::string& body) {
  const auto grant = read_grant(body);
  if (!grant.ok()) {
    REQUIRE_RULE(grant.error().kind == nemo::ErrorKind::upstream_error);
    return;
  }
  REQUIRE_RULE(!grant->token.expose().empty());
  for (const char c : grant->token.expose()) {
    const auto byte = static_cast<unsigned char>(c);
    REQUIRE_RULE(byte > 0x20 && byte != 0x7f);  // a header ends at a NUL or a line break, a value at a blank
  }
  REQUIRE_RULE(grant->life >= std::chrono::seconds(1) && grant->life <= std::chrono::hours(24));
}

void check_refusal(const std::string& body) {
  constexpr std::size_t k_longest = 2'000;
  const AuthorizedUser user{"id", nemo::Secret("secret-of-a-client"), nemo::Secret("1//refresh"), {}};
  for (const int status : {400, 401, 404, 429, 500}) {
    const Refusal refusal = read_refusal(status, body);
    REQUIRE_RULE(refusal.status == status);
    const nemo::Error error = explain(refusal, user, "a file");
    REQUIRE_RULE(error.message.size() <= k_longest);
    REQUIRE_RULE(error.message.find("a file") != std::string::npos);
    if (is_about_time(refusal)) REQUIRE_RULE(refusal.code == "invalid_grant");
  }
}

std::string two_digits(long number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

// "06 Nov 1994 08:49:37"
std::string date_text(std::chrono::sys_seconds time) {
  constexpr std::string_view k_months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string year = std::to_string(static_cast<int>(date.year()));
  year.insert(0, 4 - std::min<std::size_t>(4, year.size()), '0');
  return two_digits(static_cast<unsigned>(date.day())) + " " +
         std::string(k_months.substr(3 * (static_cast<unsigned>(date.month()) - 1), 3)) + " " + year + " " +
         two_digits(clock.hours().count()) + ":" + two_digits(clock.minutes().count()) + ":" +
         two_digits(clock.seconds().count());
}

void check_date(std::string_view text) {
  const auto date = read_http_date(text);
  if (!date) return;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(*date);
  const std::string_view said = text.substr(5, 20);
  const bool leaps = said.ends_with("60");
  const std::string told = date_text(leaps ? seconds - std::chrono::seconds(1) : seconds);
  // The blanks and colons between are not looked at.
  for (const std::size_t at : {0U, 1U, 7U, 8U, 9U, 10U, 12U, 13U, 15U, 16U}) REQUIRE_RULE(told[at] == said[at]);
  if (!leaps) REQUIRE_RULE(told.substr(18) == said.substr(18));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_grant(text);
  check_refusal(text);
  check_date(std::string_view(text).substr(0, 29));
  return 0;
}
