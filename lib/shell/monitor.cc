// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/monitor.h"

#include <algorithm>
#include <cstdint>
#include <new>
#include <optional>
#include <utility>

#include "lib/core/timer_wheel.h"
#include "lib/shell/caught.h"
#include "lib/shell/engine.h"
#include "lib/shell/lane_pool.h"
#include "lib/shell/real_time_alarm.h"
#include "lib/shell/starvation_alarm.h"
#include "lib/shell/task_record.h"
#include "lib/shell/thread_setup.h"

namespace foxtive::internal {
namespace {

constexpr int64_t kNanosPerTick = 1000;
constexpr int64_t kSuspendedNanos = 1'000'000'000;
// A clock's origin is arbitrary, so its times may be negative.
constexpr uint64_t kTickOffset = (uint64_t{1} << 63) / kNanosPerTick + 1;

int64_t FloorTicks(int64_t nanos) {
  return nanos / kNanosPerTick - (nanos % kNanosPerTick < 0 ? 1 : 0);
}

uint64_t NowTicks(int64_t nanos) { return static_cast<uint64_t>(FloorTicks(nanos)) + kTickOffset; }

// Rounded up.
uint64_t DeadlineTicks(int64_t nanos) {
  const bool even = nanos % kNanosPerTick == 0;
  return static_cast<uint64_t>(FloorTicks(nanos)) + kTickOffset + (even ? 0 : 1);
}

int64_t NanosOf(uint64_t ticks) {
  if (ticks == TimerWheel::kNever) return Clock::kNever;
  int64_t nanos;
  const auto signed_ticks = static_cast<int64_t>(ticks - kTickOffset);
  return __builtin_mul_overflow(signed_ticks, kNanosPerTick, &nanos) ? Clock::kNever : nanos;
}

class Monitor {
 public:
  explicit Monitor(Engine& engine)
      : engine_(engine), wheel_(NowTicks(engine.clock().NowNanos())), starvation_(engine) {}

  // Here nobody would catch a std::bad_alloc.
  absl::Status Start() noexcept;
  void Run();

 private:
  absl::Status StartThreads();
  void LookAtPosted(TaskRecord* first);
  void LookAt(TaskRecord& record);
  void SetTimer(TaskRecord& record, int64_t nanos);
  void CancelTimer(TaskRecord& record);
  void FireTimers();
  void NoticeSuspension(int64_t planned_nanos);
  void Leave();

  // For the executors; the reference is theirs then.
  void PushAttempt(TaskRecord& record);
  void PushService(TaskRecord& record);

