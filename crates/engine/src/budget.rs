//! What a scan may spend, from the first request of the look-up of its description to the last one of its
//! checks: requests, time, pace; and the user's wish to stop.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use model::{Mode, OperationKey};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::check::Unobserved;
use crate::pace::{Pace, Turn};

/// Limits of a scan.
#[derive(Clone, Debug)]
pub struct Limits {
    /// What may be sent.
    pub mode: Mode,
    /// Requests a second; none for as fast as answers come.
    pub rate: Option<f64>,
    /// Requests at once.
    pub concurrency: usize,
    /// Requests in all.
    pub max_requests: u32,
    /// Time in all.
    pub budget: Duration,
    /// Time for one exchange.
    pub timeout: Duration,
}

/// What is left of the limits of a scan.
#[derive(Debug)]
pub struct Budget {
    pub(crate) limits: Limits,
    pub(crate) started: Instant,
    pub(crate) pace: Pace,
    interrupt: watch::Receiver<bool>,
    sent: AtomicU32,
}

impl Budget {
    /// A budget of which nothing is spent; its time runs from here on. `interrupt` becomes true when the
    /// user wants to stop.
    pub fn new(limits: Limits, interrupt: watch::Receiver<bool>) -> Self {
        let pace = Pace::new(limits.rate, limits.concurrency, limits.budget);
        Self { limits, started: Instant::now(), pace, interrupt, sent: AtomicU32::new(0) }
    }

    /// Requests that were sent.
    pub fn requests(&self) -> u32 {
        self.sent.load(Ordering::Relaxed)
    }

    /// True once the user wants to stop.
    pub fn is_interrupted(&self) -> bool {
        *self.interrupt.borrow()
    }

    /// When the time is used up.
    pub(crate) fn end(&self) -> Instant {
        self.started + self.limits.budget
    }

    pub(crate) fn time_left(&self) -> Duration {
        self.limits.budget.saturating_sub(self.started.elapsed())
    }

    /// Takes one request, and waits for its turn. Nothing is taken where the turn does not come in time.
    pub(crate) async fn turn(&self, operation: Option<&OperationKey>, burst: bool) -> Result<Turn<'_>, Unobserved> {
        self.spend()?;
        let mut interrupt = self.interrupt.clone();
        let turn = tokio::select! {
            turn = timeout_at(self.end(), self.pace.turn(operation, burst)) => turn.map_err(|_| out_of_time()),
            () = stopped(&mut interrupt) => Err(Unobserved::Interrupted),
        };
        if turn.is_err() {
            self.sent.fetch_sub(1, Ordering::Relaxed);
        }
        turn
    }

    /// Returns when the user stops the scan.
    pub(crate) async fn stopped(&self) {
        stopped(&mut self.interrupt.clone()).await;
    }

    fn spend(&self) -> Result<(), Unobserved> {
        if self.is_interrupted() {
            return Err(Unobserved::Interrupted);
        }
        if self.started.elapsed() >= self.limits.budget {
            return Err(out_of_time());
        }
        if self.sent.fetch_add(1, Ordering::Relaxed) >= self.limits.max_requests {
            self.sent.fetch_sub(1, Ordering::Relaxed);
            return Err(Unobserved::Inconclusive("the request budget is used up".into()));
        }
        Ok(())
    }
}

fn out_of_time() -> Unobserved {
    Unobserved::Inconclusive("the time budget is used up".into())
}

async fn stopped(interrupt: &mut watch::Receiver<bool>) {
    if interrupt.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}
