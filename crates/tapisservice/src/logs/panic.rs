//! Panics as log lines (F19).

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic::{self, PanicHookInfo},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use crate::metrics;

static INSTALLED: AtomicBool = AtomicBool::new(false);

/// Makes every panic one `CRITICAL` line with its place, masked and escaped like any other, and counts it: also one of a task
/// that no request waits for.
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
    let backtrace = Backtrace::capture();
    let captured = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    tracing::error!(
        target: "panic",
        critical = true,
        location,
        thread = thread::current().name(),
        backtrace = captured,
        "panicked: {}",
        info.payload_as_str().unwrap_or("(no message)")
    );
}
