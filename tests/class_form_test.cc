// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The class form of a task: which virtual is called when, what the defaults do, and that Configure
// has the last word. Who owns the object, and what is refused: class_form_refused_test.cc.

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// One object, as all threads know it: the thread sanitizer does not see Abseil count references.
const absl::Status& Down() {
  static const auto& status = *new absl::Status(absl::UnavailableError("down"));
  return status;
}

// Every virtual writes its name and its arguments to `log`. Fails, throws, and then runs until it
// is told of a stop.
class LoggingTask : public SupervisedTask {
 public:
  explicit LoggingTask(EventLog& log) : log_(log) {}
  ~LoggingTask() override { log_.Add("~LoggingTask"); }

  std::string name() const override {
    log_.Add("name");
    return "logging";
  }
  RestartPolicy restart_policy() const override {
    log_.Add("restart_policy");
    return RestartPolicy::MaxAttempts(5);
  }
  BackoffStrategy backoff_strategy() const override {
    log_.Add("backoff_strategy");
    return BackoffStrategy::Constant(absl::ZeroDuration());
  }
  void Configure(TaskSpec& spec) const override { log_.Add(absl::StrCat("Configure ", spec.name)); }
  absl::Status Run(TaskContext& context) override {
    log_.Add(absl::StrCat("Run ", context.attempt()));
    if (context.attempt() == 1) return Down();
    if (context.attempt() == 2) throw std::runtime_error("oh");
    running_.Notify();
    told_.Await("OnShutdown");
    return absl::OkStatus();
  }
  absl::Status Setup() override {
    log_.Add("Setup");
    return absl::OkStatus();
  }
  void Cleanup() override { log_.Add("Cleanup"); }
  void OnRestart(int64_t attempt) override { log_.Add(absl::StrCat("OnRestart ", attempt)); }
  void OnError(const absl::Status& error, int64_t attempt) override {
    log_.Add(absl::StrCat("OnError ", attempt, " ", error.message()));
  }
  void OnException(const std::exception_ptr& exception, std::string_view what,
                   int64_t attempt) override {
    EXPECT_THROW(std::rethrow_exception(exception), std::runtime_error);
    log_.Add(absl::StrCat("OnException ", attempt, " ", std::string(what)));
  }
  bool ShouldRestart(int64_t attempt, const absl::Status& error) override {
    log_.Add(absl::StrCat("ShouldRestart ", attempt, " ", error.message()));
    return true;
  }
  void OnShutdown() override {
    log_.Add("OnShutdown");
    told_.Notify();
  }

  void AwaitRunning() const { running_.Await("the third attempt"); }

 private:
  EventLog& log_;
  Notification running_;
  Notification told_;
};

