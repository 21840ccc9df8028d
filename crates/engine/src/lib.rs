//! Runs checks; its Session is the only door to the target.
