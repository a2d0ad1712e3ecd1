"""What counts as public, on small crates that the toolchain's own rustdoc reads."""

import json
import os
import subprocess

import api
import pytest

CASES = 43
OTHER = """
pub struct Thing; pub struct Generic<T>(pub T); pub trait Trait { type Out; fn call(&self) -> Self::Out; }
pub enum Kind { One } pub mod deep { pub struct Deep; }
#[macro_export] macro_rules! hidden { ($name:ident) => { pub struct $name { secret: $crate::Thing } } }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the third-party crate `other` was built."""
    folder = tmp_path_factory.mktemp("crates")
    (folder / "other.rs").write_text(OTHER)
    subprocess.run(["rustc", "--edition=2024", "--crate-type=rlib", "other.rs"], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def read(folder):
    """Reads the source of a crate that uses `other`."""

    def read(source, name="own"):
        (folder / f"{name}.rs").write_text(source)
        command = ["rustdoc", "--edition=2024", "--crate-type=rlib", "--extern=other=libother.rlib", f"{name}.rs"]
        command += ["-Zunstable-options", "--output-format=json", "--out-dir=doc"]
        subprocess.run(command, cwd=folder, env={**os.environ, "RUSTC_BOOTSTRAP": "1"}, check=True)
        return api.Library(json.loads((folder / "doc" / f"{name}.json").read_text()))

    return read


# Each row: a module, and the public items of it that show `other`.
SHOWN = [
    ("pub fn f(_: other::Thing) {}", {"f"}),
    ("pub fn f() -> Option<other::Thing> { None }", {"f"}),
    ("pub fn f(_: &dyn Fn(&[other::Thing; 2])) {}", {"f"}),
    ("pub fn f(_: impl other::Trait) {}", {"f"}),
    ("pub fn f<T>(_: T) where T: Iterator<Item = other::Thing> {}", {"f"}),
    ("pub fn f<T: other::Trait<Out = u8>>(_: T) {}", {"f"}),
    ("pub struct S { pub field: other::Thing }", {"S::field"}),
    ("pub struct S(u8, pub other::Generic<u8>);", {"S::1"}),
    ("pub struct S; impl S { pub fn method(&self) -> other::Kind { other::Kind::One } }", {"S::method"}),
    ("pub enum E { One(other::Thing), Two { field: other::Thing } }", {"E::One::0", "E::Two::field"}),
    ("pub trait T { fn required(&self, thing: &other::Thing); }", {"T::required"}),
    ("pub trait T: other::Trait {}", {"T"}),
    ("pub trait T { type Out: other::Trait; }", {"T::Out"}),
    ("pub struct S; impl other::Trait for S { type Out = u8; fn call(&self) -> u8 { 0 } }", {"S"}),
    ("pub struct S; impl From<other::Thing> for S { fn from(_: other::Thing) -> S { S } }", {"S"}),
    (
        "pub struct S; impl Iterator for S { type Item = other::Thing; fn next(&mut self) -> Option<other::Thing> { None } }",
        {"S::Item"},
    ),
    ("pub type Alias = other::Generic<u8>;", {"Alias"}),
    ("pub const C: Option<other::Thing> = None;", {"C"}),
    ("pub mod m { pub fn f(_: other::deep::Deep) {} }", {"m::f"}),
    ("mod m { pub fn f(_: other::Thing) {} } pub use m::f as g;", {"g"}),
    ("mod m { pub fn f(_: other::Thing) {} } pub use m::*;", {"f"}),
    ("pub use other::Thing;", {"Thing"}),
    ("pub use other::deep::*;", {""}),
    ("pub use other;", {"other"}),
    # Nobody outside sees these.
    ("pub fn f() { let _ = other::Thing; }", set()),
    ("fn f(_: other::Thing) {}", set()),
    ("pub(crate) fn f(_: other::Thing) {}", set()),
    ("mod m { pub fn f(_: other::Thing) {} }", set()),
    ("other::hidden!(S);", set()),
    ("pub struct S { _field: other::Thing }", set()),
    ("pub struct S; impl S { fn method(&self, _: other::Thing) {} }", set()),
]
# Each row: a module, and its names.
NAMES = [
    ("pub struct A; pub enum B {} pub trait C {} pub type D = u8; pub fn e() {}", {"A", "B", "C", "D", "e"}),
    ("pub mod m { pub struct A; } pub const C: u8 = 0; struct Hidden;", {"A"}),
    ("mod m { pub struct A; } pub use m::A as B;", {"B"}),
    ("pub struct A; impl A { pub fn method() {} }", {"A"}),
    ("pub enum A { B } pub use A::*;", {"A"}),
    ("pub use other::Thing;", {"Thing"}),
]


@pytest.fixture(scope="module")
def modules(read):
    """All modules of both tables in one crate, as each run of rustdoc takes a moment."""
    sources = [source for source, _ in SHOWN + NAMES]
    return read("\n".join(f"pub mod m{number} {{ {source} }}" for number, source in enumerate(sources)))


def within(number, paths):
    """Those of one module, by their paths in it."""
    prefix = f"own::m{number}::"
    return {
        path.removeprefix(prefix)
        for path in (f"{path}::" if path == prefix[:-2] else path for path in paths)
        if path.startswith(prefix)
    }


@pytest.mark.parametrize(("number", "shown"), list(enumerate(shown for _, shown in SHOWN)), ids=[source for source, _ in SHOWN])
def test_a_signature_shows_the_crates_of_its_types(modules, number, shown):
    assert within(number, {here for here, _ in modules.external["other"]}) == shown


@pytest.mark.parametrize(
    ("number", "names"), list(enumerate((names for _, names in NAMES), len(SHOWN))), ids=[source for source, _ in NAMES]
)
def test_types_traits_and_functions_are_named(modules, number, names):
    assert {path.rpartition("::")[2] for path in within(number, modules.public)} == names


def test_a_crate_that_is_not_listed_is_reported_with_item_and_type(read):
    library = read("pub fn f(_: other::Thing) {} pub fn g(_: other::Thing) {}")
    assert api.unlisted(library, [], {"own"}) == [
        "own: own::f shows other::Thing, and 1 more: `other` is not among its external-types"
    ]


def test_a_listed_crate_may_be_shown_and_must_be(read):
    library = read("pub fn f(_: other::Thing, _: std::net::IpAddr) {}")
    assert api.unlisted(library, ["other"], {"own"}) == []
    assert api.unlisted(library, ["other", "more-of-it"], {"own"}) == [
        "own: no public item shows `more_of_it`, which is among its external-types"
    ]


def test_crates_of_the_workspace_need_no_listing(read):
    assert api.unlisted(read("pub fn f(_: other::Thing) {}"), [], {"own", "other"}) == []


def test_two_items_of_one_name_clash_within_a_crate_and_between_two(read):
    one, two = (
        read("pub struct A; pub mod m { pub fn b() {} } pub trait B {}", "one"),
        read("pub type A = u8; pub fn b() {}", "two"),
    )
    assert api.clashes([one, two], {}) == [
        "A names several public items: one::A, two::A",
        "b names several public items: one::m::b, two::b",
    ]


def test_reexports_of_one_item_do_not_clash(read):
    one = read("pub mod m { pub struct A; } pub use m::A; pub use other::Thing;", "one")
    assert api.clashes([one, read("pub use other::Thing;", "two")], {}) == []


def test_a_reason_excuses_a_name_and_a_reason_too_many_is_reported(read):
    one, two = read("pub struct A;", "one"), read("pub struct A;", "two")
    assert api.clashes([one, two], {"A": "one is of bytes, one of characters"}) == []
    assert api.clashes([one, two], {"A": " "}) == ["A is among public-names without a reason"]
    assert api.clashes([one], {"A": "reason"}) == ["A is among public-names, and names no two public items"]
