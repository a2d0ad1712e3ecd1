//! Panics as log lines (F19).

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic::{self, PanicHookInfo},
    sync::LazyLock,
    thread,
    time::Duration,
};

use tapisservice_core::Throttled;

/// Lines for the panics of one place, written so many times a minute; the rest is counted. Each panic has its line (F19), but callers who
/// found what makes a handler panic can do it at will (F23).
const PANICS_PER_MINUTE: u32 = 100;

static PLACES: LazyLock<Throttled<Option<String>>> =
    LazyLock::new(|| Throttled::new(PANICS_PER_MINUTE, Duration::from_mins(1)));

/// Makes every panic one `CRITICAL` line with its place, masked and escaped like any other, also one of a task that no request waits for
/// (F19), and calls `on_panic`, to count it for example. For one place 100 lines a minute are written; `on_panic` is called for every panic.
///
/// It takes the place of the default hook, which would print several lines to standard error, past all of that, and of the one that
/// [`init`](crate::init) and [`install`](crate::install) set, which only writes the line.
pub fn set_panic_hook(on_panic: impl Fn() + Send + Sync + 'static) {
    panic::set_hook(Box::new(move |info| {
        on_panic();
        log(info);
    }));
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
