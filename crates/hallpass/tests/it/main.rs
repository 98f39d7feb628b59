//! The program from outside: its command line, its settings, its server. Each module says what it promises.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod adopt_django;
mod bell;
mod cli;
mod dev_tls;
mod doctor;
mod faults;
mod fuzz;
mod kill;
mod mail;
mod program;
mod proxies;
mod restored;
mod serve;
mod settings;
mod status_lists;
