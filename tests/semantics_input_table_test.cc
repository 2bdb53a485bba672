// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S20: whatever can be wrong with a task or with options, in one table, through every way in. Each
// time the message has the field and the value, nothing has changed, what was handed over has been
// destroyed by the caller's thread before the call returns, and the same, corrected, is taken.

#include <atomic>
#include <climits>
#include <csignal>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/bad_backoffs.h"
#include "tests/support/test_util.h"

namespace foxtive::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Duration kTick = absl::Nanoseconds(1) / 4;
constexpr absl::Duration kSecond = absl::Seconds(1);
constexpr absl::Duration kForever = absl::InfiniteDuration();

// --- The table

// What makes a good one bad, or leaves it good.
using Change = std::function<void(TaskSpec&)>;
using OptionsChange = std::function<void(SupervisorOptions&)>;

template <typename ChangeOf>
struct Bad {
  std::string says;  // the field and the value
  ChangeOf change;
  absl::StatusCode code = absl::StatusCode::kInvalidArgument;
};
using BadTask = Bad<Change>;
using BadOptions = Bad<OptionsChange>;

void AddNames(std::vector<BadTask>& rows) {
  rows.push_back({"name: ''", [](TaskSpec& spec) { spec.name = ""; }});
  rows.push_back({"name: 'in use'", [](TaskSpec& spec) { spec.name = "in use"; },
                  absl::StatusCode::kAlreadyExists});
  for (int byte = 0; byte < 0x80; ++byte) {
    if (byte >= 0x20 && byte != 0x7f) continue;
    for (const char* before : {"", "a"}) {
      const std::string name = absl::StrCat(before, std::string(1, static_cast<char>(byte)), "b");
      rows.push_back({absl::StrCat("name: '", absl::CEscape(name), "'"),
                      [name](TaskSpec& spec) { spec.name = name; }});
    }
  }
}

void AddRunsAndPolicies(std::vector<BadTask>& rows) {
  rows.push_back({"run: task 'task'", [](TaskSpec& spec) { spec.run = nullptr; }});
  rows.push_back({"run: task 'task'", [](TaskSpec& spec) { spec.run = RunFunction(); }});
  rows.push_back({"run: task 'task'", [](TaskSpec& spec) { spec.run = std::function<void()>(); }});
  rows.push_back({"run: task 'task'", [](TaskSpec& spec) {
                    spec.run = static_cast<absl::Status (*)(std::stop_token)>(nullptr);
                  }});
  for (const int64_t attempts : {int64_t{0}, int64_t{-1}, int64_t{INT64_MIN}}) {
    rows.push_back(
        {absl::StrCat("restart_policy.max_attempts: ", attempts), [attempts](TaskSpec& spec) {
           spec.restart_policy = RestartPolicy::MaxAttempts(attempts);
         }});
  }
  for (const int value : {2, 255}) {
    rows.push_back({absl::StrCat("restart_on: RestartOn(", value, ")"),
                    [value](TaskSpec& spec) { spec.restart_on = static_cast<RestartOn>(value); }});
  }
}

void AddCodes(std::vector<BadTask>& rows) {
  for (const int code : {0, 17, -1, INT_MAX, INT_MIN}) {
    rows.push_back({absl::StrCat("permanent_errors: ", code), [code](TaskSpec& spec) {
                      spec.permanent_errors = {absl::StatusCode::kInternal,
                                               static_cast<absl::StatusCode>(code)};
                    }});
  }
}

