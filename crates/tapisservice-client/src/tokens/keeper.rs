//! What keeps a token fresh in the background.

use std::sync::Weak;

use tokio::time::{Instant, sleep_until};

use super::site_token::SiteToken;

/// Renews the token at 80 % of its life, and after a failure as often as the back-off allows, for ever: until nobody holds it any
/// more.
pub(super) async fn keep(token: Weak<SiteToken>) {
    while let Some(held) = token.upgrade() {
        let (next, changed) = (held.next_attempt(), held.changed());
        if next <= Instant::now() {
            held.renew().await;
            continue;
        }
        drop(held);
        tokio::select! {
            () = sleep_until(next) => {}
            () = changed.notified() => {}
        }
    }
}
