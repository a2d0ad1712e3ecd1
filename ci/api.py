#!/usr/bin/env python3
"""Checks the public names of the library crates, and the crates of others that their signatures show.

    api.py            check
    api.py --list     print what is public: the third-party crates of each library, and the names that several items have

A third-party type in a public signature ties the version of its crate to ours: raising one is a breaking change of the other. Each library
lists those crates in its Cargo.toml, and a new one fails until it is listed there:

    [package.metadata.external-types]
    allowed = ["http", "serde"]

No two public items of the libraries have one name, in the same crate or in two; re-exports of the same item are one item. Exceptions
stand with their reasons in `[workspace.metadata.public-names]` of the root Cargo.toml.

Both read the JSON of rustdoc, which the stable toolchain writes when it is told to (`RUSTC_BOOTSTRAP`). Its format changes now and then:
the tests, `ci/tests/test_api.py`, run the toolchain's own rustdoc, so they show whether this script still understands it. Standard library
only.
"""

import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
STANDARD = {"std", "core", "alloc", "proc_macro", "test"}
# Nobody builds upon the examples.
EXAMPLES = {"bookmarks", "shelf", "weather"}
# Items whose names must differ. Modules, macros and constants have namespaces or habits of their own.
NAMED = {"struct", "enum", "union", "trait", "trait_alias", "type_alias", "function"}
WRAPPER = '#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec "${REAL_RUSTDOC:-rustdoc}" "$@"\n'


class Library:
    """The public part of one crate, as rustdoc describes it."""

    def __init__(self, document):
        self.index, self.paths = document["index"], document["paths"]
        self.crates = {int(number): crate["name"] for number, crate in document["external_crates"].items()}
        root = self.index[str(document["root"])]
        self.name = root["name"]
        # Items by their public path, and where each comes from: two of one origin are the same.
        self.public = {}
        # (public path, path of a type or trait) by crate.
        self.external = collections.defaultdict(set)
        self.seen = set()
        self.module(root, self.name)

    def module(self, item, path):
        for id in item["inner"]["module"]["items"]:
            if child := self.index.get(str(id)):
                self.item(child, path)

    def item(self, item, path):
        """An item of a module: at its path it is public."""
        ((kind, inner),) = item["inner"].items()
        if kind == "use":
            self.reexport(inner, path)
            return
        here = f"{path}::{item['name']}"
        self.publish(here, kind, item["id"])
        if (item["id"], here) in self.seen:
            return
        self.seen.add((item["id"], here))
        if kind == "module":
            self.module(item, here)
        else:
            self.signature(item, here)

    def reexport(self, use, path):
        target = self.index.get(str(use["id"]))
        if target and target["crate_id"] == 0:
            if not use["is_glob"]:
                self.item({**target, "name": use["name"]}, path)
            elif "module" in target["inner"]:
                if (target["id"], path) not in self.seen:
                    self.seen.add((target["id"], path))
                    self.module(target, path)
            else:
                for id in target["inner"]["enum"]["variants"]:
                    self.item(self.index[str(id)], path)
            return
        summary = self.paths.get(str(use["id"]))
        if summary is None:
            # A whole crate: `pub use http;`.
            self.note(use["source"].split("::")[0], f"{path}::{use['name']}", use["source"])
            return
        here = path if use["is_glob"] else f"{path}::{use['name']}"
        self.note_id(use["id"], here)
        if not use["is_glob"]:
            self.publish(here, summary["kind"], use["id"])

    def publish(self, here, kind, id):
        if kind in NAMED:
            summary = self.paths.get(str(id))
            self.public[here] = "::".join(summary["path"]) if summary else here

    # --- what a signature shows

    def signature(self, item, here):
        """Walks through everything that describes the item, and through the items that belong to it."""
        ((kind, inner),) = item["inner"].items()
        self.types(inner, here)
        for id in children(kind, inner):
            child = self.index.get(str(id))
            # Fields that are private are not in the index.
            if child is None or child["crate_id"] != 0:
                continue
            if "impl" in child["inner"]:
                self.implementation(child, here)
            else:
                self.signature(child, f"{here}::{child['name']}")

    def implementation(self, item, here):
        inner = item["inner"]["impl"]
        # Those of every type, such as `Into`, and `Send` and its like say nothing about this one.
        if inner["is_synthetic"] or inner["blanket_impl"] is not None:
            return
        self.types({key: inner[key] for key in ("generics", "trait", "for")}, here)
        # What a trait of others wants is written there: its methods show nothing new, but the types that are chosen do.
        for id in inner["items"]:
            child = self.index.get(str(id))
            if child is None:
                continue
            if inner["trait"] is None or "assoc_type" in child["inner"]:
                self.signature(child, f"{here}::{child['name']}")

    def types(self, value, here):
        """Every path to a type or trait, however deep: in arguments, bounds, associated types."""
        if isinstance(value, list):
            for one in value:
                self.types(one, here)
        elif isinstance(value, dict):
            if isinstance(value.get("path"), str) and isinstance(value.get("id"), int):
                self.note_id(value["id"], here)
            for one in value.values():
                self.types(one, here)

    def note_id(self, id, here):
        summary = self.paths.get(str(id))
        if summary and summary["crate_id"] != 0:
            self.note(self.crates[summary["crate_id"]], here, "::".join(summary["path"]))

    def note(self, crate, here, shown):
        self.external[crate].add((here, shown))


