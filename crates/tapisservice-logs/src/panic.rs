//! Panics as log lines (F19).

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic::{self, PanicHookInfo},
    sync::LazyLock,
    thread,
    time::Duration,
};

use tapisservice_core::Throttled;

/// The maximum number of lines per minute about panics of one place; the rest is counted. Every panic should have a line (F19), but a
/// caller who has found what makes a handler panic can cause any number of them (F23).
const PANICS_PER_MINUTE: u32 = 100;

static PLACES: LazyLock<Throttled<Option<String>>> =
    LazyLock::new(|| Throttled::new(PANICS_PER_MINUTE, Duration::from_mins(1)));

/// Logs every panic as one `CRITICAL` line with its place, and calls `on_panic`, for example to count it (F19). That includes panics in
/// tasks that no request waits for.
///
/// The line is masked and escaped like any other. At most 100 lines per minute are written for one place; `on_panic` is called for every panic.
///
/// This replaces the default hook, which prints several unmasked lines to standard error. It also replaces the hook of
/// [`init`](crate::init) and [`install`](crate::install), which only writes the line.
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
