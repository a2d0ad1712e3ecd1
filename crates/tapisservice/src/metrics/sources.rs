//! Metrics that are read from their owners when the page is scraped.

use std::sync::Arc;

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
#[cfg(feature = "client")]
use tapisservice_client::ServiceClient;
#[cfg(feature = "client")]
use tapisservice_client::transport::BreakerState;
use tapisservice_serve::{CloseReason, ServerStats};
use tapisservice_tenants::{CacheState, TenantCache};
use tokio::runtime::Handle;

use super::PANICS;

const CONNECTIONS: &str = "tapisservice_connections";
const ACCEPTED: &str = "tapisservice_connections_accepted_total";
const ACCEPT_ERRORS: &str = "tapisservice_accept_errors_total";
const CLOSED: &str = "tapisservice_connections_closed_total";
const TASKS: &str = "tapisservice_tasks";
const TENANTS: &str = "tapisservice_tenants";
const SERVED_TENANT: &str = "tapisservice_served_tenant_info";
const REGISTRY_UP: &str = "tapisservice_registry_up";
const TOKEN_REMAINING: &str = "tapisservice_service_token_remaining_seconds";
const TOKEN_FAILURES: &str = "tapisservice_service_token_failures_total";
const BREAKER_OPEN: &str = "tapisservice_circuit_breaker_open";
const BREAKER_OPENED: &str = "tapisservice_circuit_breaker_opened_total";
const BREAKER_REJECTED: &str = "tapisservice_circuit_breaker_rejected_total";

/// What the metrics are read from.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) server: ServerStats,
    pub(crate) tenants: TenantCache,
    /// The tenants of the setting `tenants`, or `None` for all (rule H7).
    pub(crate) served: Option<Arc<[String]>>,
    #[cfg(feature = "client")]
    pub(crate) service_client: Option<ServiceClient>,
    pub(crate) on_scrape: Vec<ScrapeCallback>,
}

/// Sets metrics of the service's own before each scrape.
pub(crate) type ScrapeCallback = Arc<dyn Fn() + Send + Sync>;

/// Adds the `HELP` of these metrics to the page.
pub(super) fn describe() {
    describe_counter!(PANICS, Unit::Count, "Panics, in requests and in tasks.");
    // From the start, so that its first increase shows as one.
    counter!(PANICS).increment(0);
    describe_gauge!(CONNECTIONS, Unit::Count, "Open connections.");
    describe_counter!(ACCEPTED, Unit::Count, "Accepted connections.");
    describe_counter!(
        ACCEPT_ERRORS,
        Unit::Count,
        "Failures to accept a connection for lack of descriptors or memory."
    );
    describe_counter!(CLOSED, Unit::Count, "Closed connections, by reason.");
    describe_gauge!(TASKS, Unit::Count, "Tasks of the Tokio runtime that have not ended.");
    describe_gauge!(TENANTS, Unit::Count, "Tenants in the registry.");
    describe_gauge!(
        SERVED_TENANT,
        Unit::Count,
        "1 for each tenant that the service serves; `*` stands for all."
    );
    describe_gauge!(
        REGISTRY_UP,
        Unit::Count,
        "1 if the last refresh of the tenant registry succeeded, else 0."
    );
    describe_gauge!(
        TOKEN_REMAINING,
        Unit::Seconds,
        "How long the service token for a site can still be used."
    );
    describe_counter!(
        TOKEN_FAILURES,
        Unit::Count,
        "Failed attempts to obtain or renew the service token for a site."
    );
    describe_gauge!(
        BREAKER_OPEN,
        Unit::Count,
        "1 while the circuit breaker of a service is open or half-open, else 0."
    );
    describe_counter!(BREAKER_OPENED, Unit::Count, "How often the circuit breaker of a service has opened.");
    describe_counter!(BREAKER_REJECTED, Unit::Count, "Calls that an open circuit breaker rejected.");
}

impl Sources {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    pub(super) fn record(&self) {
        gauge!(CONNECTIONS).set(self.server.open() as f64);
        counter!(ACCEPTED).absolute(self.server.accepted());
        counter!(ACCEPT_ERRORS).absolute(self.server.accept_errors());
        for reason in CloseReason::ALL {
            counter!(CLOSED, "reason" => reason.as_str()).absolute(self.server.closed(reason));
        }
        gauge!(TASKS).set(Handle::current().metrics().num_alive_tasks() as f64);
        let (tenants, up) = match self.tenants.state() {
            CacheState::Filled { tenants, last_failure, .. } => (tenants, last_failure.is_none()),
            _ => (0, false),
        };
        gauge!(TENANTS).set(tenants as f64);
        for tenant in self.served.as_deref().unwrap_or(&["*".to_owned()]) {
            gauge!(SERVED_TENANT, "tenant" => tenant.clone()).set(1.0);
        }
        gauge!(REGISTRY_UP).set(f64::from(u8::from(up)));
        #[cfg(feature = "client")]
        if let Some(client) = &self.service_client {
            record_client(client);
        }
        self.on_scrape.iter().for_each(|record| record());
    }
}

#[cfg(feature = "client")]
fn record_client(client: &ServiceClient) {
    let report = client.report();
    for token in report.tokens {
        let site = token.site.to_string();
        let remaining = token.usable_for.unwrap_or_default().as_secs_f64();
        gauge!(TOKEN_REMAINING, "site" => site.clone()).set(remaining);
        counter!(TOKEN_FAILURES, "site" => site).absolute(token.failed);
    }
    for breaker in report.breakers {
        let labels = [("site", breaker.site), ("service", breaker.service)];
        let open = f64::from(u8::from(breaker.state != BreakerState::Closed));
        gauge!(BREAKER_OPEN, &labels).set(open);
        counter!(BREAKER_OPENED, &labels).absolute(breaker.opened);
        counter!(BREAKER_REJECTED, &labels).absolute(breaker.rejected);
    }
}
