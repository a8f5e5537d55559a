// Random editing, with a model that says for every text what it would answer: the memory may only say the same.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "daemon/completion/matching.h"
#include "daemon/completion/memory.h"

namespace nemo::test::memory_property_test {

using namespace nemo;
using namespace nemo::completion;

namespace {

struct Silent final : Bell {
  void ring() noexcept override {}
};

// A few letters, so that texts repeat themselves and agree by chance.
constexpr std::string_view k_letters = "ab(){}; \n";

// Draws each letter from the text right before it, and from what stands behind the cursor: it goes on as it has begun.
class Model {
 public:
  struct Answer {
    std::string text;
    Ending ending = Ending::by_itself;
  };
  static constexpr std::size_t k_longest = 40;

  Answer answer(const std::string& prefix, const std::string& suffix) const {
    constexpr std::size_t k_seen = 300;  // less than every window shows
    std::string text = prefix.substr(prefix.size() - std::min(prefix.size(), k_seen));
    Answer answer;
    while (answer.text.size() < k_longest) {
      std::uint64_t hash = 0xCBF29CE484222325ULL;
      const std::string_view seen = std::string_view(text).substr(text.size() - std::min(text.size(), k_seen));
      const auto add = [&](std::string_view some) {
        for (const char c : some) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
      };
      add(seen);
      add(std::string_view(suffix).substr(0, 40));
      if (hash % 23 == 0) return answer;
      const char next = k_letters[(hash >> 20U) % k_letters.size()];
      text.push_back(next);
      answer.text.push_back(next);
    }
    answer.ending = Ending::by_length;
    return answer;
  }
};

struct Document {
  std::string before;
  std::string after;
};

struct Window {
  std::size_t before;
  std::size_t after;
};

struct Told {
  Asked asked;
  Model::Answer answer;
};

// The last resort of a wrong reuse: after a closed bracket the text must become what it would have become.
bool completes_an_earlier_text(const std::vector<Told>& told, const Asked& asked, const std::string& served) {
  return std::any_of(told.begin(), told.end(), [&](const Told& one) {
    constexpr std::size_t k_shown = 200;  // on both sides of the cursor; less than every window shows
    const std::string then = one.asked.prefix + one.answer.text + one.asked.suffix;
    const std::string now = asked.prefix.substr(asked.prefix.size() - std::min(asked.prefix.size(), k_shown)) + served +
                            asked.suffix.substr(0, k_shown);
    return one.answer.ending == Ending::by_itself && then.find(now) != std::string::npos;
  });
}

class Editing {
 public:
  explicit Editing(unsigned seed) : m_random(seed), m_documents(3) {
    for (Document& document : m_documents) {
      for (int i = 0; i < 900; ++i) document.before.push_back(letter());
    }
    m_documents[1].before = m_documents[0].before.substr(0, 700) + "different" + m_documents[0].before.substr(709);
  }

  void run(int steps) {
    for (int step = 0; step < steps; ++step) {
      edit(m_documents[draw(m_documents.size())]);
      ask(m_documents[draw(m_documents.size())]);
    }
  }

  int served = 0;
  int wrong = 0;

 private:
  std::size_t draw(std::size_t below) { return m_random() % below; }
  char letter() { return k_letters[draw(k_letters.size())]; }

  void edit(Document& document) {
    switch (draw(8)) {
      case 0: {
        document.before.push_back(letter());
        break;
      }
      case 1:
        if (!document.before.empty()) document.before.pop_back();
        break;
      case 2: {
        const std::string whole = document.before + document.after;
        document.before = whole.substr(0, whole.size() - draw(std::min<std::size_t>(whole.size(), 40)));
        document.after = whole.substr(document.before.size());
        break;
      }
      case 3: {  // an editor closes what is opened
        document.before.push_back('(');
        document.after.insert(0, ")");
        break;
      }
      default: {
        const std::string suggested = m_model.answer(document.before, document.after).text;
        const std::string typed = suggested.substr(0, draw(suggested.size() + 1));
        document.before += typed;
        if (typed.ends_with("(") && draw(2) == 0) document.after.insert(0, ")");
        break;
      }
    }
  }

  void ask(const Document& document) {
    static const std::vector<Window> k_windows{{100'000, 100'000}, {800, 300}, {512, 256}};
    const Window window = k_windows[draw(k_windows.size())];
    auto asked = std::make_shared<Asked>();
    asked->has_hole = true;
    asked->seat = "ann";
    asked->prefix = document.before.substr(document.before.size() - std::min(document.before.size(), window.before));
    asked->suffix = document.after.substr(0, window.after);
    const Model::Answer right = m_model.answer(asked->prefix, asked->suffix);
    auto joined = m_memory.join(asked, WallTime{}, m_bell);
    if (const auto* rest = std::get_if<Memory::Rest>(&joined)) {
      ++served;
      const bool same = rest->ending == Ending::by_itself
                            ? rest->text == right.text && right.ending == Ending::by_itself
                            : right.text.starts_with(rest->text);
      if (rest->text.empty() || !(same || completes_an_earlier_text(m_told, *asked, rest->text))) ++wrong;
      return;
    }
    auto& lead = std::get<std::shared_ptr<Lead>>(joined);
    lead->append(right.text);
    lead->end(right.ending, WallTime(Micros(1)));
    m_told.push_back({*asked, right});
  }

  std::mt19937 m_random;
  std::vector<Document> m_documents;
  Model m_model;
  Memory m_memory;
  Silent m_bell;
  std::vector<Told> m_told;
};

}  // namespace

TEST_CASE("whatever is edited, what is reused is what the model would have said") {
  int served = 0;
  for (unsigned seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    Editing editing(seed);
    editing.run(400);
    CHECK(editing.wrong == 0);
    served += editing.served;
  }
  CHECK(served > 500);  // else it has shown nothing
}

}  // namespace nemo::test::memory_property_test
