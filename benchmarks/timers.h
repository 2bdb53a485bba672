// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What timers.cc and timers_peers.cc do to each structure that keeps timers: the same records, the
// same delays and the same choices for all of them, whatever their order of firing.
//
// A Store has
//   struct Record : TimerRecord     as its user would have it, with all that the store wants in it
//   static constexpr uint64_t kLateUs        by how much a timer may be late at most
//   std::unique_ptr<Record> NewRecord()
//   void Schedule(Record&, uint64_t delay_us)    the deadline is in the record, too
//   void Cancel(Record&)                         of one that is scheduled
//   void FireDue(Fired&)     lets time go on until something is due, and takes all that is
//   bool Empty()
//
// Every timer that fires is checked: it was scheduled, it has not fired since, it is not early and
// not too late. After the measured part all timers that are left fire, so that none is lost and no
// cancelled one comes back.

#ifndef FOXTIVE_BENCHMARKS_TIMERS_H_
#define FOXTIVE_BENCHMARKS_TIMERS_H_

#include <benchmark/benchmark.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "benchmarks/harness.h"

namespace foxtive::benchmarks {

// Of the simulated clock. It starts at a whole millisecond after some days of uptime.
constexpr uint64_t kStartUs = 1'000'000'000'000;
inline uint64_t g_now_us = kStartUs;

constexpr uint64_t kMaxDelayUs = 60'000'000;

// What a record is besides the timer. The library's own have ten times as much, and no more of it
// is touched when a timer is scheduled or cancelled.
struct TimerRecord {
  uint64_t deadline_us = 0;
  uint32_t index = 0;
  uint32_t schedules = 0;
  bool pending = false;
  char payload[64] = {};
};

using Fired = std::vector<TimerRecord*>;

// The finaliser of SplitMix64.
inline uint64_t Mixed(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// In [0, limit), without a division.
inline uint64_t Below(uint64_t random, uint64_t limit) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(random) * limit) >> 64);
}

// A structure that can tell its next deadline, and that gives what is due one by one.
template <typename Derived>
class StoreByHand {
 public:
  static constexpr uint64_t kLateUs = 0;

  auto NewRecord() { return std::make_unique<typename Derived::Record>(); }
  void FireDue(Fired& fired) {
    Derived& store = static_cast<Derived&>(*this);
    g_now_us = std::max(g_now_us, store.NextDeadline());
    while (TimerRecord* const record = store.PopDue(g_now_us)) fired.push_back(record);
  }
};

template <typename Store>
class TimerWorkload {
 public:
  explicit TimerWorkload(size_t timers) {
    records_.reserve(timers);
    for (size_t i = 0; i < timers; ++i) {
      records_.push_back(store_.NewRecord());
      records_.back()->index = static_cast<uint32_t>(i);
      Schedule(*records_.back());
    }
  }

  void CancelAndSchedule(size_t times) {
    uint64_t random = 0;
    for (size_t i = 0; i < times; ++i) {
      Record& record = *records_[Below(Mixed(random += kGolden), records_.size())];
      store_.Cancel(record);
      Schedule(record);
    }
  }

  // Returns how many have fired: a store that fires several at once may exceed `times`.
  size_t ScheduleAndFire(size_t times) {
    size_t fired = 0;
    while (fired < times) {
      for (TimerRecord* const record : Fire()) Schedule(static_cast<Record&>(*record));
      fired += fired_.size();
    }
    return fired;
  }

  void Drain() {
    for (size_t left = records_.size(); left > 0; left -= fired_.size()) {
      Require(Fire().size() <= left, "a timer fired that should not have been there");
    }
    Require(store_.Empty(), "a timer is left");
  }

 private:
  using Record = typename Store::Record;
  static constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;

  // The delay follows from who and how often, so that the order of firing changes nothing.
  void Schedule(Record& record) {
    const uint64_t random = Mixed((uint64_t{record.index} << 32 | record.schedules++) * kGolden);
    const uint64_t delay_us = 1 + Below(random, kMaxDelayUs);
    record.deadline_us = g_now_us + delay_us;
    record.pending = true;
    store_.Schedule(record, delay_us);
  }

  const Fired& Fire() {
    fired_.clear();
    store_.FireDue(fired_);
    for (TimerRecord* const record : fired_) {
      // One comparison for both: what is early is very late.
      const bool right = record->pending && g_now_us - record->deadline_us <= Store::kLateUs;
      if (!right) [[unlikely]]
        SayWhatIsWrong(*record);
      record->pending = false;
    }
    return fired_;
  }
  static void SayWhatIsWrong(const TimerRecord& record) {
    Require(record.pending, "a timer fired twice, or after its cancellation");
    Require(record.deadline_us <= g_now_us, "a timer was early");
    Require(false, "a timer was late");
  }

  Store store_;
  std::vector<std::unique_ptr<Record>> records_;
  Fired fired_;
};

// Not std::chrono, which timers_peers.cc leads to the simulated clock.
inline double RealSeconds() {
  timespec now;
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

inline size_t TimerOperations() { return Quick() ? 2'000 : 1'000'000; }

// `measured` returns how many operations it has done.
template <typename Store, typename Function>
void MeasureTimers(benchmark::State& state, int64_t timers, Function measured) {
  for (auto _ : state) {
    g_now_us = kStartUs;  // A loop looks at the clock when it is made.
    auto workload = std::make_unique<TimerWorkload<Store>>(static_cast<size_t>(timers));
    const double start = RealSeconds();
    const size_t operations = measured(*workload);
    const double taken = RealSeconds() - start;
    workload->Drain();
    ReportEach(state, taken, "ns_per_operation", static_cast<int64_t>(operations));
  }
}

template <typename Store>
void CancelAndSchedule(benchmark::State& state, int64_t timers) {
  MeasureTimers<Store>(state, timers, [](TimerWorkload<Store>& workload) {
    workload.CancelAndSchedule(TimerOperations());
    return TimerOperations();
  });
}

template <typename Store>
void ScheduleAndFire(benchmark::State& state, int64_t timers) {
  MeasureTimers<Store>(state, timers, [](TimerWorkload<Store>& workload) {
    return workload.ScheduleAndFire(TimerOperations());
  });
}

template <typename Store>
void AddTimers(const std::string& who) {
  const auto sizes = {int64_t{1'000}, int64_t{10'000}, int64_t{100'000}, int64_t{1'000'000}};
  AddSizes("T1_CancelSchedule/" + who, &CancelAndSchedule<Store>, sizes);
  AddSizes("T2_ScheduleFire/" + who, &ScheduleAndFire<Store>, sizes);
}

// In timers_peers.cc; null in a binary without it.
[[gnu::weak]] void AddTimersOfPeers();

}  // namespace foxtive::benchmarks

#endif  // FOXTIVE_BENCHMARKS_TIMERS_H_
