#include "daemon/store/journal_format.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "daemon/store/named_value.h"

namespace nemo::store {
namespace {

using call::CallRecord;

// A start after an update reads what the Nemo before it left, so that older formats are read, and written no more: the
// first, from before calls were routed, the second, from before they knew whose work they were, and the third, from
// before it was known how much of a completion was taken.
constexpr std::uint8_t k_first_format = 1;
constexpr std::uint8_t k_routing_format = 2;
constexpr std::uint8_t k_origin_format = 3;
constexpr std::uint8_t k_suggestion_format = 4;
constexpr std::uint8_t k_format = k_suggestion_format;
constexpr std::size_t k_length_bytes = 4;
constexpr std::size_t k_checksum_bytes = 8;
static_assert(k_journal_head_bytes == k_length_bytes + k_checksum_bytes);
constexpr std::size_t k_usual_bytes = 1024;

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) number = (number << 8U) | static_cast<unsigned char>(bytes[i]);
  return number;
}

void put_little_endian(char* out, std::uint64_t number, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<char>(number >> (8 * i));
}

// Against torn writes and rotten bytes, not against an attacker. Eight bytes at a time: every call pays for it. Each
// step is a bijection of the state, so that two payloads that differ in one place only never have the same sum.
std::uint64_t checksum(std::string_view payload) {
  constexpr std::uint64_t k_odd = 0x9e3779b97f4a7c15U;
  std::uint64_t sum = payload.size() * k_odd + 1;
  const auto mix = [&](std::uint64_t word) {
    sum = (sum ^ word) * k_odd;
    sum ^= sum >> 32U;
  };
  while (payload.size() >= 8) {
    mix(little_endian(payload.substr(0, 8)));
    payload.remove_prefix(8);
  }
  if (!payload.empty()) mix(little_endian(payload));
  return sum;
}

// Both directions name the fields in one order.
class Writer {
 public:
  explicit Writer(std::string& out) : m_out(out) {}

  void number(std::int64_t value) {
    auto rest = (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63);
    for (; rest >= 0x80U; rest >>= 7U) m_out.push_back(static_cast<char>(rest | 0x80U));
    m_out.push_back(static_cast<char>(rest));
  }
  void text(std::string_view value) {
    value = value.substr(0, k_longest_journal_text);
    number(static_cast<std::int64_t>(value.size()));
    m_out.append(value);
  }
  template <typename Enum>
  void name(Enum value) {
    text(to_string(value));
  }
  template <typename Item, typename Put>
  void list(const std::vector<Item>& items, Put put) {
    const std::size_t count = std::min(items.size(), k_longest_journal_list);
    number(static_cast<std::int64_t>(count));
    for (std::size_t i = 0; i < count; ++i) put(items[i]);
  }

 private:
  std::string& m_out;
};

// Once something is wrong, everything is 0 and empty, and ok() is false.
class PayloadReader {
 public:
  PayloadReader(std::string_view payload, std::uint8_t format) : m_rest(payload), m_format(format) {}

  bool ok() const { return m_ok; }
  bool at_end() const { return m_rest.empty(); }
  // Whether the payload has what came with the second format, with the third, and with the fourth.
  bool has_routing() const { return m_format >= k_routing_format; }
  bool has_origin() const { return m_format >= k_origin_format; }
  bool has_suggestion() const { return m_format >= k_suggestion_format; }

  std::int64_t number() {
    std::uint64_t zigzag = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (m_rest.empty()) break;
      const auto byte = static_cast<unsigned char>(m_rest.front());
      m_rest.remove_prefix(1);
      zigzag |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if ((byte & 0x80U) == 0) return static_cast<std::int64_t>((zigzag >> 1U) ^ (~(zigzag & 1U) + 1));
    }
    refuse();
    return 0;
  }
  template <typename Small>
  Small small() {
    const std::int64_t value = number();
    if (std::in_range<Small>(value)) return static_cast<Small>(value);
    refuse();
    return 0;
  }
  std::string text() {
    const std::int64_t length = number();
    if (length < 0 || !std::in_range<std::size_t>(length) || static_cast<std::size_t>(length) > m_rest.size()) {
      refuse();
      return {};
    }
    std::string value(m_rest.substr(0, static_cast<std::size_t>(length)));
    m_rest.remove_prefix(value.size());
    return value;
  }
  template <typename Enum>
  Enum name(Enum unknown) {
    return named(text(), unknown);
  }
  template <typename Item, typename Get>
  void list(std::vector<Item>& items, Get get) {
    const std::int64_t count = number();
    if (count < 0 || count > static_cast<std::int64_t>(k_longest_journal_list)) return refuse();
    for (std::int64_t i = 0; i < count && m_ok; ++i) items.push_back(get());
  }

 private:
  void refuse() {
    m_ok = false;
    m_rest = {};
  }

  std::string_view m_rest;
  std::uint8_t m_format;
  bool m_ok = true;
};

