//! Servers in this process, for the tests of checks and for the lab: the same scan as over the
//! network, without a port, with every byte that is written taken down.

mod recorder;
pub mod strict;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Buf;
use http_body::Body;
use hyper::body::Incoming;
use inventory::{Inventory, NoLoader, parse};
use model::identity::Extract;
use model::{Credential, Gate, Identity, Method, Mode, OperationKey, Origin, Place, Request, Scan, Secret};
use rustls::pki_types::CertificateDer;
use serde_json::Value;
use tokio::io::DuplexStream;
use tokio::sync::watch;
use tower::Service;

use crate::budget::Limits;
use crate::check::AnyCheck;
use crate::event::Silent;
use crate::logs::{LogBuffer, LogSource};
use crate::scan::{Options, Selection, scan};
use crate::survey::Configured;
use crate::target::Target;
use crate::transport::{Dial, MemoryServer, Policy, Settings, serve_in_memory};

pub use recorder::{Recorder, Written};

/// Speaks on a connection, byte by byte.
pub type Speaker = Arc<dyn Fn(DuplexStream) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// How a target answers.
#[derive(Clone)]
pub enum Io {
    /// HTTP.
    Http(Arc<dyn MemoryServer>),
    /// Whatever it likes: each connection is given to the speaker.
    Raw(Speaker),
    /// TLS at `https`: each connection is given to the speaker, and the client makes the handshake.
    /// Connections at `http` are refused.
    Tls {
        /// Speaks TLS.
        speaker: Speaker,
        /// Trusted besides the platform's own roots.
        roots: Vec<CertificateDer<'static>>,
    },
}

/// A target with everything that a scan of it needs.
#[derive(Clone)]
pub struct Served {
    /// The API description; absent for a single URL.
    pub description: Option<Value>,
    /// Who may use it.
    pub identities: Vec<Identity>,
    /// How it answers.
    pub io: Io,
    /// True if it is reached by `https`.
    pub secure: bool,
    /// What it writes to its log, if it has one.
    pub log: Option<LogBuffer>,
    /// What a scan of it may do.
    pub mode: Mode,
    /// Operations that may be sent although their method writes.
    pub repeatable: BTreeSet<OperationKey>,
}

impl Served {
    /// A described API, answered by a router or any other HTTP service.
    pub fn new<S, B>(description: Value, service: S) -> Self
    where
        S: Service<http::Request<Incoming>, Response = http::Response<B>, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send + 'static,
        B: Body + Send + 'static,
        B::Data: Buf + Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let io = Io::Http(serve_in_memory(service));
        Self {
            description: Some(description),
            identities: Vec::new(),
            io,
            secure: false,
            log: None,
            mode: Mode::Safe,
            repeatable: BTreeSet::new(),
        }
    }

    /// The same, with an identity whose header is its credential. `Authorization` values keep their
    /// scheme.
    #[must_use]
    pub fn with_identity(mut self, name: &str, header: &str, value: &str) -> Self {
        let (prefix, value) = match value.split_once(' ') {
            Some((scheme, rest)) if header.eq_ignore_ascii_case("authorization") => (format!("{scheme} "), rest),
            _ => (String::new(), value),
        };
        let place = Place::Header { name: header.into(), prefix };
        let credentials = vec![Credential { place, value: Secret::new(value) }];
        self.identities.push(Identity { name: name.into(), credentials, ..Identity::default() });
        self
    }

    /// The same, with a log that can be read.
    #[must_use]
    pub fn with_log(mut self, log: &LogBuffer) -> Self {
        self.log = Some(log.clone());
        self
    }

    /// The same, for a check that needs more than safe mode.
    #[must_use]
    pub fn in_mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// The same, with an operation that may be sent although its method writes.
    #[must_use]
    pub fn with_repeatable(mut self, method: &str, path: &str) -> Self {
        self.repeatable.insert(OperationKey { method: method.into(), path: path.into() });
        self
    }

    /// The same, with an identity that signs in.
    #[must_use]
    pub fn with_login(mut self, name: &str, request: Request, extract: Extract) -> Self {
        let login = model::identity::Login { request, secrets: Vec::new(), extract: vec![extract] };
        self.identities.push(Identity { name: name.into(), login: Some(login), ..Identity::default() });
        self
    }

    /// The target of a scan of it, at `http://target.localhost`.
    pub fn target(self) -> Target {
        let origin =
            Origin { secure: self.secure, host: "target.localhost".into(), port: if self.secure { 443 } else { 80 } };
        let mut warnings = Vec::new();
        let inventory = match &self.description {
            Some(description) => {
                let bytes = serde_json::to_vec(description).expect("a JSON value serializes");
                let (inventory, odd) =
                    parse("memory:///openapi.json", &bytes, &mut NoLoader).expect("a description of a test");
                warnings.extend(
                    odd.into_iter().map(|w| model::scan::Warning { place: Some(w.pointer), message: w.message }),
                );
                inventory
            }
            None => Inventory::single("GET", "/"),
        };
        let base_path = inventory.servers.first().map(|s| s.url.trim_end_matches('/').to_owned()).unwrap_or_default();
        let base_path =
            url::Url::parse(&base_path).map(|u| u.path().trim_end_matches('/').to_owned()).unwrap_or(base_path);
        let (server, roots): (Arc<dyn MemoryServer>, _) = match self.io {
            Io::Http(server) => (server, None),
            Io::Raw(speaker) => (Arc::new(Speaking { speaker, tls: false }), None),
            Io::Tls { speaker, roots } => (Arc::new(Speaking { speaker, tls: true }), Some(roots)),
        };
        Target {
            given: format!("{origin}/openapi.json"),
            settings: Settings { roots, ..Settings::new(Dial::Memory(server), Policy::for_origin(&origin)) },
            origin,
            base_path,
            inventory: Arc::new(inventory),
            warnings,
            identities: self.identities,
            known: Vec::new(),
            headers: Vec::new(),
            configured: Configured::default(),
            repeatable: self.repeatable,
            configuration: None,
            notices: Vec::new(),
            looked_up: None,
        }
    }
}

