// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/fuzz/session.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace foxtive::test {
namespace {

using internal::Simulation;

// Bounds of an input: beyond them it goes on with what it has.
constexpr size_t kMostTasks = 12;  // fewer than service lanes: none of them waits for another
constexpr int kMostSupervisors = 3;
constexpr int kMostOperations = 150;
// For workers that return late: each is deaf for less than a week at a time.
constexpr int64_t kDay = 24 * int64_t{3600} * 1'000'000'000;
constexpr int kMostDaysAfterwards = 1000;

// Who goes on: who came first, or anyone.
class Order final : public Simulation::Chooser {
 public:
  explicit Order(uint64_t seed) : state_(seed) {}
  size_t Next(size_t count) override {
    if (state_ == 0) return 0;
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return (state_ >> 33) % count;
  }

 private:
  uint64_t state_;
};

// Is told of all that happens, in words too.
class Listener final : public EventListener {
 public:
  void OnEvent(const Event& event) override {
    Check(!ToString(event).empty(), "an event without words");
  }
};

// A task in the class form that says everything by its spec.
class ClassForm final : public SupervisedTask {
 public:
  explicit ClassForm(TaskSpec spec) : spec_(std::move(spec)) {}
  std::string name() const override { return spec_.name; }
  void Configure(TaskSpec& spec) const override { spec = std::move(spec_); }
  absl::Status Run(TaskContext&) override { Broken("the virtual Run, though the spec has one"); }

 private:
  mutable TaskSpec spec_;
};

}  // namespace

Session::Session(Input& input)
    : input_(input),
      simulation_(std::make_shared<Simulation>(std::make_unique<Order>(input.Byte()))) {}

// --- The Supervisor.

absl::Duration Session::Timeout() {
  const absl::Duration any = AnyDuration(input_);
  // A wait without limit may be for a task that goes on for ever.
  return std::min(any, absl::Hours(48));
}

void Session::Create() {
  if (number_ == kMostSupervisors) return;
  SupervisorOptions options;
  const size_t lanes = input_.Below(16);
  options.max_concurrency =
      lanes < 12 ? static_cast<int>(lanes % 4) + 1 : 12 - static_cast<int>(lanes);
  if (input_.Bool()) options.shutdown_timeout = AnyDuration(input_);
  options.listener = input_.Bool() ? std::make_shared<Listener>() : nullptr;
  options.clock = simulation_;
  options.seed = input_.Byte();
  const bool good =
      options.max_concurrency >= 1 && options.shutdown_timeout >= absl::ZeroDuration();
  const absl::Duration shutdown_timeout = options.shutdown_timeout;
  auto made = Supervisor::Create(std::move(options));
  Check(made.ok() == good, [&] { return absl::StrCat("Create: ", made.status().ToString()); });
  if (!good) return Check(absl::IsInvalidArgument(made.status()), "options are refused otherwise");
  supervisor_ = *std::move(made);
  ++number_;
  shut_down_ = false;
  shutdown_timeout_ = shutdown_timeout;
}

// Those of the first stage are asked at once, all others when it is over, or has had its time.
void Session::TellOfShutdown(absl::Duration timeout) {
  shut_down_ = true;
  int first = std::numeric_limits<int>::max();
  for (const std::shared_ptr<Probe>& probe : Mine()) {
    if (!probe->handle().valid() || probe->has_result()) continue;
    first = std::min(first, probe->plan().stop_order);
  }
  for (const std::shared_ptr<Probe>& probe : Mine()) {
    const bool at_once = probe->plan().stop_order == first;
    probe->ShutDown(timeout, at_once ? absl::ZeroDuration() : shutdown_timeout_);
  }
}

void Session::Destroy() {
  TellOfShutdown(shutdown_timeout_);
  const absl::Duration latest = Now() + shutdown_timeout_ + absl::Milliseconds(101);
  supervisor_ = nullptr;
  Check(Now() <= latest, "~Supervisor took longer than shutdown_timeout");
  for (const std::shared_ptr<Probe>& probe : Mine()) {
    Check(probe->has_result(), "~Supervisor has left a task without a result");
  }
}

void Session::ShutDown() {
  if (input_.Below(4) == 0) {
    TellOfShutdown(absl::InfiniteDuration());
    return supervisor_->RequestShutdown();
  }
  const absl::Duration timeout = AnyDuration(input_);
  TellOfShutdown(timeout);
  const absl::Duration latest = Now() + std::max(timeout, absl::ZeroDuration());
  const absl::Status status = supervisor_->Shutdown(timeout);
  Check(Now() <= latest + absl::Nanoseconds(1), "Shutdown took longer than its timeout");
  const size_t stuck = CountMine([](const auto& probe) {
    Check(probe->has_result(), "Shutdown has left a task without a result");
    return probe->handle().state() == TaskState::kOverdue;
  });
  Check(stuck == 0 ? status.ok() : absl::IsDeadlineExceeded(status),
        [&] { return absl::StrCat("Shutdown: ", status.ToString()); });
}

// --- Tasks.

Session::Probes Session::Mine() const {
  Probes mine;
  for (const std::shared_ptr<Probe>& probe : probes_) {
    if (probe->supervisor() == number_) mine.push_back(probe);
  }
  return mine;
}

bool Session::IsInUse(const std::string& name) const {
  return CountMine(
             [&](const auto& probe) { return probe->name() == name && !probe->has_result(); }) > 0;
}

std::shared_ptr<Probe> Session::NewProbe(TaskPlan plan) {
  return std::make_shared<Probe>(*this, std::move(plan), number_);
}

