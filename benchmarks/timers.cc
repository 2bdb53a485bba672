// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What a timer costs in the library's wheel, beside what else could keep it.
//
//   T1_CancelSchedule/...   one of the outstanding timers, chosen at random, is cancelled and
//                           scheduled anew; time stands still. ns_per_operation: both together.
//   T2_ScheduleFire/...     time goes on to the next deadline; what is due fires and is scheduled
//                           anew. ns_per_operation: both, with finding out when the next is due.
//
//   .../1000 .. 1000000     so many timers are outstanding all the time
//
//   .../Foxtive             lib/core/timer_wheel.h, as the monitor uses it
//   .../StdMultimap         a red-black tree; a record has its iterator
//   .../AbslBtreeMultimap   a B-tree; a timer is found again by its deadline
//   .../StdPriorityQueue    a binary heap; what was cancelled stays until it comes to the front, or
//                           until it is the greater part
//   .../IndexedHeap         a heap with four children to a node; a record has its position
//   .../Nothing             keeps no order, and gives all timers back at once: what is left is the
//                           part of the figures that is the same for all, which is to draw, to
//                           choose and to check
//
// The clock is simulated, in microseconds. Deadlines are uniform over the next 60 s. A million
// operations each, the same for all, on records that were allocated one by one. See timers.h.
//
// timers_with_peers has libevent, libuv and Boost.Asio as well: timers_peers.cc.
//
//   timers [--quick] [option of Google Benchmark...]

#include "benchmarks/timers.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <queue>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "benchmarks/harness.h"
#include "lib/core/timer_wheel.h"

namespace foxtive::benchmarks {
namespace {

class Wheel : public StoreByHand<Wheel> {
 public:
  struct Record : internal::TimerNode, TimerRecord {};

  ~Wheel() { Require(Empty(), "a timer is left"); }
  void Schedule(Record& record, uint64_t /*delay_us*/) {
    wheel_.Schedule(record, record.deadline_us);
  }
  void Cancel(Record& record) { wheel_.Cancel(record); }
  uint64_t NextDeadline() const { return wheel_.NextDeadline(); }
  Record* PopDue(uint64_t now_us) { return static_cast<Record*>(wheel_.PopDue(now_us)); }
  bool Empty() const { return wheel_.size() == 0; }

 private:
  internal::TimerWheel wheel_{kStartUs};
};

class StdMultimap : public StoreByHand<StdMultimap> {
 public:
  struct Record;
  using Map = std::multimap<uint64_t, Record*>;
  struct Record : TimerRecord {
    Map::iterator position;
  };

  void Schedule(Record& record, uint64_t /*delay_us*/) {
    record.position = map_.emplace(record.deadline_us, &record);
  }
  void Cancel(Record& record) { map_.erase(record.position); }
  uint64_t NextDeadline() const { return map_.begin()->first; }
  Record* PopDue(uint64_t now_us) {
    const auto first = map_.begin();
    if (first == map_.end() || first->first > now_us) return nullptr;
    Record* const record = first->second;
    map_.erase(first);
    return record;
  }
  bool Empty() const { return map_.empty(); }

 private:
  Map map_;
};

class AbslBtreeMultimap : public StoreByHand<AbslBtreeMultimap> {
 public:
  struct Record : TimerRecord {};

  void Schedule(Record& record, uint64_t /*delay_us*/) {
    map_.emplace(record.deadline_us, &record);
  }
  void Cancel(Record& record) {
    auto position = map_.lower_bound(record.deadline_us);
    while (position->second != &record) ++position;
    map_.erase(position);
  }
  uint64_t NextDeadline() const { return map_.begin()->first; }
  Record* PopDue(uint64_t now_us) {
    const auto first = map_.begin();
    if (first == map_.end() || first->first > now_us) return nullptr;
    Record* const record = first->second;
    map_.erase(first);
    return record;
  }
  bool Empty() const { return map_.empty(); }

 private:
  absl::btree_multimap<uint64_t, Record*> map_;
};

class StdPriorityQueue : public StoreByHand<StdPriorityQueue> {
 public:
  struct Record : TimerRecord {
    uint32_t generation = 0;
  };

  void Schedule(Record& record, uint64_t /*delay_us*/) {
    queue_.push({record.deadline_us, &record, ++record.generation});
  }
  void Cancel(Record& record) {
    ++record.generation;
    if (++stale_ * 2 <= queue_.size()) return;
    queue_.RemoveStale();
    stale_ = 0;
  }
  uint64_t NextDeadline() {
    RemoveStaleFirst();
    return queue_.top().deadline_us;
  }
  Record* PopDue(uint64_t now_us) {
    RemoveStaleFirst();
    if (queue_.empty() || queue_.top().deadline_us > now_us) return nullptr;
    Record* const record = queue_.top().record;
    queue_.pop();
    return record;
  }
  bool Empty() {
    RemoveStaleFirst();
    return queue_.empty();
  }

