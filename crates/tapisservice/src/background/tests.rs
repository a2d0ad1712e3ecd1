//! Tasks by their schedule, in paused time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tapisservice_core::{Error, RequestContext, Result, ServiceInfo, g};
use tapisservice_logs::{Capture, LogSettings, subscriber};
use tapisservice_serve::Shutdown;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tracing::subscriber::{DefaultGuard, NoSubscriber};

use super::*;

/// The service of the tests, with the tasks that it runs.
#[derive(Clone, Default)]
struct Service {
    shutdown: Shutdown,
    /// When each run started.
    starts: Arc<Mutex<Vec<Instant>>>,
}

impl Service {
    /// A task that notes when it starts, and then does `work`.
    fn task<R>(
        &self,
        schedule: Schedule,
        work: impl Fn(TaskContext) -> R + Send + Sync + 'static,
    ) -> BackgroundTask
    where
        R: Future<Output = Result<()>> + Send + 'static,
    {
        let starts = self.starts.clone();
        BackgroundTask::new("purge", schedule, move |task| {
            starts.lock().push(Instant::now());
            work(task)
        })
    }

    fn start(&self, task: BackgroundTask) -> JoinHandle<()> {
        tokio::spawn(RunningTasks::start(&[task], environment(self.shutdown.clone())).finish())
    }

    /// The seconds between the starts.
    fn gaps(&self) -> Vec<f64> {
        self.starts.lock().windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect()
    }

    fn runs(&self) -> usize {
        self.starts.lock().len()
    }
}

