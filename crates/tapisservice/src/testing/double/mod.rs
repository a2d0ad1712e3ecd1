//! A double of another Tapis service.

mod call;
mod operations;
mod server;

use std::net::Ipv4Addr;
use std::sync::Arc;

use http::StatusCode;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tapisservice_client::spec::Resource;
use tapisservice_devsite::DevSite;
use tokio::net::TcpListener;

pub use self::call::{RecordedCall, RecordedCaller};
use self::operations::OperationTable;

/// Stands in for another Tapis service: records what it is asked, and responds by rules; from
/// [`TestService::double`](super::TestService::double).
///
/// It knows the operations of the service from its OpenAPI file, and no data: an operation without a rule is a 501 that names it. It verifies
/// no token. It lasts as long as the [`TestService`](super::TestService). Cheap to clone.
///
/// ```
/// use serde_json::json;
/// use tapisservice::testing::TestService;
///
/// # async fn demo<Weather: tapisservice::TapisService>() {
/// let service = TestService::<Weather>::start().await;
/// let systems = service.double("systems").await;
/// systems.when("getSystem").respond(json!({"id": "roof", "host": "roof.example.org"}));
/// systems.when("getSystem").arg("systemId", "cellar").respond_error(404, "There is no such system.");
///
/// service.alice().post("/stations").json(&json!({"system_id": "roof"})).await.assert_ok();
///
/// let calls = systems.expect("getSystem", 1);
/// assert_eq!(calls[0].args["systemId"], "roof");
/// let caller = calls[0].caller.as_ref().unwrap();
/// assert_eq!(caller.username, "weather");
/// assert_eq!(caller.on_behalf_of, Some(("tacc".to_owned(), "alice".to_owned())));
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ServiceDouble {
    state: Arc<DoubleState>,
}

#[derive(Debug)]
struct DoubleState {
    name: String,
    operations: OperationTable,
    rules: Mutex<Vec<Rule>>,
    calls: Mutex<Vec<RecordedCall>>,
}

#[derive(Debug)]
struct Rule {
    operation_id: String,
    args: Vec<(String, String)>,
    status: StatusCode,
    envelope: Value,
}

/// A rule that has no response yet; from [`ServiceDouble::when`].
#[derive(Debug)]
#[must_use = "a rule does nothing until it has a response"]
pub struct DoubleRule<'a> {
    double: &'a ServiceDouble,
    operation_id: String,
    args: Vec<(String, String)>,
}

impl ServiceDouble {
    /// Puts a double behind the router of a site. The future serves it.
    pub(super) async fn start(
        site: &DevSite,
        resource: Arc<Resource>,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("the loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let name = resource.name().to_owned();
        let operations = OperationTable::new(resource);
        for prefix in operations.prefixes() {
            if let Err(error) = site.route_to(&prefix, &format!("http://{address}")) {
                panic!("the double of {name} cannot be reached: {error}");
            }
        }
        let state =
            Arc::new(DoubleState { name, operations, rules: Mutex::default(), calls: Mutex::default() });
        let task = server::serve(listener, Arc::clone(&state));
        (Self { state }, task)
    }

    /// Begins a rule: how to respond to an operation. The last rule that fits a call decides.
    ///
    /// # Panics
    ///
    /// When the service has no such operation.
    #[track_caller]
    pub fn when(&self, operation_id: &str) -> DoubleRule<'_> {
        self.check(operation_id);
        DoubleRule { double: self, operation_id: operation_id.to_owned(), args: Vec::new() }
    }

    /// All calls, in the order in which they arrived.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.state.calls.lock().clone()
    }

    /// Asserts that an operation was called this many times, and returns the calls.
    ///
    /// # Panics
    ///
    /// When it was called more or less often, with a list of all calls; and when the service has no such operation.
    #[track_caller]
    pub fn expect(&self, operation_id: &str, times: usize) -> Vec<RecordedCall> {
        self.check(operation_id);
        let all = self.calls();
        let is_meant = |call: &&RecordedCall| call.operation_id.as_deref() == Some(operation_id);
        let calls: Vec<_> = all.iter().filter(is_meant).cloned().collect();
        assert!(
            calls.len() == times,
            "expected {times} calls of {operation_id}, got {}. Calls of {}: {}",
            calls.len(),
            self.state.name,
            listed(&all)
        );
        calls
    }

    /// Forgets the calls so far. The rules stay.
    pub fn forget_calls(&self) {
        self.state.calls.lock().clear();
    }

    #[track_caller]
    fn check(&self, operation_id: &str) {
        if let Err(error) = self.state.operations.operation(operation_id) {
            panic!("{error}");
        }
    }
}

impl DoubleRule<'_> {
    /// Narrows the rule to calls with this path or query parameter.
    pub fn arg(mut self, name: &str, value: &str) -> Self {
        self.args.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Responds with 200 and this `result` in an envelope.
    pub fn respond(self, result: impl Into<Value>) {
        let envelope = envelope("success", "The request was successful", &result.into());
        self.add(StatusCode::OK, envelope);
    }

    /// Responds with an error envelope.
    ///
    /// # Panics
    ///
    /// When the number is not a status.
    pub fn respond_error(self, status: u16, message: &str) {
        let code = StatusCode::from_u16(status).expect("a status");
        self.add(code, envelope("error", message, &Value::Null));
    }

    fn add(self, status: StatusCode, envelope: Value) {
        let rule = Rule { operation_id: self.operation_id, args: self.args, status, envelope };
        self.double.state.rules.lock().push(rule);
    }
}

impl DoubleState {
    /// The response to a call.
    fn respond(&self, call: &RecordedCall) -> (StatusCode, Value) {
        let refuse = |status, message: String| (status, envelope("error", &message, &Value::Null));
        let name = &self.name;
        let Some(operation_id) = &call.operation_id else {
            let message = format!("{name} has no operation {} {}.", call.method, call.path);
            return refuse(StatusCode::NOT_FOUND, message);
        };
        let rules = self.rules.lock();
        let Some(rule) = rules.iter().rev().find(|rule| rule.fits(operation_id, call)) else {
            let message = format!("The double of {name} has no response for {operation_id}.");
            return refuse(StatusCode::NOT_IMPLEMENTED, message);
        };
        (rule.status, rule.envelope.clone())
    }
}

impl Rule {
    fn fits(&self, operation_id: &str, call: &RecordedCall) -> bool {
        let has = |(name, value): &(String, String)| call.args.get(name) == Some(value);
        self.operation_id == operation_id && self.args.iter().all(has)
    }
}

fn listed(calls: &[RecordedCall]) -> String {
    if calls.is_empty() {
        return "none".to_owned();
    }
    let lines: Vec<_> = calls.iter().map(|call| format!("\n  {call}")).collect();
    lines.concat()
}

fn envelope(status: &str, message: &str, result: &Value) -> Value {
    json!({"message": message, "result": result, "status": status, "version": "double", "metadata": {}})
}
