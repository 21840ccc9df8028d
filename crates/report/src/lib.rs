//! Renderings of a scan, one file per format. They decide nothing: same scan, same text.

mod curl;
mod json;
mod proof;
mod summary;
mod survey;

pub use curl::curl;
pub use json::{json, schema};
pub use proof::proof;
pub use summary::{Style, summary};
pub use survey::survey;