void AddDurations(std::vector<BadTask>& rows) {
  for (const absl::Duration bad : {-kTick, -kSecond, -kForever}) {
    const std::string text = absl::FormatDuration(bad);
    rows.push_back({absl::StrCat("initial_delay: ", text),
                    [bad](TaskSpec& spec) { spec.initial_delay = bad; }});
    rows.push_back(
        {absl::StrCat("stable_after: ", text), [bad](TaskSpec& spec) { spec.stable_after = bad; }});
    rows.push_back(
        {absl::StrCat("stop_timeout: ", text), [bad](TaskSpec& spec) { spec.stop_timeout = bad; }});
  }
  rows.push_back({"initial_delay: inf", [](TaskSpec& spec) { spec.initial_delay = kForever; }});
  for (const absl::Duration bad : {absl::ZeroDuration(), -kTick, -kForever}) {
    const std::string text = absl::FormatDuration(bad);
    rows.push_back({absl::StrCat("heartbeat_timeout: ", text),
                    [bad](TaskSpec& spec) { spec.heartbeat_timeout = bad; }});
    rows.push_back(
        {absl::StrCat("run_timeout: ", text), [bad](TaskSpec& spec) { spec.run_timeout = bad; }});
  }
  for (const int value : {4, 255}) {
    rows.push_back({absl::StrCat("on_stuck: OnStuck(", value, ")"),
                    [value](TaskSpec& spec) { spec.on_stuck = static_cast<OnStuck>(value); }});
  }
}

std::vector<BadTask> BadTasks() {
  std::vector<BadTask> rows;
  AddNames(rows);
  AddRunsAndPolicies(rows);
  for (const BadBackoff& bad : BadBackoffs()) {
    rows.push_back(
        {bad.message, [backoff = bad.strategy](TaskSpec& spec) { spec.backoff = backoff; }});
  }
  AddCodes(rows);
  AddDurations(rows);
  return rows;
}

// The steps before the limits; those of the backoff are in backoff_validation_test.cc.
std::vector<Change> GoodTasks() {
  return {
      [](TaskSpec& spec) { spec.name = "x"; },
      [](TaskSpec& spec) { spec.restart_policy = RestartPolicy::MaxAttempts(1); },
      [](TaskSpec& spec) { spec.restart_policy = RestartPolicy::MaxAttempts(INT64_MAX); },
      [](TaskSpec& spec) {
        spec.permanent_errors = {absl::StatusCode::kCancelled, absl::StatusCode::kUnauthenticated};
      },
      [](TaskSpec& spec) { spec.initial_delay = kTick; },
      [](TaskSpec& spec) { spec.heartbeat_timeout = kTick; },
      [](TaskSpec& spec) { spec.run_timeout = kTick; },
      [](TaskSpec& spec) { spec.on_stuck = OnStuck::kAbort; },
      [](TaskSpec& spec) { spec.stable_after = absl::ZeroDuration(); },
      [](TaskSpec& spec) { spec.stable_after = kForever; },
      [](TaskSpec& spec) { spec.stop_timeout = absl::ZeroDuration(); },
      [](TaskSpec& spec) { spec.stop_timeout = kForever; }};
}

class BadListener : public EventListener {
 public:
  EventDetail detail() const override { throw std::runtime_error("no config"); }
};

std::vector<BadOptions> AllBadOptions() {
  std::vector<BadOptions> rows;
  for (const int lanes : {0, -1, INT_MIN}) {
    rows.push_back({absl::StrCat("max_concurrency: ", lanes),
                    [lanes](SupervisorOptions& options) { options.max_concurrency = lanes; }});
  }
  for (const absl::Duration bad : {-kTick, -kSecond, -kForever}) {
    rows.push_back({absl::StrCat("shutdown_timeout: ", absl::FormatDuration(bad)),
                    [bad](SupervisorOptions& options) { options.shutdown_timeout = bad; }});
    rows.push_back({absl::StrCat("starvation_alarm: ", absl::FormatDuration(bad)),
                    [bad](SupervisorOptions& options) { options.starvation_alarm = bad; }});
  }
  for (const int signal : {-1, INT_MAX, SIGKILL, SIGSEGV}) {
    rows.push_back({absl::StrCat("stack_signal: ", signal, " is "),
                    [signal](SupervisorOptions& options) { options.stack_signal = signal; }});
  }
  for (const int attempts : {-1, INT_MIN, 1001, INT_MAX}) {
    rows.push_back(
        {absl::StrCat("attempt_history: ", attempts, " is not from 0 to 1000"),
         [attempts](SupervisorOptions& options) { options.attempt_history = attempts; }});
  }
  rows.push_back(
      {"listener: detail() threw std::runtime_error: no config",
       [](SupervisorOptions& options) { options.listener = std::make_shared<BadListener>(); }});
  return rows;
}

