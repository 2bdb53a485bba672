# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
"""The library in the form in which others link it, made of what the cc_library targets have."""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")
load(":pkg_config.bzl", "MODULE_TAG")

_ModulesInfo = provider(
    doc = "The system libraries behind a target.",
    fields = {"modules": "A depset of the names that pkg-config has for them."},
)

def _modules_impl(target, ctx):
    return [_ModulesInfo(modules = depset(
        [tag[len(MODULE_TAG):] for tag in ctx.rule.attr.tags if tag.startswith(MODULE_TAG)],
        transitive = [dep[_ModulesInfo].modules for dep in getattr(ctx.rule.attr, "deps", [])],
    ))]

_modules = aspect(
    implementation = _modules_impl,
    attr_aspects = ["deps"],
)

def _write_modules(ctx):
    """Two lines: what the headers use, and what only the library itself does."""
    public = ctx.attr.headers[_ModulesInfo].modules.to_list()
    used = ctx.attr.library[_ModulesInfo].modules.to_list()
    lines = [sorted(public), sorted([module for module in used if module not in public])]
    output = ctx.actions.declare_file(ctx.attr.name + ".modules")
    ctx.actions.write(output, "".join([" ".join(line) + "\n" for line in lines]))
    return output

def _own_objects(ctx, linker_inputs):
    """The objects of this repository. The rest has to be the system's, so there are only flags."""
    objects = []
    for linker_input in linker_inputs:
        for library in linker_input.libraries:
            if linker_input.owner.workspace_name != ctx.label.workspace_name:
                fail("%s is no system library: what is installed could not refer to it" %
                     linker_input.owner)
            if not library.pic_objects:
                fail("%s has no position-independent objects" % linker_input.owner)
            objects.extend(library.pic_objects)
    return depset(objects)

def _write_soname_flag(ctx):
    output = ctx.actions.declare_file(ctx.attr.name + ".soname")
    ctx.actions.run_shell(
        inputs = [ctx.file.version_header],
        tools = [ctx.executable._version],
        outputs = [output],
        arguments = [
            ctx.executable._version.path,
            ctx.file.version_header.path,
            ctx.attr.name,
            output.path,
        ],
        command = 'numbers="$("$1" "$2")" && echo "-Wl,-soname,lib$3.so.${numbers#* }" >"$4"',
        mnemonic = "Soname",
    )
    return output

def _installed_libraries_impl(ctx):
    toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )
    linker_inputs = ctx.attr.library[CcInfo].linking_context.linker_inputs.to_list()
    objects = _own_objects(ctx, linker_inputs)
    compiled = cc_common.create_compilation_outputs(objects = objects, pic_objects = objects)
    soname_flag = _write_soname_flag(ctx)

    _, archived = cc_common.create_linking_context_from_compilation_outputs(
        name = ctx.attr.name,
        actions = ctx.actions,
        feature_configuration = features,
        cc_toolchain = toolchain,
        compilation_outputs = compiled,
        disallow_dynamic_library = True,
    )
    shared = cc_common.link(
        name = ctx.attr.name,
        actions = ctx.actions,
        feature_configuration = features,
        cc_toolchain = toolchain,
        compilation_outputs = compiled,
        output_type = "dynamic_library",
        # The file may have other options in it, so that the version need not be known yet.
        user_link_flags = [
            "@" + soname_flag.path,
            "-Wl,--version-script=" + ctx.file.exported_symbols.path,
        ] + ctx.attr.linkopts + [
            flag
            for linker_input in linker_inputs
            for flag in linker_input.user_link_flags
        ],
        additional_inputs = [soname_flag, ctx.file.exported_symbols],
    )
    files = [
        archived.library_to_link.static_library or archived.library_to_link.pic_static_library,
        shared.library_to_link.resolved_symlink_dynamic_library,
        _write_modules(ctx),
    ]
    return [DefaultInfo(files = depset(files), runfiles = ctx.runfiles(files = files))]

# lib<name>.a and lib<name>.so, and <name>.modules, which says what they need.
installed_libraries = rule(
    implementation = _installed_libraries_impl,
    attrs = {
        "exported_symbols": attr.label(
            allow_single_file = [".lds"],
            doc = "The version script of the shared library.",
            mandatory = True,
        ),
        "headers": attr.label(
            aspects = [_modules],
            doc = "The library of the public headers.",
            mandatory = True,
            providers = [CcInfo],
        ),
        "library": attr.label(
            aspects = [_modules],
            doc = "The library whose objects, and those of what it depends on, are wanted.",
            mandatory = True,
            providers = [CcInfo],
        ),
        "linkopts": attr.string_list(doc = "For the shared library alone."),
        "version_header": attr.label(
            allow_single_file = [".h"],
            doc = "Says the version that is part of the shared library's soname.",
            mandatory = True,
        ),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
        "_version": attr.label(
            cfg = "exec",
            default = ":version",
            executable = True,
        ),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
