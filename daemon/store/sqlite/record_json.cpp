#include "daemon/store/sqlite/record_json.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "shared/json_escape.h"

namespace nemo::store {
namespace {

using Json = nlohmann::json;

Json parse(std::string_view text) {
  return Json::parse(text.begin(), text.end(), nullptr, false);
}

// Written by hand, since every call pays for it; read back with the library.
void put_text(std::string& out, std::string_view text) {
  out.push_back('"');
  append_json_escaped(out, text);
  out.push_back('"');
}

void put_member(std::string& out, std::string_view name, std::string_view text) {
  out.append(name);
  put_text(out, text);
}

void put_member(std::string& out, std::string_view name, std::int64_t number) {
  out.append(name).append(std::to_string(number));
}

void put(std::string& out, const call::Candidate& candidate) {
  put_member(out, R"({"deployment":)", candidate.deployment);
  put_member(out, R"(,"reason":)", candidate.reason);
  if (!candidate.figures.empty()) put_member(out, R"(,"figures":)", candidate.figures);
  out.append(candidate.eligible ? R"(,"eligible":true})" : R"(,"eligible":false})");
}

void put(std::string& out, const call::Attempt& attempt) {
  put_member(out, R"({"deployment":)", attempt.deployment);
  put_member(out, R"(,"upstream":)", attempt.upstream);
  put_member(out, R"(,"http_status":)", attempt.http_status);
  put_member(out, R"(,"error_code":)", attempt.error_code);
  put_member(out, R"(,"error":)", attempt.error);
  put_member(out, R"(,"started_us":)", attempt.started_us);
  put_member(out, R"(,"took_us":)", attempt.took_us);
  if (attempt.cost.value != 0) put_member(out, R"(,"cost":)", attempt.cost.value);
  if (!attempt.note.empty()) put_member(out, R"(,"note":)", attempt.note);
  out.push_back('}');
}

void put(std::string& out, const std::string& text) {
  put_text(out, text);
}

template <typename Item>
void put_list(std::string& out, const std::vector<Item>& items) {
  out.push_back('[');
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out.push_back(',');
    put(out, items[i]);
  }
  out.push_back(']');
}

std::string text_in(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::int64_t number_in(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
}

// The list under `name`, or an empty one.
Json list_in(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_array() ? *at : Json::array();
}

call::Candidate candidate_from(const Json& value) {
  const auto eligible = value.find("eligible");
  return {text_in(value, "deployment"), text_in(value, "reason"),
          eligible != value.end() && eligible->is_boolean() && eligible->get<bool>(), text_in(value, "figures")};
}

call::Attempt attempt_from(const Json& value) {
  call::Attempt attempt;
  attempt.deployment = text_in(value, "deployment");
  attempt.upstream = text_in(value, "upstream");
  attempt.http_status = static_cast<int>(number_in(value, "http_status"));
  attempt.error_code = text_in(value, "error_code");
  attempt.error = text_in(value, "error");
  attempt.started_us = number_in(value, "started_us");
  attempt.took_us = number_in(value, "took_us");
  attempt.cost = NanoUsd{number_in(value, "cost")};
  attempt.note = text_in(value, "note");
  return attempt;
}

}  // namespace

std::string to_json(const std::vector<std::string>& texts) {
  std::string json;
  put_list(json, texts);
  return json;
}

std::vector<std::string> texts_from_json(std::string_view json) {
  std::vector<std::string> texts;
  if (json == "[]") return texts;
  const Json parsed = parse(json);
  if (!parsed.is_array()) return texts;
  for (const Json& value : parsed) {
    if (value.is_string()) texts.push_back(value.get<std::string>());
  }
  return texts;
}

std::string to_json(const call::Trace& trace) {
  if (trace.strategy.empty() && trace.model_reason.empty() && trace.candidates.empty() && trace.attempts.empty())
    return {};
  std::string json;
  put_member(json, R"({"model_reason":)", trace.model_reason);
  json.append(R"(,"candidates":)");
  put_list(json, trace.candidates);
  json.append(R"(,"attempts":)");
  put_list(json, trace.attempts);
  if (!trace.strategy.empty()) put_member(json, R"(,"strategy":)", trace.strategy);
  return json.append("}");
}

call::Trace trace_from_json(std::string_view json) {
  call::Trace trace;
  if (json.empty()) return trace;
  const Json parsed = parse(json);
  if (!parsed.is_object()) return trace;
  trace.strategy = text_in(parsed, "strategy");
  trace.model_reason = text_in(parsed, "model_reason");
  for (const Json& value : list_in(parsed, "candidates")) trace.candidates.push_back(candidate_from(value));
  for (const Json& value : list_in(parsed, "attempts")) trace.attempts.push_back(attempt_from(value));
  return trace;
}

}  // namespace nemo::store
