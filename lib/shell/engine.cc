// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/engine.h"

#include <algorithm>
#include <climits>
#include <exception>
#include <functional>
#include <new>
#include <random>
#include <string>
#include <typeinfo>
#include <utility>

#include "absl/strings/str_cat.h"
#include "lib/shell/caught.h"
#include "lib/shell/fork_guard.h"
#include "lib/shell/lane_pool.h"
#include "lib/shell/monitor.h"
#include "lib/shell/real_time.h"
#include "lib/shell/roll_call.h"
#include "lib/shell/shutdown_signals.h"
#include "lib/shell/stack_capture.h"
#include "lib/shell/task_record.h"
#include "lib/shell/user_code_scope.h"

namespace foxtive::internal {
namespace {

// Service lanes beyond one for each lane: as many tasks that no lane holds may be in their last
// hooks at once. A lane's task has one of its own, so that no hook that hangs holds back another
// task.
constexpr int kSpareServiceLanes = 16;

int ServiceLanes(int max_concurrency) {
  return std::min(max_concurrency, INT_MAX - kSpareServiceLanes) + kSpareServiceLanes;
}

std::shared_ptr<Executor> MakePool(const std::shared_ptr<System>& system, int max_lanes,
                                   const char* thread_name, const std::shared_ptr<Inbox>& inbox,
                                   std::function<void(const std::string&)> report) {
  return system->Adorn(std::make_shared<LanePool>(
      system, max_lanes, thread_name, [inbox] { inbox->Nudge(); }, std::move(report)));
}

// Reports come on the monitor, while it has the engine.
std::function<void(const std::string&)> ReportTo(Engine& engine) {
  return [&engine](const std::string& cause) {
    Notice notice{.kind = EventKind::kCapacityLimited, .reason = "tasks wait for a thread"};
    try {
      notice.text = cause;
    } catch (const std::bad_alloc&) {
    }
    engine.events().Emit(std::move(notice));
  };
}

// What is told at the end of the time, that workers are stuck, is what matters most. For callbacks
// of OnFinished and for the listener.
constexpr int64_t kLeastDrainNanos = 100'000'000;

// How long a new Supervisor waits for that one, if oneTBB is limited.
constexpr int64_t kFirstServiceLaneNanos = 1'000'000'000;

absl::Status DetailThrew(const std::exception* exception) {
  return absl::InvalidArgumentError(
      absl::StrCat("listener: detail() threw ", CaughtStatus(exception).message()));
}

absl::Status AskDetail(const EventListener* listener, EventDetail& detail) {
  try {
    if (listener != nullptr) detail = listener->detail();
    return absl::OkStatus();
  } catch (const std::bad_alloc&) {
    throw;  // no memory makes no bad listener
  } catch (const std::exception& exception) {
    return DetailThrew(&exception);
  } catch (...) {
    return DetailThrew(nullptr);
  }
}

bool IsRealClock(const Clock& clock, const Clock& real_clock) {
  return &clock == &real_clock || typeid(clock) == typeid(Clock);
}

uint64_t RandomSeed() {
  try {
    std::random_device device;
    return (uint64_t{device()} << 32) | device();
  } catch (const std::exception&) {
    // Without a source of randomness: no two Supervisors need the same, and that is all.
    return static_cast<uint64_t>(WallNanos());
  }
}

}  // namespace

Engine::Engine(const SupervisorOptions& options, EventDetail detail)
    : system_(System::Of(options.clock)),
      real_clock_(system_->real_clock()),
      clock_(options.clock != nullptr ? options.clock : std::make_shared<Clock>()),
      has_real_clock_(IsRealClock(*clock_, real_clock_)),
      shutdown_timeout_(options.shutdown_timeout),
      starvation_alarm_(options.starvation_alarm),
      seed_(options.seed.has_value() ? *options.seed : RandomSeed()),
      stack_signal_(options.stack_signal),
      attempt_history_(options.attempt_history),
      inbox_(std::make_shared<Inbox>(clock_)),
      lanes_(MakePool(system_, options.max_concurrency, "foxtive-lane", inbox_, ReportTo(*this))),
      services_(MakePool(system_, ServiceLanes(options.max_concurrency), "foxtive-service", inbox_,
                         ReportTo(*this))),
      table_(*clock_),
      events_(*this, options.listener, detail),
      finished_calls_(real_clock_) {}

void Keep(Engine& engine) { engine.keepers_.fetch_add(1, std::memory_order_relaxed); }

// Release, so that whoever destroys it sees what others did to it; acquire, to see it.
void LetGo(Engine& engine) {
  if (engine.keepers_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete &engine;
}

absl::StatusOr<std::shared_ptr<Engine>> Engine::Create(const SupervisorOptions& options) {
  if (absl::Status status = BeginUse(); !status.ok()) return status;
  try {
    PrepareOutOfMemoryStatus();
    EventDetail detail = EventDetail::kEverything;
    if (absl::Status status = AskDetail(options.listener.get(), detail); !status.ok()) {
      return status;
    }
    if (options.stack_signal != 0) {
      if (absl::Status status = InstallStackSignal(options.stack_signal); !status.ok()) {
        return status;
      }
    }
    std::shared_ptr<Engine> engine(new Engine(options, detail), [](Engine* made) { LetGo(*made); });
    if (absl::Status status = engine->StartMonitor(); !status.ok()) return status;
    return engine;
  } catch (const std::bad_alloc&) {
    return NoMemory();
  }
}

absl::Status Engine::StartMonitor() {
  MonitorStart start(real_clock_);
  absl::StatusOr<std::unique_ptr<System::Thread>> monitor = system_->StartThread(
      [engine = EngineRef(*this), &start]() mutable { RunMonitor(std::move(engine), start); });
  if (!monitor.ok()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the monitor thread could not be created: ", monitor.status().message()));
  }
  monitor_ = *std::move(monitor);
  absl::Status status = start.Await();
  if (status.ok()) return status;
  monitor_->Join();
  lanes_->Close(/*wait=*/true);
  services_->Close(/*wait=*/true);
  return status;
}

// If there is one thread only it is for service, so that somebody can be told.
bool Engine::StartExecutors() {
  if (!services_->Start()) return false;
  services_->AwaitFirst(real_clock_.NowNanos() + kFirstServiceLaneNanos);
  return lanes_->Start();
}

absl::Status Engine::Add(std::span<TaskRecord* const> records, bool start) {
  absl::Status status = table_.Add(records, start, [this] { return shutdown_requested(); });
  if (!status.ok() || !start) return status;
  for (TaskRecord* record : records) record->Start();
  return status;
}

absl::Status Engine::StartAll() {
  if (shutdown_requested()) return TaskTable::ShutDownError();
  while (TaskRecord* const record = table_.TakeToStart()) {
    record->Start();
    record->Unref();
  }
  return absl::OkStatus();
}

void Engine::BeginShutdown() noexcept {
  shutdown_requested_ = true;
  inbox_->Nudge();
}

void Engine::RequestShutdown() noexcept {
  nobody_waits_ = true;
  BeginShutdown();
}

void Engine::ShutdownBySignal() noexcept {
  nobody_waits_ = true;
  if (shutdown_requested_.exchange(true)) cut_short_ = true;
  inbox_->Nudge();
}

void Engine::StopAll() {
  do {
    while (TaskRecord* const record = table_.TakeToStop()) {
      record->StopForShutdown();
      UnrefElsewhere(*record);
    }
  } while (table_.LeaveIfOver() || (cut_short_ && table_.Leave(table_.stage().stop_order)));
  if (cut_short_) AbandonStopping(nullptr);
}

int64_t Engine::TendStages() {
  StopAll();
  if (!nobody_waits_) return Clock::kNever;
  const int64_t now = clock_->NowNanos();
  if (!parts_.has_value()) parts_.emplace(After(now, shutdown_timeout_));
  while (true) {
    const StopStages::Stage stage = table_.stage();
    const int64_t end = parts_->EndOf(stage, now);
    if (now < end) return end;
    LeaveOverdueStage(stage.stop_order, parts_->gives_time());
  }
}

// Until all tasks are over, or the deadline: then all have been asked to stop.
bool Engine::AwaitStages(Clock& clock, int64_t deadline_nanos, const TaskRecord* except) {
  StageParts parts(deadline_nanos);
  while (true) {
    const StopStages::Stage stage = table_.stage();
    if (stage.following == 0) return table_.AwaitAllOver(clock, deadline_nanos, except);
    const int64_t end = parts.EndOf(stage, clock.NowNanos());
    if (!table_.AwaitStage(stage.stop_order, clock, end, except)) {
      LeaveOverdueStage(stage.stop_order, parts.gives_time());
    } else if (table_.Leave(stage.stop_order)) {
      StopAll();
    }
  }
}

void Engine::LeaveOverdueStage(int stop_order, bool had_time) {
  if (!table_.Leave(stop_order)) return;
  if (had_time && !events_.silent()) TellOverdueStage(stop_order);
  StopAll();
}

void Engine::TellOverdueStage(int stop_order) {
  Notice notice{.kind = EventKind::kStageOverdue,
                .reason = "a stop_order is not over in its part of the time"};
  try {
    notice.text = table_.DescribeStage(stop_order);
    if (notice.text.empty()) return;  // it has ended in this moment
  } catch (const std::bad_alloc&) {
  }
  events_.Emit(std::move(notice));
}

absl::Status Engine::Shutdown(absl::Duration timeout, RollCall* roll) {
  const int64_t deadline = After(clock_->NowNanos(), timeout);
  if (roll != nullptr) roll->Begin(timeout);
  BeginShutdown();
  StopAll();
  if (roll != nullptr) {
    const bool ends = deadline != Clock::kNever;
    const int64_t ask_at = ends ? deadline - roll->time_to_ask_nanos() : Clock::kNever;
    AwaitStages(*clock_, ask_at, nullptr);
    roll->AskWhere();
  }
  if (!AwaitStages(*clock_, deadline, nullptr)) AbandonAll(nullptr);
  return table_.OverdueStatus();
}

// Whoever has no result yet gets one. Others may be publishing theirs at this moment; that takes no
// time to speak of, and waits for nobody.
void Engine::AbandonStopping(const TaskRecord* except) {
  while (TaskRecord* const record = table_.FirstStopping(except)) {
    // Another thread may have taken it to stop it, and not come to that yet.
    record->StopForShutdown();
    if (!record->Abandon()) system_->Yield();
    UnrefElsewhere(*record);
  }
}

// Once no stage follows. Another thread may have left the last but one, and not come to asking yet.
void Engine::AbandonAll(const TaskRecord* except) {
  StopAll();
  AbandonStopping(except);
  table_.AwaitAllOver(*clock_, Clock::kNever, except);
}

void Engine::Stop() {
  const TaskRecord* const self = UserCodeScope::TaskOf(*this);
  const int64_t deadline = After(real_clock_.NowNanos(), shutdown_timeout_);
  BeginShutdown();
  StopAll();
  if (!AwaitStages(real_clock_, deadline, self)) AbandonAll(self);
  EndTelling(deadline);
  UnsubscribeSignals(*this);
  leaving_ = true;
  inbox_->Nudge();
  if (self == nullptr) {
    monitor_->Join();
    lanes_->Close(/*wait=*/true);
    services_->Close(/*wait=*/true);
  } else {
    monitor_->Detach();
  }
  DropResults();
  settings_.Forget();
}

// While the monitor is there, which makes lanes if they are needed.
void Engine::EndTelling(int64_t real_deadline_nanos) {
  const int64_t least = real_clock_.NowNanos() + kLeastDrainNanos;
  const int64_t deadline = cut_short_ ? least : std::max(real_deadline_nanos, least);
  finished_calls_.Close(deadline, FinishedCallsHere(*this));
  events_.Drain(deadline);
  events_.Close();
}

// Nobody will wait for them. Records know the engine, so one that was kept would keep it for ever.
void Engine::DropResults() {
  table_.KeepNoResults();
  while (TaskRecord* const record = table_.TakeEnded()) table_.HandedOut(*record);
}

void Engine::UnrefElsewhere(TaskRecord& record) {
  // A record that nobody else knows has no job under way: its service job is free to do this.
  if (!record.UnrefUnlessLast() && !services_->Push(record.service_job())) record.Unref();
}

}  // namespace foxtive::internal
