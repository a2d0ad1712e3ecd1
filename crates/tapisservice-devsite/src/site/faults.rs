use std::collections::BTreeMap;

use crate::{DevSite, InjectedFault};

/// Faults and counters.
impl DevSite {
    /// Spoils every request for a path and what is below it, on all ports, routed services included:
    /// `"/v3/tenants"`, or `"PUT /v3/tokens"` for one method. The longest fitting prefix decides.
    pub fn inject_fault(&self, request: &str, fault: InjectedFault) {
        self.state().faults.set(request, fault, None);
    }

    /// As [`inject_fault`](Self::inject_fault), for the next `times` requests only.
    pub fn inject_fault_times(&self, request: &str, fault: InjectedFault, times: u32) {
        self.state().faults.set(request, fault, Some(times));
    }

    /// Takes all faults away. A request that hangs already goes on hanging.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// The number of requests for `METHOD /path`, such as `"GET /v3/tenants"`, without the query. Those with an injected fault count.
    pub fn request_count(&self, request: &str) -> u64 {
        self.state().counts.of(request)
    }

    /// All counters.
    pub fn request_counts(&self) -> BTreeMap<String, u64> {
        self.state().counts.all()
    }

    /// Sets all counters to zero.
    pub fn reset_request_counts(&self) {
        self.state().counts.reset();
    }
}
