//! Wrong routes and handlers do not compile, and the compiler says what to do (`docs/COMPILER.md`).
//!
//! `TRYBUILD=overwrite cargo test -p tapisservice --test compile_fail` writes the expected messages anew.

#[test]
fn wrong_routes_and_handlers_do_not_compile_and_the_error_names_them() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
