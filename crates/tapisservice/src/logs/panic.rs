//! Panics as log lines (F19).

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic::{self, PanicHookInfo},
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use super::throttle::Throttled;
use crate::metrics;

static INSTALLED: AtomicBool = AtomicBool::new(false);

/// Lines for the panics of one place, written so many times a minute; the rest is counted. Each panic has its line (F19), but callers who
/// found what makes a handler panic can do it at will (F23).
const PANICS_PER_MINUTE: u32 = 100;

static PLACES: LazyLock<Throttled<Option<String>>> =
    LazyLock::new(|| Throttled::new(PANICS_PER_MINUTE, Duration::from_mins(1)));

/// Makes every panic one `CRITICAL` line with its place, masked and escaped like any other, and counts it: also one of a task
/// that no request waits for. Of one place so many a minute are written.
///
/// The default hook would print several lines to standard error, past all of that.
pub(super) fn install() {
    panic::set_hook(Box::new(|info| {
        metrics::panic();
        log(info);
    }));
    INSTALLED.store(true, Ordering::Relaxed);
}

/// Whether panics are logged and counted where they happen.
pub(crate) fn is_installed() -> bool {
    INSTALLED.load(Ordering::Relaxed)
}

fn log(info: &PanicHookInfo<'_>) {
    let location = info.location().map(ToString::to_string);
    let Some(withheld) = PLACES.permit(location.clone()) else { return };
    let backtrace = Backtrace::capture();
    let captured = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    tracing::error!(
        target: "panic",
        critical = true,
        location,
        thread = thread::current().name(),
        backtrace = captured,
        withheld = (withheld > 0).then_some(withheld),
        "panicked: {}",
        info.payload_as_str().unwrap_or("(no message)")
    );
}
