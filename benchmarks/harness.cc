// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "benchmarks/harness.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace foxtive::benchmarks {
namespace {

bool g_quick = false;

// Takes away the options that are not Google Benchmark's, and puts in front of its own, the last of
// which count, what goes without saying.
std::vector<std::string> Arguments(int argc, char** argv) {
  std::vector<std::string> options(argv + 1, argv + argc);
  g_quick = std::erase(options, "--quick") > 0;
  std::vector<std::string> arguments = {argv[0]};
  if (!g_quick) {
    arguments.emplace_back("--benchmark_repetitions=9");
    arguments.emplace_back("--benchmark_enable_random_interleaving=true");
    if (options.empty()) arguments.emplace_back("--benchmark_report_aggregates_only=true");
  }
  arguments.insert(arguments.end(), options.begin(), options.end());
  return arguments;
}

// Then standard error has to be heard.
bool IsSanitized() {
  return std::getenv("TSAN_OPTIONS") != nullptr || std::getenv("ASAN_OPTIONS") != nullptr;
}

double Quantile(const std::vector<double>& sorted, size_t hundredths) {
  return sorted[sorted.size() * hundredths / 100];
}

}  // namespace

bool Quick() { return g_quick; }

void Require(bool condition, const char* what) {
  if (condition) return;
  // Standard error may be silent.
  std::printf("the benchmark is broken: %s\n", what);
  std::fflush(stdout);
  std::abort();
}

SilentStderr::SilentStderr() : former_(dup(STDERR_FILENO)) {
  if (IsSanitized()) return;
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(nowhere, STDERR_FILENO);
  close(nowhere);
}

SilentStderr::~SilentStderr() {
  dup2(former_, STDERR_FILENO);
  close(former_);
}

void ReportEach(benchmark::State& state, double seconds, const char* counter, int64_t count) {
  constexpr double kNanosPerSecond = 1e9;
  state.SetIterationTime(seconds);
  state.counters[counter] = seconds * kNanosPerSecond / static_cast<double>(count);
}

void ReportQuantiles(benchmark::State& state, const char* prefix, std::vector<double> samples) {
  Require(!samples.empty(), "nothing was measured");
  std::sort(samples.begin(), samples.end());
  state.counters[std::string(prefix) + "_p50"] = Quantile(samples, 50);
  state.counters[std::string(prefix) + "_p99"] = Quantile(samples, 99);
}

void Add(const std::string& name, std::function<void(benchmark::State& state)> function) {
  benchmark::RegisterBenchmark(name.c_str(), std::move(function))->Iterations(1)->UseManualTime();
}

void AddSizes(const std::string& name, std::function<void(benchmark::State&, int64_t)> function,
              std::initializer_list<int64_t> sizes) {
  for (const int64_t size : sizes) {
    Add(name + "/" + std::to_string(size),
        [function, size](benchmark::State& state) { function(state, size); });
    if (Quick()) return;
  }
}

int Main(int argc, char** argv, void (*add_all)()) {
  std::vector<std::string> arguments = Arguments(argc, argv);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 1;
  add_all();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace foxtive::benchmarks
