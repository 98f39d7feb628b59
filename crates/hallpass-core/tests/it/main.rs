//! The promises of the core, each kept on both engines.

mod accounts;
mod concurrency;
mod keys;
mod login;
mod revocation;
mod sessions;
mod support;
