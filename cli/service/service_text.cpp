#include "cli/service/service_text.h"

#include <algorithm>
#include <vector>

#include "shared/json_escape.h"

namespace nemo::cli::service {
namespace {

constexpr std::string_view k_mark = "Written by \"nemo service install\"";

bool is_plain(char c) {
  constexpr std::string_view k_others = "/._-+,:=@";
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter || k_others.find(c) != std::string_view::npos;
}

// Neither kind of file can hold other bytes than text.
Status check_text(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    const auto byte = static_cast<unsigned char>(text[at]);
    if (length == 0 || byte < 0x20U || byte == 0x7FU) {
      return fail(ErrorKind::invalid_request,
                  "a path with control characters or without a proper encoding cannot be written into a service: "
                  "give the folder another name");
    }
    at += length;
  }
  return Done{};
}

Status check_plan(const ServicePlan& plan) {
  std::vector<std::string> texts{plan.nemod.string(), plan.log_file.string()};
  if (plan.config) texts.push_back(plan.config->string());
  for (const auto& [name, value] : plan.environment) texts.push_back(value);
  for (const std::string& text : texts) {
    if (Status fine = check_text(text); !fine) return fine;
  }
  return Done{};
}

// The program's path is taken as it is; in its arguments a dollar sign would begin a variable.
enum class Dollars { stay, doubled };

std::string systemd_word(std::string_view text, Dollars dollars) {
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
  std::string word = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') word.push_back('\\');
    if (c == '%' || (c == '$' && dollars == Dollars::doubled)) word.push_back(c);
    word.push_back(c);
  }
  return word + "\"";
}

std::string xml_text(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else {
      escaped.push_back(c);
    }
  }
  return escaped;
}

// Each @NAME@ of the template by its value; values are not looked into.
std::string fill(std::string_view text, const std::vector<std::pair<std::string_view, std::string>>& values) {
  std::string filled;
  while (!text.empty()) {
    const auto value =
        std::find_if(values.begin(), values.end(), [&](const auto& one) { return text.starts_with(one.first); });
    if (value == values.end()) {
      filled.push_back(text.front());
      text.remove_prefix(1);
    } else {
      filled += value->second;
      text.remove_prefix(value->first.size());
    }
  }
  return filled;
}

}  // namespace

Result<std::string> systemd_unit(const ServicePlan& plan) {
  if (const Status fine = check_plan(plan); !fine) return fine.error();
  if (plan.nemod.string().find_first_of("\"'\\") != std::string::npos) {
    return fail(ErrorKind::invalid_request,
                "systemd starts no program whose path has quotes or a backslash in it: move " + plan.nemod.string() +
                    " elsewhere");
  }
  std::string start = systemd_word(plan.nemod.string(), Dollars::stay);
  if (plan.config) start += " --config " + systemd_word(plan.config->string(), Dollars::doubled);
  std::string environment;
  for (const auto& [name, value] : plan.environment) {
    std::string setting = name;
    setting.append("=").append(value);
    environment += "Environment=" + systemd_word(setting, Dollars::stay) + "\n";
  }
  return fill(k_systemd_template, {{"@EXEC_START@", start}, {"@ENVIRONMENT@", environment}});
}

Result<std::string> launchd_agent(const ServicePlan& plan) {
  if (const Status fine = check_plan(plan); !fine) return fine.error();
  std::vector<std::string> words{plan.nemod.string()};
  if (plan.config) words.insert(words.end(), {"--config", plan.config->string()});
  std::string arguments;
  for (const std::string& word : words) arguments += "    <string>" + xml_text(word) + "</string>\n";
  std::string environment;
  for (const auto& [name, value] : plan.environment) {
    environment += "    <key>" + name + "</key>\n    <string>" + xml_text(value) + "</string>\n";
  }
  if (!environment.empty()) {
    environment = "  <key>EnvironmentVariables</key>\n  <dict>\n" + environment + "  </dict>\n";
  }
  return fill(
      k_launchd_template,
      {{"@ARGUMENTS@", arguments}, {"@ENVIRONMENT@", environment}, {"@LOG_FILE@", xml_text(plan.log_file.string())}});
}

bool is_ours(std::string_view text) {
  return text.find(k_mark) != std::string_view::npos;
}

}  // namespace nemo::cli::service