fn environment(shutdown: Shutdown) -> Environment {
    Environment {
        service: Arc::new(ServiceInfo::new("demo", "1")),
        #[cfg(feature = "client")]
        service_name: tapisservice_core::Username::new("demo").unwrap(),
        #[cfg(feature = "client")]
        service_tenant_id: tapisservice_core::TenantId::new("admin").unwrap(),
        #[cfg(feature = "client")]
        tenants: tapisservice_tenants::TenantCache::builder(tapisservice_tenants::FileSource::new("nowhere"))
            .build(),
        shutdown,
        shutdown_time: seconds(25),
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Keeps the lines of this thread.
fn capture() -> (Capture, DefaultGuard, tracing::Dispatch) {
    let settings: LogSettings = serde_json::from_str(r#"{"log_level": "INFO"}"#).unwrap();
    let capture = Capture::default();
    // With a second subscriber tracing asks each one whether it wants a line, rather than the first for all.
    let second = tracing::Dispatch::new(NoSubscriber::new());
    (capture.clone(), tracing::subscriber::set_default(subscriber(&settings, capture)), second)
}

#[tokio::test(start_paused = true)]
async fn a_task_runs_at_start_and_then_once_per_period_spread_over_its_last_tenth() {
    let service = Service::default();
    service.start(service.task(Schedule::every(seconds(100)), async |_| Ok(())));
    sleep(Duration::from_millis(1)).await;
    assert_eq!(service.runs(), 1, "at start");
    sleep(seconds(100_000)).await;
    let gaps = service.gaps();
    assert!((1000..=1112).contains(&gaps.len()), "{}", gaps.len());
    assert!(gaps.iter().all(|gap| (89.9..=100.1).contains(gap)), "{gaps:?}");
    assert!(gaps.iter().any(|gap| *gap < 92.0) && gaps.iter().any(|gap| *gap > 98.0), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn a_long_run_delays_the_next_and_missed_ones_are_not_made_up_for() {
    let service = Service::default();
    let lengths = Arc::new(AtomicUsize::new(0));
    let work = move |_| {
        let first = lengths.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            sleep(seconds(if first { 35 } else { 1 })).await;
            Ok(())
        }
    };
    service.start(service.task(Schedule::every(seconds(10)), work));
    sleep(seconds(80)).await;
    let gaps = service.gaps();
    assert!((34.9..35.1).contains(&gaps[0]), "{gaps:?}");
    assert!(gaps[1..].iter().all(|gap| (8.9..=10.1).contains(gap)), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn a_panic_starts_the_task_again_after_a_pause_that_doubles_to_a_minute() {
    for schedule in
        [Schedule::once(), Schedule::every(seconds(3600)), Schedule::every(Duration::from_millis(1))]
    {
        let service = Service::default();
        service.start(service.task(schedule, async |_| panic!("a canary")));
        sleep(seconds(400)).await;
        let gaps = service.gaps();
        for (gap, pause) in gaps.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]) {
            assert!((pause * 0.89..=pause + 0.1).contains(gap), "{gaps:?}");
        }
        assert!(gaps.len() >= 8, "{gaps:?}");
    }
}

/// The function itself panics, before there is a future.
#[tokio::test(start_paused = true)]
async fn a_panic_outside_of_the_future_is_one_of_the_run() {
    fn panics(_: TaskContext) -> std::future::Ready<Result<()>> {
        panic!("a canary")
    }
    let service = Service::default();
    service.start(service.task(Schedule::once(), panics));
    sleep(seconds(4)).await;
    assert_eq!(service.runs(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_pause_is_short_again_after_a_success_and_after_a_long_run() {
    let service = Service::default();
    let count = Arc::new(AtomicUsize::new(0));
    let work = move |_| {
        let run = count.fetch_add(1, Ordering::Relaxed);
        async move {
            match run {
                3 => return Ok(()),
                6 => sleep(seconds(61)).await,
                _ => {}
            }
            panic!("a canary")
        }
    };
    service.start(service.task(Schedule::every(seconds(5)), work));
    sleep(seconds(100)).await;
    let gaps = service.gaps();
    for (gap, expected) in gaps.iter().zip([1.0, 2.0, 4.0, 5.0, 1.0, 2.0, 62.0, 2.0]) {
        assert!((expected * 0.89..=expected + 0.1).contains(gap), "{gaps:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_runs_once_runs_until_it_succeeds() {
    let service = Service::default();
    let count = Arc::new(AtomicUsize::new(0));
    let work = move |_| {
        let run = count.fetch_add(1, Ordering::Relaxed);
        async move { if run < 2 { Err(Error::dao("The queue is away.")) } else { Ok(()) } }
    };
    service.start(service.task(Schedule::once(), work));
    sleep(seconds(1000)).await;
    assert_eq!(service.runs(), 3);
}

#[tokio::test(start_paused = true)]
async fn errors_are_logged_within_limits_and_stop_nothing() {
    let (capture, _guard, _second) = capture();
    let service = Service::default();
    let work = async |_| Err(Error::dao("The shelf is gone.").with_detail("row 7"));
    service.start(service.task(Schedule::every(seconds(1)), work));
    sleep(seconds(100)).await;
    assert!(service.runs() >= 100);
    let lines = capture.lines();
    assert_eq!(lines.len(), 20, "{lines:#?}");
    assert!(
        lines.iter().all(|line| {
            line.contains("ERROR") && line.contains("row 7") && line.contains("task=purge [req=")
        }),
        "{lines:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn each_run_has_a_context_of_its_own_without_an_identity() {
    let (capture, _guard, _second) = capture();
    let service = Service::default();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let work = {
        let seen = seen.clone();
        move |task: TaskContext| {
            let seen = seen.clone();
            async move {
                assert_eq!(g()?.request_id(), task.g().request_id());
                tracing::info!("at work");
                seen.lock().push(task.g().clone());
                Ok(())
            }
        }
    };
    service.start(service.task(Schedule::every(seconds(10)), work));
    sleep(seconds(11)).await;
    let seen = seen.lock();
    let [first, second] = [&seen[0], &seen[1]];
    assert_ne!(first.request_id(), second.request_id());
    assert_ne!(first.tracking_id(), second.tracking_id());
    assert!(
        seen.iter().all(|g| g.is_authenticated() && g.identity().is_none() && g.request_tenant().is_none())
    );
    assert_eq!(first.background_task(), Some("purge"));
    let of_first: Vec<_> =
        capture.lines().into_iter().filter(|line| line.contains(first.request_id())).collect();
    assert!(of_first.len() == 2 && of_first[0].contains("at work"), "{of_first:#?}");
    assert!(of_first[1].contains("background task completed"), "{of_first:#?}");
    assert!(
        of_first.iter().all(|line| line.contains("task=purge") && !line.contains("method=")),
        "{of_first:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_idle_task_ends_at_once_when_the_shutdown_starts() {
    for work in [true, false] {
        let service = Service::default();
        let task = service.task(Schedule::every(seconds(3600)), move |_| async move {
            if work { Ok(()) } else { panic!("a canary") }
        });
        let running = service.start(task);
        sleep(Duration::from_millis(10)).await;
        let stopped = Instant::now();
        service.shutdown.trigger();
        running.await.unwrap();
        assert_eq!((stopped.elapsed(), service.runs()), (Duration::ZERO, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_starts_once_the_shutdown_has() {
    let service = Service::default();
    service.shutdown.trigger();
    service.start(service.task(Schedule::once(), async |_| Ok(()))).await.unwrap();
    assert_eq!(service.runs(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_run_is_told_of_the_shutdown_at_once_and_waited_for() {
    let (capture, _guard, _second) = capture();
    let service = Service::default();
    let work = async |task: TaskContext| {
        task.shutdown().draining().await;
        sleep(seconds(24)).await;
        tracing::info!("finished");
        Ok(())
    };
    let running = service.start(service.task(Schedule::every(seconds(1)), work));
    sleep(seconds(100)).await;
    let stopped = Instant::now();
    service.shutdown.trigger();
    running.await.unwrap();
    assert_eq!((stopped.elapsed(), service.runs()), (seconds(24), 1));
    let lines = capture.lines();
    assert!(lines[0].contains("finished") && lines[1].contains("completed"), "{lines:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_runs_longer_than_the_shutdown_is_aborted_and_named() {
    let (capture, _guard, _second) = capture();
    let service = Service::default();
    let dropped = Arc::new(());
    let held = dropped.clone();
    let work = move |_| {
        let held = held.clone();
        async move {
            sleep(seconds(100_000)).await;
            drop(held);
            Ok(())
        }
    };
    let running = service.start(service.task(Schedule::once(), work));
    sleep(seconds(1)).await;
    let stopped = Instant::now();
    service.shutdown.trigger();
    running.await.unwrap();
    assert_eq!(stopped.elapsed(), seconds(25));
    assert_eq!(Arc::strong_count(&dropped), 1, "the future and the task are dropped");
    let lines = capture.lines();
    let expected = "background task aborted: it ran longer than `shutdown_seconds` allows task=purge [req=";
    assert!(lines.len() == 1 && lines[0].contains("WARN") && lines[0].contains(expected), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_blocks_its_thread_is_left_behind() {
    let shutdown = Shutdown::new();
    let started = Arc::new(tokio::sync::Notify::new());
    let starting = started.clone();
    let task = BackgroundTask::new("purge", Schedule::once(), move |_| {
        starting.notify_one();
        std::thread::sleep(seconds(5));
        async { Ok(()) }
    });
    let environment = Environment { shutdown_time: Duration::ZERO, ..environment(shutdown.clone()) };
    let running = RunningTasks::start(&[task], environment);
    started.notified().await;
    let stopped = Instant::now();
    shutdown.trigger();
    running.finish().await;
    assert!((seconds(1)..seconds(4)).contains(&stopped.elapsed()));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_tasks_aborts_them() {
    let service = Service::default();
    let task = service.task(Schedule::every(seconds(1)), async |_| Ok(()));
    let running = service.start(task);
    sleep(seconds(10)).await;
    running.abort();
    sleep(seconds(1)).await;
    let runs = service.runs();
    sleep(seconds(100)).await;
    assert_eq!(service.runs(), runs);
}

#[test]
fn names_and_periods_are_checked() {
    let task = |name: &str, schedule| BackgroundTask::new(name, schedule, async |_| Ok(()));
    let once = Schedule::once();
    let cases = [
        (vec![task("purge", once), task("Purge", Schedule::every(Duration::MAX))], None),
        (vec![task("", once)], Some("has no name")),
        (vec![task(" ", once)], Some("has no name")),
        (vec![task("a", once), task("b", once), task("a", once)], Some("`a`: rename one")),
        (vec![task("a", Schedule::every(Duration::ZERO))], Some("period of background task `a` is zero")),
    ];
    for (tasks, expected) in cases {
        match (BackgroundTask::check_all(&tasks), expected) {
            (Ok(()), None) => {}
            (Err(error), Some(text)) => assert!(error.to_string().contains(text), "{error}"),
            (outcome, expected) => panic!("{outcome:?} and not {expected:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_period_without_end_is_one() {
    let service = Service::default();
    service.start(service.task(Schedule::every(Duration::MAX), async |_| Ok(())));
    sleep(seconds(1_000_000)).await;
    assert_eq!(service.runs(), 1);
}

#[tokio::test]
async fn a_function_of_a_task_can_be_called_by_a_test() {
    let shutdown = Shutdown::new();
    let g = RequestContext::builder(Arc::new(ServiceInfo::new("demo", "1"))).build();
    let task = TaskContext::new(g, shutdown.clone());
    shutdown.trigger();
    assert!(task.shutdown().is_draining());
}