std::vector<OptionsChange> GoodOptions() {
  return {[](SupervisorOptions& options) { options.max_concurrency = 1; },
          [](SupervisorOptions& options) { options.max_concurrency = INT_MAX; },
          [](SupervisorOptions& options) { options.shutdown_timeout = absl::ZeroDuration(); },
          [](SupervisorOptions& options) { options.shutdown_timeout = kForever; },
          [](SupervisorOptions& options) { options.starvation_alarm = absl::ZeroDuration(); },
          [](SupervisorOptions& options) { options.starvation_alarm = kForever; },
          [](SupervisorOptions& options) { options.listener = nullptr; },
          [](SupervisorOptions& options) { options.clock = nullptr; },
          [](SupervisorOptions& options) { options.seed = 0; },
          [](SupervisorOptions& options) { options.stack_signal = SIGURG; },
          [](SupervisorOptions& options) { options.attempt_history = 0; },
          [](SupervisorOptions& options) { options.attempt_history = 1000; }};
}

// --- That it is complete

struct Field {
  std::string_view name;
  bool can_be_wrong = true;
};

// These two do not compile when there is one field more: it needs a name here, and rows above.
std::vector<Field> TaskFields() {
  [[maybe_unused]] const auto& [name, run, restart_policy, backoff, restart_on, permanent_errors,
                                initial_delay, stable_after, retry_setup, heartbeat_timeout,
                                run_timeout, on_stuck, stop_timeout, stop_order, hooks] =
      TaskSpec();
  return {{"name"},
          {"run"},
          {"restart_policy"},
          {"backoff"},
          {"restart_on"},
          {"permanent_errors"},
          {"initial_delay"},
          {"stable_after"},
          {"retry_setup", false},
          {"heartbeat_timeout"},
          {"run_timeout"},
          {"on_stuck"},
          {"stop_timeout"},
          {"stop_order", false},
          {"hooks", false}};
}

std::vector<Field> OptionsFields() {
  [[maybe_unused]] const auto& [max_concurrency, shutdown_timeout, starvation_alarm, listener,
                                clock, seed, stack_signal, attempt_history] = SupervisorOptions();
  return {{"max_concurrency"}, {"shutdown_timeout"}, {"starvation_alarm"}, {"listener"},
          {"clock", false},    {"seed", false},      {"stack_signal"},     {"attempt_history"}};
}

template <typename Row>
void ExpectRows(const std::vector<Field>& fields, const std::vector<Row>& rows) {
  size_t claimed = 0;
  for (const Field& field : fields) {
    size_t its_own = 0;
    for (const Row& row : rows) {
      const std::string_view says = row.says;
      if (!says.starts_with(field.name)) continue;
      const char next = says[field.name.size()];
      if (next == ':' || next == '.') ++its_own;
    }
    EXPECT_EQ(its_own > 0, field.can_be_wrong) << field.name;
    claimed += its_own;
  }
  EXPECT_EQ(claimed, rows.size()) << "a row is about none of the fields";
}

TEST(InputTableTest, HasRowsForEveryField) {
  ExpectRows(TaskFields(), BadTasks());
  ExpectRows(OptionsFields(), AllBadOptions());
}

// --- The ways in

// What is handed over, and whether all of it has been destroyed by the thread that made this.
class Captures {
 public:
  std::shared_ptr<void> Make() {
    ++alive_;
    return std::shared_ptr<void>(nullptr, [this](void*) {
      if (std::this_thread::get_id() != owner_) elsewhere_ = true;
      --alive_;
    });
  }

