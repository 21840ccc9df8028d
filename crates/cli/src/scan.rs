//! `scan` and `survey`.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use engine::config::{self, Config};
use engine::effect::{Effect, effect};
use engine::target::{Given, TargetError};
use engine::transport::{Dial, Policy, Settings, Transport};
use engine::{AnyCheck, Budget, Limits, LogSource, Options, Selection, Target, TypedUrl};
use model::{
    Answer, Credential, Identity, KnownSecret, Mode, OperationKey, Origin, Place, Redactor, Request, Shortfall,
};
use tokio::sync::watch;

use crate::args::{ModeName, ScanOptions};
use crate::configuration::{self, Configuration};
use crate::output::{fell_short, hinted, keep_secret, words};
use crate::outputs::{Outputs, Page};
use crate::progress::Progress;
use crate::shell::Shell;
use crate::signals::{self, unless_stopped};

/// Name of the identity that `-H` makes.
const IDENTITY: &str = "key";

/// Name of the identity that `--sample` makes.
const SAMPLE: &str = "sample";

/// `middlebrick scan`.
pub(crate) async fn run(options: ScanOptions) -> anyhow::Result<ExitCode> {
    let checks = chosen(&options)?;
    let outputs = Outputs::open(&options, Page::Summary)?;
    let stop = signals::listen();
    let Some(prepared) = unless_stopped(&stop, prepare(&options, stop.clone())).await else {
        return Ok(outputs.write_interrupted());
    };
    let (target, scan_options) = prepared?;
    if target.identities.is_empty() && options.mode != ModeName::Description {
        let protected = target
            .inventory
            .operations
            .iter()
            .filter(|o| matches!(o.security, engine::inventory::Security::Required { optional: false, .. }))
            .count();
        if protected > 0 && !options.quiet {
            let all = target.inventory.operations.len();
            words(&format!(
                "{protected} of {all} operations are declared protected and no credentials were given: add -H 'NAME: VALUE'"
            ));
        }
    }
    let progress = Arc::new(Progress::new(options.quiet, options.verbose));
    let scan = engine::scan(target, &checks, scan_options, progress.clone()).await;
    progress.done();
    Ok(outputs.write(scan))
}

/// `middlebrick survey`.
pub(crate) async fn survey(options: ScanOptions) -> anyhow::Result<ExitCode> {
    let outputs = Outputs::open(&options, Page::Survey)?;
    let stop = signals::listen();
    let Some(prepared) = unless_stopped(&stop, prepare(&options, stop.clone())).await else {
        return Ok(outputs.write_interrupted());
    };
    let (target, mut scan_options) = prepared?;
    scan_options.complete = true;
    let progress = Arc::new(Progress::new(options.quiet, options.verbose));
    let scan = engine::scan(target, &[], scan_options, progress.clone()).await;
    progress.done();
    Ok(outputs.write(scan))
}

/// The checks that `--only` and `--skip` leave.
fn chosen(options: &ScanOptions) -> anyhow::Result<Vec<&'static dyn AnyCheck>> {
    let all = checks::all();
    let known: BTreeSet<&str> = all.iter().flat_map(|c| [c.meta().id, c.meta().category.as_str()]).collect();
    for name in options.only.iter().chain(&options.skip) {
        if !known.contains(name.as_str()) {
            return Err(hinted(
                format!("there is no check or category `{name}`"),
                Some("middlebrick checks lists them".into()),
            ));
        }
    }
    let named = |check: &&'static dyn AnyCheck, names: &[String]| {
        names.iter().any(|n| n == check.meta().id || n == check.meta().category.as_str())
    };
    Ok(all
        .into_iter()
        .filter(|c| (options.only.is_empty() || named(c, &options.only)) && !named(c, &options.skip))
        .collect())
}

