// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "tests/simulator/world.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "lib/shell/event_queue.h"
#include "tests/simulator/chaos.h"

namespace foxtive::test {
namespace {

using internal::Simulation;

constexpr uint64_t kMaxSteps = 300'000;                  // then the world comes to its end
constexpr uint64_t kMaxStepsAtOnce = 1'000'000;          // without time passing: nobody gets on
constexpr absl::Duration kAfterwards = absl::Hours(48);  // for workers that return late

}  // namespace

class World::Listener final : public EventListener {
 public:
  explicit Listener(World& world) : world_(world) {}

  void OnEvent(const Event& event) override {
    if (std::exchange(inside_, true)) world_.Fail("two events at once");
    // Where time passes by itself a delivery may have been about to begin for all the time it had.
    if (closed && world_.exact()) world_.Fail("an event after the end of the Supervisor");
    lost_ += event.lost;
    if (event.kind == EventKind::kTaskOver) ++over_;
    Random random(world_.plan_.seed, static_cast<uint64_t>(over_), 9);
    if (world_.plan_.listener_lags && random.OneIn(4)) {
      world_.Dwell(random.Duration(absl::Seconds(2)));
    }
    inside_ = false;
  }

  int64_t over() const { return over_; }
  int64_t lost() const { return lost_; }

  bool closed = false;