  int alive() const { return alive_; }
  bool elsewhere() const { return elsewhere_; }

 private:
  const std::thread::id owner_ = std::this_thread::get_id();
  std::atomic<int> alive_{0};
  std::atomic<bool> elsewhere_{false};
};

// A task with captures in its worker, a hook and its backoff; changed.
TaskSpec Made(const std::string& name, const Change& change, Captures& captures) {
  TaskSpec spec = Spec(name, [held = captures.Make()] {});
  spec.hooks.cleanup = [held = captures.Make()] {};
  spec.backoff =
      BackoffStrategy::Custom([held = captures.Make()](int64_t) { return absl::ZeroDuration(); });
  change(spec);
  return spec;
}

// The same; `Configure` makes all of it.
class MadeTask : public SupervisedTask {
 public:
  MadeTask(Change change, Captures& captures)
      : change_(std::move(change)), captures_(captures), held_(captures.Make()) {}

  std::string name() const override { return "task"; }
  absl::Status Run(TaskContext&) override { return absl::OkStatus(); }
  void Configure(TaskSpec& spec) const override { spec = Made(spec.name, change_, captures_); }

 private:
  const Change change_;
  Captures& captures_;
  const std::shared_ptr<void> held_;
};

void AsItIs(TaskSpec&) {}

// Five tasks, of which the third is changed.
std::vector<TaskSpec> MadeFive(const Change& change, Captures& captures) {
  std::vector<TaskSpec> specs;
  for (const char* name : {"0", "1", "task", "3", "4"}) {
    specs.push_back(Made(name, name == std::string("task") ? change : AsItIs, captures));
  }
  return specs;
}

using Handles = absl::StatusOr<std::vector<TaskHandle>>;

Handles One(absl::StatusOr<TaskHandle> handle) {
  if (!handle.ok()) return handle.status();
  return std::vector<TaskHandle>{*std::move(handle)};
}

struct WayIn {
  const char* name;
  std::function<Handles(const Change&, Captures&)> call;
  bool of_many = false;
};

std::vector<WayIn> WaysInto(Supervisor& s) {
  return {{"Submit",
           [&s](auto& change, auto& held) { return One(s.Submit(Made("task", change, held))); }},
          {"Register",
           [&s](auto& change, auto& held) { return One(s.Register(Made("task", change, held))); }},
          {"Submit, class form",
           [&s](auto& change, auto& held) {
             return One(s.Submit(std::make_shared<MadeTask>(change, held)));
           }},
          {"Register, class form",
           [&s](auto& change, auto& held) {
             return One(s.Register(std::make_shared<MadeTask>(change, held)));
           }},
          {"RegisterAll",
           [&s](auto& change, auto& held) { return s.RegisterAll(MadeFive(change, held)); }, true}};
}

// Into the one that the process shares.
std::vector<WayIn> WaysToSpawn() {
  return {
      {"SpawnSupervised",
       [](auto& change, auto& held) { return One(SpawnSupervised(Made("task", change, held))); }},
      {"SpawnSupervised, class form",
       [](auto& change, auto& held) {
         return One(SpawnSupervised(std::make_shared<MadeTask>(change, held)));
       }},
      {"SpawnSupervisedMany",
       [](auto& change, auto& held) { return SpawnSupervisedMany(MadeFive(change, held)); }, true}};
}

// --- What each of them does

std::vector<std::string> NamesIn(const Supervisor& supervisor) {
  std::vector<std::string> names;
  for (const TaskInfo& info : supervisor.ListTasks()) names.push_back(info.name);
  return names;
}

void ExpectOnlyTheOneInUse(const Supervisor& supervisor) {
  EXPECT_THAT(NamesIn(supervisor), ElementsAre("in use"));
  EXPECT_EQ(supervisor.task_count(), 1u);
  for (const char* name : {"0", "1", "task", "3", "4"}) {
    EXPECT_EQ(supervisor.Find(name).status().code(), absl::StatusCode::kNotFound) << name;
  }
}

