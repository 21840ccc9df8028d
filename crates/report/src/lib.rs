//! One file per format, rendering a scan.
