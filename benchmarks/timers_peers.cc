// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The timers of event loops, for timers_with_peers: the same work as in timers.cc, in the same run.
//
//   .../Libevent    event_add and event_del; a record has its `struct event`
//   .../Libuv       uv_timer_start and uv_timer_stop; a record has its uv_timer_t
//   .../BoostAsio   basic_waitable_timer; a record has one. Cancelling makes its handler run, which
//                   is done after 64 of them
//
// The loops read the clock and sleep in epoll_wait. Both lead to the simulated clock here: the
// functions of these names below come before the C library's. So a loop decides by itself until
// when it sleeps, time jumps there, and no system call is measured: only what is done for timers.
// What is left of the loops in the figures is that each pass asks for I/O once.
//
// They sleep for whole milliseconds, and libuv counts in them. Therefore a timer may be a
// millisecond late here, and several fire at once where timers are many, which is to their
// advantage.

#include <sys/epoll.h>
#include <sys/timerfd.h>

// Before Boost: it brings its own idea of what is to be included first.
#include <event2/event.h>
#include <event2/event_struct.h>
#include <uv.h>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>

#include "benchmarks/harness.h"
#include "benchmarks/timers.h"

namespace foxtive::benchmarks {

bool g_time_is_simulated = false;

}  // namespace foxtive::benchmarks

// --- In front of the C library's.

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  using foxtive::benchmarks::g_now_us;
  if (!foxtive::benchmarks::g_time_is_simulated) {
    return static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  }
  time->tv_sec = static_cast<time_t>(g_now_us / 1'000'000);
  time->tv_nsec = static_cast<int64_t>(g_now_us % 1'000'000 * 1'000);
  return 0;
}

int epoll_wait(int epoll, epoll_event* /*events*/, int /*max*/, int timeout_ms) {
  using foxtive::benchmarks::Require;
  Require(foxtive::benchmarks::g_time_is_simulated, "somebody else waits for events");
  Require(epoll >= 0 && timeout_ms >= 0, "a loop sleeps for ever");
  foxtive::benchmarks::g_now_us += static_cast<uint64_t>(timeout_ms) * 1'000;
  return 0;
}

int epoll_pwait(int epoll, epoll_event* events, int max, int timeout_ms, const sigset_t* /*set*/) {
  return epoll_wait(epoll, events, max, timeout_ms);
}

// Asio then tells epoll_wait how long it wants to sleep.
int timerfd_create(int /*clock*/, int /*flags*/) noexcept {
  errno = EINVAL;
  return -1;
}

}  // extern "C"

namespace foxtive::benchmarks {
namespace {

// Of a loop: it sleeps in whole milliseconds, rounded up.
constexpr uint64_t kLoopIsLateUs = 1'000;

class SimulatedTime {
 public:
  SimulatedTime() { g_time_is_simulated = true; }
  ~SimulatedTime() { g_time_is_simulated = false; }
};

// --- libevent.

class Libevent {
 public:
  struct Record : TimerRecord {
    event timer;
    Libevent* owner;
  };
  static constexpr uint64_t kLateUs = kLoopIsLateUs;

  Libevent() : base_(event_base_new()) { Require(base_ != nullptr, "no event_base"); }
  ~Libevent() { event_base_free(base_); }

  std::unique_ptr<Record> NewRecord() {
    auto record = std::make_unique<Record>();
    record->owner = this;
    evtimer_assign(&record->timer, base_, &Libevent::OnTimer, record.get());
    return record;
  }
  void Schedule(Record& record, uint64_t delay_us) {
    const timeval delay = {.tv_sec = static_cast<time_t>(delay_us / 1'000'000),
                           .tv_usec = static_cast<suseconds_t>(delay_us % 1'000'000)};
    event_add(&record.timer, &delay);
  }
  void Cancel(Record& record) { event_del(&record.timer); }
  void FireDue(Fired& fired) {
    fired_ = &fired;
    event_base_loop(base_, EVLOOP_ONCE);
  }
  bool Empty() const { return event_base_get_num_events(base_, EVENT_BASE_COUNT_ADDED) == 0; }

