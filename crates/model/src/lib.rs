//! The nouns of a scan and the pure functions on them.
//!
//! Nothing here does I/O, reads a clock or is async: what a scan saw ([`exchange`]), what a judge
//! says of it ([`verdict`]), what people read ([`finding`]), what it costs ([`score`]) and the
//! record that holds it all ([`scan`]).

pub mod compliance;
mod escapes;
pub mod exchange;
pub mod finding;
pub mod gate;
pub mod http;
pub mod identity;
pub mod meta;
pub mod redact;
pub mod scan;
pub mod score;
pub mod secret;
pub mod sensitive;
pub mod severity;
pub mod signed_place;
pub mod signer;
pub mod verdict;

pub use compliance::{ComplianceRow, Framework};
pub use exchange::{
    Answer, Connection, Exchange, OperationKey, Purpose, Recorded, SignedAs, TransportError, TransportErrorKind,
};
pub use finding::{Evidence, Finding, Occurrence, RemedyName, Suppression, findings};
pub use gate::{Gate, Judgement};
pub use http::{Body, Headers, Origin, Request, Response};
pub use identity::{Credential, Identity, Place, RevokedKey};
pub use meta::{Category, Code, Meta, Mode, Need, Owasp, Remedy, Variant};
pub use redact::Redactor;
pub use scan::{
    Assessment, Behind, Outcome, ReplayWindow, Scan, Shortfall, SignatureCoverage, SignedPart, SubjectKey, WindowBounds,
};
pub use score::{Grade, Method, Score, score};
pub use secret::{KnownSecret, Secret};
pub use severity::{Confidence, Severity};
pub use signed_place::SignedPlace;
pub use signer::{Forgery, Sample, SignedPlaces, Signer, SigningMode, Stamp};
pub use verdict::{Flaw, Location, NonEmpty, Verdict};
