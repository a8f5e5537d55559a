#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iostream>
#include <string_view>

namespace nemo::cli {
namespace {

constexpr std::size_t k_usual_width = 80;
constexpr std::size_t k_narrowest = 20;
constexpr std::size_t k_longest_secret = std::size_t{64} << 10U;  // a service account's JSON is far below

constexpr char k_interrupt = 0x03;     // Ctrl-C
constexpr char k_end_of_input = 0x04;  // Ctrl-D
constexpr char k_backspace = 0x08;
constexpr char k_clear_line = 0x15;  // Ctrl-U
constexpr char k_delete = 0x7f;

// The terminal gives us each key and shows none, until this goes. Ctrl-C too comes as a key, so that it cannot end the
// program while the terminal is in this state.
class UnseenTyping {
 public:
  UnseenTyping() {
    ::tcgetattr(STDIN_FILENO, &m_before);
    termios unseen = m_before;
    unseen.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen);
  }
  ~UnseenTyping() { ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &m_before); }
  UnseenTyping(const UnseenTyping&) = delete;
  UnseenTyping& operator=(const UnseenTyping&) = delete;

 private:
  termios m_before{};
};

Result<std::string> type_unseen(const std::string& prompt) {
  std::cerr << prompt << std::flush;
  std::string text;
  bool given_up = false;
  {
    const UnseenTyping unseen;
    char key = 0;
    while (::read(STDIN_FILENO, &key, 1) == 1) {
      if (key == '\n' || key == '\r' || key == k_end_of_input) break;
      given_up = key == k_interrupt;
      if (given_up) break;
      if (key == k_clear_line) {
        text.clear();
      } else if (key == k_backspace || key == k_delete) {
        if (!text.empty()) text.pop_back();
      } else if (text.size() < k_longest_secret) {
        text.push_back(key);
      }
    }
  }
  std::cerr << '\n';
  if (given_up) return fail(ErrorKind::invalid_request, "given up");
  return text;
}

std::string read_all() {
  std::string text;
  char byte = 0;
  while (text.size() <= k_longest_secret && ::read(STDIN_FILENO, &byte, 1) == 1) text.push_back(byte);
  return text;
}

std::string_view trim(std::string_view text) {
  const auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::size_t find_width(const Environment& env) {
  winsize size{};
  std::size_t width = 0;
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) width = size.ws_col;
  if (width == 0) {
    const auto columns = env("COLUMNS");
    width = columns ? std::strtoul(columns->c_str(), nullptr, 10) : 0;
  }
  return width == 0 ? k_usual_width : std::max(width, k_narrowest);
}

}  // namespace

Terminal find_terminal(const Environment& env) {
  if (::isatty(STDOUT_FILENO) == 0) return {};
  const auto no_color = env("NO_COLOR");
  const auto kind = env("TERM");
  const bool plain = (no_color && !no_color->empty()) || !kind || kind->empty() || *kind == "dumb";
  return {find_width(env), plain ? output::Colours::off : output::Colours::on};
}

Result<Secret> read_secret(const std::string& prompt) {
  std::string text;
  if (::isatty(STDIN_FILENO) != 0) {
    auto typed = type_unseen(prompt);
    if (!typed) return typed.error();
    text = std::move(typed).value();
  } else {
    text = read_all();
  }
  Secret given{std::move(text)};  // wipes the bytes around the trimmed text too
  const std::string_view trimmed = trim(given.expose());
  if (trimmed.empty()) return fail(ErrorKind::invalid_request, "no key came on standard input");
  if (trimmed.size() > k_longest_secret) return fail(ErrorKind::invalid_request, "what came is too long for a key");
  if (std::any_of(trimmed.begin(), trimmed.end(), [](char c) { return c == '\n' || c == '\r'; })) {
    return fail(ErrorKind::invalid_request, "more than one line came on standard input; a key is one line");
  }
  return Secret{std::string(trimmed)};
}

}  // namespace nemo::cli
