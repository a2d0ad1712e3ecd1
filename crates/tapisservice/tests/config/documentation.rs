//! `docs/CONFIGURATION.md` has a table of all keys, which is written from the settings structs.

use expect_test::expect_file;
use tapisservice::Settings;

const PAGE: &str = include_str!("../../../../docs/CONFIGURATION.md");
const BEGIN: &str = "<!-- The tables up to the end of this page are written by `UPDATE_EXPECT=1 cargo test -p tapisservice --test config`. -->\n";

#[test]
fn the_tables_are_those_of_the_settings() {
    let (prose, _) = PAGE.split_once(BEGIN).expect("the page has the mark before its tables");
    let page = format!("{prose}{BEGIN}\n{}", Settings::tables());
    expect_file!["../../../../docs/CONFIGURATION.md"].assert_eq(&page);
}
