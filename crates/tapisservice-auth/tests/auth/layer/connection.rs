//! Several requests over one connection: what it showed before decides nothing.

use tower::Service as _;

use super::{FAR, alice, authenticator, public, read_envelope, request, site};
use crate::signer::{ACME, STRANGER};

#[tokio::test]
async fn each_request_is_decided_by_its_own_token() {
    let alice = alice();
    let bob = ACME.token(&site::user("bob", "acme", FAR));
    let (forged, expired) =
        (STRANGER.token(&site::user("alice", "acme", FAR)), ACME.token(&site::user("eve", "acme", 1000)));
    let swapped = {
        let (signed, _) = alice.rsplit_once('.').unwrap();
        let (_, signature) = bob.rsplit_once('.').unwrap();
        format!("{signed}.{signature}")
    };
    let other = alice.replacen('.', ".A", 1);
    let tokens = [
        (Some(&alice), Some("alice")),
        (Some(&alice), Some("alice")),
        (Some(&swapped), None),
        (Some(&swapped), None),
        (Some(&alice), Some("alice")),
        (Some(&bob), Some("bob")),
        (Some(&bob), Some("bob")),
        (Some(&forged), None),
        (Some(&forged), None),
        (Some(&expired), None),
        (Some(&other), None),
        (None, Some("")),
        (Some(&bob), Some("bob")),
        (Some(&alice), Some("alice")),
    ];
    let mut connection = public(authenticator().await);
    for (number, (token, user)) in tokens.into_iter().chain(tokens.into_iter().rev()).enumerate() {
        let lines: Vec<_> = token.iter().map(|token| ("x-tapis-token", token.as_str())).collect();
        let (status, body) = read_envelope(connection.call(request("GET", &lines)).await.unwrap()).await;
        let seen = (status == 200)
            .then(|| body["result"]["request_username"].as_str().unwrap_or_default().to_owned());
        assert_eq!(seen.as_deref(), user, "request {number}: {body}");
    }
}
