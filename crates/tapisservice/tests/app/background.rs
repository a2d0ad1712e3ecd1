//! Background tasks of a service that runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;
use tapisservice::core::AccountType;
use tapisservice::prelude::*;
use tapisservice::{App, BuildError};
use tapisservice_devsite::{DevSite, InjectedFault};
use tokio::time::timeout;

use crate::helpers::{Running, settings, start};

async fn eventually(mut condition: impl AsyncFnMut() -> bool) {
    let met = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(30), met).await.expect("it is met");
}

/// A task that keeps the context of its first run.
fn noting(context: &Arc<Mutex<Option<RequestContext>>>) -> BackgroundTask {
    let context = context.clone();
    BackgroundTask::new("note", Schedule::once(), move |task| {
        *context.lock() = Some(task.g().clone());
        async { Ok(()) }
    })
}

#[tokio::test]
async fn a_task_that_runs_as_the_service_waits_for_the_tenants_and_has_its_identity() {
    let site = DevSite::builder().server("dev").start().await.unwrap();
    site.inject_fault("/v3/tenants", InjectedFault::Status(500));
    let (context, anonymous) = (Arc::default(), Arc::default());
    let app =
        App::builder(settings(&site, &json!({}))).background(noting(&context).as_service()).build().unwrap();
    let running = Running { site, app };
    running.serve().await;
    let other = start(Routes::new(), json!({}), |app| app.background(noting(&anonymous))).await;
    other.serve().await;
    eventually(async || anonymous.lock().is_some()).await;
    assert!(anonymous.lock().as_ref().unwrap().identity().is_none());
    assert!(context.lock().is_none(), "no tenants, no run");

    running.site.clear_faults();
    eventually(async || context.lock().is_some()).await;
    let g = context.lock().clone().unwrap();
    let identity = g.identity().unwrap();
    assert_eq!((identity.username().as_str(), identity.tenant_id().as_str()), ("demo", "admin"));
    assert_eq!(identity.account_type(), AccountType::Service);
    assert!(identity.token().is_none() && identity.on_behalf_of().is_none());
}

#[tokio::test]
async fn a_task_does_not_run_as_a_service_of_an_unknown_tenant() {
    let context = Arc::default();
    let running = start(Routes::new(), json!({"service_tenant_id": "nowhere"}), |app| {
        app.background(noting(&context).as_service().required())
    })
    .await;
    running.serve().await;
    let not_ready =
        async || running.get_anonymously("/v3/demo/ready").await.message().contains("background task note");
    eventually(not_ready).await;
    assert!(context.lock().is_none());
}

#[tokio::test]
async fn only_a_required_task_that_keeps_failing_makes_the_service_not_ready() {
    let works = Arc::new(AtomicBool::new(false));
    let task = |name: &'static str| {
        let works = works.clone();
        BackgroundTask::new(name, Schedule::every(Duration::from_millis(100)), move |_| {
            let works = works.load(Ordering::Relaxed);
            async move { if works { Ok(()) } else { Err(Error::dao("canary")) } }
        })
    };
    let running = start(Routes::new(), json!({}), |app| {
        app.background(task("purge")).background(task("index").required())
    })
    .await;
    let ready = async || running.get_anonymously("/v3/demo/ready").await;
    assert_eq!(ready().await.status, 200, "tasks run only once the service does");
    running.serve().await;
    eventually(async || ready().await.status == 503).await;
    assert_eq!(ready().await.message(), "The service is not ready: background task index.");
    works.store(true, Ordering::Relaxed);
    eventually(async || ready().await.status == 200).await;
    assert_eq!(ready().await.body["result"]["checks"], json!(["tenants", "background task index"]));
}

#[tokio::test]
async fn two_tasks_of_one_name_do_not_start() {
    let site = DevSite::builder().server("dev").start().await.unwrap();
    let task = || BackgroundTask::new("purge", Schedule::once(), async |_| Ok(()));
    let built = App::builder(settings(&site, &json!({}))).background(task()).background(task()).build();
    let error = built.unwrap_err();
    assert!(matches!(error, BuildError::Background(_)), "{error:?}");
    assert_eq!(error.to_string(), "two background tasks are called `purge`: rename one of them");
}
