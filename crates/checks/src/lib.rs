//! One folder per check or family: `mod.rs` (META, observation, plan, observe, judge), `README.md`
//! (for people), `examples.md` (tests of the judge), `target.rs` (a vulnerable and a fixed server).
//!
//! A check sends through its [`engine::Session`] and keeps no state. The lists below are kept in
//! step with the folders by `cargo test -p middlebrick-checks`.

use engine::AnyCheck;

// folders: begin
pub mod cross_origin_read;
pub mod description;
pub mod dynamodb;
pub mod error_disclosure;
pub mod exposed_internals;
pub mod hidden_operation;
pub mod jwt;
pub mod key_as_identifier;
pub mod key_comparison;
pub mod key_in_log;
pub mod key_in_page;
pub mod key_in_query;
pub mod key_reflected;
pub mod key_refusal;
pub mod key_shape;
pub mod key_shared_cache;
pub mod read_only_key_writes;
pub mod refused_write_takes_effect;
pub mod repeated_token;
pub mod replay;
pub mod response_headers;
pub mod revoked_key_accepted;
pub mod sample_signed_with_weak_secret;
pub mod secret_in_answer;
pub mod sensitive_field;
pub mod signature_absence;
pub mod signature_components;
pub mod signature_coverage;
pub mod signature_enforcement;
pub mod signature_forgery;
pub mod signature_oracle;
pub mod state_changing_get;
pub mod tls;
pub mod trace_method_enabled;
pub mod unauthenticated_access;
pub mod unlimited_guessing;
pub mod unprotected_variant;
// folders: end

pub mod remedies;

/// A folder's checks, and the servers that each of them must tell apart.
#[derive(Clone, Copy)]
pub struct Folder {
    /// Name of the folder.
    pub name: &'static str,
    /// Its checks.
    pub checks: &'static [&'static dyn AnyCheck],
    /// A vulnerable and a fixed server per check.
    #[cfg(any(test, feature = "targets"))]
    pub pairs: fn() -> Vec<Pair>,
}

/// Two servers that differ in one defect.
#[cfg(any(test, feature = "targets"))]
pub struct Pair {
    /// Id of the check that must tell them apart.
    pub check: &'static str,
    /// Has the defect.
    pub vulnerable: engine::testing::Served,
    /// Has it not.
    pub fixed: engine::testing::Served,
}

macro_rules! folder {
    ($name:ident) => {
        Folder {
            name: stringify!($name),
            checks: $name::CHECKS,
            #[cfg(any(test, feature = "targets"))]
            pairs: $name::target::pairs,
        }
    };
}

/// Every folder.
pub static FOLDERS: &[Folder] = &[
    // list: begin
    folder!(cross_origin_read),
    folder!(description),
    folder!(dynamodb),
    folder!(error_disclosure),
    folder!(exposed_internals),
    folder!(hidden_operation),
    folder!(jwt),
    folder!(key_as_identifier),
    folder!(key_comparison),
    folder!(key_in_log),
    folder!(key_in_page),
    folder!(key_in_query),
    folder!(key_reflected),
    folder!(key_refusal),
    folder!(key_shape),
    folder!(key_shared_cache),
    folder!(read_only_key_writes),
    folder!(refused_write_takes_effect),
    folder!(repeated_token),
    folder!(replay),
    folder!(response_headers),
    folder!(revoked_key_accepted),
    folder!(sample_signed_with_weak_secret),
    folder!(secret_in_answer),
    folder!(sensitive_field),
    folder!(signature_absence),
    folder!(signature_components),
    folder!(signature_coverage),
    folder!(signature_enforcement),
    folder!(signature_forgery),
    folder!(signature_oracle),
    folder!(state_changing_get),
    folder!(tls),
    folder!(trace_method_enabled),
    folder!(unauthenticated_access),
    folder!(unlimited_guessing),
    folder!(unprotected_variant),
    // list: end
];

/// Every check.
pub fn all() -> Vec<&'static dyn AnyCheck> {
    FOLDERS.iter().flat_map(|folder| folder.checks).copied().collect()
}

#[cfg(test)]
mod tests;
