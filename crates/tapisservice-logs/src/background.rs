//! The thread that writes, so that a slow output never holds up a request.

use std::{
    io::{self, Write},
    mem,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::LogError;

/// The maximum size of the queue in bytes. Beyond that, lines are dropped and counted.
const MAX_WAITING: usize = 8 * 1024 * 1024;

/// `PIPE_BUF`: up to this size, a write to a pipe is not interleaved with those of other processes (POSIX `write`).
const MAX_WRITE: usize = 4096;

/// Renders the line that reports dropped ones.
pub(super) type DroppedNotice = Box<dyn Fn(u64) -> String + Send>;

/// Hands lines to a thread of its own.
#[derive(Clone)]
pub(super) struct Background {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    work: Condvar,
    settled: Condvar,
}

#[derive(Default)]
struct Queue {
    /// Whole lines, each with its line end.
    waiting: Vec<u8>,
    /// Dropped lines that the output does not report yet.
    dropped: u64,
    dropped_ever: u64,
    /// All lines, including dropped ones, and the number of those that are written or dropped for good.
    accepted: u64,
    settled: u64,
    closed: bool,
}

impl Background {
    /// Starts the thread. `name` appears in reports about failing writes.
    pub(super) fn start(
        name: String,
        output: impl Write + Send + 'static,
        notice: DroppedNotice,
    ) -> Result<Self, LogError> {
        let shared = Arc::new(Shared::default());
        let worker = Worker { shared: Arc::clone(&shared), output, name, notice, untold: 0, failing: false };
        thread::Builder::new().name("log-writer".into()).spawn(|| worker.run()).map_err(LogError::Thread)?;
        Ok(Self { shared })
    }

    /// Waits until all lines so far are written. Returns `false` if that takes longer than `timeout`.
    pub(super) fn flush(&self, timeout: Duration) -> bool {
        let start = Instant::now();
        let mut queue = self.shared.lock();
        let goal = queue.accepted;
        while queue.settled < goal {
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                return false;
            }
            self.shared.settled.wait_for(&mut queue, left);
        }
        true
    }

    /// Writes the lines that wait, then ends the thread. Later lines are dropped.
    pub(super) fn close(&self, timeout: Duration) -> bool {
        self.shared.lock().closed = true;
        self.shared.work.notify_one();
        self.flush(timeout)
    }

    pub(super) fn dropped_lines(&self) -> u64 {
        self.shared.lock().dropped_ever
    }
}

/// Each write is one whole line with its line end. It never fails, and waits for nothing but a short lock.
impl Write for &Background {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut queue = self.shared.lock();
        if queue.closed || queue.waiting.len() + line.len() > MAX_WAITING {
            queue.dropped_ever += 1;
            if !queue.closed {
                queue.dropped += 1;
                queue.accepted += 1;
            }
            return Ok(line.len());
        }
        queue.accepted += 1;
        queue.waiting.extend_from_slice(line);
        drop(queue);
        self.shared.work.notify_one();
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock()
    }

    /// Takes the lines that wait, or `None` once the queue is closed and empty. `settled` is the number of lines dealt with.
    fn next(&self, settled: u64) -> Option<Batch> {
        let mut queue = self.lock();
        queue.settled = settled;
        self.settled.notify_all();
        while queue.waiting.is_empty() && queue.dropped == 0 {
            if queue.closed {
                return None;
            }
            self.work.wait(&mut queue);
        }
        let (lines, dropped) = (mem::take(&mut queue.waiting), mem::take(&mut queue.dropped));
        Some(Batch { lines, dropped, end: queue.accepted })
    }
}

struct Batch {
    lines: Vec<u8>,
    dropped: u64,
    /// The number of settled lines once this batch is written.
    end: u64,
}

struct Worker<W> {
    shared: Arc<Shared>,
    output: W,
    name: String,
    notice: DroppedNotice,
    /// Lost lines that the output does not report yet.
    untold: u64,
    failing: bool,
}

impl<W: Write> Worker<W> {
    fn run(mut self) {
        let mut settled = 0;
        while let Some(batch) = self.shared.next(settled) {
            for part in whole_lines(&batch.lines) {
                if !self.write(part) {
                    self.lost(count_lines(part));
                }
            }
            self.untold += batch.dropped;
            self.tell();
            settled = batch.end;
        }
    }

    /// Reports a failing output on standard error: once, and again only after it recovered in between.
    fn write(&mut self, part: &[u8]) -> bool {
        let result = self.output.write_all(part).and_then(|()| self.output.flush());
        let failed_before = mem::replace(&mut self.failing, result.is_err());
        if let Err(error) = &result
            && !failed_before
        {
            // If this fails too, there is nowhere left to report it.
            let _ = writeln!(io::stderr(), "log output {} fails, lines are lost: {error}", self.name);
        }
        result.is_ok()
    }

