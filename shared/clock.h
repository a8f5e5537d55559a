// Time as the programs see it. Rules that depend on time take a Clock, so that a test can hold it still.
#pragma once

#include <chrono>
#include <string>

namespace nemo {

using Micros = std::chrono::microseconds;
using WallTime = std::chrono::sys_time<Micros>;            // UTC
using SteadyTime = std::chrono::steady_clock::time_point;  // never jumps

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall() const = 0;
  virtual SteadyTime steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime wall() const override { return std::chrono::time_point_cast<Micros>(std::chrono::system_clock::now()); }
  SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
};

// "2026-11-22T13:45:01.123Z"
std::string to_rfc3339(WallTime time);

}  // namespace nemo
