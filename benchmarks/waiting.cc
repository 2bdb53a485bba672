// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What a task costs while it waits: it has failed once, and its next attempt is an hour away. Each
// repetition is a process of its own, which has done nothing before.
//
//   R6_Memory/<who>/<tasks>    bytes_per_task: by how much the resident memory of the process has
//                              grown since its start, once all wait, by the tasks. Nothing is left
//                              out: of the library also its threads, and lanes that the crowd has
//                              called into being. So 1,000 tasks are few; it takes 100,000 to see
//                              the task itself
//   R7_Cpu/<who>/<tasks>       cpu_us: the processor's time that the process uses in 5 s in which
//                              all wait, without that of the thread that sleeps and measures, since
//                              its one wake-up costs more than is looked for; timeslices: how often
//                              any other thread was scheduled meanwhile
//
//   Foxtive     a Supervisor with default options; handles are dropped at once. All tasks fail
//               with copies of one status: what else a cause may hold is the worker's
//   Multimap    R6: a std::multimap from deadlines to std::functions, with no name, no policy, no
//               state, no hooks, no result
//   Nothing     R7: the same process without any task
//
// Each process checks that all tasks wait when it measures.

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "benchmarks/harness.h"
#include "foxtive/supervisor.h"

namespace foxtive::benchmarks {
namespace {

// --- What the process of a repetition does. It has two numbers to say.

using Numbers = std::array<double, 2>;

constexpr std::chrono::milliseconds kSettling{50};

// Exact, which the count in `statm` is not.
int64_t ResidentBytes() {
  std::ifstream rollup("/proc/self/smaps_rollup");
  std::string word;
  while (rollup >> word && word != "Rss:") continue;
  int64_t kilobytes = 0;
  rollup >> kilobytes;
  Require(kilobytes > 0, "no Rss in /proc/self/smaps_rollup");
  return kilobytes * 1024;
}

// Makes `count` tasks wait.
void WaitInSupervisor(int64_t count) {
  static Supervisor& supervisor = *new Supervisor;
  static const absl::Status& error =
      *new absl::Status(absl::UnavailableError("connection refused"));
  for (int64_t i = 0; i < count; ++i) {
    Require(supervisor
                .Submit({.name = "task-" + std::to_string(i),
                         .run = [] { return error; },
                         .backoff = BackoffStrategy::Constant(absl::Hours(1))})
                .ok(),
            "Submit failed");
  }
  for (int64_t i = 0; i < count; ++i) {
    const absl::StatusOr<TaskHandle> handle = supervisor.Find("task-" + std::to_string(i));
    Require(handle.ok(), "a task is gone");
    while (handle->state() != TaskState::kBackingOff) std::this_thread::yield();
    Require(handle->attempts() == 1, "a task has not failed once");
  }
  Require(supervisor.task_count() == static_cast<size_t>(count), "a task is over");
}

void WaitInMultimap(int64_t count) {
  using Waiting = std::multimap<SteadyClock::time_point, std::function<absl::Status()>>;
  static Waiting& waiting = *new Waiting;
  static int64_t calls = 0;
  for (int64_t i = 0; i < count; ++i) {
    const std::function<absl::Status()> run = [&calls = calls] {
      ++calls;
      return absl::OkStatus();
    };
    Require(run().ok(), "no success");
    waiting.emplace(SteadyClock::now() + std::chrono::hours(1), run);
  }
  Require(calls == count && waiting.size() == static_cast<size_t>(count), "a task is missing");
}

void WaitForNothing(int64_t /*count*/) {}

template <void (*kWait)(int64_t)>
Numbers Memory(int64_t count, std::chrono::milliseconds /*observed*/) {
  const int64_t before = ResidentBytes();
  kWait(count);
  return {static_cast<double>(ResidentBytes() - before) / static_cast<double>(count)};
}

// How often each thread has been scheduled, but this one. Threads may end meanwhile, such as those
// by which the library tries whether there can be one more.
using Timeslices = std::map<std::string, int64_t>;

Timeslices TimeslicesOfOthers() {
  Timeslices timeslices;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    const std::string thread = entry.path().filename();
    if (thread == std::to_string(getpid())) continue;
    std::ifstream schedstat(entry.path() / "schedstat");
    int64_t on_cpu, waited, count;
    if (schedstat >> on_cpu >> waited >> count) timeslices[thread] = count;
  }
  Require(!timeslices.empty() || std::filesystem::exists("/proc/self/schedstat"), "no schedstat");
  return timeslices;
}

// A thread that has ended was scheduled for that.
int64_t SlicesBetween(const Timeslices& before, const Timeslices& after) {
  int64_t slices = 0;
  for (const auto& [thread, count] : before) {
    const auto found = after.find(thread);
    slices += found != after.end() ? found->second - count : 1;
  }
  for (const auto& [thread, count] : after) slices += before.contains(thread) ? 0 : count;
  return slices;
}

double CpuMicros(clockid_t whose) {
  timespec used;
  clock_gettime(whose, &used);
  return static_cast<double>(used.tv_sec) * 1e6 + static_cast<double>(used.tv_nsec) * 1e-3;
}

// Lanes that have just let go of their tasks go to rest first; what never does is to be seen.
void Settle() {
  constexpr int kMostTries = 20;
  for (int i = 0; i < kMostTries; ++i) {
    const auto before = TimeslicesOfOthers();
    std::this_thread::sleep_for(kSettling);
    if (TimeslicesOfOthers() == before) return;
  }
}

template <void (*kWait)(int64_t)>
Numbers Cpu(int64_t count, std::chrono::milliseconds observed) {
  kWait(count);
  Settle();
  const Timeslices before = TimeslicesOfOthers();
  // The inner interval is this thread's, so that the rest is never too small.
  const double all_before = CpuMicros(CLOCK_PROCESS_CPUTIME_ID);
  const double own_before = CpuMicros(CLOCK_THREAD_CPUTIME_ID);
  std::this_thread::sleep_for(observed);
  const double own = CpuMicros(CLOCK_THREAD_CPUTIME_ID) - own_before;
  const double all = CpuMicros(CLOCK_PROCESS_CPUTIME_ID) - all_before;
  return {all - own, static_cast<double>(SlicesBetween(before, TimeslicesOfOthers()))};
}

// --- The processes.

struct Case {
  std::string_view name;
  Numbers (*measure)(int64_t count, std::chrono::milliseconds observed);
};

constexpr std::array kCases = {
    Case{"R6_Memory/Foxtive", &Memory<&WaitInSupervisor>},
    Case{"R6_Memory/Multimap", &Memory<&WaitInMultimap>},
    Case{"R7_Cpu/Foxtive", &Cpu<&WaitInSupervisor>},
    Case{"R7_Cpu/Nothing", &Cpu<&WaitForNothing>},
};

// What main is called with in such a process, before the name of the case, the count, and how long
// to look, in milliseconds.
constexpr std::string_view kChildOption = "--child";

int RunChild(std::string_view name, int64_t count, std::chrono::milliseconds observed) {
  for (const Case& known : kCases) {
    if (known.name != name) continue;
    const Numbers numbers = [&] {
      const SilentStderr silent;
      return known.measure(count, observed);
    }();
    std::printf("%.17g %.17g\n", numbers[0], numbers[1]);
    // Not by way of exit: there may be a million tasks.
    std::fflush(stdout);
    _exit(0);
  }
  return 1;
}

Numbers InProcess(std::string name, int64_t count) {
  std::array<int, 2> ends;
  Require(pipe2(ends.data(), O_CLOEXEC) == 0, "no pipe");
  std::string program = std::filesystem::read_symlink("/proc/self/exe");
  std::string option(kChildOption), size = std::to_string(count), millis = Quick() ? "50" : "5000";
  std::array<char*, 6> arguments = {program.data(), option.data(), name.data(),
                                    size.data(),    millis.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  pid_t child = 0;
  Require(posix_spawn(&child, program.c_str(), &actions, nullptr, arguments.data(), environ) == 0,
          "no process");
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  FILE* const output = fdopen(ends[0], "r");
  Numbers numbers{};
  const int found = std::fscanf(output, "%lf %lf", &numbers[0], &numbers[1]);
  std::fclose(output);
  int status = 0;
  Require(waitpid(child, &status, 0) == child && status == 0, "the process has failed");
  Require(found == 2, "the process has said nothing");
  return numbers;
}

// --- The benchmarks, named as the cases.

void MemoryInProcess(benchmark::State& state, const std::string& name, int64_t count) {
  for (auto _ : state) {
    const Stopwatch stopwatch;
    state.counters["bytes_per_task"] = InProcess(name, count)[0];
    state.SetIterationTime(stopwatch.Seconds());
  }
}

void CpuInProcess(benchmark::State& state, const std::string& name, int64_t count) {
  for (auto _ : state) {
    const Stopwatch stopwatch;
    const Numbers numbers = InProcess(name, count);
    state.counters["cpu_us"] = numbers[0];
    state.counters["timeslices"] = numbers[1];
    state.SetIterationTime(stopwatch.Seconds());
  }
}

void AddCase(const std::string& name, std::initializer_list<int64_t> sizes) {
  const auto run = name.starts_with("R6") ? &MemoryInProcess : &CpuInProcess;
  AddSizes(
      name, [name, run](benchmark::State& state, int64_t size) { run(state, name, size); }, sizes);
}

void AddAll() {
  AddCase("R6_Memory/Foxtive", {1'000, 100'000, 1'000'000});
  AddCase("R6_Memory/Multimap", {1'000, 100'000, 1'000'000});
  AddCase("R7_Cpu/Foxtive", {1'000, 10'000, 100'000});
  AddCase("R7_Cpu/Nothing", {0});
}

}  // namespace
}  // namespace foxtive::benchmarks

int main(int argc, char** argv) {
  namespace benchmarks = foxtive::benchmarks;
  if (argc == 5 && argv[1] == benchmarks::kChildOption) {
    return benchmarks::RunChild(argv[2], std::stoll(argv[3]),
                                std::chrono::milliseconds(std::stoll(argv[4])));
  }
  return benchmarks::Main(argc, argv, &benchmarks::AddAll);
}
