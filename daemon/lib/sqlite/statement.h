// A prepared statement. Lives no longer than its connection, and on the same thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "daemon/lib/sqlite/connection.h"

struct sqlite3_stmt;

namespace nemo::lib::sqlite {

class Statement {
 public:
  Statement(Connection& connection, std::string_view sql);

  // Parameters are numbered from 1. Text and blobs are copied.
  void bind(int index, std::int64_t value);
  void bind(int index, int value) { bind(index, static_cast<std::int64_t>(value)); }
  void bind(int index, std::string_view text);
  void bind(int index, const std::string& text) { bind(index, std::string_view(text)); }
  void bind(int index, const char* text) { bind(index, std::string_view(text)); }
  void bind(int index, std::span<const std::uint8_t> blob);
  void bind(int index, std::nullopt_t null);
  template <typename T>
  void bind(int index, const std::optional<T>& value) {
    if (value) {
      bind(index, *value);
    } else {
      bind(index, std::nullopt);
    }
  }
  template <typename... Values>
  Statement& bind_all(const Values&... values) {
    int index = 0;
    (bind(++index, values), ...);
    return *this;
  }

  // Runs it to its end with these parameters, which are not copied: for statements without rows.
  template <typename... Values>
  void run_with(const Values&... values) {
    m_text_lifetime = TextLifetime::outlives_run;
    bind_all(values...);
    m_text_lifetime = TextLifetime::copied;
    run();
  }

  bool step();   // true: there is a row. After false or a failure it is ready to run again.
  void run();    // for statements without rows
  void reset();  // when its rows were not read to the end

  // Columns of the current row, numbered from 0. Text and blobs are valid until the next step.
  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  std::string_view text(int column) const;
  std::span<const std::uint8_t> blob(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  enum class TextLifetime : std::uint8_t { copied, outlives_run };

  void check(int code) const;

  sqlite3* m_connection;
  std::unique_ptr<sqlite3_stmt, Finalize> m_statement;
  TextLifetime m_text_lifetime = TextLifetime::copied;
};

}  // namespace nemo::lib::sqlite
