//! The HTTP side of Hallpass: a complete axum router with sign-up, sign-in, refresh, sign-out and the account's own
//! endpoints, and the accept loop to serve it with. It holds no rule about accounts or sessions, and never names SQL.
//!
//! ```no_run
//! # async fn example(hallpass: hallpass_core::Hallpass) -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use hallpass_axum::{AppState, Clock, Web, maintain, router, serve};
//!
//! let web = Web {
//!     public_url: "https://api.example.com".into(),
//!     frontend_origins: vec!["https://app.example.com".into()],
//!     ..Web::default()
//! };
//! let state = AppState::new(hallpass, &web, Clock::system()).map_err(|problems| problems.join("\n"))?;
//! tokio::spawn(maintain(state.clone()));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
//! serve(listener, router(state), std::future::pending(), Duration::from_secs(30)).await;
//! # Ok(()) }
//! ```
//!
//! An application of its own merges or nests [`router`] into its routes, and takes [`CurrentUser`] as an argument of
//! its handlers; its state gives them a [`Gate`], which [`AppState`] has (`FromRef`).

mod administrator;
mod api;
mod client;
mod cookies;
mod csrf;
mod ctx;
pub mod dialects;
pub mod doctor;
mod error;
mod form;
mod json;
mod openapi;
mod pages;
mod program;
mod query;
mod security;
mod serve;
mod state;
mod web;

use std::time::Duration;

use api::Routes;
use axum::Router;
use hallpass_core::{Ctx, Error, bell, mail, tasks};
use tokio::time::{MissedTickBehavior, interval};

pub use error::{Problem, status};
pub use hallpass_token::{Clock, CurrentUser, Gate, Rejection};
pub use openapi::openapi_json;
pub use serve::{Patience, serve, serve_with};
pub use state::AppState;
pub use web::{Pages, Policy, Web};

/// Every route, with every layer around it.
pub fn router(state: AppState) -> Router {
    let Routes { without_query, with_query, document } = api::routes();
    let pages = pages::routes(openapi::complete(&document, state.policy().prefix()), &state);
    let own = security::wrap(without_query, with_query.merge(pages), &state);
    state.dialects().iter().map(|dialect| dialects::routes(dialect, &state)).fold(own, Router::merge)
}

/// The background work, for as long as it is polled: follows revocations, reloads and rotates keys, forgets what is
/// over, and sends mail.
///
/// Without it this node learns neither of sign-outs nor of keys of other nodes: it soon says that it is not ready, and
/// answers good tokens with 503 `revocation_unknown`, as the settings say.
pub async fn maintain(state: AppState) {
    // Beside each other: nothing else holds up what tells whether a session is over.
    tokio::join!(
        bell::ring(state.hallpass()),
        bell::hear(state.hallpass(), || state.clock().now()),
        every_second(&state, follow),
        every_second(&state, tidy),
        every_second(&state, send_mail),
    );
}

async fn follow(state: AppState) -> Result<(), Error> {
    tasks::follow(state.hallpass(), &operator(&state)).await
}

async fn tidy(state: AppState) -> Result<(), Error> {
    tasks::tidy(state.hallpass(), &operator(&state)).await
}

async fn send_mail(state: AppState) -> Result<(), Error> {
    while mail::deliver(state.hallpass(), &operator(&state)).await? {}
    Ok(())
}

fn operator(state: &AppState) -> Ctx {
    Ctx::operator(state.clock().now())
}

/// Does a part of the background work again and again, whether or not it fails.
async fn every_second<W: Future<Output = Result<(), Error>>>(state: &AppState, work: impl Fn(AppState) -> W) {
    let mut tick = interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = work(state.clone()).await {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(%error, source, "the background work failed; it is tried again in a second");
        }
    }
}
