# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
"""All that the WORKSPACE of a program that uses the library, or of the library, has to say."""

load(":stand_ins.bzl", "stand_ins")
load(":system_libraries.bzl", "system_libraries")

def foxtive_supervisor_dependencies():
    """Declares what the library is built with, but for what the WORKSPACE has already.

    Under a released Bazel rules_cc is the WORKSPACE's to declare: see stand_ins.bzl.
    """
    system_libraries()
    stand_ins()
