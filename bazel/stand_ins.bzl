# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
"""Local stand-ins for repositories that Bazel itself asks for and that it would download.

They are for a Bazel without a release version: a distribution's own build, such as Debian's
bazel-bootstrap, which must work without a network. A released Bazel brings or fetches its own.
"""

_RULES = "/usr/share/bazel/rules/"

def _packaged_rules_impl(repository_ctx):
    source = repository_ctx.path(_RULES + repository_ctx.attr.directory)
    if not source.exists:
        fail("%s does not exist. On Debian: apt-get install bazel-rules-%s" %
             (source, repository_ctx.attr.directory))
    for entry in source.readdir():
        repository_ctx.symlink(entry, entry.basename)

_packaged_rules = repository_rule(
    implementation = _packaged_rules_impl,
    attrs = {"directory": attr.string(mandatory = True)},
    local = True,
)

def _written_files_impl(repository_ctx):
    for path, content in repository_ctx.attr.files.items():
        repository_ctx.file(path, content, executable = False)

_written_files = repository_rule(
    implementation = _written_files_impl,
    attrs = {"files": attr.string_dict(mandatory = True)},
)

# The packaged rules_cc is too new for the packaged Bazel; the native rules are all that is needed.
_RULES_CC = """
cc_binary = native.cc_binary
cc_import = native.cc_import
cc_library = native.cc_library
cc_proto_library = native.cc_proto_library
cc_test = native.cc_test
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
fdo_prefetch_hints = native.fdo_prefetch_hints
fdo_profile = native.fdo_profile
objc_import = native.objc_import
objc_library = native.objc_library
"""

_COVERAGE_TOOLS = """
filegroup(
    name = "coverage_report_generator",
    visibility = ["//visibility:public"],
)
"""

def _is_released(version):
    return bool(version) and version[0].isdigit()

def _stand_in(rule, name, **kwargs):
    if not native.existing_rule(name):
        rule(name = name, **kwargs)

def stand_ins():
    """Declares the stand-ins that are missing, unless this Bazel is a release."""
    if _is_released(native.bazel_version):
        return
    _stand_in(
        _written_files,
        name = "rules_cc",
        files = {
            "BUILD.bazel": "",
            "WORKSPACE": "",
            "cc/BUILD.bazel": "",
            "cc/defs.bzl": _RULES_CC,
        },
    )
    _stand_in(
        _written_files,
        name = "remote_coverage_tools",
        files = {
            "BUILD.bazel": _COVERAGE_TOOLS,
            "WORKSPACE": "",
        },
    )
    _stand_in(_packaged_rules, name = "rules_java", directory = "java")
    _stand_in(_packaged_rules, name = "rules_proto", directory = "proto")
