// What every refusal of the OpenAI surface must look like.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "harness.h"

namespace nemo::test {

// The status, the code, the shape {"error":{message,type,param,code}}, and one line. Returns the message.
inline std::string expect_error(const Reply& reply, int status, const std::string& code) {
  INFO(reply.head, reply.body);
  CHECK(reply.status == status);
  CHECK(reply.whole);
  CHECK(reply.header("content-type").starts_with("application/json"));
  CHECK(reply.body.find('\n') == std::string::npos);
  const Json body = reply.json();
  REQUIRE(body.is_object());
  REQUIRE(body.size() == 1);
  const Json error = body.value("error", Json());
  REQUIRE(error.is_object());
  CHECK(error.size() == 4);
  CHECK(error.contains("param"));
  CHECK(error.value("type", Json()).is_string());
  CHECK(error.value("code", Json()) == code);
  const std::string message = error.value("message", "");
  CHECK(!message.empty());
  return message;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace nemo::test
