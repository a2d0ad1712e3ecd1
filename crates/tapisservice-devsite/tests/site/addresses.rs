use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use tapisservice_devsite::{DevSite, DevSiteError, InjectedFault, TenantSpec};

use crate::helpers::{envelope, get, http, response, site};

#[tokio::test]
async fn every_port_serves_the_whole_site() {
    let site = site().await;
    for tenant in site.tenant_ids() {
        let base_url = site.tenant_url(&tenant).unwrap();
        for service in ["tenants", "tokens", "oauth2", "security", "systems"] {
            for check in ["hello", "healthcheck", "ready", "readycheck"] {
                envelope(get(format!("{base_url}/v3/{service}/{check}")).await, 200).await;
            }
        }
        for address in ["127.0.0.1", "localhost"] {
            let port = base_url.rsplit(':').next().unwrap();
            envelope(get(format!("http://{address}:{port}/v3/sites")).await, 200).await;
        }
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_enveloped() {
    let site = site().await;
    for path in ["/", "/v3", "/v3/nothing", "/v3/tokens/nothing", "/v3/security/user/nothing"] {
        envelope(get(format!("{}{path}", site.url())).await, 404).await;
    }
    let res = http().delete(format!("{}/v3/tenants", site.url())).send().await.unwrap();
    assert!(res.headers().contains_key("allow"));
    envelope(res, 405).await;
    let large = http().post(format!("{}/v3/oauth2/tokens", site.url())).body(vec![b' '; 3_000_000]);
    envelope(large.send().await.unwrap(), 413).await;
}

#[tokio::test]
async fn the_host_names_the_tenant() {
    let site = DevSite::builder()
        .server("dev")
        .tenant(TenantSpec::new("named", "tacc").base_url("https://named.example.org"))
        .start()
        .await
        .unwrap();
    let (tacc, dev) = (site.token_for_user("tacc", "alice"), site.token_for_user("dev", "alice"));
    let named = site.token_for_user("named", "alice");
    let templated = format!("dev.localhost:{}", site.port());
    let cases = [
        (None, &tacc, 200),
        (None, &dev, 403),
        (Some("127.0.0.1"), &dev, 200),
        (Some("LOCALHOST"), &dev, 200),
        (Some(templated.as_str()), &dev, 200),
        (Some(templated.as_str()), &tacc, 403),
        (Some("named.example.org"), &named, 200),
        (Some("NAMED.example.org:443"), &named, 200),
        (Some("named.example.org"), &tacc, 403),
        (Some("named.example.org:80"), &named, 400),
        (Some("nowhere.localhost"), &tacc, 400),
        (Some("rebound.example.org"), &tacc, 400),
    ];
    for (host, token, status) in cases {
        let request =
            http().get(format!("{}/v3/systems", site.url())).header("X-Tapis-Token", token.as_str());
        let request = if let Some(host) = host { request.header("Host", host) } else { request };
        assert!(response(request, status).await["message"].is_string(), "{host:?}");
    }
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = DevSite::builder().server("dev").first_port(port).start().await.unwrap_err();
    assert!(matches!(error, DevSiteError::PortTaken { .. }));
    assert!(error.to_string().contains(&format!("port {port}")), "{error}");
    let error = DevSite::builder().server("dev").first_port(u16::MAX).start().await.unwrap_err();
    assert!(matches!(error, DevSiteError::PortRange(_) | DevSiteError::PortTaken { .. }), "{error}");
}

#[tokio::test]
async fn only_development_starts_a_site() {
    assert!(matches!(DevSite::builder().start().await, Err(DevSiteError::ServerNotStated)));
    assert!(matches!(DevSite::builder().server("prod").start().await, Err(DevSiteError::NotDevelopment(_))));
}

#[tokio::test]
async fn requests_in_flight_finish_when_the_site_stops() {
    let site = site().await;
    site.inject_fault("/v3/sites", InjectedFault::Slow(Duration::from_millis(100)));
    let request = tokio::spawn(get(format!("{}/v3/sites", site.url())));
    while site.request_count("GET /v3/sites") == 0 {
        tokio::task::yield_now().await;
    }
    site.stop().await;
    envelope(request.await.unwrap(), 200).await;
}

#[tokio::test]
async fn a_stopped_site_and_a_dropped_one_close_their_ports() {
    let (stopped, dropped) = (site().await, site().await);
    let urls = [stopped.url(), dropped.url()];
    stopped.stop().await;
    drop(dropped);
    for url in urls {
        // The tasks of a dropped site end at their next turn.
        while http().get(format!("{url}/v3/sites")).send().await.is_ok() {
            tokio::task::yield_now().await;
        }
    }
}
