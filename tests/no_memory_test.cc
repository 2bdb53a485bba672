// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A call that finds no memory, wherever that is, says so and has changed nothing; none throws. So
// it is with each allocation of each call that returns a status, and with what the threads of the
// library do meanwhile. No memory on the way of a restart or of a result: allocation_test.cc.

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "foxtive/signals.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/child_process.h"
#include "tests/support/fail_each.h"
#include "tests/support/failing_allocator.h"
#include "tests/support/host.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kAllOfThem = std::numeric_limits<int64_t>::max();

// --- The ways in

// Too long to fit into a std::string without memory.
const std::string& LongName(int i) {
  static const auto& names = *new std::vector<std::string>{
      std::string(100, 'a'), std::string(100, 'b'), std::string(100, 'c')};
  return names[static_cast<size_t>(i)];
}

class LongNamed : public SupervisedTask {
 public:
  explicit LongNamed(int64_t& tasks) : tasks_(tasks) { ++tasks_; }
  ~LongNamed() override { --tasks_; }
  std::string name() const override { return LongName(0); }
  absl::Status Run(TaskContext&) override { return absl::OkStatus(); }

 private:
  int64_t& tasks_;
};

TaskSpec LongSpec(int i) {
  return Spec(LongName(i), [] {});
}
std::vector<TaskSpec> ThreeSpecs() { return Specs(LongSpec(0), LongSpec(1), LongSpec(2)); }

void ExpectEmpty(const Supervisor& supervisor) {
  EXPECT_THAT(supervisor.ListTasks(), IsEmpty());
  EXPECT_EQ(supervisor.task_count(), 0u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(supervisor.Find(LongName(i)).status().code(), absl::StatusCode::kNotFound);
  }
}

void AwaitAllOver(Supervisor& supervisor) {
  ASSERT_TRUE(supervisor.StartAll().ok());
  for (const TaskInfo& info : supervisor.ListTasks()) {
    const absl::StatusOr<TaskHandle> handle = supervisor.Find(info.name);
    if (handle.ok()) AwaitResult(*handle);
  }
}

// `prepare` makes a call that brings in tasks with long names.
template <typename Prepare>
void ExpectTakesNothingWithoutMemory(Supervisor& supervisor, Prepare prepare) {
  FailEach(absl::StatusCode::kOk, prepare, [&supervisor] { ExpectEmpty(supervisor); });
  AwaitAllOver(supervisor);
  ASSERT_TRUE(supervisor.WaitAll().ok());
  ExpectEmpty(supervisor);
}

TEST(NoMemoryTest, S20_SubmitWithoutMemoryStartsNothing) {
  Supervisor s;
  ExpectTakesNothingWithoutMemory(s, [&s] {
    return [&s, spec = LongSpec(0)]() mutable { return s.Submit(std::move(spec)).status(); };
  });
  ExpectTakesNothingWithoutMemory(s, [&s] {
    return [&s, name = LongName(0)]() mutable { return s.Submit(std::move(name), [] {}).status(); };
  });
}

TEST(NoMemoryTest, S20_RegisterWithoutMemoryRegistersNothing) {
  Supervisor s;
  ExpectTakesNothingWithoutMemory(s, [&s] {
    return [&s, spec = LongSpec(0)]() mutable { return s.Register(std::move(spec)).status(); };
  });
  ExpectTakesNothingWithoutMemory(s, [&s] {
    return
        [&s, name = LongName(0)]() mutable { return s.Register(std::move(name), [] {}).status(); };
  });
  ExpectTakesNothingWithoutMemory(s, [&s] {
    return
        [&s, specs = ThreeSpecs()]() mutable { return s.RegisterAll(std::move(specs)).status(); };
  });
}