TEST(Semantics, S1_EveryVirtualIsCalledInItsTurnWithItsArguments) {
  EventLog log;
  const auto supervisor = MakeSupervisor();
  auto task = std::make_shared<LoggingTask>(log);
  const LoggingTask& watched = *task;
  const absl::StatusOr<TaskHandle> handle = supervisor->Submit(std::move(task));
  ASSERT_TRUE(handle.ok()) << handle.status();
  EXPECT_EQ(handle->name(), "logging");
  watched.AwaitRunning();
  EXPECT_TRUE(handle->RequestStop());
  EXPECT_EQ(AwaitResult(*handle).final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_THAT(log.Entries(),
              ElementsAre("name", "restart_policy", "backoff_strategy", "Configure logging",
                          "Setup", "Run 1", "OnError 1 down", "ShouldRestart 1 down", "OnRestart 2",
                          "Run 2", "OnException 2 oh", "ShouldRestart 2 std::runtime_error: oh",
                          "OnRestart 3", "Run 3", "OnShutdown", "Cleanup", "~LoggingTask"));
}

// Making a spec asks for the settings and calls nothing else.
TEST(ClassFormTest, ASpecThatIsDroppedHasOnlyBeenAsked) {
  EventLog log;
  { const TaskSpec spec = MakeTaskSpec(std::make_shared<LoggingTask>(log)); }
  EXPECT_THAT(log.Entries(), ElementsAre("name", "restart_policy", "backoff_strategy",
                                         "Configure logging", "~LoggingTask"));
}

// Only what every class must have; fails `failures` times, and then succeeds.
class PlainTask : public SupervisedTask {
 public:
  explicit PlainTask(int64_t failures = 0) : failures_(failures) {}

  std::string name() const override { return "plain"; }
  absl::Status Run(TaskContext& context) override {
    if (context.attempt() > failures_) return absl::OkStatus();
    if (context.attempt() % 2 == 0) throw std::runtime_error("oh");
    return Down();
  }

 private:
  const int64_t failures_;
};

TEST(ClassFormTest, TheDefaultsAreThoseOfASpec) {
  const TaskSpec defaults;
  TaskSpec spec = MakeTaskSpec(std::make_shared<PlainTask>());
  EXPECT_EQ(spec.name, "plain");
  EXPECT_TRUE(spec.run);
  EXPECT_TRUE(spec.restart_policy == defaults.restart_policy);
  EXPECT_TRUE(spec.backoff == defaults.backoff);
  EXPECT_EQ(spec.restart_on, defaults.restart_on);
  EXPECT_EQ(spec.stable_after, defaults.stable_after);
  EXPECT_EQ(spec.retry_setup, defaults.retry_setup);
  EXPECT_EQ(spec.stop_timeout, defaults.stop_timeout);
  EXPECT_EQ(spec.hooks.setup(), absl::OkStatus());
  EXPECT_TRUE(spec.hooks.should_restart(1, Down()));
  spec.hooks.cleanup();
  spec.hooks.on_restart(2);
  spec.hooks.on_error(Down(), 1);
  spec.hooks.on_exception(nullptr, "", 1);
  spec.hooks.on_shutdown();
}

// The defaults at work: restarted for ever, after the delays of the default strategy.
TEST(ClassFormTest, TheDefaultsSuperviseAsASpecWithoutHooksDoes) {
  const auto clock = std::make_shared<ManualClock>();
  const auto supervisor = MakeSupervisor(OptionsWith(clock));
  const absl::StatusOr<TaskHandle> handle = supervisor->Submit(std::make_shared<PlainTask>(4));
  ASSERT_TRUE(handle.ok()) << handle.status();
  for (int64_t failures = 1; failures <= 4; ++failures) {
    const absl::Duration delay = BackoffStrategy::Exponential().Delay(failures);
    EXPECT_EQ(AwaitBackoff(*handle, failures), delay);
    clock->Advance(delay);
  }
  const SupervisionResult result = AwaitResult(*handle);
  EXPECT_EQ(result.final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_EQ(result.total_attempts, 5);
  EXPECT_EQ(handle->info().hook_failures, 0);
}

class SetupTask : public PlainTask {
 public:
  explicit SetupTask(EventLog& log) : log_(log) {}
  absl::Status Setup() override { throw std::runtime_error("no key"); }
  void Cleanup() override { log_.Add("Cleanup"); }

 private:
  EventLog& log_;
};

TEST(Semantics, S3_ASetupOfTheClassThatThrowsEndsTheTask) {
  EventLog log;
  const auto supervisor = MakeSupervisor();
  const SupervisionResult result =
      AwaitResult(supervisor->Submit(std::make_shared<SetupTask>(log)).value());
  EXPECT_EQ(result.final_status, SupervisionStatus::kSetupFailed);
  EXPECT_EQ(result.total_attempts, 0);
  EXPECT_EQ(std::string(result.last_error.message()), "std::runtime_error: no key");
  EXPECT_THAT(log.Entries(), ElementsAre("Cleanup"));
}

class FinalTask : public PlainTask {
 public:
  FinalTask() : PlainTask(3) {}
  bool ShouldRestart(int64_t attempt, const absl::Status&) override { return attempt < 2; }
  BackoffStrategy backoff_strategy() const override { return BackoffStrategy::Constant({}); }
};

TEST(ClassFormTest, ShouldRestartOfTheClassDecides) {
  const auto supervisor = MakeSupervisor();
  const SupervisionResult result =
      AwaitResult(supervisor->Submit(std::make_shared<FinalTask>()).value());
  EXPECT_EQ(result.final_status, SupervisionStatus::kRestartPrevented);
  EXPECT_EQ(result.total_attempts, 2);
}

// --- Configure

// A LoggingTask that Configure makes something else of.
class ConfiguredTask : public LoggingTask {
 public:
  using Change = std::function<void(TaskSpec&)>;
  ConfiguredTask(EventLog& log, Change change) : LoggingTask(log), change_(std::move(change)) {}
  void Configure(TaskSpec& spec) const override { change_(spec); }

 private:
  const Change change_;
};

TaskSpec Configured(EventLog& log, ConfiguredTask::Change change) {
  return MakeTaskSpec(std::make_shared<ConfiguredTask>(log, std::move(change)));
}

TEST(ClassFormTest, ConfigureSeesWhatTheOthersSaid) {
  EventLog log;
  bool called = false;
  const TaskSpec unused = Configured(log, [&called](TaskSpec& spec) {
    called = true;
    EXPECT_EQ(spec.name, "logging");
    EXPECT_TRUE(spec.restart_policy == RestartPolicy::MaxAttempts(5));
    EXPECT_TRUE(spec.backoff == BackoffStrategy::Constant(absl::ZeroDuration()));
    EXPECT_TRUE(spec.run);
    const TaskHooks& hooks = spec.hooks;
    EXPECT_TRUE(hooks.setup && hooks.cleanup && hooks.on_restart && hooks.on_error);
    EXPECT_TRUE(hooks.on_exception && hooks.should_restart && hooks.on_shutdown);
  });
  EXPECT_TRUE(called);
}

TEST(ClassFormTest, ConfigureWinsOverTheSettings) {
  EventLog log;
  const TaskSpec spec = Configured(log, [](TaskSpec& changed) {
    changed.name = "other";
    changed.restart_policy = RestartPolicy::Never();
    changed.backoff = BackoffStrategy::Constant(absl::Hours(1));
    changed.restart_on = RestartOn::kAnyExit;
    changed.stable_after = absl::Seconds(1);
    changed.retry_setup = true;
    changed.stop_timeout = absl::Seconds(2);
  });
  EXPECT_EQ(spec.name, "other");
  EXPECT_TRUE(spec.restart_policy == RestartPolicy::Never());
  EXPECT_TRUE(spec.backoff == BackoffStrategy::Constant(absl::Hours(1)));
  EXPECT_EQ(spec.restart_on, RestartOn::kAnyExit);
  EXPECT_EQ(spec.stable_after, absl::Seconds(1));
  EXPECT_TRUE(spec.retry_setup);
  EXPECT_EQ(spec.stop_timeout, absl::Seconds(2));
}

// What the log of a task says after its settings were asked for.
std::vector<std::string> LogOfRun(const ConfiguredTask::Change& change) {
  EventLog log;
  const auto supervisor = MakeSupervisor();
  AwaitResult(Submit(*supervisor, Configured(log, [&](TaskSpec& spec) {
    spec.restart_policy = RestartPolicy::Never();
    change(spec);
  })));
  std::vector<std::string> entries = log.Entries();
  entries.erase(entries.begin(), entries.begin() + 3);
  return entries;
}

TEST(ClassFormTest, AHookThatConfigureReplacesIsCalledInsteadOfTheVirtual) {
  EXPECT_THAT(LogOfRun([](TaskSpec&) {}),
              ElementsAre("Setup", "Run 1", "OnError 1 down", "ShouldRestart 1 down", "Cleanup",
                          "~LoggingTask"));
  EventLog instead;
  EXPECT_THAT(LogOfRun([&instead](TaskSpec& spec) {
                spec.hooks.on_error = [&instead](const absl::Status&, int64_t) {
                  instead.Add("on_error");
                };
                spec.hooks.setup = nullptr;
              }),
              ElementsAre("Run 1", "ShouldRestart 1 down", "Cleanup", "~LoggingTask"));
  EXPECT_THAT(instead.Entries(), ElementsAre("on_error"));
}

TEST(ClassFormTest, ConfigureMayReplaceRun) {
  EXPECT_THAT(LogOfRun([](TaskSpec& spec) { spec.run = [] {}; }),
              ElementsAre("Setup", "Cleanup", "~LoggingTask"));
}

TEST(ClassFormTest, ConfigureMayWrapACallableAndAddToIt) {
  EventLog around;
  EXPECT_THAT(LogOfRun([&around](TaskSpec& spec) {
                spec.run = [&around, run = std::move(spec.run)](TaskContext& context) mutable {
                  around.Add("before");
                  absl::Status status = run(context);
                  around.Add("after");
                  return status;
                };
              }),
              ElementsAre("Setup", "Run 1", "OnError 1 down", "ShouldRestart 1 down", "Cleanup",
                          "~LoggingTask"));
  EXPECT_THAT(around.Entries(), ElementsAre("before", "after"));
}

// Nothing is left that would call the object, so it goes, but not before Configure has returned.
TEST(ClassFormTest, ConfigureMayThrowTheWholeSpecAway) {
  EventLog log;
  TaskSpec spec = Configured(log, [&log](TaskSpec& changed) {
    changed = Spec("another", [] {});
    log.Add("changed");
  });
  EXPECT_THAT(log.Entries(),
              ElementsAre("name", "restart_policy", "backoff_strategy", "changed", "~LoggingTask"));
  const auto supervisor = MakeSupervisor();
  const TaskHandle handle = Submit(*supervisor, std::move(spec));
  EXPECT_EQ(handle.name(), "another");
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kCompletedNormally);
}

TEST(Semantics, S20_WhatConfigureMakesOfItIsCheckedAsAnySpec) {
  EventLog log;
  const auto supervisor = MakeSupervisor();
  const auto status_of = [&](ConfiguredTask::Change change) {
    return supervisor->Submit(std::make_shared<ConfiguredTask>(log, std::move(change))).status();
  };
  for (const auto& [message, change] : std::vector<std::pair<std::string, ConfiguredTask::Change>>{
           {"name: '' is empty", [](TaskSpec& spec) { spec.name = ""; }},
           {"run: task 'logging' has an empty function",
            [](TaskSpec& spec) { spec.run = nullptr; }},
           {"stop_timeout: -1s is negative",
            [](TaskSpec& spec) { spec.stop_timeout = -absl::Seconds(1); }}}) {
    const absl::Status status = status_of(change);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(std::string(status.message()), message);
  }
  EXPECT_THAT(supervisor->ListTasks(), IsEmpty());
}

}  // namespace
}  // namespace foxtive::test