def children(kind, inner):
    """The ids of what belongs to an item."""
    if kind == "struct":
        shape = inner["kind"]
        fields = [] if isinstance(shape, str) else shape["plain"]["fields"] if "plain" in shape else shape["tuple"]
        return [id for id in fields if id is not None] + inner["impls"]
    if kind == "union":
        return inner["fields"] + inner["impls"]
    if kind == "enum":
        return inner["variants"] + inner["impls"]
    if kind == "variant":
        shape = inner["kind"]
        fields = [] if isinstance(shape, str) else shape["struct"]["fields"] if "struct" in shape else shape["tuple"]
        return [id for id in fields if id is not None]
    return inner["items"] if kind == "trait" else []


# --- the two checks


def unlisted(library, allowed, own):
    """What is wrong with the list of a library: crates that it lacks, each with an item that shows them, and those that nothing shows."""
    shown = {crate: places for crate, places in library.external.items() if crate not in STANDARD | own}
    named = {name.replace("-", "_") for name in allowed}
    faults = []
    for crate in sorted(shown.keys() - named):
        here, path = min(shown[crate])
        more = f", and {len(shown[crate]) - 1} more" if len(shown[crate]) > 1 else ""
        faults.append(f"{library.name}: {here} shows {path}{more}: `{crate}` is not among its external-types")
    for crate in sorted(named - shown.keys()):
        faults.append(f"{library.name}: no public item shows `{crate}`, which is among its external-types")
    return faults


def clashes(libraries, reasons):
    """Public names that several items have and that are not excused, and excuses that nothing needs."""
    origins = collections.defaultdict(dict)
    for library in libraries:
        for path, origin in library.public.items():
            # The shortest path is the one that authors write.
            known = origins[path.rpartition("::")[2]].get(origin)
            origins[path.rpartition("::")[2]][origin] = min(filter(None, (known, path)), key=lambda one: (one.count("::"), one))
    several = {name: sorted(found.values()) for name, found in origins.items() if len(found) > 1}
    faults = [
        f"{name} names several public items: {', '.join(found)}" for name, found in sorted(several.items()) if name not in reasons
    ]
    faults += [f"{name} is among public-names, and names no two public items" for name in sorted(reasons.keys() - several.keys())]
    faults += [f"{name} is among public-names without a reason" for name, reason in sorted(reasons.items()) if not reason.strip()]
    return faults


# --- rustdoc


def describe(metadata, packages):
    """What rustdoc says of these packages."""
    with tempfile.TemporaryDirectory() as folder:
        wrapper = pathlib.Path(folder) / "rustdoc"
        wrapper.write_text(WRAPPER)
        wrapper.chmod(0o755)
        # Of rustdoc alone: build scripts that look at RUSTC_BOOTSTRAP would be run anew.
        environment = {
            **os.environ,
            "RUSTDOC": str(wrapper),
            "REAL_RUSTDOC": os.environ.get("RUSTDOC", "rustdoc"),
            "RUSTDOCFLAGS": "-Z unstable-options --output-format json",
        }
        chosen = [part for package in packages for part in ("-p", package["name"])]
        command = ["cargo", "doc", "--quiet", "--locked", "--no-deps", "--lib", "--all-features", *chosen]
        if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
            sys.exit("rustdoc failed")
    folder = pathlib.Path(metadata["target_directory"]) / "doc"
    return [Library(json.loads((folder / f"{library_name(package)}.json").read_text())) for package in packages]


def library_name(package):
    """The name of the crate's library in code, if it has one."""
    return next((target["name"].replace("-", "_") for target in package["targets"] if "lib" in target["kind"]), None)


def main(arguments):
    command = ["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)
    packages = [package for package in metadata["packages"] if library_name(package) and package["name"] not in EXAMPLES]
    libraries = describe(metadata, packages)
    own = {library.name for library in libraries}
    if arguments == ["--list"]:
        for library in libraries:
            print(f"{library.name}: {', '.join(sorted(library.external.keys() - STANDARD - own))}")
        print(*clashes(libraries, {}), sep="\n")
        return
    reasons = (metadata["metadata"] or {}).get("public-names", {})
    faults = clashes(libraries, reasons)
    for package, library in zip(packages, libraries, strict=True):
        listed = ((package["metadata"] or {}).get("external-types") or {}).get("allowed", [])
        faults += unlisted(library, listed, own)
    for fault in faults:
        print(f"FAILED {fault}")
    if faults:
        sys.exit(1)
    names = sum(len(library.public) for library in libraries)
    print(
        f"{len(libraries)} libraries, {names} public names: each names one item, and every third-party crate in a signature is listed"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