TEST(NoMemoryTest, S20_ATaskInTheClassFormWithoutMemoryIsRefusedAndReleased) {
  using Call = absl::StatusOr<TaskHandle> (Supervisor::*)(std::shared_ptr<SupervisedTask>);
  for (const Call way : {Call(&Supervisor::Submit), Call(&Supervisor::Register)}) {
    Supervisor s;
    int64_t tasks = 0;
    const auto prepare = [&] {
      return [&s, way, task = std::make_shared<LongNamed>(tasks)]() mutable {
        return (s.*way)(std::move(task)).status();
      };
    };
    FailEach(absl::StatusCode::kOk, prepare, [&] { ExpectEmpty(s); });
    AwaitAllOver(s);
    EXPECT_TRUE(s.Shutdown().ok());
    EXPECT_EQ(tasks, 0);
  }
}

// Names that tasks which are over have left behind need no memory, and stay theirs.
TEST(NoMemoryTest, S18_RegisterAllWithoutMemoryTakesNoOldNameAway) {
  Supervisor s;
  const TaskHandle old = Register(s, LongSpec(1));
  AwaitAllOver(s);
  const auto prepare = [&s] {
    return
        [&s, specs = ThreeSpecs()]() mutable { return s.RegisterAll(std::move(specs)).status(); };
  };
  FailEach(absl::StatusCode::kOk, prepare, [&] {
    EXPECT_TRUE(s.Find(LongName(1)).value() == old);
    EXPECT_THAT(s.ListTasks(), IsEmpty());
  });
  EXPECT_THAT(s.ListTasks(), SizeIs(3));
}

// --- What is refused anyhow, where not even that can be said.

TEST(NoMemoryTest, S20_BadInputIsRefusedWithoutMemoryToo) {
  struct Bad : LongNamed {
    using LongNamed::LongNamed;
    std::string name() const override { throw 1; }
  };
  Supervisor s;
  int64_t tasks = 0;
  const auto expect_refused = [&s](absl::StatusCode code, auto prepare) {
    FailEach(code, prepare, [&s] { EXPECT_THAT(s.ListTasks(), IsEmpty()); });
  };
  const auto bad_task = [&] {
    return [&s, task = std::make_shared<Bad>(tasks)]() mutable {
      return s.Submit(std::move(task)).status();
    };
  };
  expect_refused(absl::StatusCode::kInvalidArgument, bad_task);
  EXPECT_EQ(tasks, 0);
  const auto no_name = [&s] { return [&s] { return s.Register(TaskSpec()).status(); }; };
  expect_refused(absl::StatusCode::kInvalidArgument, no_name);
  const auto twins = [&s] {
    return [&s, specs = Specs(LongSpec(0), LongSpec(0))]() mutable {
      return s.RegisterAll(std::move(specs)).status();
    };
  };
  expect_refused(absl::StatusCode::kAlreadyExists, twins);
}

TEST(NoMemoryTest, S20_BadOptionsAreRefusedWithoutMemoryToo) {
  FailEachOf(
      absl::StatusCode::kInvalidArgument,
      [] {
        SupervisorOptions options;
        options.max_concurrency = -1'000'000;
        return Supervisor::Create(std::move(options)).status();
      },
      Nothing);
}

TEST(NoMemoryTest, S20_AfterAShutdownCallsAreRefusedWithoutMemoryToo) {
  Supervisor s;
  ASSERT_TRUE(s.Shutdown().ok());
  constexpr auto kCode = absl::StatusCode::kFailedPrecondition;
  FailEachOf(
      kCode, [&s] { return s.StartAll(); }, Nothing);
  FailEachOf(
      kCode, [&s] { return s.Submit("a", [] {}).status(); }, Nothing);
  FailEachOf(
      kCode, [&s] { return s.Register("a", [] {}).status(); }, Nothing);
  FailEachOf(
      kCode, [&s] { return s.RegisterAll({}).status(); }, Nothing);
}

// --- Waiting and asking

// Three tasks of long names, which have ended in this order.
std::vector<TaskHandle> ThreeThatAreOver(Supervisor& supervisor) {
  std::vector<TaskHandle> handles;
  for (int i = 0; i < 3; ++i) {
    handles.push_back(Register(supervisor, LongSpec(i)));
    AwaitAllOver(supervisor);
  }
  return handles;
}

