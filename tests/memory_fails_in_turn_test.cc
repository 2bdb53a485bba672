// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Whole lives of Supervisors, in which the first allocation of the library fails, in the next run
// the second, and so on until a run needs no more; on whatever thread it comes, and once more with
// three in a row. Each time a call that fails says that there is no memory, and works when it is
// made again; and all the rest is as it would have been: every task that was accepted has the one
// result that it should have, hooks are called, callables are destroyed, and nothing hangs.
//
// What the code of the test allocates, workers and listeners included, never fails.
// no_memory_test.cc has each call for itself, and that those which failed have changed nothing.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/failing_allocator.h"
#include "tests/support/test_util.h"

namespace foxtive::test {
namespace {

using ::testing::SizeIs;

// More than fail.
constexpr int kTries = 10;

const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
absl::Status StatusOf(const absl::StatusOr<T>& status) {
  return status.status();
}

// Makes a call of the library until it finds memory.
template <typename Call>
auto Try(Call call) {
  for (int i = 1;; ++i) {
    auto answer = call();
    if (i == kTries || StatusOf(answer).code() != absl::StatusCode::kResourceExhausted) {
      return answer;
    }
  }
}

// The same for one that throws.
template <typename Call>
auto TryThrowing(Call call) {
  for (int i = 1;; ++i) {
    try {
      const Elsewhere library(true);
      return call();
    } catch (const std::bad_alloc&) {
      if (i == kTries) throw;
    }
  }
}

class Listener : public EventListener {
 public:
  void OnEvent(const Event& event) override {
    if (event.kind == EventKind::kTaskOver) ++over;
    told += 1 + event.lost;
  }
  std::atomic<int> over{0};
  std::atomic<int64_t> told{0};
};

// What the code of all tasks leaves behind.
struct Marks {
  std::atomic<int> attempts{0};
  std::atomic<int> failures{0};  // on_error, on_exception
  std::atomic<int> shutdowns{0};
  std::atomic<int> cleanups{0};
  std::atomic<int> finished{0};
  std::atomic<int> captured{0};  // and not yet destroyed
};

class Capture {
 public:
  explicit Capture(Marks& marks) : marks_(marks) { ++marks_.captured; }
  Capture(const Capture&) = delete;
  ~Capture() { --marks_.captured; }

 private:
  Marks& marks_;
};

const absl::Status& Unavailable() {
  static const auto& error = *new absl::Status(absl::UnavailableError("as it was written"));
  return error;
}

// A life: a Supervisor, its tasks, and what has to be true in the end.
class Life {
 public:
  Life() {
    created_ = Try([this] {
      SupervisorOptions options;
      options.listener = listener_;
      options.max_concurrency = 4;
      const Elsewhere library(true);
      return Supervisor::Create(std::move(options));
    });
    EXPECT_TRUE(created_.ok()) << created_.status();
  }

  ~Life() {
    EXPECT_TRUE(Try([this] {
                  const Elsewhere library(true);
                  return supervisor().Shutdown(absl::InfiniteDuration());
                }).ok());
    {
      const Elsewhere library(true);
      *created_ = nullptr;
    }
    EXPECT_EQ(marks_.captured, 0);
    EXPECT_EQ(listener_->over, accepted_);
  }

  Supervisor& supervisor() { return **created_; }
  Marks& marks() { return marks_; }
  int accepted() const { return accepted_; }

  // Every hook, and a name that needs memory.
  TaskSpec Make(RunFunction run) {
    TaskSpec spec = Spec(absl::StrCat("a task with a name of some length ", ++names_), {});
    spec.run = std::move(run);
    spec.permanent_errors = {absl::StatusCode::kDataLoss};
    Marks& marks = marks_;
    const auto capture = std::make_shared<Capture>(marks);
    spec.hooks.setup = [capture] { return absl::OkStatus(); };
    spec.hooks.on_error = [&marks](const absl::Status&, int64_t) { ++marks.failures; };
    spec.hooks.on_exception = [&marks](const std::exception_ptr&, std::string_view, int64_t) {
      ++marks.failures;
    };
    spec.hooks.on_shutdown = [&marks] { ++marks.shutdowns; };
    spec.hooks.cleanup = [&marks] { ++marks.cleanups; };
    return spec;
  }

