// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What the kernel says of a thread of this process, in /proc.

#ifndef FOXTIVE_LIB_SHELL_PROC_STATUS_H_
#define FOXTIVE_LIB_SHELL_PROC_STATUS_H_

#include <cstdint>
#include <string>

namespace foxtive::internal {

struct ProcStatus {
  std::string name;
  std::string state;  // such as "S (sleeping)"; empty: there is no such thread
  bool dead = false;
  uint64_t blocked = ~uint64_t{0};  // bit 0 is signal 1; what can't be read blocks all

  bool Blocks(int signal) const { return ((blocked >> (signal - 1)) & 1) != 0; }
};

// Of the thread with that number. Throws std::bad_alloc.
ProcStatus ReadThreadStatus(const std::string& id);

// Where in the kernel it waits; empty if that is not said. Throws std::bad_alloc.
std::string ReadWaitChannel(const std::string& id);

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_PROC_STATUS_H_
