//! One folder per check or family.
