// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What it costs to be watched, and to wait so that a stop ends it.
//
//   H1_Heartbeat/<who>/<calls>      Heartbeat() in a worker, one after the other: of a task with a
//                                   heartbeat_timeout (Watched), of one without (NotWatched);
//                                   beside a look at the clock (Clock). ns_per_call
//   H2_Restart/<who>/<restarts>     one worker that fails without a delay, as R1: of a task with a
//                                   heartbeat_timeout and a run_timeout, which are armed once, and
//                                   without
//   H3_DelayedRestart/<who>/<...>   the same with a delay of 1 us: the timer is the delay's, so the
//                                   timeouts are armed for each attempt
//   H4_WaitReadable/<who>/<calls>   WaitReadable on a pipe that always has something (Foxtive),
//                                   beside poll (Poll). ns_per_call

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "benchmarks/harness.h"
#include "benchmarks/onetbb_host.h"
#include "foxtive/supervisor.h"

namespace foxtive::benchmarks {
namespace {

// In a worker of a task with these settings, until it has succeeded.
void RunTask(TaskSpec spec) {
  static Supervisor& supervisor = *Supervisor::Create({.listener = nullptr})->release();
  spec.name = "worker";
  const absl::StatusOr<TaskHandle> handle = supervisor.Submit(std::move(spec));
  Require(handle.ok(), "Submit failed");
  const absl::StatusOr<SupervisionResult> result = handle->Wait();
  Require(result.ok() && result->final_status == SupervisionStatus::kCompletedNormally,
          "no success");
}

TaskSpec Watched() {
  TaskSpec spec;
  spec.heartbeat_timeout = absl::Minutes(1);
  spec.run_timeout = absl::Hours(1);
  return spec;
}

// --- H1, H4: calls of a worker.

template <typename Call>
void InWorker(benchmark::State& state, int64_t calls, TaskSpec spec, const Call& call) {
  for (auto _ : state) {
    double seconds = 0;
    spec.run = [&](TaskContext& context) {
      call(context);
      const Stopwatch stopwatch;
      for (int64_t i = 0; i < calls; ++i) call(context);
      seconds = stopwatch.Seconds();
    };
    RunTask(std::move(spec));
    ReportEach(state, seconds, "ns_per_call", calls);
  }
}

void Beat(TaskContext& context) { context.Heartbeat(); }

void BeatWatched(benchmark::State& state, int64_t calls) {
  InWorker(state, calls, Watched(), &Beat);
}
void BeatNotWatched(benchmark::State& state, int64_t calls) { InWorker(state, calls, {}, &Beat); }
void LookAtClock(benchmark::State& state, int64_t calls) {
  const Clock clock;
  InWorker(state, calls, {},
           [&clock](TaskContext&) { benchmark::DoNotOptimize(clock.NowNanos()); });
}

// Has something to be read.
class Pipe {
 public:
  Pipe() {
    Require(pipe2(ends_.data(), O_CLOEXEC) == 0, "no pipe");
    Require(write(ends_[1], "x", 1) == 1, "write failed");
  }
  ~Pipe() {
    for (const int end : ends_) close(end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int output() const { return ends_[0]; }

 private:
  std::array<int, 2> ends_;
};

void WaitReadable(benchmark::State& state, int64_t calls) {
  const Pipe pipe;
  InWorker(state, calls, {}, [&pipe](TaskContext& context) {
    Require(context.WaitReadable(pipe.output(), absl::Seconds(10)).ok(), "WaitReadable failed");
  });
}

void Poll(benchmark::State& state, int64_t calls) {
  const Pipe pipe;
  InWorker(state, calls, {}, [&pipe](TaskContext&) {
    pollfd waited{.fd = pipe.output(), .events = POLLIN, .revents = 0};
    Require(poll(&waited, 1, 10'000) == 1, "poll failed");
  });
}

// --- H2, H3

void Restart(benchmark::State& state, int64_t restarts, TaskSpec spec, absl::Duration delay) {
  for (auto _ : state) {
    int64_t calls = 0;
    const absl::Status error = absl::UnavailableError("connection refused");
    spec.run = [&] { return calls++ == restarts ? absl::OkStatus() : error; };
    spec.backoff = BackoffStrategy::Constant(delay);
    const Stopwatch stopwatch;
    RunTask(std::move(spec));
    ReportEach(state, stopwatch.Seconds(), "ns_per_restart", restarts);
    Require(calls == restarts + 1, "a call is missing, or one too many");
  }
}

void AddAll() {
  AddSizes("H1_Heartbeat/Clock", &LookAtClock, {100'000});
  AddSizes("H1_Heartbeat/NotWatched", &BeatNotWatched, {100'000});
  AddSizes("H1_Heartbeat/Watched", &BeatWatched, {100'000});
  const auto add = [](const char* name, TaskSpec (*spec)(), absl::Duration delay,
                      std::initializer_list<int64_t> sizes) {
    AddSizes(
        name, [=](benchmark::State& state, int64_t size) { Restart(state, size, spec(), delay); },
        sizes);
  };
  const auto plain = [] { return TaskSpec(); };
  add("H2_Restart/NotWatched", plain, absl::ZeroDuration(), {2'000, 20'000, 200'000});
  add("H2_Restart/Watched", &Watched, absl::ZeroDuration(), {2'000, 20'000, 200'000});
  add("H3_DelayedRestart/NotWatched", plain, absl::Microseconds(1), {500, 5'000, 20'000});
  add("H3_DelayedRestart/Watched", &Watched, absl::Microseconds(1), {500, 5'000, 20'000});
  AddSizes("H4_WaitReadable/Foxtive", &WaitReadable, {10'000});
  AddSizes("H4_WaitReadable/Poll", &Poll, {10'000});
}

}  // namespace
}  // namespace foxtive::benchmarks

int main(int argc, char** argv) {
  return foxtive::benchmarks::Main(argc, argv, &foxtive::benchmarks::AddAll);
}
