// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Here, so that the type's own data is below all that calls a listener.

#include "foxtive/event_listener.h"

namespace foxtive {

void EventListener::OnEvent(const Event&) {}

EventDetail EventListener::detail() const { return EventDetail::kEverything; }

}  // namespace foxtive
