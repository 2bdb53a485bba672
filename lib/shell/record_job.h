// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// RecordJob: what a record hands to an Executor. The two are bases of the record, so that they know
// it without a pointer; defined in task_record.cc.

#ifndef FOXTIVE_LIB_SHELL_RECORD_JOB_H_
#define FOXTIVE_LIB_SHELL_RECORD_JOB_H_

#include <cstdint>
#include <string_view>

#include "lib/shell/executor.h"

namespace foxtive::internal {

enum class Duty : uint8_t { kAttempt, kService };

template <Duty kDuty>
class RecordJob : public Job {
 public:
  Outcome Run() noexcept override;
  void Release() noexcept override;
  std::string_view thread_name() const noexcept override;
  int64_t queued_at_nanos() const noexcept override;

 protected:
  ~RecordJob() override = default;
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_RECORD_JOB_H_