/// Everything before the first request of the scan itself.
async fn prepare(options: &ScanOptions, interrupt: watch::Receiver<bool>) -> anyhow::Result<(Target, Options)> {
    let shell = &config::Noting::new(&Shell);
    let Configuration { config, file, notices } = configuration::read(options)?;
    let resolved = config.resolve(shell).map_err(|e| hinted(&e, e.hint()))?;
    let typed = options.target.clone().or_else(|| config.target.clone()).ok_or_else(|| {
        hinted(
            "no target",
            Some("type one: middlebrick scan http://127.0.0.1:5000/openapi.json, or try middlebrick demo".into()),
        )
    })?;
    let mut urls = Vec::new();
    let mut read = |text: String| {
        let typed = TypedUrl::read(&text);
        keep_secret(&typed.known);
        urls.push(typed.clone());
        typed.url
    };
    let given = Given {
        target: read(typed),
        spec: options.spec.clone().or_else(|| config.spec.clone()).map(&mut read),
        base_url: options.base_url.clone().or_else(|| config.base_url.clone()).map(&mut read),
        method: options.method.clone(),
    };
    let (settings, origin) = settings(options, &given)?;
    let budget = |loopback| Arc::new(Budget::new(limits(options, loopback), interrupt.clone()));
    let spent = budget(origin.is_loopback());
    if let Some(longest) = options.wait_ready {
        wait_ready(&given, limits(options, true).mode, &settings, longest).await?;
    }
    let mut target = given.resolve(settings, spent.clone()).await.map_err(|error: TargetError| {
        let hint = error.hint();
        match error {
            TargetError::Unreachable { .. } => fell_short(Shortfall::Unreachable, error, Some(hint)),
            TargetError::Interrupted => fell_short(Shortfall::Budget, error, None),
            TargetError::OutOfBudget(_) => fell_short(Shortfall::Budget, error, Some(hint)),
            TargetError::Refused { .. } => fell_short(Shortfall::Target, error, Some(hint)),
            TargetError::NotADescription { .. } => fell_short(Shortfall::NoDescription, error, Some(hint)),
            _ => hinted(error, Some(hint)),
        }
    })?;
    target.settings.policy = Policy::for_origin(&target.origin);
    let known: BTreeSet<&str> = checks::all().iter().map(|check| check.meta().id).collect();
    resolved.matches(&target.inventory, &known).map_err(|e| hinted(&e, e.hint()))?;
    if spent.requests() == 0 {
        // A file was read: only now it is known where requests go.
        target.looked_up = None;
    }
    target.configuration = file;
    target.notices = notices;
    target.identities = resolved.identities;
    target.headers = resolved.headers;
    target.configured = resolved.configured;
    target.repeatable = resolved.repeatable;
    // A user part belongs to the origin beside which it was typed.
    let is_own = |typed: &&TypedUrl| {
        url::Url::parse(&typed.url).ok().as_ref().and_then(Origin::of).as_ref() == Some(&target.origin)
    };
    let basic = urls.iter().filter(is_own).find_map(|typed| typed.basic.clone());
    if let Some(identity) = typed_identity(&options.headers, basic, shell)? {
        target.identities.insert(0, identity);
    }
    let revoked_at = options.revoked_at.as_deref();
    take_revoked_keys(&options.revoked_key, revoked_at, &mut target.identities, shell)?;
    target.known = resolved.known;
    target.known.extend(shell.known());
    target.known.extend(urls.into_iter().flat_map(|typed| typed.known));
    target.given = shown(&target.given, &target.known);
    if let Some(path) = &options.sample {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read the sample `{}`", path.display()))?;
        let identity = config::sample_identity(SAMPLE, &text).map_err(|e| hinted(&e, e.hint()))?;
        target.identities.push(identity);
    }
    stay_with_their_origin(&target)?;
    let left_out = select_operations(&mut target, options)?;
    let mut gate = config.gate.clone();
    gate.min_score = options.min_score.or(gate.min_score);
    gate.max_risk = options.max_risk.or(gate.max_risk);
    gate.fail_on = options.fail_on.or(gate.fail_on);
    if !options.quiet {
        say_where(&target, &config);
    }
    let scan_options = Options {
        limits: limits(options, target.origin.is_loopback()),
        seed: options.seed.unwrap_or_else(rand::random),
        gate,
        method: options.score_method,
        selection: Selection { only: options.only.clone(), skip: options.skip.clone(), left_out },
        ignored: resolved.ignored,
        logs: options.log_file.iter().map(|name| LogSource::named(name)).collect(),
        complete: options.record.is_some(),
        interrupt,
    };
    Ok((target, scan_options))
}

/// Says which file was read and where requests go.
fn say_where(target: &Target, config: &Config) {
    if let Some(file) = &target.configuration {
        words(&format!("{file} is read: {}", config.contents()));
    }
    for notice in &target.notices {
        words(&format!("warning: {notice}"));
    }
    words(&format!("requests go to {}{}", target.origin, target.base_path));
}

fn limits(options: &ScanOptions, loopback: bool) -> Limits {
    Limits {
        mode: options.mode.into(),
        rate: options.rate.or((!loopback).then_some(10.0)),
        concurrency: options.concurrency.unwrap_or(if loopback { 16 } else { 4 }).max(1),
        max_requests: options.max_requests,
        budget: options.budget,
        timeout: options.timeout,
    }
}

