//! The query of a list of bookmarks, as far as the database and back.
#![no_main]

use std::sync::LazyLock;

use bookmarks::{ListParameters, ListQuery};
use http::{Method, Request, StatusCode, Uri};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tapisservice::extract::Query;
use tapisservice_fuzz::{CANARY, Service};

static SERVICE: LazyLock<Service> = LazyLock::new(|| {
    let service = Service::start();
    for (name, system, path, tag) in [
        ("b", "workstation", "/z", "x"),
        ("a", "workstation", "/y", "y"),
        ("c", "alice-private", "/y", "x"),
        ("d", "workstation", "/a", "z z"),
    ] {
        service.keep(&json!({"name": name, "system_id": system, "path": path, "tags": [tag]}));
    }
    service
});

fuzz_target!(init: good_is_accepted(), |data: &[u8]| {
    let Ok(query) = std::str::from_utf8(data) else { return };
    let query = query.replace("{canary}", &form_urlencoded::byte_serialize(CANARY.as_bytes()).collect::<String>());
    let target = format!("?{query}");
    let Ok(uri) = format!("/v3/bookmarks{target}").parse::<Uri>() else { return };
    let response = SERVICE.send(Method::GET, &target, b"");
    match (response.status, listing(&uri)) {
        (StatusCode::OK, Some(listing)) => check(&listing, &response.envelope),
        (StatusCode::BAD_REQUEST, None) => {
            let named = form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name.contains(CANARY));
            assert!(named || !response.message().contains(CANARY), "{}", response.message());
            assert!(response.message().starts_with("Invalid query"), "{}", response.message());
        }
        (StatusCode::URI_TOO_LONG, _) => assert!(uri.to_string().len() > 8000),
        (status, listing) => panic!("{status} {listing:?} {}", response.message()),
    }
});

/// A target that takes nothing would check nothing.
fn good_is_accepted() {
    let listed = SERVICE.send(
        Method::GET,
        include_str!("../seeds/list/00").replacen("limit", "?limit", 1).as_str(),
        b"",
    );
    assert_eq!((listed.status, &listed.envelope["metadata"]["totalCount"]), (StatusCode::OK, &json!(4)));
}

/// The query as the handler reads it.
fn listing(uri: &Uri) -> Option<ListQuery> {
    use axum::extract::FromRequestParts as _;
    let mut parts = Request::get(uri.clone()).body(()).unwrap().into_parts().0;
    let mut reading = std::pin::pin!(Query::<ListParameters>::from_request_parts(&mut parts, &()));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(read) = reading.as_mut().poll(&mut context) else {
        panic!("it waits for nothing")
    };
    ListQuery::try_from(&read.ok()?.0).ok()
}

/// The page respects the limit, the filters and the order.
fn check(listing: &ListQuery, envelope: &Value) {
    let page = envelope["result"].as_array().unwrap();
    assert!(listing.limit <= ListQuery::MAX_LIMIT && page.len() <= listing.limit as usize);
    assert_eq!(envelope["metadata"]["recordCount"], page.len());
    assert_eq!(envelope["metadata"]["totalCount"].as_i64().unwrap() >= 0, listing.compute_total);
    for bookmark in page {
        assert!(listing.system_id.as_ref().is_none_or(|id| bookmark["system_id"] == id.as_str()));
        let tags = bookmark["tags"].as_array().unwrap();
        assert!(listing.tag.as_ref().is_none_or(|tag| tags.iter().any(|t| t == tag.as_str())));
    }
    for pair in page.windows(2) {
        let order = |by: &bookmarks::OrderBy| {
            let text = |of: &Value| of[by.column].as_str().unwrap().to_owned();
            let order = text(&pair[0]).cmp(&text(&pair[1]));
            if by.descending { order.reverse() } else { order }
        };
        let first = listing.order_by.iter().map(order).find(|order| order.is_ne());
        assert!(first.is_none_or(std::cmp::Ordering::is_lt), "{listing:?} {page:?}");
    }
}