  Engine& engine_;
  TimerWheel wheel_;
  StarvationAlarm starvation_;
  int64_t resumed_nanos_ = Clock::kPast;  // when the process went on after it was suspended
  std::optional<RealTimeAlarm> alarm_;    // if the clock is the user's
};

absl::Status Monitor::Start() noexcept {
  try {
    return StartThreads();
  } catch (const std::bad_alloc&) {
    return NoMemory();
  }
}

absl::Status Monitor::StartThreads() {
  if (!engine_.StartExecutors()) {
    return absl::ResourceExhaustedError(
        "no thread could be created for the first lanes: raise the limit of threads (ulimit -u, "
        "the cgroup's pids.max) or of memory");
  }
  if (engine_.has_real_clock()) return absl::OkStatus();
  alarm_.emplace(engine_.system(), engine_.inbox());
  if (alarm_->Start().ok()) return absl::OkStatus();
  return absl::ResourceExhaustedError("no thread could be created for real time");
}

void Monitor::Run() {
  while (true) {
    // Before the rest, so that whatever came before the order to leave is seen to.
    const bool leaving = engine_.leaving();
    LookAtPosted(engine_.inbox().TakeAll());
    const int64_t stage_due = engine_.shutdown_requested() ? engine_.TendStages() : Clock::kNever;
    FireTimers();
    const int64_t real_now = engine_.real_clock().NowNanos();
    const int64_t real_due =
        std::min(engine_.lanes().Tend(real_now), engine_.services().Tend(real_now));
    if (leaving) break;
    int64_t deadline = std::min({NanosOf(wheel_.NextDeadline()), starvation_.Look(), stage_due});
    if (alarm_.has_value()) {
      alarm_->Set(real_due);
    } else {
      deadline = std::min(deadline, real_due);
    }
    engine_.inbox().Wait(deadline);
    NoticeSuspension(deadline);
  }
  Leave();
}

void Monitor::Leave() {
  LookAtPosted(engine_.inbox().Close());
  while (TimerNode* const node = wheel_.PopDue(TimerWheel::kNever - 1)) {
    engine_.UnrefElsewhere(static_cast<TaskRecord&>(*node));
  }
  engine_.services().Tend(engine_.real_clock().NowNanos());
  engine_.lanes().Close(/*wait=*/false);
  engine_.services().Close(/*wait=*/false);
}

void Monitor::LookAtPosted(TaskRecord* record) {
  while (record != nullptr) {
    TaskRecord& current = *record;
    record = Inbox::Next(current);
    LookAt(current);
    engine_.UnrefElsewhere(current);
  }
}

void Monitor::LookAt(TaskRecord& record) {
  const TaskRecord::Orders orders = record.TakeOrders();
  if ((orders.actions & (kArmBackoff | kArmStopTimer | kArmWatch)) != 0) {
    SetTimer(record, orders.timer_nanos);
  }
  if (orders.state == TaskState::kOverdue || orders.state == TaskState::kFinished) {
    CancelTimer(record);
  }
  if ((orders.actions & kWithdraw) != 0 && engine_.lanes().Withdraw(record.attempt_job())) {
    engine_.UnrefElsewhere(record);  // the queue's reference
  }
  if ((orders.actions & (kWithdraw | kSignalStop | kWindDown)) != 0) PushService(record);
}

void Monitor::SetTimer(TaskRecord& record, int64_t nanos) {
  CancelTimer(record);
  if (nanos == Clock::kNever) return;
  record.Ref();
  wheel_.Schedule(record, DeadlineTicks(nanos));
}

void Monitor::CancelTimer(TaskRecord& record) {
  if (wheel_.Cancel(record)) engine_.UnrefElsewhere(record);
}

void Monitor::FireTimers() {
  const uint64_t now = NowTicks(engine_.clock().NowNanos());
  while (TimerNode* const node = wheel_.PopDue(now)) {
    TaskRecord& record = static_cast<TaskRecord&>(*node);
    switch (record.TimerDue()) {
      case TaskRecord::Due::kEnqueue:
        PushAttempt(record);
        break;
      case TaskRecord::Due::kAbandon:
        record.Abandon();
        break;
      case TaskRecord::Due::kLookAfterRun:
        SetTimer(record, record.LookAfterRun(resumed_nanos_));
        break;
      case TaskRecord::Due::kNothing:
        break;
    }
    engine_.UnrefElsewhere(record);
  }
}

// Woken so late, whoever woke it: nobody else could do anything in that time either.
void Monitor::NoticeSuspension(int64_t planned_nanos) {
  if (planned_nanos == Clock::kNever) return;
  const int64_t now = engine_.clock().NowNanos();
  if (now - planned_nanos > kSuspendedNanos) resumed_nanos_ = now;
}

void Monitor::PushAttempt(TaskRecord& record) {
  record.Ref();
  if (!engine_.lanes().Push(record.attempt_job())) engine_.UnrefElsewhere(record);
}

void Monitor::PushService(TaskRecord& record) {
  record.Ref();
  if (!engine_.services().Push(record.service_job())) engine_.UnrefElsewhere(record);
}

}  // namespace

absl::Status MonitorStart::Await() {
  real_clock_.Park(parker_, Clock::kNever);
  return status_;
}

void MonitorStart::Set(absl::Status status) {
  status_ = std::move(status);
  real_clock_.Unpark(parker_);
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): the thread has a reference of its own.
void RunMonitor(EngineRef engine, MonitorStart& start) {
  if (engine->system().lanes_own_threads()) {
    NameThread("foxtive-monitor");
    MinimizeTimerSlack();
  }
  Monitor monitor(*engine);
  const absl::Status status = monitor.Start();
  const bool started = status.ok();
  start.Set(status);
  if (started) monitor.Run();
}

}  // namespace foxtive::internal
