// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Samples: what all repetitions of all benchmarks have given.
//
// Two forms are read. What Google Benchmark writes with --benchmark_out_format=json: of each
// repetition every counter of the user's is a sample; aggregates are left out. And lines, as the
// programs in peers/ print them:
//
//   <workload>/<who>/<size> <counter> <value>
//
// The n-th sample of a name and counter, in the order of reading, belongs to the n-th repetition.
//
// Thread safety: none. Blocking: none. Errors: the first thing that is not as it should be, in
// words; the samples before it stay.

#ifndef FOXTIVE_BENCHMARKS_REPORT_SAMPLES_H_
#define FOXTIVE_BENCHMARKS_REPORT_SAMPLES_H_

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace foxtive::benchmarks {

// "R10_Start" comes after "R9_Submit".
struct WorkloadName {
  std::strong_ordering operator<=>(const WorkloadName& other) const;
  bool operator==(const WorkloadName& other) const = default;
  std::string text;
};

// What is compared: one counter of a workload, at all sizes and of all who do it.
struct Measure {
  auto operator<=>(const Measure& other) const = default;
  WorkloadName workload;
  std::string counter;
};

// The library's own name, which all others are compared with.
inline constexpr char kOurs[] = "Foxtive";

using Repetitions = std::vector<double>;
using Sizes = std::map<int64_t, Repetitions>;
using Whos = std::map<std::string, Sizes>;
using Samples = std::map<Measure, Whos>;

// Adds what `text` has, in either form.
absl::Status ReadSamples(const std::string& text, Samples& samples);

}  // namespace foxtive::benchmarks

#endif  // FOXTIVE_BENCHMARKS_REPORT_SAMPLES_H_
