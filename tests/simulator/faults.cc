// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/simulator/faults.h"

#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/backoff_strategy.h"
#include "lib/core/lifecycle.h"
#include "lib/core/timer_wheel.h"
#include "lib/shell/event_queue.h"
#include "lib/shell/inbox.h"
#include "lib/shell/task_record.h"
#include "lib/shell/task_table.h"

namespace foxtive::test {
namespace {

Fault planted = Fault::kNone;
uint64_t occasions = 0;  // of the planted fault

// Whether it happens now: on each nth occasion.
bool Strikes(Fault fault, uint64_t n = 1) { return planted == fault && ++occasions % n == 0; }

class FaultyExecutor final : public internal::Executor {
 public:
  explicit FaultyExecutor(std::shared_ptr<Executor> real) : real_(std::move(real)) {}

  bool Start() override { return real_->Start(); }
  void AwaitFirst(int64_t deadline) override { real_->AwaitFirst(deadline); }

  bool Push(internal::Job& job) override {
    if (Strikes(Fault::kPushLost, 20)) return true;
    if (held_ == nullptr && Strikes(Fault::kOrderSwapped, 7)) {
      held_ = &job;
      return true;
    }
    const bool pushed = real_->Push(job);
    LetGo();
    return pushed;
  }

  bool Withdraw(internal::Job& job) override {
    if (held_ == &job) LetGo();
    return real_->Withdraw(job);
  }

  void WatchQueue() override { real_->WatchQueue(); }
  bool is_crowded() const override { return real_->is_crowded(); }
  Waiting LookAtQueue(bool forget) override { return real_->LookAtQueue(forget); }
  bool AbandonRun(internal::Job& job, uint32_t run_number) override {
    return Strikes(Fault::kCapacityLeaked) || real_->AbandonRun(job, run_number);
  }
  bool Abandon(internal::Job& job) override {
    return Strikes(Fault::kCapacityLeaked) || real_->Abandon(job);
  }

  bool HasWaiting() const override { return real_->HasWaiting(); }
  int64_t Tend(int64_t now) override { return real_->Tend(now); }

  void Close(bool wait) override {
    LetGo();
    real_->Close(wait);
  }

 private:
  void LetGo() {
    if (internal::Job* const job = std::exchange(held_, nullptr)) real_->Push(*job);
  }

  const std::shared_ptr<Executor> real_;
  internal::Job* held_ = nullptr;  // until the next one has overtaken it
};

}  // namespace

const char* NameOf(Fault fault) {
  static constexpr const char* kNames[] = {"nothing",
                                           "an unpark lost",
                                           "a push lost",
                                           "a post lost",
                                           "order swapped",
                                           "capacity leaked",
                                           "published twice",
                                           "backoff off by one",
                                           "backoff too short",
                                           "a timer early",
                                           "a timer late",
                                           "a timer not cancelled",
                                           "backoff too long",
                                           "attempts off by one",
                                           "health forgotten",
                                           "permanent ignored",
                                           "permit ignored",
                                           "permit asked too often",
                                           "stop timer ignored",
                                           "stop forgotten",
                                           "stop taken twice",
                                           "shutdown forgets one",
                                           "start forgets one",
                                           "hook order swapped",
                                           "name freed early",
                                           "result handed out twice",
                                           "late return forgotten",
                                           "end told twice",
                                           "end not told",
                                           "a wait too short",
                                           "a wait deaf",
                                           "a stop loses to a gift",
                                           "OnStop twice",
                                           "OnStop forgotten",
                                           "a stage left early",
                                           "a stage kept",
                                           "history forgotten"};
  return kNames[static_cast<int>(fault)];
}

void Plant(Fault fault) {
  planted = fault;
  occasions = 0;
}

bool Planted(Fault fault) { return planted == fault; }

std::shared_ptr<internal::Executor> WithFaults(std::shared_ptr<internal::Executor> executor) {
  return std::make_shared<FaultyExecutor>(std::move(executor));
}

TaskSpec WithFaults(TaskSpec spec) {
  const bool both = spec.hooks.on_error && spec.hooks.should_restart;
  if (!both || !Strikes(Fault::kHookOrderSwapped)) return spec;
  struct Late {
    absl::AnyInvocable<void(const absl::Status&, int64_t)> on_error;
    absl::AnyInvocable<bool(int64_t, const absl::Status&)> should_restart;
    bool owed = false;
  };
  auto late = std::make_shared<Late>();
  late->on_error = std::move(spec.hooks.on_error);
  late->should_restart = std::move(spec.hooks.should_restart);
  spec.hooks.on_error = [late](const absl::Status&, int64_t) { late->owed = true; };
  spec.hooks.should_restart = [late](int64_t attempt, const absl::Status& error) {
    const bool permitted = late->should_restart(attempt, error);
    if (std::exchange(late->owed, false)) late->on_error(error, attempt);
    return permitted;
  };
  return spec;
}

}  // namespace foxtive::test

