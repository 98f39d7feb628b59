//! A back end that takes Hallpass tokens. It follows the Hallpass server in the background, and asks it, or any
//! database, about no request: whoever signs out there is refused here a moment later.

use std::{collections::HashMap, env, process::ExitCode};

use anyhow::Context;
use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use hallpass_token::{CurrentUser, Rejection, Remote};
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> anyhow::Result<()> {
    anyhow::ensure!(env::args_os().len() == 1, "it takes no arguments: README.md names the variables that it reads");
    let settings = Settings::read(&env::vars().collect())?;
    let mut remote = Remote::builder(settings.issuer).client(settings.client_id, settings.client_secret);
    if let Some(base_url) = settings.base_url {
        remote = remote.base_url(base_url);
    }
    let remote = remote.build()?;
    // It serves in any case: until Hallpass answers, requests with a token get 503 and try again.
    tokio::spawn(remote.clone().run());

    let address = ("127.0.0.1", settings.port);
    let listener =
        TcpListener::bind(address).await.with_context(|| format!("cannot listen on port {}", settings.port))?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app(remote)).await?)
}

/// The whole application.
fn app(remote: Remote) -> Router {
    Router::new()
        .route("/", get(async || "open to everybody"))
        .route("/orders", get(orders))
        .route("/refunds", get(refunds))
        .route("/ready", get(ready))
        .with_state(remote)
}

/// For whoever is signed in.
async fn orders(user: CurrentUser) -> Json<Value> {
    Json(json!({ "account": user.sub, "orders": [] }))
}

/// For accounts with the role `support`.
async fn refunds(user: CurrentUser) -> Result<Json<Value>, Rejection> {
    user.require_role("support")?;
    Ok(Json(json!({ "refunds": [] })))
}

/// For whoever runs it: whether it is known what was taken back.
async fn ready(State(remote): State<Remote>) -> (StatusCode, Json<Value>) {
    let current = remote.is_current();
    let status = if current { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "current": current })))
}

/// What the environment says.
#[derive(Debug, PartialEq)]
struct Settings {
    issuer: String,
    base_url: Option<String>,
    client_id: String,
    client_secret: String,
    port: u16,
}

impl Settings {
    fn read(variables: &HashMap<String, String>) -> anyhow::Result<Self> {
        let set = |name: &str| variables.get(name).filter(|value| !value.is_empty()).cloned();
        let of_client = |name: &str| {
            set(name).with_context(|| format!("`{name}` is not set: `hallpass clients create orders` prints it"))
        };
        let port = set("PORT").unwrap_or_else(|| "9000".into());
        Ok(Self {
            issuer: set("HALLPASS_ISSUER").unwrap_or_else(|| "http://localhost:8000".into()),
            base_url: set("HALLPASS_BASE_URL"),
            client_id: of_client("HALLPASS_CLIENT_ID")?,
            client_secret: of_client("HALLPASS_CLIENT_SECRET")?,
            port: port
                .parse()
                .ok()
                .with_context(|| format!("`PORT` is `{port}`: it has to be a number up to 65535"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use hallpass_token::{AccountId, Algorithm, Claims, Clock, KeySet, SigningKey, remote::WhenStale};
    use tower::ServiceExt;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn claims(roles: &[&str]) -> Claims {
        Claims {
            iss: "https://id.example".into(),
            sub: AccountId(7),
            aud: vec!["https://id.example".into()],
            client_id: "hallpass".into(),
            exp: NOW + 300,
            nbf: None,
            iat: NOW,
            jti: "one".into(),
            sid: "0198c0de-7a11-7000-8000-00000000002a".parse().unwrap(),
            auth_time: NOW,
            amr: vec!["pwd".into()],
            roles: roles.iter().map(ToString::to_string).collect(),
            account_version: 1,
            extra: Default::default(),
        }
    }

    fn remote(when_stale: WhenStale, after: i64) -> Remote {
        let clock = Clock::from_fn(move || NOW + after);
        let remote = Remote::builder("https://id.example").client("hpc_orders", "hps_secret");
        remote.when_stale(when_stale).clock(clock).build().unwrap()
    }

    async fn ask(remote: Remote, path: &str, authorization: Option<&str>) -> StatusCode {
        let mut request = Request::get(path);
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        app(remote).oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
    }

    /// The status that a request to `path` gets with this `Authorization`, at a time of `after` seconds from now.
    async fn status(key: &SigningKey, path: &str, authorization: Option<&str>, after: i64) -> StatusCode {
        let remote = remote(WhenStale::Accept, after);
        remote.verifier().set_keys(KeySet::from_jwks(&KeySet::new(vec![key.verifying_key()]).to_jwks()).unwrap());
        ask(remote, path, authorization).await
    }

    #[tokio::test]
    async fn the_open_route_asks_nobody() {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        assert_eq!(status(&key, "/", None, 0).await, StatusCode::OK);
        assert_eq!(status(&key, "/", Some("Bearer nonsense"), 0).await, StatusCode::OK);
    }

    #[tokio::test]
    async fn the_route_for_accounts_wants_a_token_that_is_good_now() {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let bearer = format!("Bearer {}", key.sign(&claims(&[])).unwrap());
        assert_eq!(status(&key, "/orders", Some(&bearer), 0).await, StatusCode::OK);
        assert_eq!(status(&key, "/orders", Some(&bearer), 305).await, StatusCode::UNAUTHORIZED);
        assert_eq!(status(&key, "/orders", None, 0).await, StatusCode::UNAUTHORIZED);
    }

    #[tokio::test]
    async fn the_route_for_support_wants_the_role_too() {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let without = format!("Bearer {}", key.sign(&claims(&["sales"])).unwrap());
        let with = format!("Bearer {}", key.sign(&claims(&["support"])).unwrap());
        assert_eq!(status(&key, "/refunds", Some(&without), 0).await, StatusCode::FORBIDDEN);
        assert_eq!(status(&key, "/refunds", Some(&with), 0).await, StatusCode::OK);
        assert_eq!(status(&key, "/refunds", None, 0).await, StatusCode::UNAUTHORIZED);
    }

    #[tokio::test]
    async fn while_the_server_was_not_heard_nobody_is_let_in_and_nobody_is_signed_out() {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let remote = remote(WhenStale::Refuse, 0);
        let bearer = format!("Bearer {}", key.sign(&claims(&[])).unwrap());
        assert_eq!(ask(remote.clone(), "/orders", Some(&bearer)).await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(ask(remote.clone(), "/orders", Some("Bearer nonsense")).await, StatusCode::UNAUTHORIZED);
        assert_eq!(ask(remote.clone(), "/ready", None).await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(ask(remote, "/", Some(&bearer)).await, StatusCode::OK);
    }

    #[test]
    fn what_is_missing_is_named() {
        let read = |pairs: &[(&str, &str)]| {
            Settings::read(&pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
        };
        let client = [("HALLPASS_CLIENT_ID", "hpc_a"), ("HALLPASS_CLIENT_SECRET", "hps_b")];
        let settings = read(&client).unwrap();
        assert_eq!((settings.issuer.as_str(), settings.port), ("http://localhost:8000", 9000));
        let missing = read(&client[..1]).unwrap_err().to_string();
        assert!(missing.starts_with("`HALLPASS_CLIENT_SECRET` is not set: "), "{missing}");
        let port = read(&[client[0], client[1], ("PORT", "many")]).unwrap_err().to_string();
        assert!(port.starts_with("`PORT` is `many`: "), "{port}");
    }
}
