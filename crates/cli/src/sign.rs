//! `middlebrick sign`: the signing toolbox, offline.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use engine::config;
use model::{Origin, Request, Secret, Signer, Stamp};
use signing::infer::Key;
use signing::{Canonical, Covered, Inferred, Keyed, Part, Secrets, Settings, infer, sample};

use crate::args::{SignCommand, SignOptions, SignRequestOptions};
use crate::output::{data, hinted, words};
use crate::shell::Shell;

/// Runs one of the tools.
pub(crate) fn run(command: &SignCommand) -> anyhow::Result<ExitCode> {
    match command {
        SignCommand::Infer { sample, secret } => infer_scheme(&read(sample)?, secret),
        SignCommand::Request(options) => sign(options),
        SignCommand::Check(options) => check(&read(&options.sample)?, &signer(&options.signer)?),
    }
}

fn read(path: &Path) -> anyhow::Result<Request> {
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).context("cannot read stdin")?;
    } else {
        text = std::fs::read_to_string(path).with_context(|| format!("cannot read the sample `{}`", path.display()))?;
    }
    sample::read(&text).map_err(|e| hinted(e, Some("HTTP text, a curl command line and HAR are read".into())))
}

fn expand(text: &str) -> anyhow::Result<Secret> {
    config::expand(text, "--secret", &Shell).map(Secret::new).map_err(|e| hinted(&e, e.hint()))
}

fn signer(options: &SignOptions) -> anyhow::Result<Keyed> {
    let mut settings = match &options.identity {
        Some(name) => {
            let text = std::fs::read_to_string(&options.config)
                .with_context(|| format!("cannot read the configuration `{}`", options.config.display()))?;
            let read = config::parse(&text).map_err(|e| hinted(&e, e.hint()))?;
            let signing = read.identities.get(name).and_then(|identity| identity.signing.clone());
            let hint = Some("it needs an identity of this name with `signing:`".to_owned());
            signing.ok_or_else(|| hinted(format!("identity `{name}` does not sign"), hint))?
        }
        None => Settings { preset: options.preset.clone(), ..Settings::default() },
    };
    if let Some(secret) = &options.secret {
        settings.secret = Secret::new(secret);
    }
    if let Some(key_id) = &options.key_id {
        settings.key_id.clone_from(key_id);
    }
    settings.secret = expand(settings.secret.expose())?;
    settings.signer().map_err(|e| hinted(e, Some("the presets are listed in the README".into())))
}

/// Signs what the options say is signed, and prints what they say is sent, with what signing set.
fn sign(options: &SignRequestOptions) -> anyhow::Result<ExitCode> {
    let mut request = match &options.sample {
        Some(path) => read(path)?,
        None => sample::curl_words(options.command.iter().cloned())
            .map_err(|e| hinted(e, Some("a curl command stands behind `--`".into())))?,
    };
    let signer = signer(&options.signer)?;
    let unix_ms = chrono::Utc::now().timestamp_millis().saturating_add(options.clock_offset);
    let stamp = Stamp { unix_ms, nonce: uuid::Uuid::now_v7().simple().to_string() };
    let bare = signed_otherwise(&request, options)?;
    let mut signed = bare.clone();
    signer.sign(&mut signed, &stamp);
    let is_out = |name: &str| options.leave_out.iter().any(|left_out| left_out.eq_ignore_ascii_case(name));
    let has = request.headers.clone();
    for (name, value) in signed.headers.iter() {
        let is_set = signed.headers.all(name).ne(bare.headers.all(name));
        if is_set && !has.contains(name) && !is_out(name) {
            request.headers.push(name, value);
        }
    }
    let pairs = |request: &Request| -> Vec<String> {
        request.query().map(|query| query.split('&').map(str::to_owned).collect()).unwrap_or_default()
    };
    let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
    let before = pairs(&bare);
    for pair in pairs(&signed).into_iter().filter(|pair| !before.contains(pair)) {
        let is_there = pairs(&request).iter().any(|other| name(other) == name(&pair));
        if !is_there && !is_out(&name(&pair)) {
            let separator = if request.target.contains('?') { '&' } else { '?' };
            request.target = format!("{}{separator}{pair}", request.target);
        }
    }
    if signed.body != bare.body {
        request.body = signed.body;
    }
    let local = Origin { secure: true, host: "localhost".into(), port: 443 };
    data(&format!("{}\n", report::curl(&local, &request, &report::Masks::new())))
}

