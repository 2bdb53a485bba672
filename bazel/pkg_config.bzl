# Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
"""A repository whose cc_library targets stand for installed libraries that pkg-config knows."""

# A target's tags with this in front are the modules that it stands for.
MODULE_TAG = "pkg_config="

_LIBRARY = """
cc_library(
    name = {name},
    hdrs = {hdrs},
    defines = {defines},
    includes = {includes},
    linkopts = {linkopts},
    tags = {tags},
)
"""

def _pkg_config(repository_ctx, arguments):
    """The words that pkg-config prints, or None if it knows no such module."""
    result = repository_ctx.execute([repository_ctx.attr.pkg_config] + arguments)
    if result.return_code != 0:
        return None
    return [word for word in result.stdout.replace("\n", " ").split(" ") if word]

def _require(repository_ctx, module):
    if not repository_ctx.which(repository_ctx.attr.pkg_config):
        fail("%s is not installed. On Debian: apt-get install pkg-config" %
             repository_ctx.attr.pkg_config)
    if _pkg_config(repository_ctx, ["--exists", module]) == None:
        fail(("pkg-config does not know the library %s, which @%s is made of. On Debian: " +
              "apt-get install %s. Elsewhere: see that PKG_CONFIG_PATH leads to %s.pc.") %
             (module, repository_ctx.name, repository_ctx.attr.debian_package, module))

def _include_directory(repository_ctx, path):
    """A link to a directory outside the compiler's own search path, which the sandbox hides."""
    link = "include" + path.replace("/", "_")
    if not repository_ctx.path(link).exists:
        repository_ctx.symlink(path, link)
    return link

def _escaped(words):
    return [word.replace("$", "$$") for word in words]

def _library(repository_ctx, name, modules, extra):
    """One cc_library; pkg-config leaves out the directories that the compiler searches anyway."""
    directories = [
        _include_directory(repository_ctx, flag[2:])
        for flag in _pkg_config(repository_ctx, ["--cflags-only-I"] + modules)
    ]
    defines = [
        flag[2:]
        for flag in _pkg_config(repository_ctx, ["--cflags-only-other"] + modules)
        if flag.startswith("-D")
    ]
    libraries = _pkg_config(repository_ctx, ["--libs"] + modules)

    # The list of each target is complete and in order in itself, so that static libraries link as
    # well. Shared ones that a binary does not use are left out of what it loads.
    linkopts = (
        ["-Wl,--push-state,--as-needed"] +
        ([extra] if extra else []) + libraries +
        ["-Wl,--pop-state"]
    )
    hdrs = "glob(%r)" % [directory + "/**" for directory in directories] if directories else "[]"
    return _LIBRARY.format(
        name = repr(name),
        hdrs = hdrs,
        defines = repr(_escaped(defines)),
        includes = repr(directories),
        linkopts = repr(_escaped(libraries and linkopts)),
        tags = repr([MODULE_TAG + module for module in modules]),
    )

def _pkg_config_repository_impl(repository_ctx):
    packages = {}
    for label, modules in repository_ctx.attr.modules.items():
        for module in modules:
            _require(repository_ctx, module)
        package, name = label.split(":")
        extra = repository_ctx.attr.extra_libraries.get(label)
        packages.setdefault(package, []).append(_library(repository_ctx, name, modules, extra))

    repository_ctx.file("WORKSPACE", "workspace(name = %r)\n" % repository_ctx.name)
    for package, libraries in packages.items():
        repository_ctx.file(
            package + "/BUILD.bazel" if package else "BUILD.bazel",
            "\n".join([
                "load(\"@rules_cc//cc:defs.bzl\", \"cc_library\")",
                "package(default_visibility = [\"//visibility:public\"])",
            ] + libraries),
            executable = False,
        )

# Local: looked up again by each new Bazel server, because packages come and go behind its back.
pkg_config_repository = repository_rule(
    implementation = _pkg_config_repository_impl,
    attrs = {
        "debian_package": attr.string(
            doc = "What to install where a module is missing; named in the error.",
            mandatory = True,
        ),
        "extra_libraries": attr.string_dict(
            doc = "A linker flag to put before those of the label's modules.",
        ),
        "modules": attr.string_list_dict(
            doc = "From a label without its repository (package:name) to pkg-config modules.",
            mandatory = True,
        ),
        "pkg_config": attr.string(
            default = "pkg-config",
            doc = "The program to ask.",
        ),
    },
    configure = True,
    environ = [
        "PATH",
        "PKG_CONFIG_LIBDIR",
        "PKG_CONFIG_PATH",
    ],
    local = True,
)
