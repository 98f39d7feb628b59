//! The promises of the core, each kept on both engines.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod accounts;
mod addresses;
mod admin;
mod admin_lists;
mod adopt;
mod audit;
mod bell;
mod concurrency;
mod deletion;
mod django;
mod email;
mod faults;
mod feed;
mod import;
mod introspection;
mod keys;
mod limits;
mod login;
mod mail_settings;
mod mail_templates;
mod mail_transport;
mod outage;
mod outbox;
mod rates;
mod recovery;
mod revocation;
mod sessions;
mod statistics;
mod status_lists;
mod stored;
mod support;
mod tickets;
