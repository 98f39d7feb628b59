//! What the crate promises, tried from outside. Nothing here reads a private part of it.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod crafted;
#[cfg(feature = "axum")]
mod extract;
mod forged;
mod keys;
#[cfg(feature = "axum")]
mod layer;
mod properties;
#[cfg(feature = "remote")]
mod remote;
mod revoked;
mod support;
mod tokens;
mod verify;
mod wycheproof;
