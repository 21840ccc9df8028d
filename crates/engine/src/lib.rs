//! Runs checks. A [`Session`] is the only door to the target.

pub mod check;
pub mod config;
pub mod controls;
mod door;
pub mod draft;
pub mod edit;
pub mod effect;
pub mod event;
pub mod examples;
mod guard;
mod identities;
pub mod logs;
mod pace;
mod record;
mod recording;
pub mod scan;
mod session;
pub mod subject;
pub mod survey;
pub mod target;
pub mod testing;
pub mod transport;
mod used;

pub use check::{AnyCheck, Check, NotApplicable, Requests, Unobserved, check};
pub use door::{Limits, Prepared, RANDOM_SIGN_INS};
pub use draft::{Authenticate, Draft, Intent};
pub use edit::{Edit, Signed, Tamper};
pub use event::{Event, Events, Phase, Silent};
pub use inventory;
pub use logs::{LogBuffer, LogLine, LogSearch, LogSource, LogTail};
pub use scan::{Options, Selection, scan};
pub use session::Session;
pub use signing::weak_secrets;
pub use survey::{Baseline, Protection, Reach, Survey, SurveyedIdentity, SurveyedOperation};
pub use target::Target;
