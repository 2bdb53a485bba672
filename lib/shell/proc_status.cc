// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "lib/shell/proc_status.h"

#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace foxtive::internal {

// "Key:\tvalue", a line each.
ProcStatus ReadThreadStatus(const std::string& id) {
  ProcStatus status;
  std::ifstream file(absl::StrCat("/proc/self/task/", id, "/status"));
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(":\t");
    if (colon == std::string::npos) continue;
    const std::string key = line.substr(0, colon);
    const std::string value = line.substr(colon + 2);
    if (key == "Name") status.name = value;
    if (key == "State") status.state = value;
    if (key == "SigBlk") status.blocked = std::strtoull(value.c_str(), nullptr, 16);
  }
  status.dead = !status.state.empty() && (status.state[0] == 'Z' || status.state[0] == 'X');
  return status;
}

std::string ReadWaitChannel(const std::string& id) {
  std::string channel;
  std::ifstream(absl::StrCat("/proc/self/task/", id, "/wchan")) >> channel;
  return channel;
}

}  // namespace foxtive::internal
