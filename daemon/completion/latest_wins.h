// Owns: which running completion an editor has no use for any more, because a newer one of the same key, client and
// place in a file asks for something else. Must not know: sockets, how a call is cancelled.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/completion/asked.h"
#include "daemon/completion/running_answer.h"
#include "shared/guarded.h"

namespace nemo::completion {

// A newer request N supersedes an older one O of the same caller if find_step() says that both are about the same place
// and N is not identical, and
//   - O has not been asked yet (it is held back to see whether N comes), or
//   - N has taken back some of O's text, or
//   - what N has typed beyond O disagrees with O's answer so far: neither is the beginning of the other. While O's
//     answer comes, it is looked at again.
// A call whose answer others read along goes on until they have left, or been superseded themselves. Left alone are
// calls for other files, other places in the file, and those without a byte of text in common.
//
// Any thread; holds at most k_most_calls, of those beyond nothing is known.
class LatestWins {
 public:
  static constexpr std::size_t k_most_calls = 1'024;

  // One running call. Held by its worker thread, and gone with it.
  class Place {
   public:
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    // From now on this is its answer, and it is held no longer.
    void is_answered_by(std::shared_ptr<RunningAnswer> answer);
    // The same, by somebody else's call whose answer begins with `typed`.
    void reads_along(std::shared_ptr<RunningAnswer> answer, std::string typed);
    // There is more of its answer.
    void look_again();
    // Supersedes the older ones that are to be.
    void contest();
    bool is_superseded() const;
    // Whether a newer, different request for the same place has come since.
    bool is_overtaken() const;

   private:
    friend class LatestWins;
    struct Call;
    Place(LatestWins& owner, std::shared_ptr<Call> call) : m_owner(owner), m_call(std::move(call)) {}
    LatestWins& m_owner;
    std::shared_ptr<Call> m_call;
  };

  // `held`: whatever newer one comes supersedes it, until it is_answered_by() something.
  enum class Held : std::uint8_t { yes, no };
  // `caller`: key and client. `superseded` is called at most once, on another call's thread or its own, perhaps after
  // the place is gone: it owns what it needs.
  std::unique_ptr<Place> enter(std::string caller, std::shared_ptr<const Asked> asked, Held held,
                               std::function<void()> superseded);

 private:
  using Calls = std::vector<std::shared_ptr<Place::Call>>;  // oldest first
  // Those that the newer one supersedes, to be told without the lock.
  static Calls contest(const Calls& calls, const Place::Call& newer);
  static void tell(const Calls& superseded);

  Guarded<Calls> m_calls;
};

}  // namespace nemo::completion
