//! Any description and any responses: a whole short scan of a server in memory, every byte of which a strict
//! server reads as the requests that the record has, and that its mode allows.
//!
//! The first line of an input is `MODE WHO`: `passive` or `safe`, and the identities, of `key`, `query`,
//! `cookie`, `login`. Then the description; behind each separator a response: from its status line on, or
//! `STATUS MEDIA-TYPE` in its first line and the body behind it.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use engine::target::Given;
use engine::testing::{Recorder, options, strict};
use engine::transport::{Dial, MemoryServer, Policy, Settings};
use engine::{Limits, Options, Silent, scan};
use model::identity::{Extract, ExtractFrom, Login};
use model::{Credential, Identity, Mode, Origin, Place, Request, Scan, Secret, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// Requests of a scan.
const MOST_REQUESTS: u32 = 80;
/// Bytes of a pipe.
const PIPE: usize = 64 * 1024;
/// The credential of every identity, in an input too.
pub const CREDENTIAL: &str = "ak_live_9c41f7d2e8b3";

/// Scans it. Panics where what is sent is not what is recorded and allowed, or where the record or an output
/// shows a credential.
pub fn run(data: &[u8]) {
    let parts = crate::parts(data);
    let (line, description) = crate::first_line(parts[0]);
    let server = Arc::new(Fake {
        description: answer("200 application/json", description),
        responses: parts[1..].iter().map(|part| response(part)).collect(),
    });
    let mode = if line.starts_with("passive") { Mode::Passive } else { Mode::Safe };
    let identities: Vec<Identity> = line.split(' ').filter_map(identity).collect();
    crate::in_paused_time(async {
        let recorder = Arc::new(Recorder::default());
        recorder.know(&identities);
        let origin = Origin { secure: false, host: "target.localhost".into(), port: 80 };
        let secrets: Vec<String> = identities.iter().flat_map(secrets).collect();
        let settings = Settings {
            read_limit: PIPE,
            keep_limit: PIPE,
            ..Settings::new(Dial::Memory(recorder.around(server)), Policy::for_origin(&origin))
        };
        let given = Given { target: format!("{origin}{DESCRIPTION}"), ..Given::default() };
        let limits = Limits {
            mode,
            max_requests: MOST_REQUESTS,
            budget: Duration::from_secs(60),
            concurrency: 4,
            ..options().limits
        };
        let options = Options { limits, ..options() };
        let resolved = given.resolve(settings, options.budget()).await;
        let (looked_up, odd) = recorder.written();
        assert!(odd.is_empty(), "the look-up of the description: {odd:?}");
        for one in looked_up {
            let is_reading = ["GET", "HEAD"].contains(&one.request.method.as_str());
            assert!(is_reading && one.origin == origin, "the look-up of the description: {one:?}");
            assert!(!format!("{one:?}").contains(CREDENTIAL), "a credential in the look-up of the description");
        }
        let Ok(mut target) = resolved else { return };
        target.identities = identities;
        let scan = scan(target, &checks::all(), options, Arc::new(Silent)).await;
        let differences = recorder.differences(&scan, &BTreeSet::new());
        assert!(differences.is_empty(), "{}", differences.join("\n"));
        no_check_panicked(&scan);
        keeps_secret(&scan, &secrets);
    });
}

/// A scan goes on without a check that panics; here it is a finding.
fn no_check_panicked(scan: &Scan) {
    for assessment in &scan.assessments {
        let is_panic =
            matches!(&assessment.verdict, Verdict::Inconclusive { reason, .. } if reason.contains("failed by itself"));
        assert!(!is_panic, "{} panicked", assessment.check);
    }
}

/// Where the description is.
const DESCRIPTION: &str = "/openapi.json";

/// No output shows a secret of the identities.
fn keeps_secret(scan: &Scan, secrets: &[String]) {
    let proofs = scan.findings.iter().map(|finding| ("proof", report::proof(scan, finding)));
    let all = [
        ("summary", report::summary(scan, report::Style::Plain)),
        ("survey", report::survey(scan)),
        ("JSON", report::json(scan)),
    ];
    for (output, text) in all.into_iter().chain(proofs) {
        for at in secrets.iter().filter_map(|secret| text.find(secret.as_str())) {
            let around = text.get(at.saturating_sub(200)..at + 40).unwrap_or(&text);
            assert!(around.is_empty(), "the {output} shows a credential: {around}");
        }
    }
}

/// The secrets that an identity is given.
fn secrets(identity: &Identity) -> Vec<String> {
    let given = identity.credentials.iter().map(|credential| &credential.value);
    let logged_in = identity.login.iter().flat_map(|login| &login.secrets);
    given.chain(logged_in).map(|secret| secret.expose().to_owned()).collect()
}

/// An identity by its kind.
fn identity(kind: &str) -> Option<Identity> {
    let place = match kind {
        "key" => Place::Header { name: "X-API-Key".into(), prefix: String::new() },
        "query" => Place::Query { name: "api_key".into() },
        "cookie" => Place::Cookie { name: "session".into() },
        "login" => {
            let login = Login {
                request: Request::new("POST", "/login").with_json(&serde_json::json!({ "password": CREDENTIAL })),
                secrets: vec![Secret::new(CREDENTIAL)],
                extract: vec![Extract { from: ExtractFrom::Json("$.token".into()), place: Place::bearer() }],
            };
            return Some(Identity { name: kind.into(), login: Some(login), ..Identity::default() });
        }
        _ => return None,
    };
    // Where several stand in one line, each has its own.
    let value = Secret::new(format!("{CREDENTIAL}{kind}"));
    let credentials = vec![Credential { place, value }];
    Some(Identity { name: kind.into(), credentials, ..Identity::default() })
}

/// Gives the description, and to every other path one of the responses, always the same one to the same caller.
struct Fake {
    description: Vec<u8>,
    responses: Vec<Vec<u8>>,
}

impl MemoryServer for Fake {
    fn connect(&self, _: &Origin) -> Option<DuplexStream> {
        let (client, server) = tokio::io::duplex(PIPE);
        let (description, responses) = (self.description.clone(), self.responses.clone());
        tokio::spawn(Fake { description, responses }.speak(server));
        Some(client)
    }
}

impl Fake {
    async fn speak(self, mut connection: DuplexStream) {
        let mut received = Vec::new();
        while let Ok(1..) = connection.read_buf(&mut received).await {
            // What is no request is told by the recorder.
            let Ok((requests, left)) = strict::requests(&received) else { return };
            let left = left.to_vec();
            for request in requests {
                let bytes = self.response_to(&request);
                if connection.write_all(bytes).await.is_err() || !is_framed(bytes) {
                    return;
                }
            }
            received = left;
        }
    }

    fn response_to(&self, request: &Request) -> &[u8] {
        if request.target == DESCRIPTION {
            return &self.description;
        }
        let mut hasher = DefaultHasher::new();
        (request.path(), format!("{request:?}").contains(CREDENTIAL)).hash(&mut hasher);
        let chosen = (hasher.finish() as usize).checked_rem(self.responses.len());
        chosen.map_or(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", |chosen| &self.responses[chosen])
    }
}

/// Whether a response can have another one behind it.
fn is_framed(bytes: &[u8]) -> bool {
    let head = bytes[..bytes.len().min(1024)].to_ascii_lowercase();
    [&b"content-length"[..], b"chunked"].iter().any(|word| head.windows(word.len()).any(|window| window == *word))
}

/// The bytes of a response as an input writes it.
fn response(part: &[u8]) -> Vec<u8> {
    if part.starts_with(b"HTTP/") {
        return part.to_vec();
    }
    let (line, body) = crate::first_line(part);
    answer(&line, body)
}

/// A response with a length, its status and media type in one line.
fn answer(line: &str, body: &[u8]) -> Vec<u8> {
    let (status, media_type) = line.split_once(' ').unwrap_or((line, "application/json"));
    let length = body.len();
    let head = format!("HTTP/1.1 {status} x\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}
