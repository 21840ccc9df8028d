//! What a scan claims: grade, gate, outcome and hints, against servers that make claims hard.

mod failing_check;
mod identity;
mod shop;