// CallRecord::accepted
constexpr std::int64_t k_not_known = 0;
constexpr std::int64_t k_not_taken = 1;
constexpr std::int64_t k_taken = 2;

void put_identity(Writer& out, const CallRecord& record) {
  out.text(record.id);
  out.number(record.at.time_since_epoch().count());
  for (const std::string* text : {&record.key, &record.seat, &record.team}) out.text(*text);
  out.name(record.surface);
  for (const std::string* text :
       {&record.lane, &record.requested_model, &record.model, &record.upstream, &record.deployment})
    out.text(*text);
}

void get_identity(PayloadReader& in, CallRecord& record) {
  record.id = in.text();
  record.at = WallTime(Micros(in.number()));
  for (std::string* text : {&record.key, &record.seat, &record.team}) *text = in.text();
  record.surface = in.name(call::Surface::openai_chat);
  for (std::string* text : {&record.lane, &record.requested_model, &record.model, &record.upstream, &record.deployment})
    *text = in.text();
}

void put_outcome(Writer& out, const CallRecord& record) {
  out.name(record.outcome);
  out.number(record.http_status);
  out.text(record.error_code);
  out.number(record.stream ? 1 : 0);
  out.number(record.latency.count());
  out.number(record.ttft ? 1 : 0);
  out.number(record.ttft.value_or(Micros(0)).count());
  out.number(record.overhead.count());
  const call::Usage& usage = record.usage;
  for (const std::int64_t count :
       {usage.input_tokens, usage.cached_tokens, usage.output_tokens, usage.reasoning_tokens})
    out.number(count);
  out.name(usage.source);
  out.number(usage.cache_write_tokens);
  out.number(record.accepted ? (*record.accepted ? k_taken : k_not_taken) : k_not_known);
}

void get_outcome(PayloadReader& in, CallRecord& record) {
  record.outcome = in.name(call::Outcome::error);
  record.http_status = in.small<int>();
  record.error_code = in.text();
  record.stream = in.number() != 0;
  record.latency = Micros(in.number());
  const bool has_ttft = in.number() != 0;
  const Micros ttft(in.number());
  if (has_ttft) record.ttft = ttft;
  record.overhead = Micros(in.number());
  call::Usage& usage = record.usage;
  for (std::int64_t* count : {&usage.input_tokens, &usage.cached_tokens, &usage.output_tokens, &usage.reasoning_tokens})
    *count = in.number();
  usage.source = in.name(call::UsageSource::estimated);
  if (!in.has_routing()) return;
  usage.cache_write_tokens = in.number();
  const std::int64_t accepted = in.number();
  if (accepted == k_taken || accepted == k_not_taken) record.accepted = accepted == k_taken;
}

void put_money(Writer& out, const CallRecord& record) {
  out.number(record.cost.value);
  out.number(record.reserved.value);
  out.number(record.estimated_tokens);
  out.number(record.lease_day);
  out.number(record.drawn_from);
  out.text(record.budget_fallback);
}

void get_money(PayloadReader& in, CallRecord& record) {
  record.cost = NanoUsd{in.number()};
  record.reserved = NanoUsd{in.number()};
  record.estimated_tokens = in.number();
  record.lease_day = in.small<int>();
  record.drawn_from = in.small<std::uint8_t>();
  record.budget_fallback = in.text();
}

void put_trace(Writer& out, const call::Trace& trace) {
  out.text(trace.model_reason);
  out.list(trace.candidates, [&](const call::Candidate& candidate) {
    out.text(candidate.deployment);
    out.text(candidate.reason);
    out.number(candidate.eligible ? 1 : 0);
    out.text(candidate.figures);
  });
  out.list(trace.attempts, [&](const call::Attempt& attempt) {
    for (const std::string* text : {&attempt.deployment, &attempt.upstream, &attempt.error_code, &attempt.error})
      out.text(*text);
    out.number(attempt.http_status);
    out.number(attempt.started_us);
    out.number(attempt.took_us);
    out.number(attempt.cost.value);
    out.text(attempt.note);
  });
  out.text(trace.strategy);
}