void ExpectRefused(const WayIn& way, const BadTask& row) {
  Captures captures;
  const absl::Status status = way.call(row.change, captures).status();
  EXPECT_EQ(captures.alive(), 0);
  EXPECT_FALSE(captures.elsewhere());
  EXPECT_EQ(status.code(), row.code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(row.says));
  if (way.of_many && row.code == absl::StatusCode::kInvalidArgument) {
    EXPECT_THAT(std::string(status.message()), HasSubstr("specs[2]"));
  }
}

void ExpectTaken(Supervisor& supervisor, const WayIn& way, const Change& change) {
  Captures captures;
  const Handles handles = way.call(change, captures);
  ASSERT_TRUE(handles.ok()) << handles.status();
  ASSERT_TRUE(supervisor.StartAll().ok());
  for (const TaskHandle& handle : *handles) {
    EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kCompletedNormally);
  }
  EXPECT_EQ(captures.alive(), 0);
  EXPECT_TRUE(supervisor.WaitAll().ok());  // hands out what was registered, so it is not found
}

TaskHandle SubmitTheOneInUse(Supervisor& supervisor) {
  return Submit(supervisor, Spec("in use", [](TaskContext& context) {
                  context.SleepFor(absl::InfiniteDuration());
                }));
}

void ExpectTheTable(Supervisor& supervisor, const std::vector<WayIn>& ways) {
  const TaskHandle in_use = SubmitTheOneInUse(supervisor);
  for (const WayIn& way : ways) {
    SCOPED_TRACE(way.name);
    for (const BadTask& row : BadTasks()) {
      SCOPED_TRACE(row.says);
      ExpectRefused(way, row);
      ExpectOnlyTheOneInUse(supervisor);
      ExpectTaken(supervisor, way, AsItIs);
    }
    for (const Change& change : GoodTasks()) ExpectTaken(supervisor, way, change);
  }
  EXPECT_TRUE(in_use.RequestStop());
  AwaitResult(in_use);
}

TEST(Semantics, S20_EachBadTaskIsRefusedWithFieldAndValueAndChangesNothing) {
  const auto supervisor = MakeSupervisor();
  ExpectTheTable(*supervisor, WaysInto(*supervisor));
}

TEST(Semantics, S20_EachBadTaskIsRefusedByTheOneThatTheProcessSharesToo) {
  ExpectTheTable(*Supervisor::Default().value(), WaysToSpawn());
}

TEST(Semantics, S20_AfterAShutdownEachWayInRefuses) {
  const auto supervisor = MakeSupervisor();
  ASSERT_TRUE(supervisor->Shutdown().ok());
  for (const WayIn& way : WaysInto(*supervisor)) {
    SCOPED_TRACE(way.name);
    ExpectRefused(way, {"shut down", AsItIs, absl::StatusCode::kFailedPrecondition});
  }
}

class HeldClock : public Clock {
 public:
  explicit HeldClock(Captures& captures) : held_(captures.Make()) {}

 private:
  const std::shared_ptr<void> held_;
};

TEST(Semantics, S20_EachBadOptionIsRefusedWithFieldAndValue) {
  for (const BadOptions& row : AllBadOptions()) {
    SCOPED_TRACE(row.says);
    Captures captures;
    SupervisorOptions options;
    options.clock = std::make_shared<HeldClock>(captures);
    row.change(options);
    const absl::Status status = Supervisor::Create(std::move(options)).status();
    EXPECT_EQ(status.code(), row.code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(row.says));
    EXPECT_EQ(captures.alive(), 0);
  }
}

TEST(Semantics, S20_OptionsAtTheirLimitsAreTaken) {
  for (const OptionsChange& change : GoodOptions()) {
    SupervisorOptions options;
    change(options);
    const auto supervisor = MakeSupervisor(std::move(options));
    AwaitResult(Submit(*supervisor, Spec("task", [] {})));
  }
}

}  // namespace
}  // namespace foxtive::test
