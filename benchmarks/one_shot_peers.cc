// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// R5 on a thread pool of Boost.Asio's, for one_shot_with_peers: the same work as in one_shot.cc, in
// the same run.
//
//   BoostAsio    each task is posted to a pool with a thread for each core, and sets a std::promise

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "benchmarks/harness.h"
#include "benchmarks/one_shot.h"

namespace foxtive::benchmarks {
namespace {

class BoostAsio {
 public:
  void Run(Marks& marks) {
    std::vector<std::future<absl::Status>> futures;
    futures.reserve(marks.size());
    for (size_t i = 0; i < marks.size(); ++i) {
      std::promise<absl::Status> promise;
      futures.push_back(promise.get_future());
      boost::asio::post(pool_, [&marks, i, promise = std::move(promise)]() mutable {
        promise.set_value(Mark(marks, i));
      });
    }
    for (auto& future : futures) Require(future.get().ok(), "no success");
  }

 private:
  boost::asio::thread_pool pool_{std::thread::hardware_concurrency()};
};

}  // namespace

void AddOneShotsOfPeers() {
  AddSizes("R5_OneShot/BoostAsio", &OneShot<BoostAsio>, {2'000, 20'000, 200'000});
}

}  // namespace foxtive::benchmarks
