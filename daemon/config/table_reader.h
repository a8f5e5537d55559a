// Typed access to one table of the config, where every problem names its place in the file and what is expected there.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/config/settings.h"
#include "daemon/config/toml_document.h"
#include "shared/result.h"

namespace nemo::config {

// Keeps the first problem of a file; those reported later, which may only follow from it, are dropped.
class FirstProblem {
 public:
  explicit FirstProblem(std::string_view file_name) : m_file_name(file_name) {}

  void report(Place at, std::string_view reason) {
    if (!m_error) m_error = error_at(m_file_name, at, reason);
  }
  const std::optional<Error>& error() const { return m_error; }

 private:
  std::string m_file_name;
  std::optional<Error> m_error;
};

template <typename Value>
using Choices = std::initializer_list<std::pair<std::string_view, Value>>;

// `; did you mean "x"?` when one of the names is close to `given`, else "".
std::string did_you_mean(std::string_view given, const std::vector<std::string>& names);
// `name` in quotes for a message, cut when it is very long.
std::string shown(std::string_view name);
// `"a", "b" or "c"`
std::string listed(const std::vector<std::string>& names);

// Every reading function leaves its target as it is when the key is not there: the target holds the default.
// Lives no longer than the table and the problem that it was given.
class TableReader {
 public:
  // `what` is how messages call this table: "[routing]". Reports every key that is not in `known`.
  TableReader(FirstProblem& problem, const TomlValue& table, std::string what,
              std::initializer_list<std::string_view> known);

  const TomlValue* find(std::string_view key) const { return m_table.find(key); }
  // The value's place, or the table's when the key is missing.
  Place place_of(std::string_view key) const;
  void report(std::string_view key, std::string_view reason) const;

  // Reports when the key is missing.
  void require(std::string_view key, std::string_view example) const;

  void text(std::string_view key, std::string& target) const;
  void truth(std::string_view key, bool& target) const;
  void duration(std::string_view key, Millis least, Millis& target) const;
  void texts(std::string_view key, std::vector<std::string>& target) const;

  template <typename Integer>
  void integer(std::string_view key, std::int64_t least, std::int64_t most, Integer& target) const {
    if (const auto value = bounded(key, least, most)) target = static_cast<Integer>(*value);
  }

  template <typename Value>
  void choice(std::string_view key, Choices<Value> choices, Value& target) const {
    const TomlValue* value = expect(key, TomlValue::Kind::text);
    if (value == nullptr) return;
    const auto at = std::find_if(choices.begin(), choices.end(), [&](const auto& c) { return c.first == value->text; });
    if (at != choices.end()) {
      target = at->second;
      return;
    }
    std::vector<std::string> words;
    for (const auto& each : choices) words.emplace_back(each.first);
    report_choice(key, value->text, words);
  }

  // A text that is one of `words`.
  void word(std::string_view key, std::initializer_list<std::string_view> words, std::string& target) const;

  // A text that `parse` turns into a Result<Value>.
  template <typename Value, typename Parse>
  void parsed(std::string_view key, Parse parse, Value& target) const {
    const TomlValue* value = expect(key, TomlValue::Kind::text);
    if (value == nullptr) return;
    auto result = parse(value->text);
    if (result) {
      target = std::move(*result);
    } else {
      report(key, result.error().message);
    }
  }

  // The value when it is there and of this kind; reports another kind.
  const TomlValue* expect(std::string_view key, TomlValue::Kind kind) const;

 private:
  std::optional<std::int64_t> bounded(std::string_view key, std::int64_t least, std::int64_t most) const;
  void report_choice(std::string_view key, std::string_view given, const std::vector<std::string>& words) const;

  FirstProblem& m_problem;
  const TomlValue& m_table;
  std::string m_what;
};

}  // namespace nemo::config
