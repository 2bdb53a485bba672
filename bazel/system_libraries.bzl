# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
"""The libraries that Foxtive Supervisor uses, and the pkg-config modules behind their labels."""

load("//bazel:pkg_config.bzl", "pkg_config_repository")

def _abseil(package, names = {}, **modules):
    """The labels of one package of Abseil whose pkg-config modules are the names plus "absl_"."""
    labels = {}
    for name in names:
        labels["%s:%s" % (package, name)] = ["absl_" + name]
    for name, module in modules.items():
        labels["%s:%s" % (package, name)] = [module]
    return labels

def _merged(dictionaries):
    result = {}
    for dictionary in dictionaries:
        result.update(dictionary)
    return result

_ABSEIL = _merged([
    _abseil("absl/algorithm", ["algorithm"], container = "absl_algorithm_container"),
    _abseil("absl/base", ["base", "config", "core_headers", "dynamic_annotations", "log_severity"]),
    _abseil("absl/cleanup", ["cleanup"]),
    _abseil("absl/container", [
        "btree",
        "fixed_array",
        "flat_hash_map",
        "flat_hash_set",
        "inlined_vector",
        "node_hash_map",
        "node_hash_set",
    ]),
    _abseil("absl/debugging", [
        "failure_signal_handler",
        "leak_check",
        "stacktrace",
        "symbolize",
    ]),
    _abseil(
        "absl/flags",
        flag = "absl_flags",
        parse = "absl_flags_parse",
        reflection = "absl_flags_reflection",
        usage = "absl_flags_usage",
    ),
    _abseil("absl/functional", ["any_invocable", "bind_front", "function_ref"]),
    _abseil("absl/hash", ["hash"]),
    _abseil("absl/memory", ["memory"]),
    _abseil("absl/meta", ["type_traits"]),
    _abseil("absl/numeric", ["bits", "int128"]),
    _abseil(
        "absl/random",
        random = "absl_random_random",
        bit_gen_ref = "absl_random_bit_gen_ref",
        distributions = "absl_random_distributions",
        seed_sequences = "absl_random_seed_sequences",
    ),
    _abseil("absl/status", ["status", "statusor"]),
    _abseil("absl/strings", ["cord", "str_format", "strings"]),
    _abseil("absl/synchronization", ["synchronization"]),
    _abseil("absl/time", ["civil_time", "time"]),
    _abseil("absl/types", ["any", "compare", "optional", "span", "variant"]),
    _abseil("absl/utility", ["utility"]),
])

def _system_library(name, **kwargs):
    # A host may have bound the label to a library of its own.
    if not native.existing_rule(name):
        pkg_config_repository(name = name, **kwargs)

def system_libraries():
    """Declares a repository for each library that there is none for yet, under its usual name."""
    _system_library(
        name = "com_google_absl",
        debian_package = "libabsl-dev",
        modules = _ABSEIL,
    )
    _system_library(
        name = "oneTBB",
        debian_package = "libtbb-dev",
        modules = {":tbb": ["tbb"]},
    )
    _system_library(
        name = "com_google_googletest",
        debian_package = "libgmock-dev",
        # As upstream: gtest includes gmock, and gtest_main initialises both.
        modules = {
            ":gtest": ["gmock", "gtest"],
            ":gtest_main": ["gmock_main", "gmock", "gtest"],
        },
    )
    _system_library(
        name = "com_github_google_benchmark",
        debian_package = "libbenchmark-dev",
        # The packaged library has no pkg-config module of its own for the main function.
        extra_libraries = {":benchmark_main": "-lbenchmark_main"},
        modules = {
            ":benchmark": ["benchmark"],
            ":benchmark_main": ["benchmark"],
        },
    )
    _system_library(
        name = "nlohmann_json",
        debian_package = "nlohmann-json3-dev",
        modules = {":json": ["nlohmann_json"]},
    )
    # For an example alone, whose targets are "manual": without a target that is built from it, it is
    # never looked for.
    _system_library(
        name = "librdkafka",
        debian_package = "librdkafka-dev",
        modules = {":librdkafka": ["rdkafka"]},
    )
    # For benchmarks/timers_with_peers alone, which is "manual" too.
    _system_library(
        name = "libevent",
        debian_package = "libevent-dev",
        modules = {":event_core": ["libevent_core"]},
    )
    _system_library(
        name = "libuv",
        debian_package = "libuv1-dev",
        modules = {":uv": ["libuv"]},
    )
