// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Several tasks at once, all or none. Everything that can be refused, and all memory, comes before
// the one step in which the table takes them up.

#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "foxtive/supervisor.h"
#include "lib/facade/validate.h"
#include "lib/shell/caught.h"
#include "lib/shell/engine.h"
#include "lib/shell/task_record.h"

namespace foxtive {
namespace {

using ::foxtive::internal::Engine;
using ::foxtive::internal::TaskRecord;

absl::Status Refused(size_t index, const TaskSpec& spec, const absl::Status& why) {
  const std::string name =
      spec.name.empty() ? "" : absl::StrCat(" '", absl::CEscape(spec.name), "'");
  return absl::Status(why.code(), absl::StrCat("specs[", index, "]", name, ": ", why.message()));
}

absl::Status ValidateAll(const std::vector<TaskSpec>& specs) {
  std::unordered_map<std::string_view, size_t> names;
  for (size_t i = 0; i < specs.size(); ++i) {
    const TaskSpec& spec = specs[i];
    if (absl::Status status = internal::Validate(spec); !status.ok()) {
      return Refused(i, spec, status);
    }
    const auto [entry, is_new] = names.emplace(spec.name, i);
    if (is_new) continue;
    return absl::AlreadyExistsError(absl::StrCat("specs[", i, "]: name: '", spec.name,
                                                 "' is the name of specs[", entry->second, "]"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<TaskHandle>> TakeUp(Engine& engine, std::vector<TaskSpec> specs,
                                               bool start) {
  if (absl::Status status = ValidateAll(specs); !status.ok()) return status;
  std::vector<TaskHandle> handles;
  std::vector<TaskRecord*> records;
  handles.reserve(specs.size());
  records.reserve(specs.size());
  for (TaskSpec& spec : specs) {
    records.push_back(new TaskRecord(std::move(spec), engine, /*registered=*/!start));
    handles.push_back(records.back()->MakeHandle());
  }
  if (absl::Status status = engine.Add(records, start); !status.ok()) return status;
  return handles;
}

}  // namespace

absl::StatusOr<std::vector<TaskHandle>> Supervisor::AddAll(std::vector<TaskSpec> specs,
                                                           bool start) {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  try {
    return TakeUp(*engine_, std::move(specs), start);
  } catch (const std::bad_alloc&) {
    return internal::NoMemory();
  }
}

absl::StatusOr<std::vector<TaskHandle>> Supervisor::RegisterAll(std::vector<TaskSpec> specs) {
  return AddAll(std::move(specs), /*start=*/false);
}

}  // namespace foxtive
