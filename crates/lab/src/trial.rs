//! Scans of the end-to-end applications, for the tests and for docs/accuracy.md.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use engine::config::{self, Resolved, header_credential};
use engine::target::Given;
use engine::transport::{Dial, Policy, Settings, Transport};
use engine::{Limits, LogSource, Options, Selection, Silent};
use model::identity::{Extract, ExtractFrom, Login};
use model::{Gate, Identity, Method, Mode, Origin, Place, Request, Scan, Secret};
use serde_json::json;
use tokio::sync::watch;

use crate::apps::{self, App};
use crate::relay::Relay;

/// An identity whose credential is a header.
pub fn with_header(name: &str, header: &str, value: &str) -> Identity {
    Identity { name: name.into(), credentials: vec![header_credential(header, value)], ..Identity::default() }
}

/// Scans an application on loopback in safe mode with every check.
///
/// # Errors
/// Its description cannot be read.
pub async fn scan(url: &str, identities: Vec<Identity>) -> Result<Scan, String> {
    scan_with(url, Resolved { identities, ..Resolved::default() }, Mode::Safe, Vec::new()).await
}

/// The same with a `middlebrick.yaml`, which refers to no variable and no file.
///
/// # Errors
/// The configuration or the description cannot be read.
pub async fn scan_configured(url: &str, configuration: &str) -> Result<Scan, String> {
    scan_with(url, resolved(configuration)?, Mode::Safe, Vec::new()).await
}

/// What a `middlebrick.yaml` says that refers to no variable and no file.
///
/// # Errors
/// It cannot be read.
pub fn resolved(configuration: &str) -> Result<Resolved, String> {
    config::parse(configuration).and_then(|c| c.resolve(&Nothing)).map_err(|e| e.to_string())
}

struct Nothing;

impl config::Lookup for Nothing {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str) -> Option<String> {
        None
    }
}

/// The same in another mode, with logs to read. Whatever is sent must be what is recorded, and allowed in the mode.
async fn scan_with(url: &str, resolved: Resolved, mode: Mode, logs: Vec<LogSource>) -> Result<Scan, String> {
    let url = url::Url::parse(url).map_err(|e| e.to_string())?;
    let relay = Relay::start(url.port().ok_or("no port")?).await.map_err(|e| e.to_string())?;
    let settings = Settings::new(Dial::Tcp, Policy::for_origin(&relay.origin));
    let given = Given { target: format!("{}{}", relay.origin, &url[url::Position::BeforePath..]), ..Given::default() };
    let options = Options {
        limits: Limits {
            mode,
            rate: None,
            concurrency: 16,
            max_requests: 3_000,
            budget: Duration::from_secs(120),
            timeout: Duration::from_secs(10),
        },
        seed: 1,
        gate: Gate::default(),
        method: Method::default(),
        selection: Selection::default(),
        ignored: Vec::new(),
        logs,
        complete: true,
        interrupt: watch::channel(false).1,
    };
    let mut target = given.resolve(settings, options.budget()).await.map_err(|e| e.to_string())?;
    let repeatable = resolved.repeatable.clone();
    relay.recorder.know(&resolved.identities);
    target.identities = resolved.identities;
    target.configured = resolved.configured;
    target.repeatable = resolved.repeatable;
    let scan = engine::scan(target, &checks::all(), options, Arc::new(Silent)).await;
    let title = scan.inventory.title.as_deref().unwrap_or(url.path());
    let (requests, seconds) = (scan.requests.total, scan.duration_ms as f64 / 1000.0);
    // Past what a test keeps to itself: many scans in one test are long, and should not be silent.
    _ = writeln!(std::io::stderr(), "  scanned {title}: {requests} requests, {seconds:.1} s");
    let differences = relay.recorder.differences(&scan, &repeatable);
    if differences.is_empty() { Ok(scan) } else { Err(differences.join("\n")) }
}

/// The orders API with its defects: one partner's key.
///
/// # Errors
/// Its description cannot be read.
pub async fn flask_vulnerable(app: &App) -> Result<Scan, String> {
    let url = format!("{}/openapi.json", app.base);
    scan(&url, vec![with_header("northwind", "X-API-Key", "sk_live_abc123"), login("alice", "wonderland")]).await
}

/// The same with its log, or another file as its log.
///
/// # Errors
/// Its description cannot be read.
pub async fn flask_vulnerable_with_log(app: &App, mode: Mode, log: &Path) -> Result<Scan, String> {
    let identities = vec![with_header("northwind", "X-API-Key", "sk_live_abc123"), login("alice", "wonderland")];
    let resolved = Resolved { identities, ..Resolved::default() };
    scan_with(&format!("{}/openapi.json", app.base), resolved, mode, vec![LogSource::File(log.into())]).await
}

/// The orders API with every defect fixed.
///
/// # Errors
/// Its description cannot be read.
pub async fn flask_remediated(app: &App) -> Result<Scan, String> {
    let credential = |name: &str| app.credentials.get(name).map(String::as_str).unwrap_or_default();
    let identities = vec![
        with_header("northwind", "X-API-Key", credential("northwind_key")),
        login(credential("username"), credential("password")),
    ];
    let logs = vec![LogSource::File(app.log.clone())];
    let resolved = Resolved { identities, ..Resolved::default() };
    scan_with(&format!("{}/openapi.json", app.base), resolved, Mode::Safe, logs).await
}

