#include "cli/output/table.h"

#include <algorithm>
#include <utility>

namespace nemo::cli::output {
namespace {

constexpr std::size_t k_gap = 2;

}  // namespace

Table::Table(std::vector<Column> columns) : m_columns(std::move(columns)) {}

void Table::add(std::vector<Cell> cells) {
  cells.resize(m_columns.size());
  for (Cell& cell : cells) cell.text = printable(cell.text);
  m_rows.push_back(std::move(cells));
}

bool Table::has_content(std::size_t column) const {
  return std::any_of(m_rows.begin(), m_rows.end(), [column](const auto& row) { return !row[column].text.empty(); });
}

std::size_t Table::natural_width(std::size_t column) const {
  std::size_t width = std::max(width_of(m_columns[column].title), m_columns[column].at_least);
  for (const auto& row : m_rows) width = std::max(width, width_of(row[column].text));
  return width;
}

std::vector<Table::Fit> Table::fit(std::optional<std::size_t> width) const {
  std::vector<Fit> fits;
  for (std::size_t i = 0; i < m_columns.size(); ++i) fits.push_back({i, natural_width(i)});
  if (!width) return fits;
  std::erase_if(fits, [this](const Fit& fit) {
    return m_columns[fit.column].importance > 0 && m_columns[fit.column].at_least == 0 && !has_content(fit.column);
  });

  const auto narrowest = [this](const Fit& fit) {
    const std::size_t limit = m_columns[fit.column].shrinks_to;
    return limit == 0 ? fit.width : std::min(fit.width, limit);
  };
  const auto total = [&fits](const auto& width_of_one) {
    std::size_t sum = fits.empty() ? 0 : (fits.size() - 1) * k_gap;
    for (const Fit& fit : fits) sum += width_of_one(fit);
    return sum;
  };
  const auto importance = [this](const Fit& a, const Fit& b) {
    return m_columns[a.column].importance < m_columns[b.column].importance;
  };

  while (total(narrowest) > *width) {
    const auto least = std::max_element(fits.begin(), fits.end(), importance);
    if (least == fits.end() || m_columns[least->column].importance == 0) break;
    fits.erase(least);
  }
  while (total([](const Fit& fit) { return fit.width; }) > *width) {
    Fit* widest = nullptr;
    for (Fit& fit : fits) {
      if (fit.width > narrowest(fit) && (widest == nullptr || fit.width > widest->width)) widest = &fit;
    }
    if (widest == nullptr) break;  // only what must be whole is left: let the terminal wrap it
    --widest->width;
  }
  return fits;
}

std::string Table::draw_line(const std::vector<Fit>& fits, const std::vector<Cell>& cells, Colours colours) const {
  std::size_t last = fits.size();
  while (last > 0 && cells[fits[last - 1].column].text.empty()) --last;
  std::string line;
  for (std::size_t i = 0; i < last; ++i) {
    const Cell& cell = cells[fits[i].column];
    const Align align = m_columns[fits[i].column].align;
    const std::string text = cut_to(cell.text, fits[i].width);
    const std::size_t used = width_of(text);
    const std::string space(fits[i].width > used ? fits[i].width - used : 0, ' ');
    if (i > 0) line.append(k_gap, ' ');
    if (align == Align::right) line += space;
    line += styled(text, cell.style, colours);
    if (align == Align::left && i + 1 < last) line += space;
  }
  return line + "\n";
}

std::string Table::draw(std::optional<std::size_t> width, Colours colours, Header header) const {
  const std::vector<Fit> fits = fit(width);
  std::string out;
  if (header == Header::show) {
    std::vector<Cell> titles;
    for (const Column& column : m_columns) titles.push_back({column.title, Style::faint});
    out += draw_line(fits, titles, colours);
  }
  for (const auto& row : m_rows) out += draw_line(fits, row, colours);
  return out;
}

}  // namespace nemo::cli::output
