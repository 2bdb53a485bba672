// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What the hosts of a world do, and what each of their calls may answer.

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/simulator/chaos.h"
#include "tests/simulator/world.h"
#include "tests/support/failing_allocator.h"

namespace foxtive::test {

// The program's own threads can be had.
void World::Spawn(std::function<void()> body) {
  ++hosts_;
  chaos_->spawns_host = true;
  simulation_->Spawn([this, body = std::move(body)] {
    body();
    --hosts_;
  });
  chaos_->spawns_host = false;
}

void World::Host(uint64_t number) {
  Random random(plan_.seed, number, 7);
  Random gifts(plan_.seed, number, 15);
  while (!ending_ && supervisor_ != nullptr) {
    HostDeed(random);
    if (gifts.OneIn(2)) Give(gifts.Next());
    Dwell(random.Duration(plan_.lasts / 20));
  }
}

void World::HostDeed(Random& random) {
  switch (random.Below(12)) {
    case 0:
    case 1:
    case 2:
    case 3:
      for (int64_t count = random.Between(1, 1 + plan_.tasks / 8); count > 0; --count) SubmitNext();
      return;
    case 4:
      StartAll();
      return;
    case 5:
    case 6:
      if (const std::shared_ptr<TaskWatch> watch = AnyWatch(random)) watch->RequestStop();
      return;
    case 7:
      WaitForOne(random);
      return;
    case 8:
      WaitForAny(random);
      return;
    case 9:
      WaitForAll(random);
      return;
    case 10:
      LookAtTables(random);
      return;
    case 11:
      if (!random.OneIn(100)) return;
      if (random.OneIn(2)) {
        RequestShutdown();
      } else {
        Shutdown(random.Duration(absl::Seconds(5)));
      }
      return;
  }
}

std::shared_ptr<TaskWatch> World::AnyWatch(Random& random) {
  return watches_.empty() ? nullptr : watches_[random.Below(watches_.size())];
}

void World::SubmitNext() {
  while (next_task_ < static_cast<uint64_t>(plan_.tasks)) {
    const uint64_t number = next_task_++;
    if (!changes_.HasTask(number)) continue;
    Submit(number);
    return;
  }
}

// Its handle may be another task's of the same name, before.
void World::Submit(uint64_t number) {
  const std::shared_ptr<Supervisor> supervisor = supervisor_;
  if (supervisor == nullptr) return;
  const TaskPlan plan = TaskPlan::Make(plan_.seed, number);
  Random random(plan_.seed, number, 11);
  const bool doubled = random.OneIn(8) && !watches_.empty();
  const std::string name = doubled ? AnyWatch(random)->name() : absl::StrCat("t", number);
  const auto watch = std::make_shared<TaskWatch>(*this, plan, name);
  // First: other hosts may submit the same name as soon as a state is asked for.
  Submissions& same_name = submissions_[name];
  const bool another = same_name.under_way++ > 0;
  const int64_t begun = ++same_name.begun;
  same_name.registering += plan.registered;
  TaskWatch* const other = newest_.count(name) > 0 ? newest_[name] : nullptr;
  const bool other_unfinished = other != nullptr && IsUnfinished(*other);
  const bool other_ends = other != nullptr && other->accepted() && !exact() &&
                          other->handle().state() == TaskState::kStopping;
  const bool shut = shuts_down_;
  const int start_alls = start_alls_ - starting_all_;  // those that are over
  TaskSpec spec = WithFaults(watch->MakeSpec());
  if (!plan.registered) watch->Started();
  const bool short_of_memory = plan_.allocations_fail && random.OneIn(3);
  if (short_of_memory) {
    chaos_->held = true;
    FailAllocationHere(random.Between(1, 12));
  }
  absl::StatusOr<TaskHandle> handle =
      plan.registered ? supervisor->Register(std::move(spec)) : supervisor->Submit(std::move(spec));
  const bool failed = short_of_memory && EndFailureHere();
  chaos_->held = false;
  same_name.registering -= plan.registered;
  if (handle.ok()) watches_.push_back(watch);
  Note({.nanos = Now(),
        .task = number,
        .what = plan.registered ? "Register answered" : "Submit answered",
        .number = static_cast<int64_t>(handle.status().code())});
  const bool name_taken = other_unfinished || other_ends || another || same_name.begun != begun;
  if (handle.ok()) {
    if (shut) Fail("a task was taken up after the shutdown had begun");
    if (other_unfinished && other->handle().state() != TaskState::kFinished &&
        IsUnfinished(*other)) {
      Fail(absl::StrCat("the name '", name, "' was given away though its task is not over"));
    }
    unfinished_.push_back(watch.get());
    newest_[name] = watch.get();
    watch->Accepted(*std::move(handle));
    --same_name.under_way;  // not before: others look at the newest one of the name
    if (start_alls_ != start_alls) watch->Started(/*since_before=*/true);
    return;
  }
  --same_name.under_way;
  const absl::StatusCode code = handle.status().code();
  const bool expected = (code == absl::StatusCode::kFailedPrecondition && shuts_down_) ||
                        (code == absl::StatusCode::kAlreadyExists && name_taken) ||
                        (code == absl::StatusCode::kResourceExhausted && failed);
  if (!expected) Fail(absl::StrCat("Submit was refused: ", handle.status().ToString()));
}

// As far as it can be seen from outside.
bool World::IsUnfinished(const TaskWatch& watch) const {
  if (!watch.accepted()) return false;
  const TaskState state = watch.handle().state();
  if (!exact() && state == TaskState::kStopping) return false;  // about to be over, maybe
  return state != TaskState::kFinished && state != TaskState::kOverdue;
}

void World::StartAll() {
  const std::shared_ptr<Supervisor> supervisor = supervisor_;
  if (supervisor == nullptr) return;
  ++starting_all_;
  ++start_alls_;
  for (const std::shared_ptr<TaskWatch>& watch : watches_) watch->Started();
  const absl::Status status = supervisor->StartAll();
  --starting_all_;
  if (!status.ok() && !shuts_down_) Fail(absl::StrCat("StartAll: ", status.ToString()));
}

void World::WaitForOne(Random& random) {
  const std::shared_ptr<TaskWatch> watch = AnyWatch(random);
  if (watch == nullptr || !watch->accepted()) return;
  const absl::Duration timeout = random.Duration(absl::Seconds(10));
  const int64_t deadline = Now() + absl::ToInt64Nanoseconds(timeout);
  const TaskHandle handle = watch->handle();
  const absl::StatusOr<SupervisionResult> result = handle.Wait(timeout);
  CheckInTime("Wait", deadline);
  if (result.ok()) {
    watch->Look();
  } else if (result.status().code() != absl::StatusCode::kDeadlineExceeded || Now() < deadline) {
    Fail(absl::StrCat("Wait: ", result.status().ToString()));
  }
}

void World::CheckInTime(const char* call, int64_t deadline) {
  if (exact() && Now() > deadline) {
    Fail(absl::StrCat(call, " returned ", absl::FormatDuration(absl::Nanoseconds(Now() - deadline)),
                      " after its timeout"));
  }
}

void World::WaitForAny(Random& random) {
  const std::shared_ptr<Supervisor> supervisor = supervisor_;
  if (supervisor == nullptr) return;
  const absl::Duration timeout = random.Duration(absl::Seconds(10));
  const int64_t deadline = Now() + absl::ToInt64Nanoseconds(timeout);
  const absl::StatusOr<SupervisionResult> result = supervisor->WaitAny(timeout);
  CheckInTime("WaitAny", deadline);
  if (result.ok()) {
    HandedOut(*result);
  } else if (result.status().code() == absl::StatusCode::kDeadlineExceeded && Now() < deadline) {
    Fail("WaitAny gave up too early");
  }
}

void World::WaitForAll(Random& random) {
  const std::shared_ptr<Supervisor> supervisor = supervisor_;
  if (supervisor == nullptr) return;
  const absl::Duration timeout = random.Duration(absl::Seconds(10));
  const int64_t deadline = Now() + absl::ToInt64Nanoseconds(timeout);
  const absl::StatusOr<std::vector<SupervisionResult>> results = supervisor->WaitAll(timeout);
  CheckInTime("WaitAll", deadline);
  if (!results.ok()) {
    if (Now() < deadline) Fail("WaitAll gave up too early");
    return;
  }
  for (const SupervisionResult& result : *results) HandedOut(result);
}

// Each result of a registered task once, maybe before Register has returned.
void World::HandedOut(const SupervisionResult& result) {
  int accepted = submissions_[result.task_name].registering;
  for (const std::shared_ptr<TaskWatch>& watch : watches_) {
    if (watch->plan().registered && watch->name() == result.task_name) ++accepted;
  }
  if (++handed_out_[result.task_name] > accepted) {
    Fail(absl::StrCat("the result of '", result.task_name, "' was handed out twice"));
  }
}

void World::Give(uint64_t number) {
  Note({.nanos = Now(), .what = "a gift", .number = static_cast<int64_t>(number % boxes_.size())});
  BoxOf(number).Give(Now());
}

void World::RequestShutdown() {
  const std::shared_ptr<Supervisor> supervisor = supervisor_;
  if (supervisor == nullptr) return;
  ShutdownBegins(plan_.shutdown_timeout);
  shut_down_at_ = std::min(shut_down_at_, Now());
  supervisor->RequestShutdown();
}

void World::ShutdownBegins(absl::Duration timeout) {
  shuts_down_ = true;
  shuts_down_at_ = std::min(shuts_down_at_, Now());
  least_time_ = std::min(least_time_, timeout);
}

// Those that it comes after have ended, or have had their time, which does not count here.
int64_t World::ShutDownAt(int stop_order) const {
  constexpr size_t kFew = 100;
  if (!plan_.in_order || shut_down_at_ == INT64_MAX) return shut_down_at_;
  if (watches_.size() > kFew) return INT64_MAX;
  int64_t by = shut_down_at_;
  for (const std::shared_ptr<TaskWatch>& other : watches_) {
    if (!other->accepted() || other->plan().stop_order >= stop_order) continue;
    if (IsUnfinished(*other)) return INT64_MAX;
    by = std::max(by, Now() - absl::ToInt64Nanoseconds(other->handle().info().in_state_for));
  }
  return by;
}

// A part of the time is no smaller than that which it has if all stages have tasks.
void World::CheckTurn(const TaskWatch& asked) {
  const bool its_own_destroys_it = supervisor_ == nullptr && !ends_alone_;
  if (!exact() || !plan_.in_order || its_own_destroys_it) return;
  if (absl::Nanoseconds(Now() - shuts_down_at_ + 1) >= least_time_ / TaskPlan::kStopOrders) return;
  for (const std::shared_ptr<TaskWatch>& other : watches_) {
    if (!other->accepted() || other->plan().stop_order >= asked.plan().stop_order) continue;
    if (!IsUnfinished(*other)) continue;
    Fail(absl::StrCat("'", asked.name(), "' is asked to stop before '", other->name(),
                      "' is over, whose stop_order is lower"));
  }
}

void World::Shutdown(absl::Duration timeout) {
  const std::shared_ptr<Supervisor> supervisor = supervisor_;
  if (supervisor == nullptr) return;
  ShutdownBegins(timeout);
  shut_down_at_ = std::min(shut_down_at_, Now());
  const int64_t deadline = Now() + absl::ToInt64Nanoseconds(timeout);
  ShutdownReport report;
  const bool reports = deadline % 2 == 0;
  const absl::Status status =
      reports ? supervisor->Shutdown(timeout, report) : supervisor->Shutdown(timeout);
  CheckInTime("Shutdown", deadline);
  if (!status.ok() && status.code() != absl::StatusCode::kDeadlineExceeded) {
    Fail(absl::StrCat("Shutdown: ", status.ToString()));
  }
  for (const std::shared_ptr<TaskWatch>& watch : watches_) {
    if (!watch->accepted()) continue;
    watch->Look();
    if (!watch->has_result()) {
      Fail(absl::StrCat("Shutdown has returned, and '", watch->name(), "' has no result"));
    }
  }
  CheckNamed(status);
  if (reports) CheckReport(report);
}

void World::CheckReport(const ShutdownReport& report) {
  size_t stuck = 0;
  for (const std::shared_ptr<TaskWatch>& watch : watches_) {
    if (watch->accepted() && watch->handle().state() == TaskState::kOverdue) ++stuck;
  }
  size_t reported = 0;
  for (const ShutdownReport::Task& task : report.tasks) {
    if (!task.stuck() && task.info.state != TaskState::kFinished) {
      Fail(absl::StrCat("at the end of Shutdown: ", ToString(task.info)));
    }
    if (task.stuck()) ++reported;
    if (task.since_stop < absl::ZeroDuration()) Fail("a stop takes less than no time");
  }
  if (exact() && reported != stuck) {
    Fail(absl::StrCat("the report has ", reported, " that are stuck, there are ", stuck));
  }
  if (report.not_listed > 0) Fail("the report leaves tasks out");
}

// By name, which another task may have by now.
void World::CheckNamed(const absl::Status& status) {
  std::set<std::string> stuck;
  for (const std::shared_ptr<TaskWatch>& watch : watches_) {
    if (watch->accepted() && watch->handle().state() == TaskState::kOverdue) {
      stuck.insert(absl::StrCat("'", watch->name(), "'"));
    }
  }
  for (const std::shared_ptr<TaskWatch>& watch : watches_) {
    const std::string name = absl::StrCat("'", watch->name(), "'");
    const bool named = status.message().find(name) != absl::string_view::npos;
    if (exact() && named && stuck.count(name) == 0) {
      Fail(absl::StrCat("Shutdown names ", name, ", which has returned"));
    }
    if (exact() && !named && stuck.count(name) > 0) {
      Fail(absl::StrCat("Shutdown does not name ", name, ", which has not returned"));
    }
  }
}

void World::OwnSupervisor(absl::Duration duration) {
  const std::shared_ptr<Supervisor> supervisor = supervisor_;
  Dwell(duration);
}

void World::AskForRefusals() {
  const std::shared_ptr<Supervisor> supervisor = supervisor_;
  if (supervisor == nullptr) return;
  const bool refused =
      supervisor->WaitAny().status().code() == absl::StatusCode::kFailedPrecondition &&
      supervisor->WaitAll().status().code() == absl::StatusCode::kFailedPrecondition &&
      supervisor->Shutdown().code() == absl::StatusCode::kFailedPrecondition;
  if (!refused) Fail("a worker may wait for its own Supervisor");
}

void World::LookAtTables(Random& random) {
  const std::shared_ptr<Supervisor> supervisor = supervisor_;
  if (supervisor == nullptr) return;
  if (const std::shared_ptr<TaskWatch> watch = AnyWatch(random)) {
    const bool unfinished = IsUnfinished(*watch);
    const absl::StatusOr<TaskHandle> found = supervisor->Find(watch->name());
    if (unfinished && !found.ok() && IsUnfinished(*watch)) {
      Fail(absl::StrCat("'", watch->name(), "' is not found"));
    }
  }
  std::set<std::string> names;
  for (const TaskInfo& info : supervisor->ListTasks()) {
    if (!names.insert(info.name).second && exact()) {
      Fail(absl::StrCat("ListTasks has '", info.name, "' twice"));
    }
  }
}

}  // namespace foxtive::test