 private:
  static void OnTimer(evutil_socket_t /*none*/, short /*what*/, void* argument) {
    Record* const record = static_cast<Record*>(argument);
    record->owner->fired_->push_back(record);
  }

  const SimulatedTime simulated_;
  event_base* const base_;
  Fired* fired_ = nullptr;
};

// --- libuv.

class Libuv {
 public:
  struct Record : TimerRecord {
    // The loop lets go of a timer in its next pass.
    ~Record() {
      uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
      uv_run(timer.loop, UV_RUN_NOWAIT);
    }
    uv_timer_t timer;
  };
  static constexpr uint64_t kLateUs = kLoopIsLateUs;

  Libuv() {
    Require(uv_loop_init(&loop_) == 0, "no uv_loop");
    loop_.data = this;
  }
  ~Libuv() { Require(uv_loop_close(&loop_) == 0, "a timer is open"); }

  std::unique_ptr<Record> NewRecord() {
    auto record = std::make_unique<Record>();
    uv_timer_init(&loop_, &record->timer);
    record->timer.data = record.get();
    return record;
  }
  void Schedule(Record& record, uint64_t delay_us) {
    uv_timer_start(&record.timer, &Libuv::OnTimer, (delay_us + 999) / 1'000, 0);
  }
  void Cancel(Record& record) { uv_timer_stop(&record.timer); }
  void FireDue(Fired& fired) {
    fired_ = &fired;
    uv_run(&loop_, UV_RUN_ONCE);
  }
  bool Empty() const { return uv_loop_alive(&loop_) == 0; }

 private:
  static void OnTimer(uv_timer_t* timer) {
    static_cast<Libuv*>(timer->loop->data)->fired_->push_back(static_cast<Record*>(timer->data));
  }

  const SimulatedTime simulated_;
  uv_loop_t loop_;
  Fired* fired_ = nullptr;
};

// --- Boost.Asio.

struct SimulatedClock {
  using duration = std::chrono::duration<int64_t, std::micro>;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<SimulatedClock>;
  static time_point now() { return time_point(duration(static_cast<int64_t>(g_now_us))); }
};

class BoostAsio {
 public:
  struct Record : TimerRecord {
    explicit Record(boost::asio::io_context& context) : timer(context) {}
    boost::asio::basic_waitable_timer<SimulatedClock> timer;
  };
  static constexpr uint64_t kLateUs = kLoopIsLateUs;

  std::unique_ptr<Record> NewRecord() { return std::make_unique<Record>(context_); }
  void Schedule(Record& record, uint64_t delay_us) {
    record.timer.expires_after(SimulatedClock::duration(static_cast<int64_t>(delay_us)));
    record.timer.async_wait([this, &record](const boost::system::error_code& error) {
      if (!error) fired_->push_back(&record);
    });
  }
  void Cancel(Record& record) {
    record.timer.cancel();
    if (++cancelled_ % kCancelledAtOnce == 0) Poll();
  }
  void FireDue(Fired& fired) {
    fired_ = &fired;
    context_.restart();
    context_.run_one();
    context_.poll();
  }
  bool Empty() {
    Poll();
    return context_.stopped();  // Out of work.
  }

 private:
  static constexpr size_t kCancelledAtOnce = 64;

  void Poll() {
    context_.restart();
    context_.poll();
  }

  const SimulatedTime simulated_;
  boost::asio::io_context context_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
  size_t cancelled_ = 0;
  Fired* fired_ = nullptr;
};

}  // namespace

void AddTimersOfPeers() {
  AddTimers<Libevent>("Libevent");
  AddTimers<Libuv>("Libuv");
  AddTimers<BoostAsio>("BoostAsio");
}

}  // namespace foxtive::benchmarks