/// How connections are made, and the origin that was typed as far as it is known before a description is.
fn settings(options: &ScanOptions, given: &Given) -> anyhow::Result<(Settings, Origin)> {
    let urls = [given.base_url.as_ref(), Some(&given.target), given.spec.as_ref()];
    let origin = urls.into_iter().flatten().find_map(|u| url::Url::parse(u).ok().as_ref().and_then(Origin::of));
    // A description file names a loopback server, or --base-url is asked for.
    let origin = origin.unwrap_or(Origin { secure: false, host: "localhost".into(), port: 80 });
    let mut settings = Settings::new(Dial::Tcp, Policy::for_origin(&origin));
    settings.timeout = options.timeout;
    settings.insecure = options.insecure;
    settings.http1_only = options.http1;
    settings.http2_only = options.http2;
    settings.resolve = options.resolve.clone();
    if let Some(path) = &options.cacert {
        settings.roots = Some(certificates(path)?);
    }
    Ok((settings, origin))
}

fn certificates(path: &Path) -> anyhow::Result<Vec<rustls::pki_types::CertificateDer<'static>>> {
    use rustls::pki_types::pem::PemObject;
    let read = rustls::pki_types::CertificateDer::pem_file_iter(path)
        .with_context(|| format!("cannot read the certificates `{}`", path.display()))?;
    let none = || format!("`{}` holds no certificate in PEM", path.display());
    let certificates: Vec<_> = read.collect::<Result<_, _>>().with_context(none)?;
    anyhow::ensure!(!certificates.is_empty(), none());
    Ok(certificates)
}

/// The typed target with its secrets masked.
fn shown(given: &str, known: &[KnownSecret]) -> String {
    let mut redactor = Redactor::default();
    known.iter().for_each(|secret| redactor.add(secret.value.expose(), &secret.label));
    redactor.name(given).into_owned()
}

/// The one identity that `-H` and the user part of a typed URL make.
fn typed_identity(
    headers: &[String],
    basic: Option<Credential>,
    shell: &dyn config::Lookup,
) -> anyhow::Result<Option<Identity>> {
    let mut credentials = Vec::new();
    for header in headers {
        let (name, value) = header.split_once(':').filter(|(n, _)| !n.trim().is_empty()).ok_or_else(|| {
            // The text may be a credential: it is not repeated.
            hinted("a header is not of the form `NAME: VALUE`", Some("write -H 'X-API-Key: @env:KEY'".into()))
        })?;
        let value =
            config::expand(value.trim(), &format!("-H {}", name.trim()), shell).map_err(|e| hinted(&e, e.hint()))?;
        let credential = config::header_credential(name.trim(), &value);
        config::holds_something(&credential, &format!("-H {}", name.trim())).map_err(|e| hinted(&e, e.hint()))?;
        credentials.push(credential);
    }
    // A typed header of authorization says more than the user part of a URL.
    let authorizes =
        |c: &Credential| matches!(&c.place, Place::Header { name, .. } if name.eq_ignore_ascii_case("authorization"));
    credentials.extend(basic.filter(|_| !credentials.iter().any(authorizes)));
    let identity = Identity { name: IDENTITY.into(), credentials, ..Identity::default() };
    Ok((!identity.credentials.is_empty()).then_some(identity))
}

/// Gives each revoked key to the identity that it names, or to the only one.
fn take_revoked_keys(
    keys: &[String],
    revoked_at: Option<&str>,
    identities: &mut [Identity],
    shell: &dyn config::Lookup,
) -> anyhow::Result<()> {
    for text in keys {
        // A key may hold `=` itself: only the name of an identity counts before it.
        let named = text.split_once('=').filter(|(name, _)| identities.iter().any(|i| i.name == *name));
        let (position, value) = match named {
            Some((name, value)) => (identities.iter().position(|i| i.name == name), value),
            None => ((identities.len() == 1).then_some(0), text.as_str()),
        };
        let Some(identity) = position.and_then(|position| identities.get_mut(position)) else {
            // The text may be a credential: it is not repeated.
            return Err(hinted(
                "--revoked-key does not say whose key it was",
                Some("write --revoked-key IDENTITY=@env:OLD_KEY, with the name of an identity".into()),
            ));
        };
        let value = config::expand(value, "--revoked-key", shell).map_err(|e| hinted(&e, e.hint()))?;
        let revoked = config::revoked_key(&value, revoked_at, "--revoked-at").map_err(|e| hinted(&e, None))?;
        identity.revoked_key = Some(revoked);
    }
    Ok(())
}

