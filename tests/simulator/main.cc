// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
//   bazel run -c opt //tests:simulator -- [option...]
//
//   --seed=N            one world, told step by step if it fails, and then with as few tasks as
//   fail
//   --first=N --worlds=M   M worlds from seed N on; 1 and 1000 by default
//   --seconds=S         fresh seeds for so long
//   --fault=F           with the fault of that number planted
//   --faults            each fault in turn: how many worlds it takes to find it
//
// Exit status 0: nothing failed (with --faults: all were found).

#include <spawn.h>
#include <sys/wait.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/simulator/faults.h"
#include "tests/simulator/world.h"

extern char** environ;

namespace foxtive::test {
namespace {

constexpr uint64_t kMostWorldsForAFault = 3000;

struct Options {
  std::optional<uint64_t> seed;
  uint64_t first = 1;
  uint64_t worlds = 1000;
  uint64_t seconds = 0;
  uint64_t fault = 0;
  bool faults = false;
};

bool Take(std::string_view argument, std::string_view name, uint64_t& value) {
  if (!argument.starts_with(name)) return false;
  argument.remove_prefix(name.size());
  const auto [end, error] =
      std::from_chars(argument.data(), argument.data() + argument.size(), value);
  return error == std::errc() && end == argument.data() + argument.size();
}

std::optional<Options> Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    uint64_t seed;
    if (Take(argument, "--seed=", seed)) {
      options.seed = seed;
    } else if (argument == "--faults") {
      options.faults = true;
    } else if (!Take(argument, "--first=", options.first) &&
               !Take(argument, "--worlds=", options.worlds) &&
               !Take(argument, "--seconds=", options.seconds) &&
               !(Take(argument, "--fault=", options.fault) && options.fault <= kFaults)) {
      return std::nullopt;
    }
  }
  return options;
}

Verdict RunWorld(uint64_t seed, const Changes& changes) {
  World world(WorldPlan::Make(seed), changes);
  return world.Run();
}

// Leaves out tasks as long as it still fails.
Verdict Shrink(uint64_t seed, Verdict verdict) {
  const auto tasks = static_cast<size_t>(WorldPlan::Make(seed).tasks);
  Changes changes{.without = std::vector<bool>(tasks, false)};
  for (size_t size = (tasks + 1) / 2; size > 0; size = size == 1 ? 0 : (size + 1) / 2) {
    for (size_t begin = 0; begin < tasks; begin += size) {
      Changes fewer = changes;
      for (size_t i = begin; i < std::min(begin + size, tasks); ++i) fewer.without[i] = true;
      if (fewer.without == changes.without) continue;
      Verdict smaller = RunWorld(seed, fewer);
      if (smaller.failure.empty()) continue;
      changes = std::move(fewer);
      verdict = std::move(smaller);
    }
  }
  size_t left = 0;
  std::string kept;
  for (size_t i = 0; i < tasks; ++i) {
    if (!changes.HasTask(i)) continue;
    ++left;
    absl::StrAppend(&kept, " ", i);
  }
  std::printf("it still fails with %zu of %zu tasks:%s\n", left, tasks, kept.c_str());
  return verdict;
}

void Tell(const Verdict& verdict) {
  for (const std::string& line : verdict.last_steps) std::printf("  %s\n", line.c_str());
  std::printf("%s\n", verdict.failure.c_str());
}

int RunOne(uint64_t seed) {
  const Verdict verdict = RunWorld(seed, {});
  std::printf("seed %lu: %lu steps, trace %016lx\n", seed, verdict.steps, verdict.trace);
  if (verdict.failure.empty()) return 0;
  Tell(verdict);
  Tell(Shrink(seed, verdict));
  return 1;
}

int RunMany(const Options& options) {
  uint64_t first = options.first;
  if (options.seconds > 0) first = std::random_device()() * uint64_t{1'000'000};
  const std::time_t end = std::time(nullptr) + static_cast<std::time_t>(options.seconds);
  const std::clock_t begin = std::clock();
  uint64_t worlds = 0;
  uint64_t steps = 0;
  int failures = 0;
  while (options.seconds > 0 ? std::time(nullptr) < end : worlds < options.worlds) {
    const uint64_t seed = first + worlds++;
    const Verdict verdict = RunWorld(seed, {});
    steps += verdict.steps;
    if (verdict.failure.empty()) continue;
    std::printf("seed %lu: %s\n  again, and why: --seed=%lu\n", seed, verdict.failure.c_str(),
                seed);
    std::fflush(stdout);
    if (++failures == (options.fault > 0 ? 1 : 10)) break;
  }
  const double cpu = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  std::printf("%lu worlds from seed %lu on, %lu steps, %.0f in a second of CPU, %d failures\n",
              worlds, first, steps, static_cast<double>(steps) / cpu, failures);
  return failures > 0 ? 1 : 0;
}

// In a process of its own, which may crash, or not end: either is a find.
bool IsFound(int fault, const char* program) {
  const std::string first = "--first=1";
  const std::string worlds = absl::StrCat("--worlds=", kMostWorldsForAFault);
  const std::string planted = absl::StrCat("--fault=", fault);
  std::vector<char*> arguments = {const_cast<char*>(program), const_cast<char*>(first.c_str()),
                                  const_cast<char*>(worlds.c_str()),
                                  const_cast<char*>(planted.c_str()), nullptr};
  pid_t child;
  if (posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, arguments.data(), environ) != 0) {
    std::abort();
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status != 0;
}

int RunFaults(const char* program) {
  int missed = 0;
  for (int fault = 1; fault <= kFaults; ++fault) {
    std::printf("--- %d: %s\n", fault, NameOf(static_cast<Fault>(fault)));
    std::fflush(stdout);
    if (IsFound(fault, program)) continue;
    ++missed;
    std::printf("NOT FOUND\n");
  }
  std::printf("%d of %d planted faults found\n", kFaults - missed, kFaults);
  return missed > 0 ? 1 : 0;
}

int Main(int argc, char** argv) {
  const std::optional<Options> options = Parse(argc, argv);
  if (!options.has_value()) {
    std::fprintf(stderr, "the options are at the top of tests/simulator/main.cc\n");
    return 2;
  }
  if (options->faults) return RunFaults(argv[0]);
  Plant(static_cast<Fault>(options->fault));
  return options->seed.has_value() ? RunOne(*options->seed) : RunMany(*options);
}

}  // namespace
}  // namespace foxtive::test

int main(int argc, char** argv) { return foxtive::test::Main(argc, argv); }
