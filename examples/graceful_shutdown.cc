// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A service that ends in order: when a signal asks for it, or when one of its tasks gives up. It
// says what became of each, in a table, and its exit code tells a stop from a failure.
//
//   graceful_shutdown [--break=<name of a worker>]
//
// Exit code 0: a signal stopped it, be it before anything was started. 1: a task gave up. 2: a
// worker did not stop in time. A second signal does not wait for those.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "foxtive/signals.h"
#include "foxtive/supervisor.h"

namespace {

constexpr absl::Duration kShutdownTimeout = absl::Seconds(10);

foxtive::TaskSpec Worker(const std::string& name, bool breaks) {
  return {
      .name = name,
      .run = [breaks](foxtive::TaskContext& context) -> absl::Status {
        if (breaks) return absl::DataLossError("the index is corrupt");
        // A real one would read, and write, and sleep less.
        while (context.SleepFor(absl::Milliseconds(20))) {
        }
        return absl::OkStatus();
      },
      .restart_policy = foxtive::RestartPolicy::MaxAttempts(3),
      .backoff = foxtive::BackoffStrategy::Exponential(absl::Milliseconds(10)),
  };
}

void PrintTable(const std::vector<foxtive::SupervisionResult>& results) {
  std::printf("%-10s %-20s %8s  %s\n", "task", "status", "attempts", "last error");
  for (const foxtive::SupervisionResult& result : results) {
    std::printf("%-10s %-20s %8lld  %s\n", result.task_name.c_str(),
                foxtive::ToString(result.final_status).c_str(),
                static_cast<long long>(result.total_attempts),
                result.last_error.ToString().c_str());
  }
}

absl::Status Prepare(foxtive::Supervisor& supervisor, std::string_view broken) {
  for (const char* name : {"reader", "indexer", "sender"}) {
    const auto task = supervisor.Register(Worker(name, name == broken));
    if (!task.ok()) return task.status();
  }
  return foxtive::ShutdownOnSignal(supervisor, {SIGINT, SIGTERM});
}

int Fail(const absl::Status& status) {
  std::cerr << status << std::endl;
  return EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::string_view kBreak = "--break=";
  const std::string_view argument = argc > 1 ? argv[1] : kBreak;
  if (argc > 2 || argument.substr(0, kBreak.size()) != kBreak) {
    std::cerr << "usage: " << argv[0] << " [--break=<name of a worker>]" << std::endl;
    return EXIT_FAILURE;
  }

  foxtive::Supervisor supervisor;
  if (absl::Status status = Prepare(supervisor, argument.substr(kBreak.size())); !status.ok()) {
    return Fail(status);
  }
  if (absl::Status status = supervisor.StartAll(); !status.ok()) {
    // A signal came first, so nothing is started any more.
    return absl::IsFailedPrecondition(status) ? EXIT_SUCCESS : Fail(status);
  }
  std::cout << "up" << std::endl;

  // The first one that ends ends the service: because of a signal, or because it gave up.
  const absl::StatusOr<foxtive::SupervisionResult> first = supervisor.WaitAny();
  if (!first.ok()) return Fail(first.status());
  const absl::Status stopped = supervisor.Shutdown(kShutdownTimeout);
  const absl::StatusOr<std::vector<foxtive::SupervisionResult>> others = supervisor.WaitAll();
  if (!others.ok()) return Fail(others.status());

  std::vector<foxtive::SupervisionResult> results = {*first};
  results.insert(results.end(), others->begin(), others->end());
  PrintTable(results);
  if (!stopped.ok()) {
    std::cerr << stopped << std::endl;
    return 2;
  }
  return first->final_status == foxtive::SupervisionStatus::kManuallyStopped ? EXIT_SUCCESS
                                                                             : EXIT_FAILURE;
}