/// The request with what is signed otherwise.
fn signed_otherwise(request: &Request, options: &SignRequestOptions) -> anyhow::Result<Request> {
    let mut signed = request.clone();
    if let Some(method) = &options.signed_method {
        signed.method.clone_from(method);
    }
    if let Some(target) = &options.signed_target {
        signed.target.clone_from(target);
    }
    if let Some(body) = &options.signed_body {
        signed.body = body.clone().into();
    }
    let mut stated = Vec::new();
    for header in &options.signed_header {
        let hint = Some("it is written as `NAME: VALUE`".to_owned());
        let (name, value) = header.split_once(':').ok_or_else(|| hinted("`--signed-header` has no colon", hint))?;
        stated.push((name.trim(), value.trim()));
        signed.headers.remove(name.trim());
    }
    for (name, value) in stated.into_iter().filter(|(_, value)| !value.is_empty()) {
        signed.headers.push(name, value);
    }
    Ok(signed)
}

fn check(request: &Request, signer: &Keyed) -> anyhow::Result<ExitCode> {
    match signer.check(request, chrono::Utc::now().timestamp_millis()) {
        Ok(()) => data("the signature is right\n"),
        Err(mismatch) => {
            data(&format!("the signature is not right: {mismatch}\n"))?;
            Ok(ExitCode::from(1))
        }
    }
}

fn infer_scheme(request: &Request, given: &[String]) -> anyhow::Result<ExitCode> {
    let secrets = match given {
        [] => Secrets::Weak,
        given => Secrets::Given(given.iter().map(|s| expand(s)).collect::<anyhow::Result<_>>()?),
    };
    let bar = indicatif::ProgressBar::new(0);
    let found = infer(request, &secrets, &|done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let mut text = String::new();
    for inferred in &found.found {
        text.push_str(&described(inferred));
    }
    for remark in &found.remarks {
        text.push_str(&format!("note         {remark}\n"));
    }
    if found.found.is_empty() {
        text.push_str("no scheme found\n");
    }
    data(&text)?;
    words(&format!("tried {} strings: {}", found.tried, found.bounds));
    Ok(ExitCode::from(u8::from(found.found.is_empty())))
}

fn described(inferred: &Inferred) -> String {
    let scheme = &inferred.scheme;
    let formula = match &scheme.canonical {
        Canonical::Formula(formula) => formula.to_string().replace('\n', "\\n"),
        Canonical::Standard(_) => "as its standard says".into(),
    };
    let key = match &inferred.key {
        Key::Given(position) => format!("secret {} of those given", position + 1),
        Key::Weak(word) => format!("`{word}`, a word that everybody tries"),
        Key::InTheRequest => "the key that the request carries".into(),
    };
    let covered: Vec<&Part> = inferred.coverage.0.iter().filter(|(_, c)| *c == Covered::Yes).map(|(p, _)| p).collect();
    let list = |parts: &[&Part]| match parts {
        [] => "nothing".to_owned(),
        parts => parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    let mut text = format!("scheme       {}: {formula}\nkey          {key}\n", scheme.name);
    text.push_str(&format!("covered      {}\n", list(&covered)));
    text.push_str(&format!("not covered  {}\n", list(&inferred.not_covered.iter().collect::<Vec<_>>())));
    for (part, why) in &inferred.undecidable {
        text.push_str(&format!("cannot tell  {part}: {why}\n"));
    }
    for proposal in &inferred.proposal {
        text.push_str(&format!("do           {proposal}\n"));
    }
    text
}