// --- In front of functions. A member function is one whose first argument is the object.

// They have the types of C++ functions and names of C.
#ifdef __clang__
#pragma clang diagnostic ignored "-Wreturn-type-c-linkage"
#endif

namespace foxtive::internal {
namespace {

using test::Fault;
using test::Strikes;

}  // namespace

extern "C" {

// Of each: the real one, and what is called in its place.

#define FOXTIVE_REAL(name) __real_##name
#define FOXTIVE_WRAP(name) __wrap_##name

bool FOXTIVE_REAL(_ZN7foxtive8internal10EventQueue4EmitENS0_6NoticeE)(EventQueue* queue,
                                                                      Notice notice);
bool FOXTIVE_WRAP(_ZN7foxtive8internal10EventQueue4EmitENS0_6NoticeE)(EventQueue* queue,
                                                                      Notice notice) {
  if (notice.kind == EventKind::kTaskOver) {
    if (Strikes(Fault::kEndNotTold, 3)) return true;
    if (Strikes(Fault::kEndToldTwice, 3)) {
      FOXTIVE_REAL(_ZN7foxtive8internal10EventQueue4EmitENS0_6NoticeE)(queue, notice);
    }
  }
  return FOXTIVE_REAL(_ZN7foxtive8internal10EventQueue4EmitENS0_6NoticeE)(queue, std::move(notice));
}

void FOXTIVE_REAL(_ZN7foxtive8internal10TaskRecord10CallOnStopEPFvPvES2_)(TaskRecord*,
                                                                          void (*)(void*), void*);
void FOXTIVE_WRAP(_ZN7foxtive8internal10TaskRecord10CallOnStopEPFvPvES2_)(TaskRecord* record,
                                                                          void (*call)(void*),
                                                                          void* callback) {
  if (Strikes(Fault::kOnStopForgotten, 3)) return;
  if (Strikes(Fault::kOnStopTwice)) call(callback);
  FOXTIVE_REAL(_ZN7foxtive8internal10TaskRecord10CallOnStopEPFvPvES2_)(record, call, callback);
}

void FOXTIVE_REAL(_ZN7foxtive8internal10TaskRecord10PrepareLogEv)(TaskRecord*);
void FOXTIVE_WRAP(_ZN7foxtive8internal10TaskRecord10PrepareLogEv)(TaskRecord* record) {
  if (Strikes(Fault::kHistoryForgotten)) return;
  FOXTIVE_REAL(_ZN7foxtive8internal10TaskRecord10PrepareLogEv)(record);
}

TaskRecord::Due FOXTIVE_REAL(_ZN7foxtive8internal10TaskRecord8TimerDueEv)(TaskRecord*);
TaskRecord::Due FOXTIVE_WRAP(_ZN7foxtive8internal10TaskRecord8TimerDueEv)(TaskRecord* record) {
  const TaskRecord::Due due = FOXTIVE_REAL(_ZN7foxtive8internal10TaskRecord8TimerDueEv)(record);
  if (due != TaskRecord::Due::kAbandon || !Strikes(Fault::kStopTimerIgnored)) return due;
  return TaskRecord::Due::kNothing;
}

bool FOXTIVE_REAL(_ZN7foxtive8internal10TaskRecord9AwaitTurnEl)(TaskRecord*, int64_t);
bool FOXTIVE_WRAP(_ZN7foxtive8internal10TaskRecord9AwaitTurnEl)(TaskRecord* record,
                                                                int64_t deadline) {
  constexpr int64_t kMillisecond = 1'000'000;
  if (Strikes(Fault::kWaitTooShort)) deadline -= kMillisecond;
  while (FOXTIVE_REAL(_ZN7foxtive8internal10TaskRecord9AwaitTurnEl)(record, deadline)) {
    if (!Strikes(Fault::kWaitDeaf)) return true;
  }
  return false;
}

bool FOXTIVE_REAL(_ZN7foxtive8internal10TimerWheel6CancelERNS0_9TimerNodeE)(TimerWheel*,
                                                                            TimerNode&);
bool FOXTIVE_WRAP(_ZN7foxtive8internal10TimerWheel6CancelERNS0_9TimerNodeE)(TimerWheel* wheel,
                                                                            TimerNode& node) {
  if (Strikes(Fault::kTimerNotCancelled)) return false;
  return FOXTIVE_REAL(_ZN7foxtive8internal10TimerWheel6CancelERNS0_9TimerNodeE)(wheel, node);
}

void FOXTIVE_REAL(_ZN7foxtive8internal10TimerWheel8ScheduleERNS0_9TimerNodeEm)(TimerWheel*,
                                                                               TimerNode&,
                                                                               uint64_t);
void FOXTIVE_WRAP(_ZN7foxtive8internal10TimerWheel8ScheduleERNS0_9TimerNodeEm)(TimerWheel* wheel,
                                                                               TimerNode& node,
                                                                               uint64_t ticks) {
  constexpr uint64_t kMillisecond = 1000;
  // Not each of them: what is looked at too early is looked at again.
  if (Strikes(Fault::kTimerEarly, 2)) ticks -= kMillisecond;
  if (Strikes(Fault::kTimerLate)) ticks += kMillisecond;
  FOXTIVE_REAL(_ZN7foxtive8internal10TimerWheel8ScheduleERNS0_9TimerNodeEm)(wheel, node, ticks);
}

int64_t FOXTIVE_REAL(_ZN7foxtive8internal13CountFailuresElNS0_10AttemptEndEb)(int64_t, AttemptEnd,
                                                                              bool);
int64_t FOXTIVE_WRAP(_ZN7foxtive8internal13CountFailuresElNS0_10AttemptEndEb)(int64_t failures,
                                                                              AttemptEnd end,
                                                                              bool healthy) {
  if (Strikes(Fault::kHealthForgotten)) healthy = false;
  return FOXTIVE_REAL(_ZN7foxtive8internal13CountFailuresElNS0_10AttemptEndEb)(failures, end,
                                                                               healthy);
}

bool FOXTIVE_REAL(
    _ZN7foxtive8internal17AsksShouldRestartERKNS0_12RestartRulesERKNS0_12AttemptFactsE)(
    const RestartRules&, const AttemptFacts&);
bool FOXTIVE_WRAP(
    _ZN7foxtive8internal17AsksShouldRestartERKNS0_12RestartRulesERKNS0_12AttemptFactsE)(
    const RestartRules& rules, const AttemptFacts& facts) {
  return Strikes(Fault::kPermitAskedTooOften) ||
         FOXTIVE_REAL(
             _ZN7foxtive8internal17AsksShouldRestartERKNS0_12RestartRulesERKNS0_12AttemptFactsE)(
             rules, facts);
}

Transition FOXTIVE_REAL(_ZN7foxtive8internal4NextENS_9TaskStateENS0_9LifeEventE)(TaskState,
                                                                                 LifeEvent);
Transition FOXTIVE_WRAP(_ZN7foxtive8internal4NextENS_9TaskStateENS0_9LifeEventE)(TaskState state,
                                                                                 LifeEvent event) {
  Transition next =
      FOXTIVE_REAL(_ZN7foxtive8internal4NextENS_9TaskStateENS0_9LifeEventE)(state, event);
  if (event != LifeEvent::kStopRequested) return next;
  if (state == TaskState::kBackingOff && Strikes(Fault::kStopForgotten)) next.actions = kNoAction;
  if (state == TaskState::kStopping && Strikes(Fault::kStopTakenTwice)) next.taken = true;
  return next;
}

void FOXTIVE_REAL(_ZN7foxtive8internal5Inbox4PostERNS0_10TaskRecordE)(Inbox*, TaskRecord&);
void FOXTIVE_WRAP(_ZN7foxtive8internal5Inbox4PostERNS0_10TaskRecordE)(Inbox* inbox,
                                                                      TaskRecord& record) {
  if (Strikes(Fault::kPostLost, 20)) return;
  FOXTIVE_REAL(_ZN7foxtive8internal5Inbox4PostERNS0_10TaskRecordE)(inbox, record);
}

Verdict FOXTIVE_REAL(_ZN7foxtive8internal5JudgeERKNS0_12RestartRulesERKNS0_12AttemptFactsEbl)(
    const RestartRules&, const AttemptFacts&, bool, int64_t);
Verdict FOXTIVE_WRAP(_ZN7foxtive8internal5JudgeERKNS0_12RestartRulesERKNS0_12AttemptFactsEbl)(
    const RestartRules& rules, const AttemptFacts& facts, bool permitted, int64_t failures) {
  AttemptFacts seen = facts;
  if (Strikes(Fault::kPermanentIgnored)) seen.permanent = false;
  if (Strikes(Fault::kPermitIgnored)) permitted = true;
  if (Strikes(Fault::kAttemptsOffByOne)) --failures;
  return FOXTIVE_REAL(_ZN7foxtive8internal5JudgeERKNS0_12RestartRulesERKNS0_12AttemptFactsEbl)(
      rules, seen, permitted, failures);
}

TaskRecord* FOXTIVE_REAL(_ZN7foxtive8internal9TaskTable10TakeToStopEv)(TaskTable*);
TaskRecord* FOXTIVE_WRAP(_ZN7foxtive8internal9TaskTable10TakeToStopEv)(TaskTable* table) {
  TaskRecord* const record = FOXTIVE_REAL(_ZN7foxtive8internal9TaskTable10TakeToStopEv)(table);
  if (record == nullptr || !Strikes(Fault::kShutdownForgetsOne, 4)) return record;
  record->Unref();
  return FOXTIVE_REAL(_ZN7foxtive8internal9TaskTable10TakeToStopEv)(table);
}

TaskTable::Left FOXTIVE_REAL(_ZN7foxtive8internal9TaskTable11AfterResultERNS0_10TaskRecordE)(
    TaskTable*, TaskRecord&);
TaskTable::Left FOXTIVE_WRAP(_ZN7foxtive8internal9TaskTable11AfterResultERNS0_10TaskRecordE)(
    TaskTable* table, TaskRecord& record) {
  // Of another stop_order the table would not know any more.
  if (record.stop_order() == 0 && Strikes(Fault::kPublishedTwice, 5)) {
    FOXTIVE_REAL(_ZN7foxtive8internal9TaskTable11AfterResultERNS0_10TaskRecordE)(table, record);
  }
  return FOXTIVE_REAL(_ZN7foxtive8internal9TaskTable11AfterResultERNS0_10TaskRecordE)(table,
                                                                                      record);
}

bool FOXTIVE_REAL(_ZN7foxtive8internal9TaskTable11LeaveIfOverEv)(TaskTable*);
bool FOXTIVE_WRAP(_ZN7foxtive8internal9TaskTable11LeaveIfOverEv)(TaskTable* table) {
  if (Strikes(Fault::kStageLeftEarly)) return table->Leave(table->stage().stop_order);
  if (Strikes(Fault::kStageKept)) return false;
  return FOXTIVE_REAL(_ZN7foxtive8internal9TaskTable11LeaveIfOverEv)(table);
}

TaskRecord* FOXTIVE_REAL(_ZN7foxtive8internal9TaskTable11TakeToStartEv)(TaskTable*);
TaskRecord* FOXTIVE_WRAP(_ZN7foxtive8internal9TaskTable11TakeToStartEv)(TaskTable* table) {
  TaskRecord* const record = FOXTIVE_REAL(_ZN7foxtive8internal9TaskTable11TakeToStartEv)(table);
  if (record == nullptr || !Strikes(Fault::kStartForgetsOne, 3)) return record;
  record->Unref();
  return FOXTIVE_REAL(_ZN7foxtive8internal9TaskTable11TakeToStartEv)(table);
}

TaskTable::Waited FOXTIVE_REAL(_ZN7foxtive8internal9TaskTable8AwaitAnyElRPNS0_10TaskRecordE)(
    TaskTable*, int64_t, TaskRecord*&);
TaskTable::Waited FOXTIVE_WRAP(_ZN7foxtive8internal9TaskTable8AwaitAnyElRPNS0_10TaskRecordE)(
    TaskTable* table, int64_t deadline, TaskRecord*& record) {
  const TaskTable::Waited waited = FOXTIVE_REAL(
      _ZN7foxtive8internal9TaskTable8AwaitAnyElRPNS0_10TaskRecordE)(table, deadline, record);
  if (waited == TaskTable::Waited::kYes && Strikes(Fault::kResultHandedOutTwice)) {
    record->Ref();
    table->PutBack(*record);
  }
  return waited;
}

void FOXTIVE_REAL(_ZN7foxtive8internal9TaskTable8ReturnedERNS0_10TaskRecordE)(TaskTable*,
                                                                              TaskRecord&);
void FOXTIVE_WRAP(_ZN7foxtive8internal9TaskTable8ReturnedERNS0_10TaskRecordE)(TaskTable* table,
                                                                              TaskRecord& record) {
  if (Strikes(Fault::kLateReturnForgotten)) return;
  FOXTIVE_REAL(_ZN7foxtive8internal9TaskTable8ReturnedERNS0_10TaskRecordE)(table, record);
}

absl::Status FOXTIVE_REAL(
    _ZN7foxtive8internal9TaskTable9AddLockedESt4spanIKPNS0_10TaskRecordELm18446744073709551615EEb)(
    TaskTable*, std::span<TaskRecord* const>, bool);
absl::Status FOXTIVE_WRAP(
    _ZN7foxtive8internal9TaskTable9AddLockedESt4spanIKPNS0_10TaskRecordELm18446744073709551615EEb)(
    TaskTable* table, std::span<TaskRecord* const> records, bool start) {
  absl::Status status = FOXTIVE_REAL(
      _ZN7foxtive8internal9TaskTable9AddLockedESt4spanIKPNS0_10TaskRecordELm18446744073709551615EEb)(
      table, records, start);
  for (TaskRecord* record : records) {
    if (status.ok() && Strikes(Fault::kNameFreedEarly)) record->table_marks().name_free = true;
  }
  return status;
}

absl::Status FOXTIVE_REAL(_ZNK7foxtive8internal10TaskRecord7EndWaitEb)(const TaskRecord*, bool);
absl::Status FOXTIVE_WRAP(_ZNK7foxtive8internal10TaskRecord7EndWaitEb)(const TaskRecord* record,
                                                                       bool ready) {
  if (ready && Strikes(Fault::kStopLosesToGift)) return absl::OkStatus();
  return FOXTIVE_REAL(_ZNK7foxtive8internal10TaskRecord7EndWaitEb)(record, ready);
}

absl::Duration FOXTIVE_REAL(_ZNK7foxtive15BackoffStrategy5DelayEld)(const BackoffStrategy*, int64_t,
                                                                    double);
absl::Duration FOXTIVE_WRAP(_ZNK7foxtive15BackoffStrategy5DelayEld)(const BackoffStrategy* backoff,
                                                                    int64_t failures, double unit) {
  if (Strikes(Fault::kBackoffOffByOne)) ++failures;
  const absl::Duration delay =
      FOXTIVE_REAL(_ZNK7foxtive15BackoffStrategy5DelayEld)(backoff, failures, unit);
  if (Strikes(Fault::kBackoffTooLong)) return delay * 1.001 + absl::Microseconds(1);
  return Strikes(Fault::kBackoffTooShort) ? delay * 0.999 : delay;
}

}  // extern "C"

}  // namespace foxtive::internal
