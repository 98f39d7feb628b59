//! The program from outside: its command line, its settings, its server. Each module says what it promises.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;
mod fuzz;
mod kill;
mod mail;
mod program;
mod serve;
mod settings;
