// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/testing/simulation.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <utility>

#include "absl/status/status.h"
#include "lib/shell/caught.h"
#include "lib/testing/fiber.h"

namespace foxtive::internal {
namespace {

// The one whose threads take turns on this thread at the moment.
constinit thread_local Simulation* simulation_at_work = nullptr;

[[noreturn]] void Die(const char* message) {
  std::fprintf(stderr, "foxtive: %s\n", message);
  std::abort();
}

}  // namespace

// --- Threads.

struct Simulation::Strand {
  Strand() = default;
  explicit Strand(std::function<void()> fiber_body) : fiber(std::move(fiber_body)) {}

  Fiber fiber;
  std::function<void()> body;
  std::shared_ptr<Strand> self;  // until it has ended
  bool waits = false;
  uint64_t wait = 0;               // number of the last wait
  const Parker* parker = nullptr;  // where it parks
  Strand* next_in_bucket = nullptr;
  bool looks = false;   // in AwaitTurn
  bool looked = false;  // and did nothing but that when it ran last
  uint64_t seen = 0;    // the changes when it began to wait there
  Strand* next_watcher = nullptr;
  bool ended = false;
  Parker joined;
};

class Simulation::StrandThread final : public System::Thread {
 public:
  StrandThread(std::shared_ptr<Simulation> simulation, std::shared_ptr<Strand> strand)
      : simulation_(std::move(simulation)), strand_(std::move(strand)) {}

  void Join() override {
    while (!strand_->ended) simulation_->Park(strand_->joined, kNever);
  }
  void Detach() override {}

