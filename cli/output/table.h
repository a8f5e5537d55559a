// A table that fits the terminal: columns without content go, then cells are cut, then whole columns are left out, the
// least important first.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/output/style.h"
#include "cli/output/text.h"

namespace nemo::cli::output {

struct Column {
  std::string title;
  Align align = Align::left;
  int importance = 0;          // 0: never left out; else the highest number goes first, or when it is empty
  std::size_t shrinks_to = 0;  // the narrowest that cells may be cut to; 0: never cut
  std::size_t at_least = 0;    // width to keep even when no cell needs it, so that rows printed later line up
};

struct Cell {
  std::string text;
  Style style = Style::plain;
};

enum class Header { show, hide };

class Table {
 public:
  explicit Table(std::vector<Column> columns);

  // As many cells as columns. Text is made printable here.
  void add(std::vector<Cell> cells);
  bool empty() const { return m_rows.empty(); }

  // Lines with their newline, no trailing blanks. `width`: columns of the terminal; none: nothing is cut or left out.
  std::string draw(std::optional<std::size_t> width, Colours colours, Header header = Header::show) const;

 private:
  struct Fit {
    std::size_t column;
    std::size_t width;
  };
  std::vector<Fit> fit(std::optional<std::size_t> width) const;
  bool has_content(std::size_t column) const;
  std::size_t natural_width(std::size_t column) const;
  std::string draw_line(const std::vector<Fit>& fits, const std::vector<Cell>& cells, Colours colours) const;

  std::vector<Column> m_columns;
  std::vector<std::vector<Cell>> m_rows;
};

}  // namespace nemo::cli::output