    fn lost(&mut self, lines: u64) {
        self.untold += lines;
        self.shared.lock().dropped_ever += lines;
    }

    /// Writes to the output how many lines are missing, as soon as it works again.
    fn tell(&mut self) {
        if self.untold > 0 && !self.failing {
            let notice = (self.notice)(self.untold) + "\n";
            if self.write(notice.as_bytes()) {
                self.untold = 0;
            }
        }
    }
}

/// Splits at line ends into parts of at most [`MAX_WRITE`] bytes. A longer line is a part of its own.
fn whole_lines(mut lines: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        if lines.is_empty() {
            return None;
        }
        let window = &lines[..lines.len().min(MAX_WRITE)];
        let end = match window.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => at + 1,
            None => lines.iter().position(|byte| *byte == b'\n').map_or(lines.len(), |at| at + 1),
        };
        let (part, rest) = lines.split_at(end);
        lines = rest;
        Some(part)
    })
}

fn count_lines(lines: &[u8]) -> u64 {
    lines.split_inclusive(|byte| *byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    fn notice() -> DroppedNotice {
        Box::new(|lines| format!("{lines} lines dropped"))
    }

    fn write_line(mut output: &Background, line: &str) {
        output.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Sends what is written, once it is allowed to.
    struct Gate {
        open: mpsc::Receiver<()>,
        written: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.open.recv();
            let _ = self.written.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn gated() -> (Background, mpsc::Sender<()>, mpsc::Receiver<Vec<u8>>) {
        let (opener, open) = mpsc::channel();
        let (written, seen) = mpsc::channel();
        let output = Background::start("test".into(), Gate { open, written }, notice()).unwrap();
        (output, opener, seen)
    }

    #[test]
    fn closing_writes_every_waiting_line() {
        let (output, opener, seen) = gated();
        for n in 0..1000 {
            write_line(&output, &format!("line {n}"));
        }
        drop(opener);
        assert!(output.close(LONG));
        let text = String::from_utf8(seen.try_iter().flatten().collect()).unwrap();
        assert_eq!(text.lines().count(), 1000);
        assert!(text.ends_with("line 999\n"));
        write_line(&output, "too late");
        assert_eq!(output.dropped_lines(), 1);
    }

    #[test]
    fn a_stalled_output_holds_up_neither_the_writers_nor_the_exit() {
        let (output, opener, seen) = gated();
        let line = "x".repeat(64 * 1024);
        for _ in 0..400 {
            write_line(&output, &line);
        }
        assert!(output.dropped_lines() > 0);
        assert!(!output.close(Duration::from_millis(1)));
        drop(opener);
        assert!(output.flush(LONG));
        let text = String::from_utf8(seen.try_iter().flatten().collect()).unwrap();
        let (notices, lines): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.ends_with("dropped"));
        let told: u64 =
            notices.iter().map(|line| line.split(' ').next().unwrap().parse::<u64>().unwrap()).sum();
        assert_eq!(told, output.dropped_lines());
        assert_eq!(lines.len() as u64 + told, 400);
    }

    #[test]
    fn writes_hold_whole_lines_only() {
        let mut lines = Vec::new();
        for length in [10, 4000, 80, 9000, 1, 4095, 4096, 0] {
            lines.extend(std::iter::repeat_n(b'x', length));
            lines.push(b'\n');
        }
        let parts: Vec<_> = whole_lines(&lines).collect();
        assert_eq!(parts.concat(), lines);
        for part in parts {
            assert!(part.ends_with(b"\n"));
            assert!(part.len() <= MAX_WRITE || count_lines(part) == 1);
        }
    }

    #[test]
    fn an_output_that_failed_tells_how_many_lines_it_lost() {
        /// A full disk until somebody makes room.
        struct Disk(Arc<Mutex<(bool, Vec<u8>)>>);
        impl Write for Disk {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let mut disk = self.0.lock();
                if disk.0 {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                disk.1.extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let disk = Arc::new(Mutex::new((true, Vec::new())));
        let output = Background::start("full".into(), Disk(Arc::clone(&disk)), notice()).unwrap();
        write_line(&output, "a");
        write_line(&output, "b");
        assert!(output.flush(LONG));
        assert_eq!(output.dropped_lines(), 2);
        disk.lock().0 = false;
        write_line(&output, "c");
        assert!(output.close(LONG));
        assert_eq!(String::from_utf8_lossy(&disk.lock().1), "c\n2 lines dropped\n");
    }
}