TEST(NoMemoryTest, S18_WaitAnyAndWaitAllWithoutMemoryHandOutNothing) {
  Supervisor s;
  const std::vector<TaskHandle> handles = ThreeThatAreOver(s);
  const auto expect_known = [&](int first) {
    for (int i = first; i < 3; ++i) {
      const absl::StatusOr<TaskHandle> found = s.Find(LongName(i));
      EXPECT_TRUE(found.ok() && *found == handles[static_cast<size_t>(i)]) << i;
    }
  };
  const auto wait_any = [&s] {
    const absl::StatusOr<SupervisionResult> any = s.WaitAny();
    EXPECT_TRUE(!any.ok() || any->task_name == LongName(0));
    return any.status();
  };
  FailEachOf(absl::StatusCode::kOk, wait_any, [&] { expect_known(0); });
  EXPECT_EQ(s.Find(LongName(0)).status().code(), absl::StatusCode::kNotFound);
  const auto wait_all = [&s] {
    const absl::StatusOr<std::vector<SupervisionResult>> all = s.WaitAll();
    EXPECT_TRUE(!all.ok() || all->size() == 2);
    return all.status();
  };
  FailEachOf(absl::StatusCode::kOk, wait_all, [&] { expect_known(1); });
  ExpectEmpty(s);
}

TEST(NoMemoryTest, WaitsThatAreRefusedOrTimeOutSoWithoutMemory) {
  constexpr auto kTimeout = absl::StatusCode::kDeadlineExceeded;
  Supervisor s;
  FailEachOf(
      absl::StatusCode::kOutOfRange, [&s] { return s.WaitAny().status(); }, Nothing);
  StuckWorker worker;
  const TaskHandle handle = Register(s, Spec(LongName(0), worker.Run()));
  ASSERT_TRUE(s.StartAll().ok());
  worker.AwaitEntered();
  FailEachOf(
      kTimeout, [&s] { return s.WaitAny(absl::ZeroDuration()).status(); }, Nothing);
  FailEachOf(
      kTimeout, [&s] { return s.WaitAll(absl::ZeroDuration()).status(); }, Nothing);
  FailEachOf(
      kTimeout, [&] { return handle.Wait(absl::ZeroDuration()).status(); }, Nothing);
  FailEachOf(
      absl::StatusCode::kFailedPrecondition, [] { return TaskHandle().Wait().status(); }, Nothing);
  FailEachOf(
      kTimeout, [&s] { return s.Shutdown(absl::ZeroDuration()); }, Nothing);
  worker.Release();
  FailEachOf(
      absl::StatusCode::kOk, [&] { return handle.Wait().status(); }, Nothing);
}

TEST(NoMemoryTest, BadSignalsAreRefusedWithoutMemoryToo) {
  constexpr auto kCode = absl::StatusCode::kInvalidArgument;
  Supervisor s;
  FailEachOf(
      kCode, [] { return BlockSignals({-1}); }, Nothing);
  FailEachOf(
      kCode, [] { return WaitForSignal({-1}).status(); }, Nothing);
  FailEachOf(
      kCode, [&s] { return ShutdownOnSignal(s, {-1}); }, Nothing);
}

// It has no status to say so. A reference that it kept is for the leak sanitizer to find.
TEST(NoMemoryTest, AListWithoutMemoryIsAnExceptionAndHoldsNoTask) {
  Supervisor s;
  const TaskHandle handle = Register(s, LongSpec(0));
  const auto list = [&s] {
    try {
      return s.ListTasks().size() == 1 ? absl::OkStatus() : absl::InternalError("not one");
    } catch (const std::bad_alloc&) {
      return absl::Status(absl::StatusCode::kResourceExhausted, "");
    }
  };
  FailEachOf(absl::StatusCode::kOk, list, Nothing);
}