 private:
  const std::shared_ptr<Simulation> simulation_;
  const std::shared_ptr<Strand> strand_;
};

Simulation::Simulation(std::unique_ptr<Chooser> chooser)
    : chooser_(std::move(chooser)),
      thread_(std::this_thread::get_id()),
      caller_(std::make_shared<Strand>()),
      current_(caller_.get()) {}

Simulation::~Simulation() {
  if (!is_caller()) Die("a simulation was destroyed by one of its threads");
}

std::shared_ptr<Simulation::Strand> Simulation::NewStrand(std::function<void()> body) {
  // Also the caller, and as many stale alarms as there are good ones.
  const size_t strands = threads_ + 2;
  if (ready_.capacity() < strands) ready_.reserve(2 * strands);
  if (alarms_.capacity() < 2 * strands) alarms_.reserve(4 * strands);
  auto strand = std::make_shared<Strand>([this] { RunStrand(*current_); });
  strand->body = std::move(body);
  strand->self = strand;
  self_ = shared_from_this();
  ++threads_;
  return strand;
}

void Simulation::RunStrand(Strand& strand) {
  ended_ = nullptr;
  {
    const std::function<void()> body = std::exchange(strand.body, nullptr);
    body();
  }
  while (strand.fiber.has_wakers()) Yield();
  strand.ended = true;
  --threads_;
  std::erase_if(alarms_, [&strand](const Alarm& alarm) { return alarm.strand == &strand; });
  std::make_heap(alarms_.begin(), alarms_.end(), &IsLater);
  Unpark(strand.joined);
  ended_ = std::move(strand.self);
  Leave(/*for_good=*/true);
}

absl::StatusOr<std::unique_ptr<System::Thread>> Simulation::StartThread(
    std::function<void()> body) {
  CheckThread();
  if (!chooser_->HasThread()) return absl::Status(absl::StatusCode::kResourceExhausted, "");
  try {
    const std::shared_ptr<Strand> strand = NewStrand(std::move(body));
    auto thread = std::make_unique<StrandThread>(shared_from_this(), strand);
    MakeReady(*strand);
    return thread;
  } catch (const std::bad_alloc&) {
    return NoMemory();
  }
}

std::unique_ptr<System::Thread> Simulation::Spawn(std::function<void()> body) {
  absl::StatusOr<std::unique_ptr<Thread>> thread = StartThread(std::move(body));
  return thread.ok() ? *std::move(thread) : nullptr;
}

LaunchReport Simulation::Launch(std::shared_ptr<LaneBody> body) {
  CheckThread();
  LaunchReport report = Look();
  if (!chooser_->HasThread()) return report;
  try {
    const std::shared_ptr<Strand> strand = NewStrand([body] {
      body->Run();
      body->Left();
    });
    const int64_t delay = chooser_->LaneDelay();
    if (delay <= 0) {
      MakeReady(*strand);
    } else {
      SetAlarm(*strand, now_ + delay);
    }
    report.launched = true;
  } catch (const std::bad_alloc&) {
  }
  return report;
}

bool Simulation::RaiseByOne() { return chooser_->HasThread(); }

LaunchReport Simulation::Look() {
  LaunchReport report{.parallelism_found = 1, .parallelism_wanted = 1};
  if (chooser_->IsLimited()) ++report.parallelism_wanted;
  return report;
}

// --- Waits.

Simulation::Strand*& Simulation::BucketOf(const Parker& parker) {
  const auto address = reinterpret_cast<uintptr_t>(&parker);
  return parked_[((address >> 3) ^ (address >> 13)) % kBuckets];
}

// What is left over of an unpark is in the parker itself, as with any clock.
bool Simulation::Park(Parker& parker, int64_t deadline_nanos) noexcept {
  CheckThread();
  Strand& self = *current_;
  while (!Clock::Park(parker, kPast)) {
    if (deadline_nanos <= now_) return false;
    self.parker = &parker;
    self.next_in_bucket = std::exchange(BucketOf(parker), &self);
    WaitUntil(deadline_nanos);
    Strand** link = &BucketOf(parker);
    while (*link != &self) link = &(*link)->next_in_bucket;
    *link = self.next_in_bucket;
    self.parker = nullptr;
  }
  return true;
}

void Simulation::Unpark(Parker& parker) noexcept {
  CheckThread();
  if (!chooser_->PassesUnpark()) return;
  Clock::Unpark(parker);
  Strand* strand = BucketOf(parker);
  while (strand != nullptr && strand->parker != &parker) strand = strand->next_in_bucket;
  if (strand != nullptr && strand->waits) MakeReady(*strand);
}

void Simulation::AdvanceTo(int64_t nanos) {
  if (!is_caller()) Die("time was advanced by a simulated thread, which would wait for itself");
  do {
    if (nanos <= now_) {
      Yield();
    } else {
      WaitUntil(nanos);
    }
  } while (now_ < nanos && !interrupted_);
}

void Simulation::Sleep(int64_t nanos) {
  Parker parker;
  const int64_t due = now_ + nanos;
  while (now_ < due) Park(parker, due);
}

void Simulation::Yield() noexcept {
  CheckThread();
  MakeReady(*current_);
  Leave(/*for_good=*/false);
}

void Simulation::Preempt() {
  Simulation* const self = simulation_at_work;
  if (self == nullptr || self->is_caller() || !self->chooser_->Preempts()) return;
  self->Yield();
}

void Simulation::WaitUntil(int64_t deadline_nanos) {
  SetAlarm(*current_, deadline_nanos);
  Leave(/*for_good=*/false);
}

void Simulation::SetAlarm(Strand& strand, int64_t nanos) {
  strand.waits = true;
  strand.wait = ++waits_;
  if (nanos == kNever) return;
  if (alarms_.size() == alarms_.capacity()) DropStaleAlarms();
  alarms_.push_back({nanos, strand.wait, &strand});
  std::push_heap(alarms_.begin(), alarms_.end(), &IsLater);
}

bool Simulation::IsStale(const Alarm& alarm) const {
  return !alarm.strand->waits || alarm.strand->wait != alarm.wait;
}

void Simulation::DropStaleAlarms() {
  std::erase_if(alarms_, [this](const Alarm& alarm) { return IsStale(alarm); });
  std::make_heap(alarms_.begin(), alarms_.end(), &IsLater);
}

// What it has done since its last wait may be what others look for.
void Simulation::BeginTurns() noexcept {
  CheckThread();
  current_->looked = false;
}

bool Simulation::AwaitTurn(int64_t deadline_nanos) noexcept {
  CheckThread();
  if (deadline_nanos <= now_) return false;
  Strand& self = *current_;
  // Others have run since it returned from here: maybe after it looked, so it looks again at once.
  const bool looked_only = std::exchange(self.looked, true);
  if (!looked_only) ++changes_;  // what it has done before it looked
  self.seen = looked_only ? changes_ : changes_ - 1;
  self.looks = true;
  self.next_watcher = std::exchange(first_watcher_, &self);
  WaitUntil(deadline_nanos);
  Strand** link = &first_watcher_;
  while (*link != &self) link = &(*link)->next_watcher;
  *link = self.next_watcher;
  self.looks = false;
  return true;
}

// --- Turns.

void Simulation::MakeReady(Strand& strand) {
  strand.waits = false;
  if (&strand != caller_.get()) ready_.push_back(&strand);
}

void Simulation::Leave(bool for_good) {
  Strand& self = *current_;
  if (!self.looks) {
    self.looked = false;
    ++changes_;
  }
  Strand& next = Choose();
  if (&next == &self) return;
  if (is_caller()) outer_ = simulation_at_work;
  current_ = &next;
  simulation_at_work = is_caller() ? outer_ : this;
  next.fiber.SwitchFrom(self.fiber, for_good);
  ended_ = nullptr;
  // Whoever called has a reference of its own.
  if (threads_ == 0 && is_caller()) self_ = nullptr;
}

Simulation::Strand& Simulation::Choose() {
  now_ += chooser_->Pause();
  if (interrupted_) return *caller_;
  while (true) {
    WakeDue();
    if (!ready_.empty()) {
      const auto chosen = ready_.begin() + static_cast<ptrdiff_t>(chooser_->Next(ready_.size()));
      Strand& strand = **chosen;
      ready_.erase(chosen);
      return strand;
    }
    if (WakeWatchers()) continue;
    if (!caller_->waits) return *caller_;
    if (alarms_.empty()) DieStuck();
    now_ = alarms_.front().nanos;
  }
}

// All alarms that are due, and the stale ones before the first that is not.
void Simulation::WakeDue() {
  while (!alarms_.empty()) {
    const Alarm first = alarms_.front();
    const bool stale = IsStale(first);
    if (!stale && first.nanos > now_) return;
    std::pop_heap(alarms_.begin(), alarms_.end(), &IsLater);
    alarms_.pop_back();
    if (!stale) MakeReady(*first.strand);
  }
}

// Those that have missed a change.
bool Simulation::WakeWatchers() {
  bool woken = false;
  for (Strand* watcher = first_watcher_; watcher != nullptr; watcher = watcher->next_watcher) {
    if (!watcher->waits || watcher->seen == changes_) continue;
    MakeReady(*watcher);
    woken = true;
  }
  return woken;
}

void Simulation::CheckThread() const {
  if (std::this_thread::get_id() != thread_) {
    Die("simulated time belongs to the thread that made it, and another one has used it");
  }
}

void Simulation::DieStuck() const {
  std::fprintf(
      stderr,
      "foxtive: the calling thread waits for ever: of %zu simulated threads none can go on, "
      "and none waits for a time\n",
      threads_);
  std::abort();
}

}  // namespace foxtive::internal
