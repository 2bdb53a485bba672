// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// 3 a.m.: a worker hangs in a read that nobody answers, on the only lane there is. It is found by
// its missing heartbeat, named, with the stack of where it is, and asked to stop; it is deaf, so
// another lane takes the place of its own, and the task that waited for one runs. When the read
// returns after all the thread is reclaimed, and the task starts anew.
//
// Then a worker that fails again and again, and what is left of that in the morning: its history.
//
// What is printed to the standard error is the default listener's.

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"

namespace {

constexpr int kFailures = 40;

// --- The worker that hangs. Not inlined, so that they are in the stack.

class Connection {
 public:
  Connection() : broken_(pipe(pipe_.data()) != 0) {}
  ~Connection() {
    for (const int end : pipe_) close(end);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[gnu::noinline]] absl::Status Ping() {
    absl::Status status = ReadReply();
    if (!status.ok()) return absl::UnavailableError("the other side is gone");
    return status;
  }

  void Answer(int times) {
    while (times-- > 0 && write(pipe_[1], "y", 1) == 1) continue;
  }

 private:
  // Without a timeout, as it was written years ago.
  [[gnu::noinline]] absl::Status ReadReply() {
    char byte = 0;
    if (!broken_ && read(pipe_[0], &byte, 1) == 1) return absl::OkStatus();
    return absl::UnavailableError("no reply");
  }

  std::array<int, 2> pipe_{-1, -1};
  const bool broken_;
};

foxtive::TaskSpec PumpSpec(const std::shared_ptr<Connection>& connection) {
  return {.name = "pump",
          .run = [connection](foxtive::TaskContext& context) -> absl::Status {
            for (int i = 0; i < 3 && !context.stop_requested(); ++i) {
              if (absl::Status status = connection->Ping(); !status.ok()) return status;
              context.Heartbeat();
            }
            return absl::OkStatus();
          },
          .backoff = foxtive::BackoffStrategy::Constant(absl::Milliseconds(10)),
          .heartbeat_timeout = absl::Milliseconds(200),
          .on_stuck = foxtive::OnStuck::kRestart,
          .stop_timeout = absl::Milliseconds(100)};
}

// --- The one that crashes.

absl::Status Feed(foxtive::TaskContext& context) {
  if (context.attempt() == kFailures / 2) return absl::InternalError("out of buffers");
  return absl::UnavailableError(absl::StrCat("no route to 10.0.0.", context.attempt() % 7));
}

template <typename Condition>
void Await(Condition condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

// --- What is checked, so that this is a test as well.

bool Check(bool holds, const char* what) {
  if (!holds) std::printf("IT DOES NOT HOLD: %s\n", what);
  return holds;
}

bool IsInReadReply(const foxtive::StackTrace& stack) {
  const auto is_it = [](const foxtive::StackFrame& frame) {
    return frame.function.find("ReadReply") != std::string::npos;
  };
  return std::any_of(stack.frames.begin(), stack.frames.end(), is_it);
}

bool AWorkerHangs(foxtive::Supervisor& supervisor) {
  const auto connection = std::make_shared<Connection>();
  const absl::StatusOr<foxtive::TaskHandle> pump = supervisor.Submit(PumpSpec(connection));
  if (!pump.ok()) return Check(false, pump.status().ToString().c_str());
  Await([&pump] { return pump->info().stuck_for > absl::ZeroDuration(); });
  std::printf("found: %s\n", ToString(pump->info()).c_str());

  // Its event asks for the stack, too; this is how to ask whenever you like.
  const absl::StatusOr<foxtive::StackTrace> stack = pump->CaptureStack(absl::Seconds(10));
  std::printf("it is in:\n%s\n", stack.ok() ? ToString(*stack).c_str() : "nobody knows");
  // Where a signal is late, as under a sanitizer, there is none.
  bool good = Check(!stack.ok() || IsInReadReply(*stack), "the stack has the function's name");

  const absl::StatusOr<foxtive::TaskHandle> mail = supervisor.Submit("mail", [] {});
  good = Check(mail.ok() && mail->Wait().ok(), "its lane is replaced") && good;
  std::printf("mail went out; %s\n", ToString(pump->info()).c_str());
  good = Check(pump->attempts() == 1, "no second attempt runs beside the first") && good;

  connection->Answer(1000);
  const absl::StatusOr<foxtive::SupervisionResult> result = pump->Wait();
  std::printf("reclaimed: %s\n%s\n", ToString(*result).c_str(), ToString(pump->history()).c_str());
  const foxtive::TaskHistory history = pump->history();
  const absl::Status& first = history.attempts.front().status;
  return Check(absl::IsDeadlineExceeded(first), "the first attempt has failed by hanging") &&
         Check(history.attempts.back().status.ok(), "the last one has not failed") && good;
}

bool AWorkerCrashes(foxtive::Supervisor& supervisor) {
  const absl::StatusOr<foxtive::TaskHandle> feed =
      supervisor.Submit({.name = "feed",
                         .run = &Feed,
                         .restart_policy = foxtive::RestartPolicy::MaxAttempts(kFailures),
                         .backoff = foxtive::BackoffStrategy::Constant(absl::Milliseconds(1))});
  if (!feed.ok() || !feed->Wait().ok()) return Check(false, "it runs");
  const foxtive::TaskHistory history = feed->history();
  std::printf("%s\n", ToString(history).c_str());
  return Check(history.causes.size() == 2, "there are two causes") &&
         Check(history.causes[0].count == kFailures - 1, "of which one is frequent") &&
         Check(history.causes[0].text == "UNAVAILABLE: no route to #.#.#.#", "it is named") &&
         Check(history.attempts.back().number == kFailures, "the last attempt is told");
}

}  // namespace

int main() {
  absl::StatusOr<std::unique_ptr<foxtive::Supervisor>> supervisor =
      foxtive::Supervisor::Create({.max_concurrency = 1, .stack_signal = SIGURG});
  if (!supervisor.ok()) {
    std::printf("%s\n", supervisor.status().ToString().c_str());
    return 1;
  }
  const bool good = AWorkerHangs(**supervisor);
  return AWorkerCrashes(**supervisor) && good ? 0 : 1;
}
