//! Wakes a task for rare events, and records that one has happened.

use std::{
    sync::{
        Arc,
        atomic::{
            AtomicBool,
            Ordering::{AcqRel, Relaxed, Release},
        },
    },
    task::{Context, Wake, Waker},
};

use parking_lot::{Mutex, MutexGuard};

/// Stands between a task and futures that are rarely ready. They are polled with [`context`](Self::context), and only if
/// [`take`](Self::take) returns that one of them woke the task.
// Polling each of them every time would take locks that all tasks share, and 2 % of the instructions of a small request.
pub(super) struct WakeFlag {
    shared: Arc<Shared>,
    waker: Waker,
    task: Option<Waker>,
}

struct Shared {
    is_set: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl WakeFlag {
    /// A flag that is set, so that every future is polled once.
    pub(super) fn new() -> Self {
        let shared = Arc::new(Shared { is_set: AtomicBool::new(true), task: Mutex::new(None) });
        Self { waker: Waker::from(Arc::clone(&shared)), shared, task: None }
    }

    /// The context to poll the futures with.
    pub(super) fn context(&self) -> Context<'_> {
        Context::from_waker(&self.waker)
    }

    /// Sets the flag without waking the task, for the task itself.
    pub(super) fn set(&self) {
        self.shared.is_set.store(true, Relaxed);
    }

    /// Clears the flag and returns whether it was set. From now on it wakes the task of `cx`.
    pub(super) fn take(&mut self, cx: &Context<'_>) -> bool {
        if !self.task.as_ref().is_some_and(|task| task.will_wake(cx.waker())) {
            self.task = Some(cx.waker().clone());
            self.shared.task().clone_from(&self.task);
        }
        // The load first: it is enough in nearly every poll, and an atomic swap costs more.
        self.shared.is_set.load(Relaxed) && self.shared.is_set.swap(false, AcqRel)
    }
}

impl Shared {
    fn task(&self) -> MutexGuard<'_, Option<Waker>> {
        self.task.lock()
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_set.store(true, Release);
        // Cloned, so that the lock is free before the task wakes, perhaps on another thread, and asks for it.
        let task = self.task().clone();
        if let Some(task) = task {
            task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Task(AtomicUsize);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn it_stays_set_until_it_is_taken_and_wakes_the_task_that_asked_last() {
        let (first, second) = (Arc::new(Task::default()), Arc::new(Task::default()));
        let wakers = [&first, &second].map(|task| Waker::from(Arc::clone(task)));
        let mut wake_flag = WakeFlag::new();
        assert!(wake_flag.take(&Context::from_waker(&wakers[0])));
        assert!(!wake_flag.take(&Context::from_waker(&wakers[0])));

        wake_flag.context().waker().wake_by_ref();
        assert_eq!(first.0.load(Relaxed), 1);
        assert!(wake_flag.take(&Context::from_waker(&wakers[1])));

        for times in 1..3 {
            wake_flag.context().waker().wake_by_ref();
            assert_eq!((first.0.load(Relaxed), second.0.load(Relaxed)), (1, times));
            assert!(wake_flag.take(&Context::from_waker(&wakers[1])));
        }

        wake_flag.set();
        assert_eq!(second.0.load(Relaxed), 2);
        assert!(wake_flag.take(&Context::from_waker(&wakers[1])));
    }
}
