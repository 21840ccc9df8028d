//! Scans under the user's state folder.
