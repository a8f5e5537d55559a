#include "daemon/protocol/chained_translator.h"

#include <utility>

namespace nemo::protocol {
namespace {

class ChainedTranslator final : public stream::Translator {
 public:
  ChainedTranslator(std::unique_ptr<stream::Translator> first, std::unique_ptr<stream::Translator> second)
      : m_first(std::move(first)), m_second(std::move(second)) {}

  void translate(const stream::SseEvent& event, std::string& out) override {
    m_between.clear();
    m_first->translate(event, m_between);
    pass_on(out);
  }
  void finish(std::string& out) override {
    m_between.clear();
    m_first->finish(m_between);
    pass_on(out);
    m_second->finish(out);
  }
  void break_off(const Error& error, std::string& out) override { m_second->break_off(error, out); }
  bool is_satisfied() const override { return m_first->is_satisfied() || m_second->is_satisfied(); }
  void end_early(const call::Usage* usage, std::string& out) override {
    if (!m_first->is_satisfied()) return m_second->end_early(usage, out);
    m_between.clear();
    m_first->end_early(usage, m_between);
    pass_on(out);
    m_second->finish(out);
  }

 private:
  void pass_on(std::string& out) {
    m_scanner.feed(m_between);
    while (const auto event = m_scanner.next()) m_second->translate(*event, out);
  }

  std::unique_ptr<stream::Translator> m_first;
  std::unique_ptr<stream::Translator> m_second;
  stream::SseScanner m_scanner;
  std::string m_between;
};

}  // namespace

std::unique_ptr<stream::Translator> chain(std::unique_ptr<stream::Translator> first,
                                          std::unique_ptr<stream::Translator> second) {
  if (!first) return second;
  return std::make_unique<ChainedTranslator>(std::move(first), std::move(second));
}

}  // namespace nemo::protocol
