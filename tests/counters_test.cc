// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What is counted for years: attempts, failures, tasks. They begin here shortly before 2^31, 2^32
// and more, and nothing is special about that.

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lib/shell/engine.h"
#include "lib/shell/mutex.h"
#include "lib/shell/task_record.h"
#include "lib/shell/task_table.h"
#include "tests/support/test_util.h"

namespace foxtive::internal {

// Sets them. REQUIRES: the task has not been started.
struct Counters {
  static void Set(TaskRecord& record, int64_t count) {
    MutexLock lock(record.mutex_);
    record.attempts_ = record.failures_in_a_row_ = record.extras_->hook_failures = count;
  }
  static void Set(TaskTable& table, uint64_t tasks) {
    MutexLock lock(table.mutex_);
    table.numbers_ = tasks;
  }
};

}  // namespace foxtive::internal

namespace foxtive::test {
namespace {

using ::testing::ElementsAreArray;

constexpr int64_t kMore = 6;

class CountersTest : public testing::TestWithParam<int> {
 protected:
  int64_t start() const { return (int64_t{1} << GetParam()) - 3; }
  std::vector<int64_t> NumbersFrom(int64_t first) const {
    std::vector<int64_t> numbers;
    while (first <= start() + kMore) numbers.push_back(first++);
    return numbers;
  }
};

class AttemptListener : public EventListener {
 public:
  void OnEvent(const Event& event) override {
    if (event.kind == EventKind::kAttemptFailed) failed.Add(event.attempt);
  }
  Recorder<int64_t> failed;
};

// An engine with a task that has had `attempts`, and failed each time.
class OldTask {
 public:
  OldTask(TaskSpec spec, std::shared_ptr<EventListener> listener, int64_t attempts)
      : engine_(*internal::Engine::Create({.listener = std::move(listener)})) {
    auto* const record = new internal::TaskRecord(std::move(spec), *engine_, /*registered=*/false);
    internal::Counters::Set(*record, attempts);
    handle_ = record->MakeHandle();
    EXPECT_TRUE(engine_->Add({&record, 1}, /*start=*/true).ok());
  }
  ~OldTask() { engine_->Stop(); }

  const TaskHandle& handle() const { return handle_; }

 private:
  const std::shared_ptr<internal::Engine> engine_;
  TaskHandle handle_;
};

// Also that MaxAttempts and the strategies bear such numbers: no delay is longer than its maximum.
TEST_P(CountersTest, AttemptsAndFailuresGoOn) {
  const auto listener = std::make_shared<AttemptListener>();
  Recorder<int64_t> runs;
  Recorder<int64_t> errors;
  Recorder<int64_t> restarts;
  TaskSpec spec = Spec("old", [&runs](TaskContext& context) {
    runs.Add(context.attempt());
    return absl::UnavailableError("as ever");
  });
  spec.restart_policy = RestartPolicy::MaxAttempts(start() + kMore);
  spec.backoff = BackoffStrategy::Exponential(absl::Microseconds(1), absl::Milliseconds(1));
  spec.hooks.on_error = [&errors](const absl::Status&, int64_t attempt) { errors.Add(attempt); };
  spec.hooks.on_restart = [&restarts](int64_t attempt) {
    restarts.Add(attempt);
    throw std::runtime_error("a hook that fails");
  };
  SupervisionResult result;
  TaskInfo info;
  {
    const OldTask task(std::move(spec), listener, start());
    result = AwaitResult(task.handle());
    info = task.handle().info();
  }
  EXPECT_EQ(result.final_status, SupervisionStatus::kMaxAttemptsReached);
  EXPECT_EQ(result.total_attempts, start() + kMore);
  EXPECT_EQ(info.attempts, start() + kMore);
  EXPECT_EQ(info.consecutive_failures, start() + kMore);
  EXPECT_EQ(info.hook_failures, start() + kMore);
  const std::vector<int64_t> numbers = NumbersFrom(start() + 1);
  EXPECT_THAT(runs.Entries(), ElementsAreArray(numbers));
  EXPECT_THAT(errors.Entries(), ElementsAreArray(numbers));
  EXPECT_THAT(restarts.Entries(), ElementsAreArray(numbers));
  EXPECT_THAT(listener->failed.Entries(), ElementsAreArray(numbers));
}

// Tasks are listed in the order in which they came, and those with jitter don't all have the same.
TEST_P(CountersTest, TasksGoOn) {
  SupervisorOptions options;
  options.seed = 1;
  const std::shared_ptr<internal::Engine> engine = *internal::Engine::Create(options);
  internal::Counters::Set(engine->table(), static_cast<uint64_t>(start()));
  std::vector<TaskHandle> handles;
  for (int i = 0; i < kMore; ++i) {
    auto* const record = new internal::TaskRecord(Spec(absl::StrCat(i), [] {}), *engine,
                                                  /*registered=*/true);
    handles.push_back(record->MakeHandle());
    ASSERT_TRUE(engine->Add({&record, 1}, /*start=*/false).ok());
  }
  const std::vector<internal::TaskRecord*> listed = engine->table().Unfinished();
  ASSERT_EQ(listed.size(), handles.size());
  for (size_t i = 0; i < listed.size(); ++i) {
    EXPECT_EQ(listed[i]->name(), handles[i].name());
    EXPECT_EQ(listed[i]->table_link().number, static_cast<uint64_t>(start()) + 1 + i);
    listed[i]->Unref();
  }
  engine->Stop();
}

INSTANTIATE_TEST_SUITE_P(PowersOfTwo, CountersTest, testing::Values(31, 32, 53, 62));

}  // namespace
}  // namespace foxtive::test
