// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S26: the lines of the default listener, each caught as what one write(2) has written.

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/event_listener.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"

namespace foxtive::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// The standard error is a datagram socket meanwhile: what comes out of it is one write each.
class CaughtStderr {
 public:
  CaughtStderr() : former_(dup(STDERR_FILENO)) {
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends_.data()) != 0) Die("socketpair");
    const int size = 1 << 20;
    setsockopt(ends_[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    dup2(ends_[1], STDERR_FILENO);
  }

  ~CaughtStderr() { Restore(); }

  // All that was written, and the end of it.
  std::vector<std::string> Writes() {
    std::vector<std::string> writes;
    std::array<char, 8192> bytes;
    while (true) {
      const ssize_t size = recv(ends_[0], bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (size <= 0) break;
      writes.emplace_back(bytes.data(), static_cast<size_t>(size));
    }
    return writes;
  }

 private:
  void Restore() {
    dup2(former_, STDERR_FILENO);
    close(former_);
    for (int end : ends_) close(end);
  }

  const int former_;
  std::array<int, 2> ends_{};
};

std::string LineOf(const Event& event) {
  CaughtStderr caught;
  StderrListener()->OnEvent(event);
  const std::vector<std::string> writes = caught.Writes();
  return writes.size() == 1 ? writes.front() : "not one write";
}

Event Failure(absl::Status status) {
  return {.kind = EventKind::kAttemptFailed,
          .task_name = "orders",
          .attempt = 3,
          .status = std::move(status),
          .delay = absl::Milliseconds(250)};
}

TEST(StderrListenerTest, S26_EveryKindIsALine) {
  EXPECT_EQ(LineOf(Failure(absl::UnavailableError("down"))),
            "foxtive: task 'orders' attempt 3 failed: UNAVAILABLE: down; next attempt in 0.25 s\n");
  Event event = Failure(absl::UnavailableError("down"));
  event.kind = EventKind::kSetupFailed;
  event.delay = absl::InfiniteDuration();
  EXPECT_EQ(LineOf(event),
            "foxtive: task 'orders' setup for attempt 3 failed: UNAVAILABLE: down\n");
  event.kind = EventKind::kHookThrew;
  event.reason = "on_error";
  EXPECT_EQ(LineOf(event), "foxtive: task 'orders' hook on_error threw: UNAVAILABLE: down\n");
  event.kind = EventKind::kTaskOver;
  event.final_status = SupervisionStatus::kAbandoned;
  event.reason = "it hangs";
  EXPECT_EQ(LineOf(event),
            "foxtive: task 'orders' is over: kAbandoned after 3 attempts; it hangs\n");
  event.attempt = 1;
  EXPECT_THAT(LineOf(event), HasSubstr("after 1 attempt;"));
  event.kind = EventKind::kLateReturn;
  event.reason = "it was abandoned";
  EXPECT_EQ(LineOf(event), "foxtive: task 'orders' has returned after it was abandoned\n");
  event.kind = EventKind::kStuck;
  event.status = absl::DeadlineExceededError("no heartbeat for 10s");
  event.reason = "it is asked to stop";
  EXPECT_EQ(LineOf(event),
            "foxtive: task 'orders' is stuck in attempt 1: DEADLINE_EXCEEDED: no heartbeat for "
            "10s; it is asked to stop\n");
  event.kind = EventKind::kStopIgnored;
  event.reason = "its lane is replaced";
  EXPECT_EQ(LineOf(event),
            "foxtive: task 'orders' does not stop in attempt 1: its lane is replaced\n");
  event.kind = EventKind::kStarving;
  event.reason = "2 lanes are held";
  EXPECT_EQ(LineOf(event), "foxtive: task 'orders' waits for a lane: 2 lanes are held\n");
  event = Event{};
  event.kind = EventKind::kCapacityLimited;
  event.reason = "found 3, wanted 5";
  EXPECT_EQ(LineOf(event), "foxtive: tasks wait for a thread: found 3, wanted 5\n");
  event.kind = EventKind::kStageOverdue;
  event.reason = "stop_order 1: its part of the time is over";
  EXPECT_EQ(LineOf(event), "foxtive: shutdown: stop_order 1: its part of the time is over\n");
}

TEST(StderrListenerTest, AnEventPrintsItself) {
  EXPECT_EQ(ToString(Failure(absl::UnavailableError("down"))),
            "task 'orders' attempt 3 failed: UNAVAILABLE: down; next attempt in 0.25 s");
  EXPECT_EQ(ToString(EventKind::kLateReturn), "kLateReturn");
  EXPECT_EQ(ToString(static_cast<EventKind>(99)), "EventKind(99)");
}

TEST(StderrListenerTest, S26_CountsAreInTheLine) {
  Event event = Failure(absl::UnavailableError("down"));
  event.folded = 12345678901;
  EXPECT_THAT(LineOf(event), HasSubstr("down (and 12345678901 failures before); next"));
  event.folded = 1;
  EXPECT_THAT(LineOf(event), HasSubstr("(and 1 failure before)"));
  event.lost = 7;
  EXPECT_THAT(LineOf(event), EndsWith(" (7 events before this one were lost)\n"));
}

TEST(StderrListenerTest, S26_ControlCharactersAreEscaped) {
  Event event = Failure(absl::UnavailableError(std::string("a\nb\x1b[31m\x7f\0c", 11)));
  event.task_name = "tab\there";
  const std::string line = LineOf(event);
  EXPECT_THAT(line, HasSubstr("task 'tab\\x09here'"));
  EXPECT_THAT(line, HasSubstr("a\\x0ab\\x1b[31m\\x7f\\x00c"));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(StderrListenerTest, S26_MessagesAreCutAt300Bytes) {
  const std::string x300(300, 'x');
  EXPECT_THAT(LineOf(Failure(absl::UnavailableError(x300))), HasSubstr(": " + x300 + "; next"));
  EXPECT_THAT(LineOf(Failure(absl::UnavailableError(x300 + "y"))),
              HasSubstr(": " + x300 + "...; next"));
}

TEST(StderrListenerTest, S26_NoHalfACharacterIsLeftByTheCut) {
  const std::string x299(299, 'x');
  EXPECT_THAT(LineOf(Failure(absl::UnavailableError(x299 + "\u00e4\u00e4"))),
              HasSubstr(": " + x299 + "...; next"));
  // What is no UTF-8 is cut anywhere.
  EXPECT_THAT(LineOf(Failure(absl::UnavailableError(std::string(400, '\x80')))),
              HasSubstr("...; next"));
}

TEST(StderrListenerTest, S26_TheLongestLineIsWhole) {
  const std::string worst(1000, '\x01');
  Event event = Failure(absl::UnavailableError(worst));
  event.task_name = worst;
  event.folded = event.lost = event.attempt = INT64_MAX;
  event.delay = absl::Hours(1e9);
  const std::string line = LineOf(event);
  EXPECT_THAT(line, EndsWith("were lost)\n"));
  EXPECT_LE(line.size(), size_t{4096});
}

// Nobody can be told of it; and the worker that has just failed finds its errno as it was.
TEST(StderrListenerTest, ALineThatCannotBeWrittenIsGivenUp) {
  const int former = dup(STDERR_FILENO);
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  dup2(full, STDERR_FILENO);
  errno = EDOM;
  StderrListener()->OnEvent(Failure(absl::UnavailableError("down")));
  const int after = errno;
  dup2(former, STDERR_FILENO);
  close(former);
  close(full);
  EXPECT_EQ(after, EDOM);
}

TEST(StderrListenerTest, ASupervisorUsesItByDefaultAndASuccessIsSilent) {
  CaughtStderr caught;
  auto supervisor = MakeSupervisor();
  AwaitResult(Submit(*supervisor, Spec("quiet", [] {})));
  TaskSpec spec = Spec("loud", [] { throw std::runtime_error("no disk"); });
  spec.restart_policy = RestartPolicy::Never();
  AwaitResult(Submit(*supervisor, std::move(spec)));
  supervisor.reset();
  EXPECT_THAT(caught.Writes(),
              ElementsAre(AllOf(StartsWith("foxtive: task 'loud' attempt 1 failed: UNKNOWN: "),
                                HasSubstr("std::runtime_error: no disk\n")),
                          "foxtive: task 'loud' is over: kManuallyStopped after 1 attempt; it "
                          "failed, and the policy is Never (verdict row 6)\n"));
}

TEST(StderrListenerTest, S26_ACrashLoopIsFolded) {
  CaughtStderr caught;
  auto supervisor = MakeSupervisor();
  TaskSpec spec = Spec("loop", [] { return absl::UnavailableError("down"); });
  spec.restart_policy = RestartPolicy::MaxAttempts(1000);
  spec.backoff = BackoffStrategy::Constant(absl::ZeroDuration());
  AwaitResult(Submit(*supervisor, std::move(spec)));
  supervisor.reset();
  const std::vector<std::string> writes = caught.Writes();
  // The run may be so slow that ten seconds are over in between.
  ASSERT_GE(writes.size(), 6u);
  EXPECT_LT(writes.size(), 100u);
  EXPECT_THAT(writes[3], HasSubstr("attempt 4 failed"));
  if (writes.size() == 6) {
    EXPECT_THAT(writes[4], HasSubstr("attempt 1000 failed: UNAVAILABLE: down (and 995 failures "
                                     "before)\n"));
  }
}

TEST(StderrListenerTest, S26_NothingIsSaidWithoutAListener) {
  CaughtStderr caught;
  SupervisorOptions options;
  options.listener = nullptr;
  auto supervisor = MakeSupervisor(std::move(options));
  TaskSpec spec = Spec("loud", [] { throw std::runtime_error("no disk"); });
  spec.restart_policy = RestartPolicy::Never();
  AwaitResult(Submit(*supervisor, std::move(spec)));
  supervisor.reset();
  EXPECT_THAT(caught.Writes(), IsEmpty());
}

}  // namespace
}  // namespace foxtive::test