void get_trace(PayloadReader& in, call::Trace& trace) {
  trace.model_reason = in.text();
  in.list(trace.candidates, [&] {
    call::Candidate candidate;
    candidate.deployment = in.text();
    candidate.reason = in.text();
    candidate.eligible = in.number() != 0;
    if (in.has_routing()) candidate.figures = in.text();
    return candidate;
  });
  in.list(trace.attempts, [&] {
    call::Attempt attempt;
    for (std::string* text : {&attempt.deployment, &attempt.upstream, &attempt.error_code, &attempt.error})
      *text = in.text();
    attempt.http_status = in.small<int>();
    attempt.started_us = in.number();
    attempt.took_us = in.number();
    if (!in.has_routing()) return attempt;
    attempt.cost = NanoUsd{in.number()};
    attempt.note = in.text();
    return attempt;
  });
  if (in.has_routing()) trace.strategy = in.text();
}

void put_rest(Writer& out, const CallRecord& record) {
  out.text(record.cache);
  out.number(record.attempts);
  for (const std::string* text : {&record.experiment, &record.arm, &record.client}) out.text(*text);
  out.list(record.tags, [&](const std::string& tag) { out.text(tag); });
  for (const std::string* text : {&record.origin.process, &record.origin.project, &record.origin.branch})
    out.text(*text);
  out.number(record.suggested_bytes);
  out.number(record.accepted_bytes);
}

void get_rest(PayloadReader& in, CallRecord& record) {
  record.cache = in.text();
  record.attempts = in.small<int>();
  for (std::string* text : {&record.experiment, &record.arm, &record.client}) *text = in.text();
  in.list(record.tags, [&] { return in.text(); });
  if (!in.has_origin()) return;
  for (std::string* text : {&record.origin.process, &record.origin.project, &record.origin.branch}) *text = in.text();
  if (!in.has_suggestion()) return;
  record.suggested_bytes = in.number();
  record.accepted_bytes = in.number();
}

std::optional<CallRecord> read_payload(std::string_view payload) {
  if (payload.empty()) return std::nullopt;
  const auto format = static_cast<std::uint8_t>(payload.front());
  if (format < k_first_format || format > k_format) return std::nullopt;
  PayloadReader in(payload.substr(1), format);
  CallRecord record;
  get_identity(in, record);
  get_outcome(in, record);
  get_money(in, record);
  get_rest(in, record);
  get_trace(in, record.trace);
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return record;
}

}  // namespace

std::string to_journal_bytes(const CallRecord& record) {
  std::string bytes;
  bytes.reserve(k_usual_bytes);
  bytes.resize(k_journal_head_bytes);
  bytes.push_back(static_cast<char>(k_format));
  Writer out(bytes);
  put_identity(out, record);
  put_outcome(out, record);
  put_money(out, record);
  put_rest(out, record);
  put_trace(out, record.trace);
  seal_journal_record(bytes);
  return bytes;
}

void seal_journal_record(std::string& record) {
  const std::string_view payload = std::string_view(record).substr(k_journal_head_bytes);
  const std::uint64_t sum = checksum(payload);
  put_little_endian(record.data(), payload.size(), k_length_bytes);
  put_little_endian(record.data() + k_length_bytes, sum, k_checksum_bytes);
}

std::optional<CallRecord> JournalReader::next() {
  if (m_rest.size() < k_journal_head_bytes) return std::nullopt;
  const std::uint64_t length = little_endian(m_rest.substr(0, k_length_bytes));
  if (length > k_longest_journal_record || length > m_rest.size() - k_journal_head_bytes) return std::nullopt;
  const std::string_view payload = m_rest.substr(k_journal_head_bytes, length);
  if (little_endian(m_rest.substr(k_length_bytes, k_checksum_bytes)) != checksum(payload)) return std::nullopt;
  auto record = read_payload(payload);
  if (record) m_rest.remove_prefix(k_journal_head_bytes + length);
  return record;
}

}  // namespace nemo::store