  TaskHandle Submit(const std::function<TaskSpec()>& make) { return Add(make, /*starts=*/true); }
  TaskHandle Register(const std::function<TaskSpec()>& make) { return Add(make, /*starts=*/false); }
  void Accepted(int count) { accepted_ += count; }

  // By the library's own wait.
  SupervisionResult Wait(const TaskHandle& handle) {
    absl::StatusOr<SupervisionResult> result = Try([&handle] {
      const Elsewhere library(true);
      return handle.Wait(absl::FromChrono(kSafetyLimit));
    });
    if (!result.ok()) DieWaitingFor("the result of a task");
    return *std::move(result);
  }

 private:
  TaskHandle Add(const std::function<TaskSpec()>& make, bool starts) {
    const absl::StatusOr<TaskHandle> handle = Try([&] {
      TaskSpec spec = make();
      const Elsewhere library(true);
      return starts ? supervisor().Submit(std::move(spec)) : supervisor().Register(std::move(spec));
    });
    if (!handle.ok()) Die(handle.status().ToString());
    ++accepted_;
    return *handle;
  }

  Marks marks_;
  const std::shared_ptr<Listener> listener_ = std::make_shared<Listener>();
  absl::StatusOr<std::unique_ptr<Supervisor>> created_;
  int names_ = 0;
  int accepted_ = 0;
};

// `live` again and again, with a later allocation that fails each time. How many runs it took.
int FailInTurn(const std::function<void()>& live, int64_t in_a_row) {
  Unavailable();
  for (int64_t nth = 1;; ++nth) {
    SCOPED_TRACE(absl::StrCat("allocation ", nth, ", ", in_a_row, " in a row"));
    FailAllocationsElsewhere(nth, in_a_row);
    live();
    if (!EndFailuresElsewhere()) return static_cast<int>(nth);
    if (testing::Test::HasFailure()) return 0;
  }
}

void ExpectLivesWithoutMemory(const std::function<void()>& live, int at_least) {
  for (const int64_t in_a_row : {1, 3}) EXPECT_GT(FailInTurn(live, in_a_row), at_least);
}

TEST(MemoryFailsInTurnTest, S2_RestartsAndResults) {
  ExpectLivesWithoutMemory(
      [] {
        Life life;
        Marks& marks = life.marks();
        const TaskHandle errors = life.Submit([&] {
          TaskSpec spec = life.Make([&marks] {
            ++marks.attempts;
            return Unavailable();
          });
          spec.restart_policy = RestartPolicy::MaxAttempts(3);
          return spec;
        });
        const TaskHandle late = life.Submit([&] {
          TaskSpec spec = life.Make([&marks]() -> absl::Status {
            ++marks.attempts;
            const Elsewhere users(false);
            throw std::runtime_error("as it was written, and longer than a short string is");
          });
          spec.restart_policy = RestartPolicy::MaxAttempts(3);
          spec.backoff = BackoffStrategy::Constant(absl::Microseconds(100)).WithJitter(0.5);
          spec.initial_delay = absl::Microseconds(50);
          return spec;
        });
        for (const TaskHandle& handle : {errors, late}) {
          const SupervisionResult result = life.Wait(handle);
          EXPECT_EQ(result.final_status, SupervisionStatus::kMaxAttemptsReached);
          EXPECT_EQ(result.total_attempts, 3);
          EXPECT_EQ(result.last_exception != nullptr, handle == late);
          EXPECT_FALSE(result.last_error.ok());
        }
        EXPECT_EQ(marks.attempts, 6);
        EXPECT_EQ(marks.failures, 6);
        EXPECT_EQ(marks.cleanups, 2);
      },
      10);
}

TEST(MemoryFailsInTurnTest, S13_StopsWhereverATaskIs) {
  ExpectLivesWithoutMemory(
      [] {
        Life life;
        Marks& marks = life.marks();
        std::atomic<int> called_back{0};
        const auto sleeps = life.Submit([&] {
          return life.Make([&marks, &called_back](TaskContext& context) {
            // The first call of stop_token, which may find no memory: an attempt that has failed.
            const std::stop_callback on_stop(context.stop_token(), [&] { ++called_back; });
            ++marks.attempts;
            context.SleepFor(absl::InfiniteDuration());
            while (called_back == 0) std::this_thread::yield();
          });
        });
        const auto backs_off = life.Submit([&] {
          TaskSpec spec = life.Make([] { return Unavailable(); });
          spec.backoff = BackoffStrategy::Constant(absl::Hours(1));
          return spec;
        });
        const auto waits = life.Register([&] { return life.Make([] {}); });
        while (marks.attempts == 0) std::this_thread::yield();
        while (backs_off.state() != TaskState::kBackingOff) std::this_thread::yield();
        for (const TaskHandle& handle : {sleeps, backs_off, waits}) {
          EXPECT_TRUE(handle.RequestStop());
          EXPECT_EQ(life.Wait(handle).final_status, SupervisionStatus::kManuallyStopped);
        }
        EXPECT_EQ(marks.shutdowns, 2);
        EXPECT_EQ(marks.cleanups, 2);
      },
      10);
}

TEST(MemoryFailsInTurnTest, S15_AWorkerIsAbandonedAndReturnsLate) {
  ExpectLivesWithoutMemory(
      [] {
        Life life;
        Marks& marks = life.marks();
        Notification entered;
        Notification released;
        const TaskHandle handle = life.Submit([&] {
          TaskSpec spec = life.Make([&] {
            entered.Notify();
            released.Await("the end of the test");
          });
          spec.stop_timeout = absl::ZeroDuration();
          return spec;
        });
        entered.Await("the worker");
        EXPECT_TRUE(handle.RequestStop());
        EXPECT_EQ(life.Wait(handle).final_status, SupervisionStatus::kAbandoned);
        released.Notify();
        while (handle.state() != TaskState::kFinished) std::this_thread::yield();
        EXPECT_EQ(marks.cleanups, 1);
      },
      10);
}

TEST(MemoryFailsInTurnTest, S18_WaitsFindsAndLists) {
  ExpectLivesWithoutMemory(
      [] {
        Life life;
        const auto handles = Try([&] {
          std::vector<TaskSpec> specs;
          for (int i = 0; i < 3; ++i) specs.push_back(life.Make([] {}));
          const Elsewhere library(true);
          return life.supervisor().RegisterAll(std::move(specs));
        });
        ASSERT_TRUE(handles.ok()) << handles.status();
        life.Accepted(3);
        EXPECT_THAT(TryThrowing([&] { return life.supervisor().ListTasks(); }), SizeIs(3));
        const auto in_library = [&life](auto call) {
          return Try([&life, &call] {
            const Elsewhere library(true);
            return call(life.supervisor());
          });
        };
        EXPECT_TRUE(in_library([&](Supervisor& s) { return s.Find((*handles)[1].name()); }).ok());
        EXPECT_TRUE(in_library([](Supervisor& s) { return s.StartAll(); }).ok());
        EXPECT_TRUE(in_library([](Supervisor& s) { return s.WaitAny(); }).ok());
        const auto rest = in_library([](Supervisor& s) { return s.WaitAll(); });
        EXPECT_TRUE(rest.ok() && rest->size() == 2);
        for (const TaskHandle& handle : *handles) {
          EXPECT_EQ(TryThrowing([&] { return handle.info(); }).attempts, 1);
          EXPECT_EQ(TryThrowing([&] { return handle.future(); }).get().total_attempts, 1);
        }
      },
      10);
}

TEST(MemoryFailsInTurnTest, S2_FuturesAndCallbacks) {
  ExpectLivesWithoutMemory(
      [] {
        Life life;
        Marks& marks = life.marks();
        Notification released;
        const TaskHandle handle =
            life.Submit([&] { return life.Make([&released] { released.Await("its release"); }); });
        const auto future = TryThrowing([&] { return handle.future(); });
        const absl::Status status = Try([&] {
          const Elsewhere library(true);
          return handle.OnFinished([&marks](const SupervisionResult&) { ++marks.finished; });
        });
        EXPECT_TRUE(status.ok()) << status;
        released.Notify();
        EXPECT_EQ(Await(future, "the future").final_status, SupervisionStatus::kCompletedNormally);
        while (marks.finished == 0) std::this_thread::yield();
      },
      10);
}

}  // namespace
}  // namespace foxtive::test
