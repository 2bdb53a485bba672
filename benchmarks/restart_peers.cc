// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Restarts by hand on a thread pool of Boost.Asio's, for restart_with_peers: the same work as in
// restart.cc, in the same run.
//
//   BoostAsio    a failed worker is posted again, by itself: in R1 and R2 to a pool of one thread,
//                in R3 to one with a thread for each core

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <deque>
#include <latch>
#include <thread>

#include "benchmarks/restart.h"

namespace foxtive::benchmarks {
namespace {

class BoostAsio {
 public:
  template <typename Worker>
  void Run(std::deque<Worker>& workers) {
    boost::asio::thread_pool& pool = workers.size() == 1 ? of_one_thread_ : of_all_cores_;
    std::latch done(static_cast<std::ptrdiff_t>(workers.size()));
    for (Worker& worker : workers) boost::asio::post(pool, Job<Worker>{pool, worker, done});
    done.wait();
  }

 private:
  template <typename Worker>
  struct Job {
    void operator()() const {
      if (Try(worker)) {
        done.count_down();
      } else {
        boost::asio::post(pool, *this);
      }
    }
    boost::asio::thread_pool& pool;
    Worker& worker;
    std::latch& done;
  };

  boost::asio::thread_pool of_one_thread_{1};
  boost::asio::thread_pool of_all_cores_{std::thread::hardware_concurrency()};
};

}  // namespace

void AddRestartsOfPeers() {
  AddOne<BoostAsio>("BoostAsio");
  AddMany<BoostAsio>("BoostAsio");
}

}  // namespace foxtive::benchmarks