void Session::AddOne() {
  TaskPlan plan = TaskPlan::Make(input_);
  const uint8_t how = input_.Byte();
  Add(std::move(plan), (how & 1) != 0, (how & 2) != 0);
}

void Session::Add(TaskPlan plan, bool registers, bool as_class) {
  if (probes_.size() >= kMostTasks) return;
  const bool in_use = IsInUse(plan.name);
  const size_t before = supervisor_->ListTasks().size();
  const std::shared_ptr<Probe> probe = NewProbe(std::move(plan));
  absl::StatusOr<TaskHandle> handle = absl::UnknownError("");
  if (as_class) {
    const auto task = std::make_shared<ClassForm>(probe->MakeSpec());
    handle = registers ? supervisor_->Register(task) : supervisor_->Submit(task);
  } else {
    handle = registers ? supervisor_->Register(probe->MakeSpec())
                       : supervisor_->Submit(probe->MakeSpec());
  }
  const std::string& refused = probe->plan().refused;
  const absl::Status& status = handle.status();
  Check(handle.ok() == (refused.empty() && !in_use && !shut_down_),
        [&] { return absl::StrCat("to be refused is '", refused, "': ", status.ToString()); });
  if (handle.ok()) {
    probes_.push_back(probe);
    return probe->Accepted(*std::move(handle), registers, shutdown_timeout_);
  }
  probe->Refused();
  Check(supervisor_->ListTasks().size() == before, "what was refused has changed something");
  if (shut_down_ && absl::IsFailedPrecondition(status)) return;
  if (refused.empty()) return Check(absl::IsAlreadyExists(status) || shut_down_, "another refusal");
  const bool named = std::string(status.message()).starts_with(refused + ": ");
  Check(absl::IsInvalidArgument(status) && named,
        [&] { return absl::StrCat("'", refused, "' is not named: ", status.ToString()); });
}

void Session::AddSeveral() {
  Probes added;
  std::vector<TaskSpec> specs;
  std::vector<std::string> names;
  bool good = !shut_down_;
  for (size_t left = input_.Below(4); left > 0; --left) {
    added.push_back(NewProbe(TaskPlan::Make(input_)));
    const TaskPlan& plan = added.back()->plan();
    const bool twice = std::find(names.begin(), names.end(), plan.name) != names.end();
    good = good && plan.refused.empty() && !twice && !IsInUse(plan.name);
    names.push_back(plan.name);
    specs.push_back(added.back()->MakeSpec());
  }
  if (probes_.size() + added.size() > kMostTasks) return;
  const size_t before = supervisor_->ListTasks().size();
  auto handles = supervisor_->RegisterAll(std::move(specs));
  Check(handles.ok() == good || added.empty(),
        [&] { return absl::StrCat("RegisterAll: ", handles.status().ToString()); });
  if (!handles.ok()) {
    for (const std::shared_ptr<Probe>& probe : added) probe->Refused();
    return Check(supervisor_->ListTasks().size() == before, "some are registered, and not all");
  }
  Check(handles->size() == added.size(), "RegisterAll gives another number of handles");
  for (size_t i = 0; i < added.size(); ++i) {
    probes_.push_back(added[i]);
    added[i]->Accepted((*handles)[i], true, shutdown_timeout_);
  }
}

void Session::StartAll() {
  const absl::Status status = supervisor_->StartAll();
  Check(shut_down_ ? absl::IsFailedPrecondition(status) : status.ok(),
        [&] { return absl::StrCat("StartAll: ", status.ToString()); });
  if (!status.ok()) return;
  for (const std::shared_ptr<Probe>& probe : Mine()) {
    if (probe->handle().state() != TaskState::kRegistered && !probe->has_result()) probe->Started();
  }
}

// --- From the beginning to the end.

void Session::OperateOnSupervisor() {
  switch (input_.Below(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return AddOne();
    case 4:
    case 5:
      return AddSeveral();
    case 6:
    case 7:
      return StartAll();
    case 8:
      return Find();
    case 9:
      return WaitAny();
    case 10:
      return WaitAll();
    case 11:
      return ShutDown();
    case 12:
      return Destroy();
    default:
      return LookAtTables();
  }
}

void Session::OperateOnHandle() {
  if (probes_.empty()) return;
  switch (input_.Below(6)) {
    case 0:
    case 1:
      Any().RequestStop();
      return;
    case 2:
      return Wait();
    case 3:
      return AddCallback();
    case 4:
      return LookAtFuture();
    default: {
      const TaskInfo info = Any().handle().info();
      Check(!ToString(Any().handle().history()).empty(), "a history without words");
      return Check(!ToString(info).empty(), "a task without words");
    }
  }
}

void Session::Operate() {
  switch (input_.Below(4)) {
    case 0:
      return simulation_->AdvanceTo(simulation_->NowNanos() +
                                    absl::ToInt64Nanoseconds(UsualDuration(input_)));
    case 1:
      return OperateOnHandle();
    default:
      return supervisor_ != nullptr ? OperateOnSupervisor() : Create();
  }
}

void Session::Finish() {
  if (supervisor_ != nullptr) Destroy();
  for (int day = 0; simulation_->threads() > 0; ++day) {
    Check(day < kMostDaysAfterwards, "threads do not end");
    simulation_->AdvanceTo(simulation_->NowNanos() + kDay);
  }
  for (const std::shared_ptr<Probe>& probe : probes_) probe->CheckEnd();
  Check(simulation_.use_count() == 1, "something of the Supervisor is left");
}

void Session::Run() {
  Create();
  for (int i = 0; i < kMostOperations && !input_.empty(); ++i) {
    Operate();
    for (const std::shared_ptr<Probe>& probe : probes_) probe->Look();
  }
  Finish();
}

}  // namespace foxtive::test
