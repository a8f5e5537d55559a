#include "daemon/budget/refusal.h"

#include <string>

namespace nemo::budget {

Error refusal(const call::Scope& scope, const Room& room, NanoUsd least) {
  std::string text = "Budget has been exceeded! The " + std::string(call::to_string(scope.kind)) + " " + scope.name;
  text += " has a budget of $" + to_dollars(room.limit.amount);
  text += "/" + std::string(call::to_string(room.limit.window));
  if (least > room.limit.amount) {
    text += "; this call may cost $" + to_dollars(least) + ", more than all of it. ";
  } else if (room.amount.value <= 0) {
    text += ", and it is used up or set aside for calls that are running. ";
  } else {
    text += "; what is left of it is less than this call may cost, $" + to_dollars(least) + ". ";
  }
  text += room.limit.window == call::Window::total ? "It never resets: it is a total."
                                                   : "It resets at " + to_rfc3339(room.period.end) + ".";
  return fail(ErrorKind::budget_exceeded, std::move(text));
}

}  // namespace nemo::budget