 private:
  struct Entry {
    bool Stale() const { return record->generation != generation; }
    bool operator<(const Entry& other) const { return deadline_us > other.deadline_us; }
    uint64_t deadline_us;
    Record* record;
    uint32_t generation;
  };
  struct Queue : std::priority_queue<Entry> {
    void RemoveStale() {
      std::erase_if(c, [](const Entry& entry) { return entry.Stale(); });
      std::make_heap(c.begin(), c.end(), comp);
    }
  };

  void RemoveStaleFirst() {
    for (; !queue_.empty() && queue_.top().Stale(); --stale_) queue_.pop();
  }

  Queue queue_;
  size_t stale_ = 0;
};

class IndexedHeap : public StoreByHand<IndexedHeap> {
 public:
  struct Record : TimerRecord {
    size_t position = 0;
  };

  void Schedule(Record& record, uint64_t /*delay_us*/) {
    heap_.emplace_back();
    MoveUp(heap_.size() - 1, {record.deadline_us, &record});
  }
  void Cancel(Record& record) { Remove(record.position); }
  uint64_t NextDeadline() const { return heap_.front().deadline_us; }
  Record* PopDue(uint64_t now_us) {
    if (heap_.empty() || heap_.front().deadline_us > now_us) return nullptr;
    Record* const record = heap_.front().record;
    Remove(0);
    return record;
  }
  bool Empty() const { return heap_.empty(); }

 private:
  struct Entry {
    uint64_t deadline_us = 0;
    Record* record = nullptr;
  };
  static constexpr size_t kChildren = 4;

  void Put(size_t position, Entry entry) {
    heap_[position] = entry;
    entry.record->position = position;
  }
  void Remove(size_t position) {
    const Entry last = heap_.back();
    heap_.pop_back();
    if (position == heap_.size()) return;
    if (position > 0 && last.deadline_us < heap_[(position - 1) / kChildren].deadline_us) {
      MoveUp(position, last);
    } else {
      MoveDown(position, last);
    }
  }
  void MoveUp(size_t position, Entry entry) {
    while (position > 0) {
      const size_t parent = (position - 1) / kChildren;
      if (heap_[parent].deadline_us <= entry.deadline_us) break;
      Put(position, heap_[parent]);
      position = parent;
    }
    Put(position, entry);
  }
  void MoveDown(size_t position, Entry entry) {
    for (size_t first = position * kChildren + 1; first < heap_.size();
         first = position * kChildren + 1) {
      size_t least = first;
      const size_t end = std::min(first + kChildren, heap_.size());
      for (size_t child = first + 1; child < end; ++child) {
        if (heap_[child].deadline_us < heap_[least].deadline_us) least = child;
      }
      if (entry.deadline_us <= heap_[least].deadline_us) break;
      Put(position, heap_[least]);
      position = least;
    }
    Put(position, entry);
  }

  std::vector<Entry> heap_;
};

class Nothing {
 public:
  struct Record : TimerRecord {};
  static constexpr uint64_t kLateUs = 2 * kMaxDelayUs;

  std::unique_ptr<Record> NewRecord() {
    auto record = std::make_unique<Record>();
    records_.push_back(record.get());
    return record;
  }
  void Schedule(Record& /*record*/, uint64_t /*delay_us*/) {}
  void Cancel(Record& /*record*/) {}
  void FireDue(Fired& fired) {
    g_now_us += kMaxDelayUs;
    fired.assign(records_.begin(), records_.end());
  }
  bool Empty() const { return true; }

 private:
  std::vector<Record*> records_;
};

void AddOwn() {
  AddTimers<Wheel>("Foxtive");
  AddTimers<StdMultimap>("StdMultimap");
  AddTimers<AbslBtreeMultimap>("AbslBtreeMultimap");
  AddTimers<StdPriorityQueue>("StdPriorityQueue");
  AddTimers<IndexedHeap>("IndexedHeap");
  AddTimers<Nothing>("Nothing");
}

}  // namespace

}  // namespace foxtive::benchmarks

int main(int argc, char** argv) {
  return foxtive::benchmarks::Main(argc, argv, [] {
    foxtive::benchmarks::AddOwn();
    if (foxtive::benchmarks::AddTimersOfPeers != nullptr) foxtive::benchmarks::AddTimersOfPeers();
  });
}
