// A request log that keeps its rows where a test can look at them.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "daemon/ledger/request_log.h"

namespace nemo::test {

// Any thread.
class MemoryLedger final : public ledger::RequestLog {
 public:
  void append(call::CallRecord record) override {
    const std::lock_guard lock(m_mutex);
    m_rows.push_back(std::move(record));
  }
  void secure(call::CallRecord& record) override {
    const std::lock_guard lock(m_mutex);
    m_secured.push_back(record);
  }
  void mark_accepted(std::string call_id, std::int64_t accepted_bytes) override {
    const std::lock_guard lock(m_mutex);
    for (auto row = m_rows.rbegin(); row != m_rows.rend(); ++row) {
      if (row->id != call_id) continue;
      row->accepted = accepted_bytes > 0;
      row->accepted_bytes = accepted_bytes;
      return;
    }
    ++m_verdicts_dropped;
  }
  ledger::LogHealth health() const override {
    const std::lock_guard lock(m_mutex);
    return {m_rows.size(), m_rows.size(), 0, 0, {}, m_verdicts_dropped};
  }
  std::vector<call::CallRecord> rows() const {
    const std::lock_guard lock(m_mutex);
    return m_rows;
  }

  std::vector<call::CallRecord> secured() const {
    const std::lock_guard lock(m_mutex);
    return m_secured;
  }

 private:
  mutable std::mutex m_mutex;
  std::vector<call::CallRecord> m_rows;
  std::vector<call::CallRecord> m_secured;
  std::uint64_t m_verdicts_dropped = 0;
};

}  // namespace nemo::test