/// The records API on DynamoDB, in either form, with the keys of its two holders.
///
/// # Errors
/// Its description cannot be read.
pub async fn dynamodb(app: &App) -> Result<Scan, String> {
    let identity = |name: &str| {
        let key = app.credentials.get(&format!("{name}_key")).map(String::as_str).unwrap_or_default();
        with_header(name, "X-API-Key", key)
    };
    scan(&format!("{}/openapi.json", app.base), vec![identity("alice"), identity("bob")]).await
}

fn login(user: &str, password: &str) -> Identity {
    let login = Login {
        request: Request::new("POST", "/login").with_json(&json!({ "username": user, "password": password })),
        secrets: vec![Secret::new(password)],
        extract: vec![Extract { from: ExtractFrom::Json("$.token".into()), place: Place::bearer() }],
    };
    Identity { name: user.into(), login: Some(login), ..Identity::default() }
}

/// The orders API of `e2e/mended`: two partners with a key each, or one that signs by this preset.
///
/// # Errors
/// Its description cannot be read.
pub async fn mended(app: &App, preset: Option<&str>) -> Result<Scan, String> {
    let credential = |name: &str| app.credentials.get(name).map(String::as_str).unwrap_or_default();
    let key = |name: &str| json!({ "header": { "X-API-Key": credential(name) } });
    let identities = match preset {
        Some(preset) => {
            let signing = json!({ "preset": preset, "key_id": "acme", "secret": credential("ACME_SECRET") });
            json!({ "acme": { "signing": signing } })
        }
        None => json!({ "acme": key("ACME_KEY"), "globex": key("GLOBEX_KEY") }),
    };
    // It changes nothing.
    let configuration = json!({ "identities": identities, "repeatable": ["POST /echo"] });
    scan_configured(&format!("{}/openapi.json", app.base), &configuration.to_string()).await
}

/// VAmPI with one of its users.
///
/// # Errors
/// It cannot be filled, or its description cannot be read.
pub async fn vampi(app: &App) -> Result<Scan, String> {
    send(app, &Request::get("/createdb")).await?;
    let request =
        Request::new("POST", "/users/v1/login").with_json(&json!({ "username": "name1", "password": "pass1" }));
    let login = Login {
        request,
        secrets: vec![Secret::new("pass1")],
        extract: vec![Extract { from: ExtractFrom::Json("$.auth_token".into()), place: Place::bearer() }],
    };
    let identity = Identity { name: "name1".into(), login: Some(login), ..Identity::default() };
    scan(&format!("{}/openapi.json", app.base), vec![identity]).await
}

/// Kinto with one account and a few notes of it.
///
/// # Errors
/// It cannot be filled, or its description cannot be read.
pub async fn kinto(app: &App) -> Result<Scan, String> {
    let basic = format!("Basic {}", BASE64_STANDARD.encode("alice:alice-password-1"));
    let put = |path: &str, body: serde_json::Value| Request::new("PUT", path).with_json(&body);
    send(app, &put("/v1/accounts/alice", json!({ "data": { "password": "alice-password-1" } }))).await?;
    for path in ["/v1/buckets/alice-notes", "/v1/buckets/alice-notes/collections/notes"] {
        send(app, &put(path, json!({})).with_header("Authorization", &basic)).await?;
    }
    let record = "/v1/buckets/alice-notes/collections/notes/records/4f1c2f0e-7f0b-4b6e-9d52-0d9a3c1f7b11";
    send(app, &put(record, json!({ "data": { "text": "water the plants" } })).with_header("Authorization", &basic))
        .await?;
    scan(&format!("{}/v1/__api__", app.base), vec![with_header("alice", "Authorization", &basic)]).await
}

/// Fills an application before a scan.
async fn send(app: &App, request: &Request) -> Result<(), String> {
    let origin: Origin = app.base.parse()?;
    let transport = Transport::new(Settings::new(Dial::Tcp, Policy::for_origin(&origin))).map_err(|e| e.to_string())?;
    let received = transport.exchange(&origin, request, true).await;
    match received.answer {
        model::Answer::Response(response) if response.status < 300 => Ok(()),
        model::Answer::Response(response) => {
            Err(format!("{} {} answered {}", request.method, request.target, response.status))
        }
        model::Answer::Error(error) => Err(error.to_string()),
    }
}

/// Every application that needs nothing but Python, each with its name and scan.
///
/// # Errors
/// One of them does not start or cannot be scanned.
pub async fn python_applications() -> Result<Vec<(&'static str, Scan)>, String> {
    Ok(vec![
        ("flask-vulnerable-werkzeug", flask_vulnerable(&apps::flask_vulnerable_werkzeug()?).await?),
        ("flask-vulnerable-gunicorn", flask_vulnerable(&apps::flask_vulnerable_gunicorn()?).await?),
        ("flask-remediated", flask_remediated(&apps::flask_remediated()?).await?),
        ("dynamodb-vulnerable", dynamodb(&apps::dynamodb_vulnerable()?).await?),
        ("dynamodb-remediated", dynamodb(&apps::dynamodb_remediated()?).await?),
        ("kinto", kinto(&apps::kinto()?).await?),
    ])
}
