// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// RegisterAll: all or none, whatever is wrong with one of the tasks, and beside StartAll and
// Shutdown; the short forms of Submit and Register; Specs. Without memory: allocation_test.cc.

#include <concepts>
#include <functional>
#include <memory>
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
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// --- What Specs and the short forms take

class SmallTask : public SupervisedTask {
 public:
  explicit SmallTask(std::string name) : name_(std::move(name)) {}
  std::string name() const override { return name_; }
  absl::Status Run(TaskContext&) override { return absl::OkStatus(); }

 private:
  const std::string name_;
};

class HidesItsBase : private SmallTask {};

// As `Specs` sees an argument: S& for what has a name, S for the rest.
template <typename S>
constexpr bool kTakenBySpecs = internal::IsTaskSpec<S> || internal::IsTaskPointer<S>;

static_assert(kTakenBySpecs<TaskSpec>);
static_assert(!kTakenBySpecs<TaskSpec&> && !kTakenBySpecs<const TaskSpec>, "can't be copied");
static_assert(kTakenBySpecs<std::shared_ptr<SmallTask>>);
static_assert(kTakenBySpecs<std::shared_ptr<SmallTask>&>);
static_assert(kTakenBySpecs<const std::shared_ptr<SupervisedTask>&>);
static_assert(kTakenBySpecs<std::unique_ptr<SmallTask>>, "becomes a shared_ptr by itself");
static_assert(!kTakenBySpecs<std::unique_ptr<SmallTask>&>);
static_assert(!kTakenBySpecs<std::shared_ptr<const SmallTask>>);
static_assert(!kTakenBySpecs<std::shared_ptr<HidesItsBase>>);
static_assert(!kTakenBySpecs<std::shared_ptr<int>>);
static_assert(!kTakenBySpecs<SmallTask*>, "nobody would own it");
static_assert(!kTakenBySpecs<SmallTask> && !kTakenBySpecs<std::string>);

std::vector<std::string> NamesOf(const std::vector<TaskSpec>& specs) {
  std::vector<std::string> names;
  for (const TaskSpec& spec : specs) names.push_back(spec.name);
  return names;
}

TEST(SpecsTest, ListsSpecsAndTasksInTheirOrder) {
  EXPECT_THAT(Specs(), IsEmpty());
  TaskSpec named = Spec("b", [owned = std::make_unique<int>(1)] {});
  const auto kept = std::make_shared<SmallTask>("d");
  const std::vector<TaskSpec> specs =
      Specs(std::make_shared<SmallTask>("a"), std::move(named), TaskSpec{.name = "c"}, kept,
            std::make_unique<SmallTask>("e"), MakeTaskSpec(std::make_shared<SmallTask>("f")));
  EXPECT_THAT(NamesOf(specs), ElementsAre("a", "b", "c", "d", "e", "f"));
  EXPECT_GT(kept.use_count(), 1);
}

template <typename Call>
void ExpectCompletes(Supervisor& supervisor, const std::string& name, Call call) {
  const absl::StatusOr<TaskHandle> handle = call();
  ASSERT_TRUE(handle.ok()) << handle.status();
  ASSERT_TRUE(supervisor.StartAll().ok());
  EXPECT_EQ(handle->name(), name);
  EXPECT_EQ(AwaitResult(*handle).final_status, SupervisionStatus::kCompletedNormally);
}

// Each picks one overload, without a word that says which.
TEST(ShortFormsTest, SubmitAndRegisterTakeEveryForm) {
  Supervisor supervisor;
  const auto task = std::make_shared<SmallTask>("class");
  const std::string name = "named";
  const auto run = [](TaskContext&) {};
  ExpectCompletes(supervisor, "spec",
                  [&] { return supervisor.Submit({.name = "spec", .run = run}); });
  ExpectCompletes(supervisor, "literal", [&] { return supervisor.Submit("literal", [] {}); });
  ExpectCompletes(supervisor, "named", [&] { return supervisor.Submit(name, run); });
  ExpectCompletes(supervisor, "class", [&] { return supervisor.Submit(task); });
  ExpectCompletes(supervisor, "made",
                  [&] { return supervisor.Submit(std::make_shared<SmallTask>("made")); });
  ExpectCompletes(supervisor, "spec",
                  [&] { return supervisor.Register({.name = "spec", .run = run}); });
  ExpectCompletes(supervisor, "literal", [&] { return supervisor.Register("literal", [] {}); });
  ExpectCompletes(supervisor, "class", [&] { return supervisor.Register(task); });
  EXPECT_THAT(supervisor.WaitAll().value(), SizeIs(3));
}

