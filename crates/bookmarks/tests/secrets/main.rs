//! F24 as a whole: secrets of every kind are given to the real service, everything is logged at TRACE, dependencies included,
//! every route is driven through success and failure; then everything that came out is searched for them.
//!
//! Parts of it are tested where they are made; here nothing is left out, and what was searched is counted, so that it cannot pass
//! by having nothing to look at.
#![cfg(all(feature = "devsite", unix))]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod canary;
mod drive;
mod evidence;
mod inside;
mod local;
mod process;
mod start;
mod text;
mod tokens;
mod upstream;

use canary::Canaries;
use evidence::Evidence;
use process::{Database, Format};

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_found_anywhere() {
    let (mut canaries, mut evidence) = (Canaries::new(), Evidence::default());
    process::serve(Format::Human, Database::Sqlite, &mut canaries, &mut evidence).await;
    process::serve(Format::Json, Database::Postgres, &mut canaries, &mut evidence).await;
    local::serve(&mut canaries, &mut evidence).await;
    start::refuse(&mut evidence);
    // Last, because from here on this process logs everything it does itself.
    inside::run(&mut canaries, &mut evidence).await;

    let found = evidence.search(&canaries);
    assert!(found.is_empty(), "{} leaks:\n{}", found.len(), found.join("\n"));
    let count = evidence.count();
    println!("searched for {} secrets in {} spellings: {count:?}", canaries.len(), canaries.spellings());
    // A machine without PostgreSQL answers a third less.
    assert!(canaries.len() >= 150 && canaries.spellings() >= 20 * canaries.len(), "{}", canaries.len());
    assert!(count.outputs >= 50 && count.responses >= 1500 && count.metrics == 2, "{count:?}");
    assert!(count.lines >= 1200 && count.trace >= 200 && count.by_dependencies >= 200, "{count:?}");
}

#[test]
fn what_leaks_in_any_spelling_is_found() {
    let canaries = Canaries::new();
    let clean = "nothing of the kind";
    let mut planted = 0;
    for (what, spelling) in canaries.each() {
        let mut evidence = Evidence::default();
        evidence.output("planted", clean);
        assert!(evidence.search(&canaries).is_empty());
        evidence.output("planted", &format!("{clean} <{spelling}>"));
        let found = evidence.search(&canaries);
        assert!(found.iter().any(|leak| leak.contains(what)), "{what}: {found:?}");
        assert!(!found.iter().any(|leak| leak.contains(spelling)), "a report of leaks leaks: {found:?}");
        planted += 1;
    }
    assert!(planted >= 100, "{planted}");
}
