//! Wakes a task for something that it waits for beside its work, and knows that it did.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicBool,
            Ordering::{AcqRel, Relaxed, Release},
        },
    },
    task::{Context, Wake, Waker},
};

/// Stands between a task and futures that are seldom ready: they are polled with [`context`](Self::context), and only when the
/// bell [has rung](Self::has_rung). A busy task is spared to ask each of them every time, which takes locks that
/// all tasks share, and 2 % of the instructions of a small request.
pub(super) struct Bell {
    ring: Arc<Ring>,
    waker: Waker,
    task: Option<Waker>,
}

struct Ring {
    rung: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Bell {
    /// A bell that has rung: everything is to be polled once.
    pub(super) fn new() -> Self {
        let ring = Arc::new(Ring { rung: AtomicBool::new(true), task: Mutex::new(None) });
        Self { waker: Waker::from(Arc::clone(&ring)), ring, task: None }
    }

    /// What the futures are to be polled with.
    pub(super) fn context(&self) -> Context<'_> {
        Context::from_waker(&self.waker)
    }

    /// Rings without waking anybody: the task itself knows that there is something to poll.
    pub(super) fn ring(&self) {
        self.ring.rung.store(true, Relaxed);
    }

    /// Whether it rang since it was asked before. From now on it wakes the task of `cx`.
    pub(super) fn has_rung(&mut self, cx: &Context<'_>) -> bool {
        if !self.task.as_ref().is_some_and(|task| task.will_wake(cx.waker())) {
            self.task = Some(cx.waker().clone());
            self.ring.task().clone_from(&self.task);
        }
        self.ring.rung.load(Relaxed) && self.ring.rung.swap(false, AcqRel)
    }
}

impl Ring {
    fn task(&self) -> MutexGuard<'_, Option<Waker>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Release);
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
    fn it_rings_until_it_is_heard_and_wakes_the_task_that_asked_last() {
        let (first, second) = (Arc::new(Task::default()), Arc::new(Task::default()));
        let wakers = [&first, &second].map(|task| Waker::from(Arc::clone(task)));
        let mut bell = Bell::new();
        assert!(bell.has_rung(&Context::from_waker(&wakers[0])));
        assert!(!bell.has_rung(&Context::from_waker(&wakers[0])));

        bell.context().waker().wake_by_ref();
        assert_eq!(first.0.load(Relaxed), 1);
        assert!(bell.has_rung(&Context::from_waker(&wakers[1])));

        for times in 1..3 {
            bell.context().waker().wake_by_ref();
            assert_eq!((first.0.load(Relaxed), second.0.load(Relaxed)), (1, times));
            assert!(bell.has_rung(&Context::from_waker(&wakers[1])));
        }

        bell.ring();
        assert_eq!(second.0.load(Relaxed), 2);
        assert!(bell.has_rung(&Context::from_waker(&wakers[1])));
    }
}
