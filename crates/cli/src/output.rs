//! Data goes to stdout, words to stderr. Nothing else writes to a terminal, so that no text of others moves
//! its cursor.

use std::borrow::Cow;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use std::sync::{LazyLock, PoisonError, RwLock};

use model::{KnownSecret, Outcome, Redactor, Shortfall};
use report::{visible, visible_but_own_colors};

/// An error with what to try.
#[derive(Debug)]
pub(crate) struct Hinted {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// What the scan lacked, where it is not the user's typing.
    cause: Option<Shortfall>,
}

impl std::fmt::Display for Hinted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Hinted {}

/// An error with what to try.
pub(crate) fn hinted(message: impl ToString, hint: Option<String>) -> anyhow::Error {
    anyhow::Error::new(Hinted { message: message.to_string(), hint, cause: None })
}

/// An error that is not the user's typing.
pub(crate) fn fell_short(cause: Shortfall, message: impl ToString, hint: Option<String>) -> anyhow::Error {
    anyhow::Error::new(Hinted { message: message.to_string(), hint, cause: Some(cause) })
}

/// An error as the outcome of a run that is no scan.
pub(crate) fn outcome_of(error: &anyhow::Error) -> Outcome {
    let hinted = error.downcast_ref::<Hinted>();
    let hint = hinted.and_then(|h| h.hint.clone());
    match hinted.and_then(|h| h.cause) {
        Some(cause) => Outcome::FellShort { cause, reason: chain(error), hint },
        None => Outcome::Usage { reason: chain(error), hint },
    }
}

/// Writes data. A reader that went away (`| head`) is no error.
pub(crate) fn data(text: &str) -> anyhow::Result<ExitCode> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(visible_but_own_colors(&without_typed(text)).as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context("cannot write to standard output"))
        }
        Ok(()) | Err(_) => Ok(ExitCode::SUCCESS),
    }
}

/// Secrets that texts may repeat: those of a typed URL, which stands in errors.
static TYPED: LazyLock<RwLock<Redactor>> = LazyLock::new(RwLock::default);

/// Masks secrets in all that is written from here on.
pub(crate) fn keep_secret(known: &[KnownSecret]) {
    let mut typed = TYPED.write().unwrap_or_else(PoisonError::into_inner);
    known.iter().for_each(|secret| typed.add(secret.value.expose(), &secret.label));
}

fn without_typed(text: &str) -> Cow<'_, str> {
    TYPED.read().unwrap_or_else(PoisonError::into_inner).text(text)
}

/// Writes a line for people. Nobody reading it is no error.
pub(crate) fn words(text: &str) {
    _ = writeln!(anstream::stderr().lock(), "{}", visible(&without_typed(text)));
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Writes an error, its causes, and its hint.
pub(crate) fn error(error: &anyhow::Error) {
    words(&format!("error: {error}"));
    for cause in error.chain().skip(1) {
        words(&format!("  because: {cause}"));
    }
    if let Some(hint) = error.downcast_ref::<Hinted>().and_then(|h| h.hint.as_ref()) {
        words(&format!("hint: {hint}"));
    }
}
