//! The promises of the core, each kept on both engines.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod accounts;
mod audit;
mod concurrency;
mod keys;
mod limits;
mod login;
mod outage;
mod revocation;
mod sessions;
mod stored;
mod support;
