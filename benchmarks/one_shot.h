// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What one_shot.cc and one_shot_peers.cc let each who do in R5: the same tasks, the same check.
//
// A Runner has
//   void Run(Marks& marks)
// which hands over a task for each mark, takes the future of each, and then the result of each.

#ifndef FOXTIVE_BENCHMARKS_ONE_SHOT_H_
#define FOXTIVE_BENCHMARKS_ONE_SHOT_H_

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "benchmarks/harness.h"

namespace foxtive::benchmarks {

// What a task does: it marks that it has run.

using Marks = std::vector<uint8_t>;

inline absl::Status Mark(Marks& marks, size_t i) {
  ++marks[i];
  return absl::OkStatus();
}

template <typename Runner>
void OneShot(benchmark::State& state, int64_t tasks) {
  Runner runner;
  Marks warm_up(static_cast<size_t>(std::min<int64_t>(tasks, 2'000)));
  runner.Run(warm_up);
  for (auto _ : state) {
    Marks marks(static_cast<size_t>(tasks));
    const Stopwatch stopwatch;
    runner.Run(marks);
    ReportEach(state, stopwatch.Seconds(), "ns_per_task", tasks);
    Require(marks == Marks(marks.size(), 1), "a task has not run once");
  }
}

// In one_shot_peers.cc; null in a binary without it.
[[gnu::weak]] void AddOneShotsOfPeers();

}  // namespace foxtive::benchmarks

#endif  // FOXTIVE_BENCHMARKS_ONE_SHOT_H_
