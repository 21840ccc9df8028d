//! Servers to test a scanner on: misleading ones, on which it must stay silent, and a hardened one,
//! which it must grade A. The vulnerable and fixed server of each check stand in the check's folder.

pub mod apps;
pub mod hardened;
pub mod mended;
pub mod relay;
pub mod signed;
pub mod trial;
pub mod verifiers;
pub mod zoo;
