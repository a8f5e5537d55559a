// The measurements. Each takes turns between the targets, call by call, so that a busy moment of the machine hits all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/results.h"
#include "tests/bench/target.h"

namespace nemo::bench {

// Whole calls on one kept connection, with a body of about `body_bytes`.
void measure_calls(const std::vector<Target>& targets, const ResultFile& results, int calls, std::size_t body_bytes);

// What the last target's call takes longer than the first's, as the difference of medians.
void measure_added(const std::vector<Target>& targets, const ResultFile& results, int calls, const std::string& metric);

// First chunk of a stream (it has content: one that has none may be held back), and the gaps between chunks that
// upstream sends every 5 ms.
void measure_streams(const std::vector<Target>& targets, const ResultFile& results, int streams,
                     std::uint16_t fake_port);

// From the client's close to the moment when upstream sees its own connection closed, while nothing flows.
void measure_cancel(const std::vector<Target>& targets, const ResultFile& results, int times, std::uint16_t fake_port);

// Many streams at once, and the memory that each costs.
void measure_open_streams(const std::vector<Target>& targets, const ResultFile& results, int streams,
                          std::uint16_t fake_port);

// Resident memory of each target that has a process.
void measure_memory(const std::vector<Target>& targets, const ResultFile& results, const std::string& metric);

// From exec to the line that contains `ready_text` on standard error.
void measure_startup(const std::vector<std::string>& command, const std::string& ready_text, const ResultFile& results,
                     int times);

}  // namespace nemo::bench
