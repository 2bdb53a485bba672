// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Ships the lines of a log file to log_sink, whatever happens to either of them, until SIGTERM.
//
//   log_shipper --source=/var/log/dpkg.log --port_file=/run/log_sink.port
//
//   source ─▶ snapshot ─▶ worker ─▶ TCP ─▶ log_sink ─▶ its file
//                            ▲                │
//                            └────────────────┘ offset that the sink has
//
// This file is all that supervision takes: what to run, how long to wait after a failure, what to
// say then, and how to make a worker that blocks in `recv` return. The worker is in shipper.h.

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "examples/log_shipper/shipper.h"
#include "examples/log_shipper/socket.h"
#include "foxtive/supervisor.h"

ABSL_FLAG(std::string, source, "/var/log/dpkg.log", "the log file to ship");
ABSL_FLAG(std::string, port_file, "log_sink.port", "where log_sink wrote its port");

namespace log_shipper {
namespace {

// What a stop may take. Milliseconds, but nobody is helped by a limit that a busy machine breaks.
constexpr absl::Duration kShutdownTimeout = absl::Seconds(10);

// Remembers when an attempt failed, to tell how long the pause before the next one was.
class FailureLog {
 public:
  void Failed(int64_t attempt, const std::string& how) {
    failed_at_ = std::chrono::steady_clock::now();
    Say("shipper", absl::StrCat("attempt ", attempt, " ", how));
  }

  void Restarts(int64_t attempt) const {
    const std::chrono::duration<double, std::milli> pause =
        std::chrono::steady_clock::now() - failed_at_;
    Say("shipper", absl::StrCat("attempt ", attempt, " begins, after a pause of ",
                                static_cast<int64_t>(pause.count()), " ms"));
  }

 private:
  std::chrono::steady_clock::time_point failed_at_;
};

// The worker and the hooks share what they use, and own it: a task that hangs may outlive
// everything else.
foxtive::TaskSpec ShipperTask(const std::shared_ptr<Shipper>& shipper) {
  auto failures = std::make_shared<FailureLog>();
  return {
      .name = "shipper",
      .run = [shipper](foxtive::TaskContext& context) { return shipper->Run(context); },
      .restart_policy = foxtive::RestartPolicy::Always(),
      .backoff = foxtive::BackoffStrategy::Exponential(absl::Milliseconds(100), absl::Seconds(1))
                     .WithJitter(0.2),
      .hooks = {
          .setup = [shipper] { return shipper->Setup(); },
          .on_restart = [failures](int64_t attempt) { failures->Restarts(attempt); },
          .on_error =
              [failures](const absl::Status& error, int64_t attempt) {
                failures->Failed(attempt, absl::StrCat("failed: ", error.message()));
              },
          .on_exception =
              [failures](const std::exception_ptr&, std::string_view what, int64_t attempt) {
                failures->Failed(attempt, absl::StrCat("threw: ", std::string(what)));
              },
          .on_shutdown =
              [shipper] {
                Say("shipper", "is to stop: ends whatever the worker waits for");
                shipper->Unblock();
              },
      }};
}

std::atomic<foxtive::Supervisor*> supervisor_to_stop = nullptr;

void OnStopSignal(int) {
  if (foxtive::Supervisor* supervisor = supervisor_to_stop) supervisor->RequestShutdown();
}

// Until a signal has stopped the task, or it could not begin.
absl::StatusOr<foxtive::SupervisionResult> SuperviseUntilSignal(foxtive::TaskSpec spec) {
  auto supervisor = foxtive::Supervisor::Create({.shutdown_timeout = kShutdownTimeout});
  if (!supervisor.ok()) return supervisor.status();
  absl::StatusOr<foxtive::TaskHandle> task = (*supervisor)->Submit(std::move(spec));
  if (!task.ok()) return task.status();

  supervisor_to_stop = supervisor->get();
  std::signal(SIGTERM, OnStopSignal);
  std::signal(SIGINT, OnStopSignal);
  absl::StatusOr<foxtive::SupervisionResult> result = task->Wait();
  supervisor_to_stop = nullptr;
  return result;
}

int Main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  const auto shipper =
      std::make_shared<Shipper>(absl::GetFlag(FLAGS_source), absl::GetFlag(FLAGS_port_file));
  absl::StatusOr<foxtive::SupervisionResult> result = SuperviseUntilSignal(ShipperTask(shipper));
  if (!result.ok()) {
    Say("shipper", result.status().ToString());
    return EXIT_FAILURE;
  }
  if (result->final_status != foxtive::SupervisionStatus::kManuallyStopped) {
    Say("shipper", absl::StrCat("ended by itself: ", result->last_error.ToString()));
    return EXIT_FAILURE;
  }
  Say("shipper",
      absl::StrCat("stopped after ", result->total_attempts, " attempts in ",
                   absl::FormatDuration(absl::Trunc(result->elapsed, absl::Milliseconds(1))),
                   "; lines shipped raw: ", shipper->raw_lines()));
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace log_shipper

int main(int argc, char** argv) { return log_shipper::Main(argc, argv); }
