#include "daemon/store/sqlite/record_json.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

namespace nemo::store {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json parse(std::string_view text) {
  return Json::parse(text.begin(), text.end(), nullptr, false);
}

Json to_value(const call::Candidate& candidate) {
  return {{"deployment", candidate.deployment}, {"reason", candidate.reason}, {"eligible", candidate.eligible}};
}

Json to_value(const call::Attempt& attempt) {
  return {{"deployment", attempt.deployment}, {"upstream", attempt.upstream}, {"http_status", attempt.http_status},
          {"error_code", attempt.error_code}, {"error", attempt.error},       {"started_us", attempt.started_us},
          {"took_us", attempt.took_us}};
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
          eligible != value.end() && eligible->is_boolean() && eligible->get<bool>()};
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
  return attempt;
}

}  // namespace

std::string to_json(const std::vector<std::string>& texts) {
  if (texts.empty()) return "[]";
  return dump(Json(texts));
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
  if (trace.model_reason.empty() && trace.candidates.empty() && trace.attempts.empty()) return {};
  Json candidates = Json::array();
  for (const call::Candidate& candidate : trace.candidates) candidates.push_back(to_value(candidate));
  Json attempts = Json::array();
  for (const call::Attempt& attempt : trace.attempts) attempts.push_back(to_value(attempt));
  return dump(
      {{"model_reason", trace.model_reason}, {"candidates", std::move(candidates)}, {"attempts", std::move(attempts)}});
}

call::Trace trace_from_json(std::string_view json) {
  call::Trace trace;
  if (json.empty()) return trace;
  const Json parsed = parse(json);
  if (!parsed.is_object()) return trace;
  trace.model_reason = text_in(parsed, "model_reason");
  for (const Json& value : list_in(parsed, "candidates")) trace.candidates.push_back(candidate_from(value));
  for (const Json& value : list_in(parsed, "attempts")) trace.attempts.push_back(attempt_from(value));
  return trace;
}

}  // namespace nemo::store