TEST(NoMemoryTest, CallsThatWouldWaitForThemselvesAreRefusedWithoutMemoryToo) {
  constexpr auto kCode = absl::StatusCode::kFailedPrecondition;
  Supervisor s;
  AwaitResult(Submit(s, Spec(LongName(0), [&s] {
                       const TaskHandle self = s.Find(LongName(0)).value();
                       FailEachOf(
                           kCode, [&s] { return s.WaitAny().status(); }, Nothing);
                       FailEachOf(
                           kCode, [&s] { return s.WaitAll().status(); }, Nothing);
                       FailEachOf(
                           kCode, [&s] { return s.Shutdown(); }, Nothing);
                       FailEachOf(
                           kCode, [&] { return self.Wait().status(); }, Nothing);
                     })));
}

TEST(NoMemoryTest, FindStartAllAndShutdownNeedNoneWhereAllIsWell) {
  Supervisor s;
  const TaskHandle handle = Register(s, LongSpec(0));
  FailEachOf(
      absl::StatusCode::kNotFound, [&s] { return s.Find(LongName(1)).status(); }, Nothing);
  FailAllocationHere(1);
  const bool found = s.Find(LongName(0)).ok();
  const bool started = s.StartAll().ok();
  const bool shut_down = s.Shutdown().ok();
  EXPECT_FALSE(EndFailureHere());
  EXPECT_TRUE(found && started && shut_down);
  AwaitResult(handle);
}

// --- Beginning. Each in a process of its own, in which the library has made nothing yet. oneTBB is
// there, because it does not bear it if one certain allocation fails while it starts.

// Not the monotonic clock itself, as far as anybody knows, and allocates nothing.
class OwnClock : public Clock {};

// What a Supervisor needs an alarm for, and keeps as long as anything of it is left.
struct Parts {
  const std::shared_ptr<Clock> clock = std::make_shared<OwnClock>();
  const std::shared_ptr<EventListener> listener = std::make_shared<EventListener>();

  absl::StatusOr<std::unique_ptr<Supervisor>> Create() const {
    SupervisorOptions options = OptionsWith(clock);
    options.listener = listener;
    return Supervisor::Create(std::move(options));
  }
  void ExpectNothingLeft() const { EXPECT_EQ(listener.use_count(), 1); }
};

TEST(NoMemoryProcess, DISABLED_Create) {
  const Parts parts;
  FailEachOf(
      absl::StatusCode::kOk, [&parts] { return parts.Create().status(); },
      [&parts] { parts.ExpectNothingLeft(); });
  parts.ExpectNothingLeft();
}

TEST(NoMemoryProcess, CreateWithoutMemoryLeavesNothing) {
  EXPECT_THAT(RunInChild("NoMemoryProcess.DISABLED_Create"), ChildPassed());
}

// While the monitor and the first lanes are without memory, for once or for long.
void CreateWhileOthersHaveNone(int64_t count) {
  ParallelSum(10);
  const Parts parts;
  for (int64_t failing = 1;; ++failing) {
    FailAllocationsElsewhere(failing, count);
    absl::StatusOr<std::unique_ptr<Supervisor>> created = parts.Create();
    const bool failed = EndFailuresElsewhere();
    if (created.ok()) {
      AwaitResult(Submit(**created, Spec("task", [] {})));
      *created = nullptr;
    } else {
      EXPECT_EQ(created.status().code(), absl::StatusCode::kResourceExhausted) << created.status();
    }
    parts.ExpectNothingLeft();
    if (!failed) {
      EXPECT_TRUE(created.ok());
      EXPECT_GT(failing, 1);
      return;
    }
  }
}

TEST(NoMemoryProcess, DISABLED_CreateOnce) { CreateWhileOthersHaveNone(1); }
TEST(NoMemoryProcess, DISABLED_CreateForLong) { CreateWhileOthersHaveNone(kAllOfThem); }

// Nor does the library let it start where there is none at all. The first two are a lane and its
// place.
TEST(NoMemoryProcess, DISABLED_CreateWithoutOneTbb) {
  const Parts parts;
  for (int64_t failing = 1; failing <= 3; ++failing) {
    FailAllocationsElsewhere(failing, kAllOfThem);
    EXPECT_EQ(parts.Create().status().code(), absl::StatusCode::kResourceExhausted);
    EXPECT_TRUE(EndFailuresElsewhere());
    parts.ExpectNothingLeft();
  }
  EXPECT_TRUE(parts.Create().ok());
}