struct Speaking {
    speaker: Speaker,
    tls: bool,
}

impl MemoryServer for Speaking {
    fn connect(&self, origin: &Origin) -> Option<DuplexStream> {
        if self.tls && !origin.secure {
            return None;
        }
        let (client, server) = tokio::io::duplex(64 * 1024);
        tokio::spawn((self.speaker)(server));
        Some(client)
    }

    fn speaks_tls(&self) -> bool {
        self.tls
    }
}

/// Milliseconds since 1970, for targets that tell a time ago from a long time ago.
pub fn unix_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// Options of a test's scan: safe mode, a fixed seed, everything recorded.
pub fn options() -> Options {
    Options {
        limits: Limits {
            mode: Mode::Safe,
            rate: None,
            concurrency: 8,
            max_requests: 5_000,
            budget: Duration::from_secs(600),
            timeout: Duration::from_secs(10),
        },
        seed: 7,
        gate: Gate::default(),
        method: Method::default(),
        selection: Selection::default(),
        ignored: Vec::new(),
        logs: Vec::new(),
        complete: true,
        interrupt: watch::channel(false).1,
    }
}

/// Scans a target in memory.
///
/// # Panics
/// What is written to the target is not what the scan recorded, or not what its mode allows.
pub async fn scan_served(served: Served, checks: &[&'static dyn AnyCheck]) -> Scan {
    let mut options = options();
    options.limits.mode = served.mode;
    options.logs = served.log.iter().cloned().map(LogSource::Memory).collect();
    scan_recorded(served.target(), checks, options).await
}

/// Scans a target that is a server in memory, with these options, all exchanges kept.
///
/// # Panics
/// What is written to the target is not what the scan recorded, or not what its mode allows.
pub async fn scan_recorded(mut target: Target, checks: &[&'static dyn AnyCheck], options: Options) -> Scan {
    let recorder = Arc::new(Recorder::default());
    recorder.know(&target.identities);
    if let Dial::Memory(server) = target.settings.dial {
        target.settings.dial = Dial::Memory(recorder.around(server));
    }
    let repeatable = target.repeatable.clone();
    let scan = scan(target, checks, Options { complete: true, ..options }, Arc::new(Silent)).await;
    let differences = recorder.differences(&scan, &repeatable);
    assert!(differences.is_empty(), "what was sent is not what was recorded:\n{}", differences.join("\n"));
    scan
}
