//! Renderings of a scan, one file per format. They decide nothing: same scan, same text.

mod curl;
mod evidence;
mod json;
mod proof;
mod remedy;
mod requirements;
mod summary;
mod survey;
mod visible;

pub use curl::{Masks, curl};
pub use evidence::evidence;
pub use json::{json, schema};
pub use proof::proof;
pub use remedy::remedy;
pub use requirements::requirements;
pub use summary::{Style, summary};
pub use survey::survey;
pub use visible::{visible, visible_but_own_colors};
