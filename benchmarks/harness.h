// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What the benchmarks have in common, so that all can be run, and their results read, in one way.
//
//   names      <workload>/<who>/<size>, "R1_Error/BareOneTbb/200000"; Google Benchmark appends
//              "/iterations:1/manual_time"
//   work       once in each repetition: a repetition is a sample, and what it gives is in its
//              counter, whose name has the unit: "ns_per_restart"
//   defaults   nine repetitions, whose order is random over all benchmarks of the binary, so that
//              what the machine does meanwhile hits all alike. Without options the table has their
//              medians; --benchmark_format=json gives each one (csv does not: all benchmarks of a
//              binary would have to have the same counters)
//   --quick    the first size of each workload, once: to see that it works
//
// Lifetime: none. Thread safety: `Require` from any thread, the rest is the main thread's.
// Errors: what was not done ends the process, so that no number is printed for it.
//
//   void AddAll() { AddSizes("R1_Error/Foxtive", &Restart<Foxtive>, {200'000, 2'000'000}); }
//   int main(int argc, char** argv) { return benchmarks::Main(argc, argv, &AddAll); }

#ifndef FOXTIVE_BENCHMARKS_HARNESS_H_
#define FOXTIVE_BENCHMARKS_HARNESS_H_

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

namespace foxtive::benchmarks {

using SteadyClock = std::chrono::steady_clock;

// Asked for as little as possible. Valid once `Main` has begun.
bool Quick();

// A number for work that was not done must not be printed: else says so and aborts.
void Require(bool condition, const char* what);

// While it lives standard error is /dev/null: what the library says is made and written, and no
// terminal is waited for. Not under a sanitizer, which writes there too.
class SilentStderr {
 public:
  SilentStderr();
  ~SilentStderr();
  SilentStderr(const SilentStderr&) = delete;
  SilentStderr& operator=(const SilentStderr&) = delete;

 private:
  const int former_;
};

// Of one repetition, from its making.
class Stopwatch {
 public:
  double Seconds() const {
    return std::chrono::duration<double>(SteadyClock::now() - start_).count();
  }

 private:
  const SteadyClock::time_point start_ = SteadyClock::now();
};

// Sets time and counter of the repetition.
void ReportEach(benchmark::State& state, double seconds, const char* counter, int64_t count);

// Sets the counters `<prefix>_p50` and `<prefix>_p99`. REQUIRES: not empty.
void ReportQuantiles(benchmark::State& state, const char* prefix, std::vector<double> samples);

// Registers a benchmark of this name. It loops over `state`, and calls SetIterationTime.
void Add(const std::string& name, std::function<void(benchmark::State& state)> function);

// Registers `<name>/<size>` for each size; with --quick for the first one alone.
void AddSizes(const std::string& name, std::function<void(benchmark::State&, int64_t)> function,
              std::initializer_list<int64_t> sizes);

// Runs what `add_all` registers. What main returns.
int Main(int argc, char** argv, void (*add_all)());

}  // namespace foxtive::benchmarks

#endif  // FOXTIVE_BENCHMARKS_HARNESS_H_