TEST(ShortFormsTest, ANameAndARunAreASpecOfTheDefaults) {
  const auto supervisor = MakeSupervisor();
  const TaskHandle handle =
      supervisor->Submit("task", [] { return absl::UnavailableError("no"); }).value();
  EXPECT_GT(AwaitBackoff(handle, 1), absl::ZeroDuration());
  EXPECT_EQ(supervisor->Submit("task", [] {}).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(supervisor->Submit("", [] {}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(supervisor->Register("empty", nullptr).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// --- All or none, row by row

// Five tasks, t0 to t4; they note in `log` that they run, and in `ends` where their captures end.
struct Five {
  std::vector<TaskSpec> Make() {
    std::vector<TaskSpec> specs;
    for (int i = 0; i < 5; ++i) {
      auto end =
          std::shared_ptr<void>(nullptr, [this](void*) { ends.Add(std::this_thread::get_id()); });
      const std::string name = absl::StrCat("t", i);
      specs.push_back(Spec(name, [this, name, end] { log.Add(name); }));
    }
    return specs;
  }

  EventLog log;
  Recorder<std::thread::id> ends;
};

using Change = std::function<void(std::vector<TaskSpec>&)>;

// `five`, changed, is refused with `code` and a message that has all of `parts`; nothing is left.
void ExpectNoneTaken(Supervisor& supervisor, const Change& change, absl::StatusCode code,
                     const std::vector<std::string>& parts) {
  SCOPED_TRACE(parts.empty() ? "" : parts.front());
  Five five;
  const size_t before = supervisor.ListTasks().size();
  {
    std::vector<TaskSpec> specs = five.Make();
    change(specs);
    const absl::Status status = supervisor.RegisterAll(std::move(specs)).status();
    EXPECT_EQ(status.code(), code) << status;
    for (const std::string& part : parts) {
      EXPECT_THAT(std::string(status.message()), HasSubstr(part));
    }
  }
  EXPECT_THAT(five.ends.Entries(), AllOf(SizeIs(5), Each(std::this_thread::get_id())));
  EXPECT_THAT(supervisor.ListTasks(), SizeIs(before));
  EXPECT_EQ(supervisor.Find("t0").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(supervisor.Find("t4").status().code(), absl::StatusCode::kNotFound);
  supervisor.StartAll().IgnoreError();
  EXPECT_THAT(five.log.Entries(), IsEmpty());
}

// The names are free and the same five tasks are taken, started by StartAll, and awaited.
void ExpectAllTaken(Supervisor& supervisor) {
  Five five;
  const absl::StatusOr<std::vector<TaskHandle>> handles = supervisor.RegisterAll(five.Make());
  ASSERT_TRUE(handles.ok()) << handles.status();
  ASSERT_THAT(*handles, SizeIs(5));
  for (int i = 0; i < 5; ++i) EXPECT_EQ((*handles)[i].name(), absl::StrCat("t", i));
  EXPECT_THAT(five.log.Entries(), IsEmpty());
  ASSERT_TRUE(supervisor.StartAll().ok());
  EXPECT_THAT(supervisor.WaitAll().value(), SizeIs(5));
  EXPECT_THAT(five.log.Entries(), SizeIs(5));
}

TEST(Semantics, S20_OneBadTaskOfFiveAndNoneIsRegistered) {
  const auto supervisor = MakeSupervisor();
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  const auto refuse = [&](const Change& change, const std::vector<std::string>& parts) {
    ExpectNoneTaken(*supervisor, change, kInvalid, parts);
  };
  refuse([](auto& specs) { specs[2].name = ""; }, {"specs[2]", "name: ''"});
  refuse([](auto& specs) { specs[2].name = "a\nb"; }, {"specs[2]", "name: 'a\\nb'"});
  refuse([](auto& specs) { specs[4].stop_timeout = -absl::Seconds(1); },
         {"specs[4]", "'t4'", "stop_timeout: -1s"});
  refuse([](auto& specs) { specs[0].restart_policy = RestartPolicy::MaxAttempts(0); },
         {"specs[0]", "'t0'", "max_attempts: 0"});
  refuse([](auto& specs) { specs[2].backoff = BackoffStrategy::Constant(-absl::Seconds(1)); },
         {"specs[2]", "backoff.delay: -1s"});
  refuse([](auto& specs) { specs.push_back(Spec("no run", nullptr)); },
         {"specs[5]", "run", "no run"});
  refuse([](auto& specs) { specs.push_back(MakeTaskSpec(nullptr)); }, {"specs[5]", "task"});
  ExpectAllTaken(*supervisor);
}

TEST(Semantics, S20_ANameThatTwoOfThemHaveRefusesAll) {
  const auto supervisor = MakeSupervisor();
  ExpectNoneTaken(*supervisor, [](auto& specs) { specs[3].name = specs[1].name; },
                  absl::StatusCode::kAlreadyExists, {"specs[3]", "name: 't1'", "specs[1]"});
  ExpectAllTaken(*supervisor);
}

// Also where that name is known already, of a task that is over.
TEST(Semantics, S20_ANameThatTwoOfThemHaveRefusesAllAlsoIfAnOldTaskHadIt) {
  const auto supervisor = MakeSupervisor();
  const TaskHandle old = Register(*supervisor, Spec("old", [] {}));
  ASSERT_TRUE(supervisor->StartAll().ok());
  AwaitResult(old);
  ExpectNoneTaken(*supervisor, [](auto& specs) { specs[1].name = specs[3].name = "old"; },
                  absl::StatusCode::kAlreadyExists, {"specs[3]", "name: 'old'"});
  EXPECT_TRUE(supervisor->Find("old").value() == old);
  EXPECT_THAT(supervisor->WaitAll().value(), SizeIs(1));
  ExpectAllTaken(*supervisor);
}

TEST(Semantics, S20_ANameInUseRefusesAllAndDisturbsNotTheTaskThatHasIt) {
  const auto supervisor = MakeSupervisor();
  StuckWorker worker;
  const TaskHandle running = Submit(*supervisor, Spec("in use", worker.Run()));
  worker.AwaitEntered();
  ExpectNoneTaken(*supervisor, [](auto& specs) { specs[2].name = "in use"; },
                  absl::StatusCode::kAlreadyExists, {"name: 'in use'"});
  EXPECT_TRUE(supervisor->Find("in use").value() == running);
  worker.Release();
  AwaitResult(running);
  ExpectAllTaken(*supervisor);
}

// A task that is over and not handed out yet is found under its name, until that is taken again. A
// call that is refused does not take it.
TEST(Semantics, S18_ARefusedCallTakesNoNameAwayFromATaskThatIsOver) {
  const auto supervisor = MakeSupervisor();
  const TaskHandle old = Register(*supervisor, Spec("old", [] {}));
  ASSERT_TRUE(supervisor->StartAll().ok());
  AwaitResult(old);
  const TaskHandle waiting = Register(*supervisor, Spec("waiting", [] {}));
  EXPECT_EQ(
      supervisor->RegisterAll(Specs(Spec("old", [] {}), Spec("waiting", [] {}))).status().code(),
      absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(supervisor->Find("old").value() == old);
  const absl::StatusOr<std::vector<TaskHandle>> handles =
      supervisor->RegisterAll(Specs(Spec("old", [] {}), Spec("new", [] {})));
  ASSERT_TRUE(handles.ok()) << handles.status();
  EXPECT_TRUE(supervisor->Find("old").value() == handles->front());
  EXPECT_EQ(supervisor->WaitAny().value().total_attempts, 1);
  EXPECT_TRUE(supervisor->Find("old").value() == handles->front());
}

TEST(Semantics, S20_RegisterAllAfterAShutdownIsRefused) {
  const auto supervisor = MakeSupervisor();
  ASSERT_TRUE(supervisor->Shutdown().ok());
  ExpectNoneTaken(*supervisor, [](auto&) {}, absl::StatusCode::kFailedPrecondition, {"shut down"});
  EXPECT_EQ(supervisor->RegisterAll({}).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(RegisterAllTest, NoneAtAllAreAllThere) {
  const auto supervisor = MakeSupervisor();
  EXPECT_THAT(supervisor->RegisterAll({}).value(), IsEmpty());
}

TEST(RegisterAllTest, ManyAreTakenInTheirOrder) {
  const auto supervisor = MakeSupervisor();
  std::vector<TaskSpec> specs;
  for (int i = 0; i < 1000; ++i) specs.push_back(Spec(absl::StrCat("task ", i), [] {}));
  ASSERT_TRUE(supervisor->RegisterAll(std::move(specs)).ok());
  const std::vector<TaskInfo> infos = supervisor->ListTasks();
  ASSERT_EQ(infos.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(infos[i].name, absl::StrCat("task ", i));
  ASSERT_TRUE(supervisor->StartAll().ok());
  EXPECT_THAT(supervisor->WaitAll().value(), SizeIs(1000));
}

// --- Beside others

// The two functions at once, on two threads.
void Race(const std::function<void()>& one, const std::function<void()>& other) {
  Latch start(2);
  std::thread thread([&] {
    start.CountDownAndAwait("the other thread");
    one();
  });
  start.CountDownAndAwait("the thread");
  other();
  thread.join();
}

TaskSpec Sleeper(std::string name) {
  return Spec(std::move(name),
              [](TaskContext& context) { context.SleepFor(absl::InfiniteDuration()); });
}

// So many that others have the time to look at them half-way, if that can be; all but one wait for
// the only lane.
constexpr int kSleepers = 300;
constexpr int kRounds = 20;

std::unique_ptr<Supervisor> WithOneLane() { return MakeSupervisor({.max_concurrency = 1}); }

std::vector<TaskSpec> Sleepers(int round) {
  std::vector<TaskSpec> specs;
  for (int i = 0; i < kSleepers; ++i) specs.push_back(Sleeper(absl::StrCat(round, ".", i)));
  return specs;
}

// All of them or none are listed, and all of these or none are started.
void ExpectAllOrNone(const Supervisor& supervisor) {
  const std::vector<TaskInfo> infos = supervisor.ListTasks();
  if (infos.empty()) return;
  EXPECT_THAT(infos, SizeIs(kSleepers));
  const bool started = infos[0].state != TaskState::kRegistered;
  for (const TaskInfo& info : infos) EXPECT_EQ(info.state != TaskState::kRegistered, started);
}

// Only one thread starts tasks, so that whatever it sees between two calls is what one call did.
TEST(RegisterAllTest, AStartAllAtTheSameTimeSeesAllOrNone) {
  const auto supervisor = WithOneLane();
  for (int round = 0; round < kRounds; ++round) {
    Notification registered;
    std::vector<TaskHandle> handles;
    std::vector<TaskSpec> specs = Sleepers(round);
    Race(
        [&] {
          handles = supervisor->RegisterAll(std::move(specs)).value();
          registered.Notify();
        },
        [&] {
          while (!registered.HasHappened()) {
            EXPECT_TRUE(supervisor->StartAll().ok());
            ExpectAllOrNone(*supervisor);
          }
        });
    for (const TaskHandle& handle : handles) handle.RequestStop();
    for (const TaskHandle& handle : handles) AwaitResult(handle);
  }
}

// In every second round the shutdown comes at once, in the others as soon as one of the tasks is
// there.
TEST(RegisterAllTest, AShutdownAtTheSameTimeStopsAllOrRefusesAll) {
  for (int round = 0; round < kRounds; ++round) {
    const auto supervisor = WithOneLane();
    Notification registered;
    absl::StatusOr<std::vector<TaskHandle>> handles;
    std::vector<TaskSpec> specs = Sleepers(round);
    Race(
        [&] {
          handles = supervisor->RegisterAll(std::move(specs));
          registered.Notify();
        },
        [&] {
          while (round % 2 == 0 && supervisor->ListTasks().empty() && !registered.HasHappened()) {
          }
          EXPECT_TRUE(supervisor->Shutdown().ok());
        });
    EXPECT_THAT(supervisor->ListTasks(), IsEmpty());
    if (!handles.ok()) {
      EXPECT_EQ(handles.status().code(), absl::StatusCode::kFailedPrecondition);
      EXPECT_FALSE(supervisor->Find(absl::StrCat(round, ".0")).ok());
      continue;
    }
    for (const TaskHandle& handle : *handles) {
      EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
    }
  }
}

// Two that want one name each of the other: one wins, and the loser leaves nothing behind.
TEST(RegisterAllTest, OfTwoThatShareANameOneIsTakenAndNothingOfTheOther) {
  const auto supervisor = MakeSupervisor();
  for (int round = 0; round < 200; ++round) {
    const std::string shared = absl::StrCat(round, " shared");
    absl::StatusOr<std::vector<TaskHandle>> a, b;
    const auto own = [round](const char* who) { return absl::StrCat(round, " ", who); };
    Race([&] { a = supervisor->RegisterAll(Specs(Spec(own("a"), [] {}), Spec(shared, [] {}))); },
         [&] { b = supervisor->RegisterAll(Specs(Spec(own("b"), [] {}), Spec(shared, [] {}))); });
    EXPECT_NE(a.ok(), b.ok());
    EXPECT_EQ(supervisor->Find(own("a")).ok(), a.ok());
    EXPECT_EQ(supervisor->Find(own("b")).ok(), b.ok());
    EXPECT_EQ((a.ok() ? b : a).status().code(), absl::StatusCode::kAlreadyExists);
  }
  ASSERT_TRUE(supervisor->StartAll().ok());
  EXPECT_THAT(supervisor->WaitAll().value(), SizeIs(400));
}

}  // namespace
}  // namespace foxtive::test