 private:
  World& world_;
  bool inside_ = false;
  int64_t over_ = 0;
  int64_t lost_ = 0;
};

World::World(const WorldPlan& plan, Changes changes) : plan_(plan), changes_(std::move(changes)) {
  auto chaos = std::make_unique<Chaos>(*this);
  chaos_ = chaos.get();
  simulation_ = std::make_shared<Simulation>(std::move(chaos));
  if (plan_.listens) listener_ = std::make_shared<Listener>(*this);
  watches_.reserve(static_cast<size_t>(plan_.tasks));
}

// After a failure nobody goes on any more, so the end of a Supervisor would not come.
World::~World() {
  if (!failure_.empty()) new std::shared_ptr<Supervisor>(std::move(supervisor_));
}

// --- Time, and what is told of it.

void World::Fail(const std::string& what) {
  if (!failure_.empty()) return;
  failure_ = what;
  simulation_->Interrupt();
}

void World::Note(const Step& step) {
  trace_[notes_++ % kTrace] = step;
  ++steps_;
  hash_ = (hash_ ^ static_cast<uint64_t>(step.nanos) ^ (step.task << 48) ^
           (static_cast<uint64_t>(step.number) << 32)) *
          0x9e3779b97f4a7c15;
}

void World::CountSwitch() {
  ++steps_;
  if (Now() != last_nanos_) {
    last_nanos_ = Now();
    steps_then_ = steps_;
  } else if (steps_ - steps_then_ > kMaxStepsAtOnce) {
    Fail("time stands still: threads wake each other, and none gets on");
  }
}

void World::Dwell(absl::Duration duration) {
  simulation_->Sleep(absl::ToInt64Nanoseconds(duration));
}

bool World::WantsFinishedCall(uint64_t number) const {
  return Random(plan_.seed, number, 10).OneIn(2);
}

std::vector<std::string> World::LastSteps() const {
  std::vector<std::string> lines;
  for (uint64_t i = notes_ > kTrace ? notes_ - kTrace : 0; i < notes_; ++i) {
    const Step& step = trace_[i % kTrace];
    lines.push_back(absl::StrFormat("%15.6f ms  task %d: %s %d",
                                    static_cast<double>(step.nanos - Simulation::kStartNanos) / 1e6,
                                    step.task, step.what, step.number));
  }
  return lines;
}

// --- What is looked at from outside, while nobody is inside of the library.

void World::LookAtAll() {
  for (TaskWatch* watch : unfinished_) watch->Look();
  std::erase_if(unfinished_, [](const TaskWatch* watch) { return watch->has_result(); });
  for (const TaskWatch* watch : unfinished_) watch->LookAtWait();
  if (exact()) CheckCapacity();
}

// Nobody waits for a lane while one is free, and nobody waits for a time that has come.
void World::CheckCapacity() {
  int queued = 0;
  int taken = 0;
  int running = 0;
  int stuck = 0;  // and have lost their lanes
  for (const TaskWatch* watch : unfinished_) {
    const TaskInfo info = watch->handle().info();
    if (info.state == TaskState::kQueued) ++queued;
    const bool has_lane = !watch->has_lost_lane();
    if (!has_lane) ++stuck;
    if (info.state == TaskState::kRunning || info.state == TaskState::kStopping) taken += has_lane;
    if (watch->runs() && !watch->may_have_lost_lane()) ++running;
    // A StartAll that comes too late is refused.
    const bool may_wait = starting_all_ > 0 || (plan_.in_order && shuts_down_);
    if (info.state == TaskState::kRegistered && watch->started() && !may_wait) {
      Fail(absl::StrCat("'", watch->name(), "' was forgotten by StartAll"));
    }
    if (info.state == TaskState::kBackingOff && info.next_attempt_in <= absl::ZeroDuration()) {
      Fail(absl::StrCat("'", watch->name(), "' is due, and is not woken"));
    }
  }
  for (const std::shared_ptr<TaskWatch>& watch : watches_) {
    if (watch->has_result() && watch->accepted() &&
        watch->handle().state() == TaskState::kOverdue) {
      ++stuck;
    }
  }
  const int lost = std::max(0, stuck - plan_.max_concurrency);
  if (queued > 0 && taken + lost < plan_.max_concurrency) {
    Fail(absl::StrCat(queued, " tasks wait for a lane, and of ", plan_.max_concurrency, " only ",
                      taken, " are taken"));
  }
  if (running > plan_.max_concurrency) {
    Fail(absl::StrCat(running, " attempts run at once, ", plan_.max_concurrency, " may"));
  }
}

void World::CheckOrder(const TaskWatch& started) {
  if (!exact() || unfinished_.size() > 100) return;
  for (const TaskWatch* other : unfinished_) {
    if (other == &started || !other->queues_once() || !other->started()) continue;
    if (other->queued_not_after() >= started.queued_not_before()) continue;
    if (other->handle().state() != TaskState::kQueued) continue;
    Fail(absl::StrCat("'", started.name(), "' is taken from the queue before '", other->name(),
                      "', which came first"));
  }
}

// --- From the beginning to the end.

void World::Create() {
  absl::StatusOr<std::unique_ptr<Supervisor>> made =
      Supervisor::Create({.max_concurrency = plan_.max_concurrency,
                          .shutdown_timeout = plan_.shutdown_timeout,
                          .listener = listener_,
                          .clock = simulation_,
                          .seed = plan_.seed});
  creating_ = false;
  if (made.ok()) {
    supervisor_ = *std::move(made);
  } else if (!plan_.threads_fail) {
    Fail(absl::StrCat("Create: ", made.status().ToString()));
  }
  for (int host = 1; host <= plan_.hosts && supervisor_ != nullptr; ++host) {
    Spawn([this, host] { Host(static_cast<uint64_t>(host)); });
  }
}

// Whoever has the last reference then is the one that waits.
void World::Finish() {
  Random random(plan_.seed, 0, 12);
  if (plan_.ends_by_shutdown) Shutdown(random.Duration(absl::Seconds(5)));
  ShutdownBegins(plan_.shutdown_timeout);
  std::shared_ptr<Supervisor> last = std::move(supervisor_);
  supervisor_ = nullptr;
  ends_alone_ = last.use_count() == 1;
  if (ends_alone_) shut_down_at_ = std::min(shut_down_at_, Now());
  const int64_t deadline = Now() + absl::ToInt64Nanoseconds(plan_.shutdown_timeout) + 100'000'000;
  last = nullptr;
  if (ends_alone_) {
    CheckInTime("~Supervisor", deadline);
    if (listener_ != nullptr) listener_->closed = true;
  }
}

Verdict World::Run() {
  Spawn([this] { Create(); });
  const int64_t end = Now() + absl::ToInt64Nanoseconds(plan_.lasts);
  Random random(plan_.seed, 0, 13);
  while (failure_.empty() && (creating_ || Now() < end) && steps_ < kMaxSteps) {
    // Whole ticks, so that what is due has been woken.
    const int64_t slice = absl::ToInt64Nanoseconds(random.Duration(plan_.lasts / 8));
    simulation_->AdvanceTo((Now() + slice + 1000) / 1000 * 1000);
    if (failure_.empty()) LookAtAll();
  }
  ending_ = true;
  if (failure_.empty()) Spawn([this] { Finish(); });
  const int64_t horizon = Now() + absl::ToInt64Nanoseconds(kAfterwards);
  while (failure_.empty() && Now() < horizon && simulation_->threads() > 0) {
    simulation_->AdvanceTo(Now() + 60'000'000'000);
  }
  if (failure_.empty()) CheckEnd();
  return {.failure = failure_, .last_steps = LastSteps(), .steps = steps_, .trace = hash_};
}

void World::CheckEnd() {
  if (hosts_ > 0) Fail(absl::StrCat(hosts_, " hosts wait for ever"));
  for (const std::shared_ptr<TaskWatch>& watch : watches_) watch->CheckEnd();
  if (simulation_->threads() > 0) {
    Fail(absl::StrCat(simulation_->threads(), " threads have not ended"));
  }
  if (listener_ != nullptr) {
    const auto accepted = static_cast<int64_t>(watches_.size());
    if (listener_->over() + listener_->lost() > accepted && listener_->lost() == 0) {
      Fail("more tasks are told to be over than there were");
    }
    // How many were lost in the end there is no event to tell.
    const bool room = watches_.size() < internal::EventQueue::kSlots / 2;
    const bool all_told = exact() && ends_alone_ && !plan_.listener_lags && room;
    if (all_told && listener_->over() + listener_->lost() < accepted) {
      Fail("fewer tasks are told to be over than there were");
    }
    if (listener_.use_count() > 1) Fail("the listener is still kept");
  }
  if (simulation_.use_count() > 1) Fail("the Supervisor is still there");
}

}  // namespace foxtive::test
