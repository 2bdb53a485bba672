// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// EngineRef: for those who keep an Engine without knowing more of it.

#ifndef FOXTIVE_LIB_SHELL_ENGINE_REF_H_
#define FOXTIVE_LIB_SHELL_ENGINE_REF_H_

#include "lib/core/ref.h"

namespace foxtive::internal {

class Engine;

// Any thread.
void Keep(Engine& engine);
void LetGo(Engine& engine);

using EngineRef = Ref<Engine>;

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_ENGINE_REF_H_
