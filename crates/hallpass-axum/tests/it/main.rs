//! The promises of the HTTP interface, one module a noun. Nothing here opens a socket but `serve`, and
//! what sends mail.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets anything else has failed"
)]

mod mails;
mod support;

mod account_deletion;
mod activity;
mod admin;
mod admin_acts;
mod admin_lists;
mod bodies;
mod client_address;
mod cookies;
mod cors;
mod csrf;
mod dialect_pages;
mod dialect_settings;
mod dialects;
mod dj_rest_auth;
mod dj_rest_auth_mail;
mod doctor;
mod embedding;
mod errors;
mod export;
mod faults;
mod forward_auth;
mod headers;
mod hosted;
mod introspection;
mod keys;
mod limits;
mod login;
mod logout;
mod logs;
mod mail_flows;
mod mail_outage;
mod mail_pages;
mod mail_words;
mod me;
mod members;
mod methods;
mod openapi;
mod pages;
mod password;
mod refresh;
mod revocations;
mod routes;
mod rubbish;
mod serve;
mod sessions;
mod signup;
mod status_lists;
mod tokens;
mod web;
