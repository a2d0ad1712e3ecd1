//! A rate limit for log lines (F23).

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    mem,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// A rate limit for log lines: it permits a number of lines per reason and interval, and counts the rest.
///
/// The next line that is permitted reports how many were withheld. Memory is bounded: beyond `max_keys` reasons, all further
/// ones share one allowance, so a caller gains nothing by making up reasons.
///
/// ```
/// use std::time::Duration;
/// use tapisservice_core::Throttled;
///
/// let refusals = Throttled::new(1, Duration::from_secs(60));
/// for _ in 0..3 {
///     if let Some(withheld) = refusals.permit("token expired") {
///         println!("refused: token expired (withheld: {withheld})"); // once
///     }
/// }
/// assert_eq!(refusals.take_withheld(), 2);
/// ```
pub struct Throttled<K> {
    allowance: u32,
    interval: Duration,
    max_keys: usize,
    clock: Box<dyn Fn() -> Instant + Send + Sync>,
    state: Mutex<State<K>>,
}

struct State<K> {
    windows: HashMap<K, Window>,
    /// Shared by all reasons beyond `max_keys`.
    overflow: Option<Window>,
    swept: Option<Instant>,
    /// The withheld lines of reasons that were removed.
    forgotten: u64,
}

struct Window {
    start: Instant,
    used: u32,
    withheld: u64,
}

impl<K: Eq + Hash> Throttled<K> {
    /// Permits `allowance` lines per reason and `interval`, for up to 1,000 reasons.
    pub fn new(allowance: u32, interval: Duration) -> Self {
        let state = State { windows: HashMap::new(), overflow: None, swept: None, forgotten: 0 };
        Self { allowance, interval, max_keys: 1_000, clock: Box::new(Instant::now), state: Mutex::new(state) }
    }

    /// Sets the number of reasons that have an allowance of their own.
    #[must_use]
    pub fn with_max_keys(self, max_keys: usize) -> Self {
        Self { max_keys, ..self }
    }

    /// Reads the time from `clock` instead of [`Instant::now`]. The clock must be monotonic.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        Self { clock: Box::new(clock), ..self }
    }

    /// Whether a line for `key` may be written now: if so, the number of lines withheld since the last one.
    pub fn permit(&self, key: K) -> Option<u64> {
        let now = (self.clock)();
        let mut state = self.state.lock();
        if let Some(window) = state.windows.get_mut(&key) {
            return window.permit(now, self.allowance, self.interval);
        }
        if state.windows.len() >= self.max_keys {
            state.sweep(now, self.interval);
        }
        let fits = state.windows.len() < self.max_keys;
        let window = if fits {
            state.windows.entry(key).or_insert(Window::new(now))
        } else {
            state.overflow.get_or_insert(Window::new(now))
        };
        window.permit(now, self.allowance, self.interval)
    }

    /// Takes the number of withheld lines that no permitted line has reported yet, for a final report.
    pub fn take_withheld(&self) -> u64 {
        let mut state = self.state.lock();
        let State { windows, overflow, forgotten, .. } = &mut *state;
        let counted = windows.values_mut().chain(overflow).map(|window| mem::take(&mut window.withheld));
        counted.sum::<u64>() + mem::take(forgotten)
    }
}

impl<K> State<K> {
    /// Removes the reasons without a line for an interval.
    fn sweep(&mut self, now: Instant, interval: Duration) {
        // It visits every reason, so a flood of new ones must not cause it more than once per interval.
        if self.swept.is_some_and(|swept| now.saturating_duration_since(swept) < interval) {
            return;
        }
        self.swept = Some(now);
        let forgotten = &mut self.forgotten;
        self.windows.retain(|_, window| {
            let keep = !window.is_over(now, interval);
            if !keep {
                *forgotten += window.withheld;
            }
            keep
        });
    }
}

impl Window {
    fn new(start: Instant) -> Self {
        Self { start, used: 0, withheld: 0 }
    }

    fn is_over(&self, now: Instant, interval: Duration) -> bool {
        now.saturating_duration_since(self.start) >= interval
    }

    fn permit(&mut self, now: Instant, allowance: u32, interval: Duration) -> Option<u64> {
        if self.is_over(now, interval) {
            self.start = now;
            self.used = 0;
        }
        if self.used >= allowance {
            self.withheld += 1;
            return None;
        }
        self.used += 1;
        Some(mem::take(&mut self.withheld))
    }
}

impl<K> fmt::Debug for Throttled<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttled")
            .field("allowance", &self.allowance)
            .field("interval", &self.interval)
            .field("max_keys", &self.max_keys)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use super::*;

    /// Ten seconds per interval, two lines each.
    fn throttled() -> (Throttled<u32>, Arc<AtomicU64>) {
        let seconds = Arc::new(AtomicU64::new(0));
        let (start, read) = (Instant::now(), Arc::clone(&seconds));
        let clock = move || start + Duration::from_secs(read.load(Ordering::Relaxed));
        (Throttled::new(2, Duration::from_secs(10)).with_clock(clock), seconds)
    }

    #[test]
    fn the_next_permitted_line_tells_how_many_were_withheld() {
        let (throttled, seconds) = throttled();
        assert_eq!([(); 5].map(|()| throttled.permit(1)), [Some(0), Some(0), None, None, None]);
        assert_eq!(throttled.permit(2), Some(0), "another reason has an allowance of its own");
        seconds.store(9, Ordering::Relaxed);
        assert_eq!(throttled.permit(1), None);
        seconds.store(10, Ordering::Relaxed);
        assert_eq!([(); 3].map(|()| throttled.permit(1)), [Some(4), Some(0), None]);
        assert_eq!(throttled.take_withheld(), 1);
        assert_eq!(throttled.take_withheld(), 0);
    }

    #[test]
    fn made_up_reasons_share_one_allowance_and_no_memory() {
        let (throttled, seconds) = throttled();
        let throttled = throttled.with_max_keys(3);
        let permitted = (0..1000).filter(|key| throttled.permit(*key).is_some()).count();
        assert_eq!(permitted, 3 + 2);
        assert_eq!(throttled.state.lock().windows.len(), 3);
        seconds.store(20, Ordering::Relaxed);
        assert_eq!(throttled.permit(5000), Some(0), "quiet reasons make room");
        assert_eq!(throttled.take_withheld(), 995);
    }
}
