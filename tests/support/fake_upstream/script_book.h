// Owns: which script a call gets. See script.h for the order.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/fake_upstream/script.h"

namespace nemo::fake_upstream {

class ScriptBook {
 public:
  explicit ScriptBook(Json base) : m_base(std::move(base)), m_default(Json::object()) {}

  // Both return what is wrong, or nothing.
  std::optional<std::string> set_default(const Json& script);
  // {"model", "script", "times"?}. A rule for the same model replaces the one before; a rule with "times" is used up
  // and then gone. Several rules with "times" for one model are used one after the other. A script of null removes.
  std::optional<std::string> set_rule(const Json& rule);
  void clear();

  struct Choice {
    Script script;
    std::string problem;  // not empty: the call's own script was wrong
  };
  Choice choose(std::string_view model, const Json* body_fields, std::string_view header);

 private:
  struct Rule {
    std::string model;
    Json script;
    std::optional<std::int64_t> times;
  };

  Json m_base;  // from the command line; survives clear()
  Json m_default;
  std::vector<Rule> m_rules;
};

}  // namespace nemo::fake_upstream
