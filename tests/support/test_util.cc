// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/support/test_util.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "gtest/gtest.h"

namespace foxtive::test {

void Die(std::string_view message) {
  const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
  std::string line = "[  FAILED  ] ";
  if (test != nullptr) absl::StrAppend(&line, test->test_suite_name(), ".", test->name(), ": ");
  absl::StrAppend(&line, std::string(message), "\n");
  std::fflush(stdout);
  std::fputs(line.c_str(), stderr);
  std::abort();
}

void DieWaitingFor(std::string_view what) {
  Die(absl::StrCat("waited ", kSafetyLimit.count(), " s in vain for ", std::string(what)));
}

void Latch::CountDown() {
  std::lock_guard<std::mutex> guard(mutex_);
  --count_;
  if (count_ <= 0) opened_.notify_all();
}

bool Latch::IsOpen() const {
  std::lock_guard<std::mutex> guard(mutex_);
  return count_ <= 0;
}

void Latch::Await(std::string_view what) const {
  std::unique_lock<std::mutex> guard(mutex_);
  if (!opened_.wait_for(guard, kSafetyLimit, [&] { return count_ <= 0; })) DieWaitingFor(what);
}

void Latch::CountDownAndAwait(std::string_view what) {
  CountDown();
  Await(what);
}

SupervisorOptions OptionsWith(std::shared_ptr<Clock> clock) { return {.clock = std::move(clock)}; }

std::unique_ptr<Supervisor> MakeSupervisor(SupervisorOptions options) {
  absl::StatusOr<std::unique_ptr<Supervisor>> supervisor = Supervisor::Create(std::move(options));
  if (!supervisor.ok()) Die(absl::StrCat("Create: ", supervisor.status().ToString()));
  return *std::move(supervisor);
}

TaskSpec Spec(std::string name, RunFunction run) {
  return {.name = std::move(name),
          .run = std::move(run),
          .backoff = BackoffStrategy::Constant(absl::ZeroDuration())};
}

TaskHandle Submit(Supervisor& supervisor, TaskSpec spec) {
  absl::StatusOr<TaskHandle> handle = supervisor.Submit(std::move(spec));
  if (!handle.ok()) Die(absl::StrCat("Submit: ", handle.status().ToString()));
  return *std::move(handle);
}

TaskHandle Register(Supervisor& supervisor, TaskSpec spec) {
  absl::StatusOr<TaskHandle> handle = supervisor.Register(std::move(spec));
  if (!handle.ok()) Die(absl::StrCat("Register: ", handle.status().ToString()));
  return *std::move(handle);
}

SupervisionResult AwaitResult(const TaskHandle& handle) {
  SupervisionResult result = Await(handle.future(), absl::StrCat("the result of ", handle.name()));
  absl::Status own(result.last_error.code(), result.last_error.message());
  result.last_error.ForEachPayload([&own](const auto& type, const absl::Cord& payload) {
    own.SetPayload(type, absl::Cord(std::string(payload)));
  });
  result.last_error = std::move(own);
  return result;
}

absl::Duration AwaitBackoff(const TaskHandle& handle, int64_t attempts) {
  const auto limit = std::chrono::steady_clock::now() + kSafetyLimit;
  while (true) {
    const TaskInfo info = handle.info();
    if (info.state == TaskState::kBackingOff && info.attempts >= attempts) {
      return info.next_attempt_in;
    }
    if (std::chrono::steady_clock::now() > limit) {
      DieWaitingFor(absl::StrCat("the delay after attempt ", attempts, " of ", handle.name()));
    }
    std::this_thread::yield();
  }
}

void Settle(Supervisor& supervisor) {
  static std::atomic<int64_t> next{0};
  // A stop needs the monitor. The first one may be seen to in the middle of a round of it; the
  // second one is seen to in another round, which begins after that.
  for (int i = 0; i < 2; ++i) {
    const TaskHandle handle = Submit(
        supervisor, Spec(absl::StrCat("settle-", next.fetch_add(1)),
                         [](TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); }));
    handle.RequestStop();
    AwaitResult(handle);
  }
}

}  // namespace foxtive::test
