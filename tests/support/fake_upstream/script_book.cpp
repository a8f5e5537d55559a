#include "tests/support/fake_upstream/script_book.h"

#include <algorithm>

namespace nemo::fake_upstream {
namespace {

bool matches(std::string_view pattern, std::string_view model) {
  if (!pattern.empty() && pattern.back() == '*') {
    pattern.remove_suffix(1);
    return model.substr(0, pattern.size()) == pattern;
  }
  if (!pattern.empty() && pattern.front() == '*') {
    pattern.remove_prefix(1);
    return model.size() >= pattern.size() && model.substr(model.size() - pattern.size()) == pattern;
  }
  return pattern == model;
}

}  // namespace

std::optional<std::string> ScriptBook::set_default(const Json& script) {
  Script probe;
  if (auto problem = apply_fields(probe, script)) return problem;
  m_default = script;
  return std::nullopt;
}

std::optional<std::string> ScriptBook::set_rule(const Json& rule) {
  if (!rule.is_object() || !rule.contains("model") || !rule["model"].is_string()) return "a rule needs a model";
  Rule added{rule["model"].get<std::string>(), rule.value("script", Json(nullptr)), std::nullopt};
  if (rule.contains("times") && rule["times"].is_number_integer()) added.times = rule["times"].get<std::int64_t>();
  if (!added.script.is_null()) {
    Script probe;
    if (auto problem = apply_fields(probe, added.script)) return problem;
  }
  if (!added.times) {
    m_rules.erase(std::remove_if(m_rules.begin(), m_rules.end(), [&](const Rule& r) { return r.model == added.model; }),
                  m_rules.end());
  }
  if (!added.script.is_null()) m_rules.push_back(std::move(added));
  return std::nullopt;
}

void ScriptBook::clear() {
  m_default = Json::object();
  m_rules.clear();
}

ScriptBook::Choice ScriptBook::choose(std::string_view model, const Json* body_fields, std::string_view header) {
  Choice choice;
  apply_fields(choice.script, m_base);
  apply_fields(choice.script, m_default);
  // What is to be used up comes before what stays.
  auto rule =
      std::find_if(m_rules.begin(), m_rules.end(), [&](const Rule& r) { return r.times && matches(r.model, model); });
  if (rule == m_rules.end()) {
    rule = std::find_if(m_rules.begin(), m_rules.end(), [&](const Rule& r) { return matches(r.model, model); });
  }
  if (rule != m_rules.end()) {
    apply_fields(choice.script, rule->script);
    if (rule->times && --*rule->times <= 0) m_rules.erase(rule);
  }
  if (body_fields != nullptr) choice.problem = apply_fields(choice.script, *body_fields).value_or("");
  if (!header.empty() && choice.problem.empty()) {
    const Json fields = Json::parse(header, nullptr, false);
    choice.problem = apply_fields(choice.script, fields).value_or("");
  }
  return choice;
}

}  // namespace nemo::fake_upstream
