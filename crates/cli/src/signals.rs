//! How a user stops a run: Ctrl-C, or SIGTERM and SIGHUP as sent by CI, a supervisor, a closed terminal.

use std::time::Duration;

use tokio::sync::watch;

use crate::output::words;

/// What a stopped run ends with, whichever signal stopped it.
///
/// **Source**: docs/scoring.md; 128 + SIGINT, as shells report it.
pub(crate) const INTERRUPTED: u8 = 130;

/// How long a stopped run has for its report. What holds it up longer does not come back, such as a pipe
/// that nobody reads.
///
/// **Source**: chosen; three times the longest request that a scan makes by itself.
const GRACE: Duration = Duration::from_secs(30);

/// Becomes true at the first signal; a second one, or too long a time, ends the process.
pub(crate) fn listen() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    let mut signals = Signals::new();
    tokio::spawn(async move {
        signals.next().await;
        words("stopping; Ctrl-C again leaves at once");
        _ = sender.send(true);
        _ = tokio::time::timeout(GRACE, signals.next()).await;
        leave();
    });
    receiver
}

/// What work gives, or nothing if the user stops it before.
pub(crate) async fn unless_stopped<T>(stop: &watch::Receiver<bool>, work: impl Future<Output = T>) -> Option<T> {
    let mut stopped = stop.clone();
    let done = tokio::select! {
        biased;
        Ok(_) = stopped.wait_for(|stop| *stop) => None,
        done = work => Some(done),
    };
    // The work may have seen the wish to stop first, and ended for it.
    done.filter(|_| !*stop.borrow())
}

#[expect(clippy::exit, reason = "what still runs cannot be stopped in another way")]
fn leave() -> ! {
    std::process::exit(INTERRUPTED.into())
}

#[cfg(unix)]
struct Signals([Option<tokio::signal::unix::Signal>; 3]);

#[cfg(unix)]
impl Signals {
    /// A hang-up that is ignored from the start stays so: `nohup` means it. Ctrl-C is heeded in a script's
    /// background too, for which shells ignore it.
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        // A file that grows over the user's limit fails to be written, and does not end the process.
        _ = signal(SignalKind::from_raw(libc::SIGXFSZ));
        let hangup = if ignores_hangup() { None } else { signal(SignalKind::hangup()).ok() };
        Self([signal(SignalKind::interrupt()).ok(), signal(SignalKind::terminate()).ok(), hangup])
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            () = next(interrupt) => {}
            () = next(terminate) => {}
            () = next(hangup) => {}
        }
    }
}

#[cfg(unix)]
async fn next(signal: &mut Option<tokio::signal::unix::Signal>) {
    let came = match signal {
        Some(signal) => signal.recv().await,
        None => None,
    };
    if came.is_none() {
        std::future::pending::<()>().await;
    }
}

/// True if this process was started to ignore SIGHUP; false where the system does not tell.
///
/// **Source**: proc(5), `SigIgn` in `/proc/self/status`: a bit for each signal, from 1 on.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & (1 << (libc::SIGHUP - 1)) != 0
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Self {
        Self
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
