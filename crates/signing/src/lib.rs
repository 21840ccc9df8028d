//! How requests are signed: [schemes](scheme) as canonical [formulas](formula), the
//! captured request.
//!
//! Everything here is a pure function: no clock, no randomness but that of ECDSA and RSA-PSS
//! signatures, no network.

pub mod algorithm;
pub mod clock;
pub mod coverage;
mod extension;
pub mod formula;
pub mod infer;
mod key;
mod keyed;
mod preset;
mod replayed;
pub mod sample;
pub mod scheme;
mod seen;
pub mod settings;
pub mod slot;
pub mod standard;
mod written;

pub use algorithm::{Algorithm, Encoding, Hash, KeyEncoding};
pub use clock::Clock;
pub use coverage::{Coverage, Covered, Part};
pub use formula::{Formula, FormulaError};
pub use infer::{Inference, Inferred, Secrets, infer, weak_secrets};
pub use key::KeyError;
pub use keyed::Keyed;
pub use preset::{PRESETS, nearest_preset, preset};
pub use replayed::{NoSignature, Replayed, is_credential};
pub use scheme::{Canonical, Mismatch, Reading, Scheme};
pub use settings::{Settings, SettingsError};
pub use slot::{Slot, Spot};
