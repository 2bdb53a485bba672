# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
"""Targets that are built with -c opt, whatever the command line says."""

def _opt_impl(settings, attr):
    return {"//command_line_option:compilation_mode": "opt"}

_opt = transition(
    implementation = _opt_impl,
    inputs = [],
    outputs = ["//command_line_option:compilation_mode"],
)

def _optimized_impl(ctx):
    return [DefaultInfo(
        files = depset(ctx.files.srcs),
        runfiles = ctx.runfiles(files = ctx.files.srcs),
    )]

# The files of some targets.
optimized = rule(
    implementation = _optimized_impl,
    attrs = {
        "srcs": attr.label_list(cfg = _opt),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
)
