// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// RecordJob: what a record hands to an Executor. The two are bases of the record, so that they know
// it without a pointer.

#ifndef FOXTIVE_LIB_SHELL_RECORD_JOB_H_
#define FOXTIVE_LIB_SHELL_RECORD_JOB_H_

#include <cstdint>
#include <string_view>

#include "lib/shell/job.h"

namespace foxtive::internal {

template <JobKind kKind>
class RecordJob : public Job {
 public:
  Outcome Run() noexcept;
  void Release() noexcept;
  std::string_view thread_name() const noexcept;
  int64_t queued_at_nanos() const noexcept;

 protected:
  RecordJob() : Job(kKind) {}
  ~RecordJob() = default;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_RECORD_JOB_H_
