//! `handlers!` takes names of functions.

use tapisservice::prelude::*;

fn main() {
    let _: Routes = Routes::new().add(Policy::authenticated(), handlers!(|| async { "hello" }));
}