/// Leaves the operations that `--include` and `--exclude` leave, and returns the others.
fn select_operations(target: &mut Target, options: &ScanOptions) -> anyhow::Result<Vec<OperationKey>> {
    if options.include.is_empty() && options.exclude.is_empty() {
        return Ok(Vec::new());
    }
    let mut inventory = (*target.inventory).clone();
    let matches = |operation: &engine::inventory::Operation, patterns: &[String]| {
        let name = format!("{} {}", operation.method, operation.path);
        patterns.iter().any(|p| wildcard(p, &name) || wildcard(p, &operation.path))
    };
    let (kept, left_out): (Vec<_>, Vec<_>) = std::mem::take(&mut inventory.operations)
        .into_iter()
        .partition(|o| (options.include.is_empty() || matches(o, &options.include)) && !matches(o, &options.exclude));
    inventory.operations = kept;
    if inventory.operations.is_empty() {
        return Err(hinted(
            "no operation is left to scan",
            Some("patterns look like 'GET /orders*' or '/orders/*'".into()),
        ));
    }
    target.inventory = Arc::new(inventory);
    Ok(left_out.iter().map(|o| OperationKey { method: o.method.clone(), path: o.path.clone() }).collect())
}

/// A captured request goes nowhere but to the origin that it was captured for.
fn stay_with_their_origin(target: &Target) -> anyhow::Result<()> {
    for identity in &target.identities {
        let sample = identity.signer.as_ref().and_then(|signer| signer.sample());
        let Some(origin) = sample.and_then(|sample| sample.captured.origin.as_ref()) else { continue };
        if origin.authority() != target.origin.authority() {
            let message = format!("the sample was captured for {origin}, and the scan goes to {}", target.origin);
            return Err(hinted(message, Some("scan that origin, or take the `Host` line out of the sample".into())));
        }
    }
    Ok(())
}

/// True if a text is of a pattern in which `*` stands for anything.
fn wildcard(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Asks the target until it answers anything; in description mode for the description itself.
async fn wait_ready(given: &Given, mode: Mode, settings: &Settings, longest: Duration) -> anyhow::Result<()> {
    let (place, request) = match mode {
        Mode::Description => {
            let place = given.spec.as_ref().unwrap_or(&given.target);
            let url = url::Url::parse(place).ok();
            (
                place,
                Request::get(
                    url.as_ref().map_or("/", |url| &url[url::Position::BeforePath..url::Position::AfterQuery]),
                ),
            )
        }
        Mode::Passive | Mode::Safe | Mode::Active | Mode::Destructive => {
            (given.base_url.as_ref().unwrap_or(&given.target), Request::get("/"))
        }
    };
    let origin = url::Url::parse(place).ok().as_ref().and_then(Origin::of);
    let Some(origin) = origin.filter(|_| effect(&request) == Effect::Reads) else { return Ok(()) };
    let until = std::time::Instant::now() + longest;
    loop {
        let transport = Transport::new(settings.clone())?;
        match transport.exchange(&origin, &request, false).await.answer {
            Answer::Response(_) => return Ok(()),
            Answer::Error(reason) if std::time::Instant::now() >= until => {
                let message = format!("{origin} did not get ready: {reason}");
                return Err(fell_short(Shortfall::Unreachable, message, None));
            }
            Answer::Error(_) => tokio::time::sleep(Duration::from_millis(250)).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Identity;

    use super::{Shell, take_revoked_keys, wildcard};

    #[test]
    fn a_revoked_key_goes_to_the_identity_that_it_names_or_to_the_only_one() {
        let identity = |name: &str| Identity { name: name.into(), ..Identity::default() };
        let key_of = |identity: &Identity| identity.revoked_key.as_ref().map(|key| key.value.expose().to_owned());
        let mut one = [identity("key")];
        take_revoked_keys(&["b2xkLWtleQ==".into()], None, &mut one, &Shell).unwrap();
        assert_eq!(key_of(&one[0]).as_deref(), Some("b2xkLWtleQ=="));
        let mut two = [identity("alice"), identity("bob")];
        take_revoked_keys(&["bob=Bearer old".into()], Some("2026-05-01T12:00:00Z"), &mut two, &Shell).unwrap();
        assert_eq!((key_of(&two[0]), key_of(&two[1]).as_deref()), (None, Some("old")));
        let error = take_revoked_keys(&["s3cr3t-value".into()], None, &mut two, &Shell).unwrap_err();
        assert!(!format!("{error:?}").contains("s3cr3t"));
        let error = take_revoked_keys(&["bob=s3cr3t-value".into()], Some("yesterday"), &mut two, &Shell).unwrap_err();
        assert!(error.to_string().contains("--revoked-at") && !format!("{error:?}").contains("s3cr3t"));
    }

    #[test]
    fn a_star_stands_for_anything() {
        assert!(wildcard("GET /orders*", "GET /orders/{id}") && wildcard("*/admin/*", "GET /v1/admin/x"));
        assert!(!wildcard("GET /orders", "GET /orders/{id}") && !wildcard("/a*b", "/ac"));
    }
}
