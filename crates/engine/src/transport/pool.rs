//! Connections that wait for their next request. Exchanges with and without credentials never share one,
//! so that nothing an API remembers about a connection can lend an identity to an anonymous request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{Connection, Origin};
use tokio::time::Instant;

use super::http1::Wire;
use super::http2::Sender;

/// How long an idle HTTP/1.1 connection is used again: less than the shortest keep-alive timeout in
/// wide use, so that a request hardly ever meets a connection that is being closed.
///
/// **Source**: gunicorn's default `keepalive` (2 s).
const IDLE: Duration = Duration::from_millis(1500);

/// Which exchanges may share a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) origin: Origin,
    pub(super) carries_credentials: bool,
}

/// A connection that is ready to carry a request.
pub(super) enum Link {
    Http1(Wire),
    Http2(Sender),
}

#[derive(Default)]
pub(super) struct Pool {
    http1: Mutex<HashMap<Key, Vec<Idle>>>,
    http2: Mutex<HashMap<Key, (Sender, Arc<Connection>)>>,
}

struct Idle {
    wire: Wire,
    facts: Arc<Connection>,
    since: Instant,
}

impl Pool {
    /// An open connection for the key.
    pub(super) async fn take(&self, key: &Key) -> Option<(Link, Arc<Connection>)> {
        if let Some((sender, facts)) = self.shared(key) {
            return Some((Link::Http2(sender), facts));
        }
        loop {
            let mut idle = lock(&self.http1).get_mut(key)?.pop()?;
            if idle.since.elapsed() < IDLE && idle.wire.is_idle().await {
                return Some((Link::Http1(idle.wire), idle.facts));
            }
        }
    }

    fn shared(&self, key: &Key) -> Option<(Sender, Arc<Connection>)> {
        let mut shared = lock(&self.http2);
        let (sender, facts) = shared.get(key)?;
        if !sender.is_closed() {
            return Some((sender.clone(), facts.clone()));
        }
        shared.remove(key);
        None
    }

    /// Shares an HTTP/2 connection with the exchanges to come.
    pub(super) fn share(&self, key: Key, sender: Sender, facts: Arc<Connection>) {
        lock(&self.http2).insert(key, (sender, facts));
    }

    /// Keeps an HTTP/1.1 connection for an exchange to come.
    pub(super) fn keep(&self, key: Key, wire: Wire, facts: Arc<Connection>) {
        lock(&self.http1).entry(key).or_default().push(Idle { wire, facts, since: Instant::now() });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
