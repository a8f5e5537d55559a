#include <charconv>

#include "daemon/admin/convert_budget.h"
#include "daemon/admin/replies.h"
#include "daemon/admin/routes.h"

namespace nemo::admin {
namespace {

constexpr std::size_t k_longest_reason = 1'000;  // a few sentences

Result<std::int64_t> read_id(const std::string& text) {
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error == std::errc() && end == text.data() + text.size()) return id;
  return fail(ErrorKind::invalid_request, "\"" + text + "\" is no number of an unsettled amount");
}

Status check_release(const Release& release) {
  if (release.who.empty()) return fail(ErrorKind::invalid_request, "who releases it is missing", "who");
  if (const auto who = check_name(release.who, "who"); !who) return who;
  if (release.why.find_first_not_of(' ') == std::string::npos) {
    return fail(ErrorKind::invalid_request, "why it is released is missing", "why");
  }
  if (release.why.size() > k_longest_reason || has_control_character(release.why)) {
    return fail(ErrorKind::invalid_request,
                "why takes at most " + std::to_string(k_longest_reason) + " bytes of printable text", "why");
  }
  return Done{};
}

}  // namespace

AdminReply Routes::list_budgets(const AdminRequest& /*request*/, const Names& /*names*/) {
  const auto directory = m_store.load_directory();
  if (!directory) return reply_with(directory.error());
  const Labels labels(*directory);
  Json list = Json::array();
  for (const budget::Standing& standing : m_control.standings()) list.push_back(to_budget(standing, labels));
  return reply(list);
}

AdminReply Routes::list_unsettled(const AdminRequest& /*request*/, const Names& /*names*/) {
  const auto directory = m_store.load_directory();
  if (!directory) return reply_with(directory.error());
  const Labels labels(*directory);
  Json list = Json::array();
  for (const budget::Unsettled& one : m_control.unsettled()) list.push_back(to_unsettled(one, labels));
  return reply(list);
}

AdminReply Routes::release_unsettled(const AdminRequest& request, const Names& names) {
  const auto id = read_id(names.front());
  if (!id) return reply_with(id.error());
  const auto release = read_body<Release>(request.body);
  if (!release) return reply_with(release.error());
  if (const auto checked = check_release(*release); !checked) return reply_with(checked.error());
  return reply_to(m_control.release_unsettled(*id, release->who, release->why));
}

AdminReply Routes::list_accuracy(const AdminRequest& request, const Names& /*names*/) {
  const auto since = find_time(request.parameters, "since");
  if (!since) return reply_with(since.error());
  const auto rows = m_history.accuracy(*since);
  if (!rows) return reply_with(rows.error());
  Json list = Json::array();
  for (const ledger::AccuracyRow& row : *rows) list.push_back(to_accuracy(row));
  return reply(list);
}

}  // namespace nemo::admin