TEST(NoMemoryProcess, CreateSaysThatItsThreadsHaveNoMemory) {
  EXPECT_THAT(RunInChild("NoMemoryProcess.DISABLED_CreateWithoutOneTbb"), ChildPassed());
  EXPECT_THAT(RunInChild("NoMemoryProcess.DISABLED_CreateOnce"), ChildPassed());
  EXPECT_THAT(RunInChild("NoMemoryProcess.DISABLED_CreateForLong"), ChildPassed());
}

// Each call finds what the one before has left; the last one starts it, with tasks on it.
TEST(NoMemoryProcess, DISABLED_Default) {
  FailEachOf(
      absl::StatusCode::kOk, [] { return Supervisor::Default().status(); }, Nothing);
  Supervisor& s = *Supervisor::Default().value();
  int64_t tasks = 0;
  ExpectTakesNothingWithoutMemory(s, [] {
    return [spec = LongSpec(0)]() mutable { return SpawnSupervised(std::move(spec)).status(); };
  });
  ExpectTakesNothingWithoutMemory(s, [] {
    return
        [name = LongName(0)]() mutable { return SpawnSupervised(std::move(name), [] {}).status(); };
  });
  ExpectTakesNothingWithoutMemory(s, [&tasks] {
    return [task = std::make_shared<LongNamed>(tasks)]() mutable {
      return SpawnSupervised(std::move(task)).status();
    };
  });
  ExpectTakesNothingWithoutMemory(s, [] {
    return
        [specs = ThreeSpecs()]() mutable { return SpawnSupervisedMany(std::move(specs)).status(); };
  });
}

TEST(NoMemoryProcess, DefaultIsTriedAgainUntilItStarts) {
  EXPECT_THAT(RunInChild("NoMemoryProcess.DISABLED_Default"), ChildPassed());
}

TEST(NoMemoryProcess, DISABLED_Constructor) {
  for (int64_t failing = 1;; ++failing) {
    FailAllocationHere(failing);
    Supervisor supervisor;
    const bool failed = EndFailureHere();
    const absl::StatusOr<TaskHandle> handle = supervisor.Submit("task", [] {});
    EXPECT_EQ(handle.status().code(),
              failed ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kOk);
    if (!failed) break;
  }
}

TEST(NoMemoryProcess, AConstructorWithoutMemoryIsTheAnswerOfEveryCall) {
  EXPECT_THAT(RunInChild("NoMemoryProcess.DISABLED_Constructor"), ChildPassed());
}

TEST(NoMemoryTest, AListenerWithoutMemoryIsNoMemory) {
  class Hungry : public EventListener {
    EventDetail detail() const override { throw std::bad_alloc(); }
  };
  SupervisorOptions options;
  options.listener = std::make_shared<Hungry>();
  EXPECT_EQ(Supervisor::Create(std::move(options)).status().code(),
            absl::StatusCode::kResourceExhausted);
}

// --- Running

// Each needs a lane of its own, and there is one.
TEST(NoMemoryTest, S23_TasksWaitForLanesThatFoundNoMemory) {
  Supervisor supervisor;
  const auto all_inside = std::make_shared<Latch>(4);
  FailAllocationsElsewhere(1, kAllOfThem);
  std::vector<TaskHandle> handles;
  for (const char* name : {"a", "b", "c", "d"}) {
    handles.push_back(Submit(
        supervisor, Spec(name, [all_inside] { all_inside->CountDownAndAwait("the others"); })));
  }
  while (!HasFailedElsewhere()) std::this_thread::yield();
  EXPECT_TRUE(EndFailuresElsewhere());
  for (const TaskHandle& handle : handles) AwaitResult(handle);
}

}  // namespace
}  // namespace foxtive::test
