//! A back end that takes Hallpass tokens. It follows the Hallpass server, or has its public keys in a file, and never
//! asks it, or any database, about a request.

use std::{collections::HashMap, env, fs, path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use axum::{Json, Router, routing::get};
use hallpass_token::{Clock, CurrentUser, Gate, KeySet, Rejection, Remote, Verifier};
use serde_json::{Value, json};

const USAGE: &str = "resource-server --issuer URL --audience URL (--client ID --secret-file FILE | --jwks FILE) \
                     [--listen 127.0.0.1:9000]";

/// How often the file with the keys is read again: keys are published long before they are used.
const KEYS_EVERY: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let options = Options::read(env::args().skip(1))?;
    let gate = if options.has("jwks") { keys_alone(&options)? } else { follow(&options)? };

    let listen = options.get("listen").unwrap_or("127.0.0.1:9000");
    let listener =
        tokio::net::TcpListener::bind(listen).await.with_context(|| format!("cannot listen on `{listen}`"))?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app(gate)).await?)
}

/// The whole application.
fn app(gate: Gate) -> Router {
    Router::new()
        .route("/", get(async || "open to everybody"))
        .route("/orders", get(orders))
        .route("/refunds", get(refunds))
        .with_state(gate)
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

/// Follows the Hallpass server: its keys, and what it takes back.
fn follow(options: &Options) -> anyhow::Result<Gate> {
    let file = options.get("secret-file")?;
    let secret = fs::read_to_string(file).with_context(|| format!("cannot read `{file}`"))?;
    let remote = Remote::builder(options.get("issuer")?)
        .audience(options.get("audience")?)
        .client(options.get("client")?, secret.trim())
        .build()?;
    tokio::spawn(remote.clone().run());
    Ok(remote.into())
}

/// Knows the public keys alone: what is taken back is good here until it expires.
fn keys_alone(options: &Options) -> anyhow::Result<Gate> {
    let jwks = PathBuf::from(options.get("jwks")?);
    let verifier = Verifier::new(options.get("issuer")?, options.get("audience")?, 5, keys(&jwks)?);
    tokio::spawn(follow_keys(verifier.clone(), jwks));
    Ok(Gate::new(verifier, Clock::system()))
}

/// Reads the keys, as `/.well-known/jwks.json` of the Hallpass server shows them.
fn keys(jwks: &PathBuf) -> anyhow::Result<KeySet> {
    let document = fs::read_to_string(jwks).with_context(|| format!("cannot read `{}`", jwks.display()))?;
    KeySet::from_jwks(&document).with_context(|| format!("cannot use `{}`", jwks.display()))
}

/// Keeps up with the rotation of keys. A file that cannot be read leaves the keys as they are.
async fn follow_keys(verifier: Verifier, jwks: PathBuf) {
    loop {
        tokio::time::sleep(KEYS_EVERY).await;
        match keys(&jwks) {
            Ok(keys) => verifier.set_keys(keys),
            Err(error) => eprintln!("{error:#}"),
        }
    }
}

/// What the command line says: `--name value` pairs.
struct Options(HashMap<String, String>);

impl Options {
    fn read(mut words: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        const NAMES: [&str; 6] = ["issuer", "audience", "client", "secret-file", "jwks", "listen"];
        let mut options = HashMap::new();
        while let Some(word) = words.next() {
            match (word.strip_prefix("--"), words.next()) {
                (Some(name), Some(value)) if NAMES.contains(&name) => options.insert(name.into(), value),
                _ => bail!("`{word}` is not understood\nusage: {USAGE}"),
            };
        }
        Ok(Self(options))
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn get(&self, name: &str) -> anyhow::Result<&str> {
        self.0.get(name).map(String::as_str).with_context(|| format!("`--{name}` is missing\nusage: {USAGE}"))
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request, http::StatusCode};
    use hallpass_token::{AccountId, Algorithm, Claims, SigningKey};
    use tower::ServiceExt;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn claims(roles: &[&str]) -> Claims {
        Claims {
            iss: "https://id.example".into(),
            sub: AccountId(7),
            aud: vec!["https://api.example".into()],
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

    /// The status that a request to `path` gets with this `Authorization`, at a time of `after` seconds from now.
    async fn status(key: &SigningKey, path: &str, authorization: Option<&str>, after: i64) -> StatusCode {
        let keys = KeySet::from_jwks(&KeySet::new(vec![key.verifying_key()]).to_jwks()).unwrap();
        let verifier = Verifier::new("https://id.example", "https://api.example", 5, keys);
        let app = app(Gate::new(verifier, Clock::from_fn(move || NOW + after)));
        let mut request = Request::get(path);
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
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
        let stranger = SigningKey::generate(Algorithm::ES256).unwrap();
        assert_eq!(status(&stranger, "/orders", Some(&bearer), 0).await, StatusCode::UNAUTHORIZED);
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
        let remote = Remote::builder("https://id.example").client("hpc_orders", "hps_secret").build().unwrap();
        let ask = async |path: &str, authorization: &str| {
            let request = Request::get(path).header("authorization", authorization).body(Body::empty()).unwrap();
            app(remote.clone().into()).oneshot(request).await.unwrap().status()
        };
        let bearer = format!("Bearer {}", key.sign(&claims(&[])).unwrap());
        assert_eq!(ask("/orders", &bearer).await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(ask("/orders", "Bearer nonsense").await, StatusCode::UNAUTHORIZED);
        assert_eq!(ask("/", &bearer).await, StatusCode::OK);
    }

    #[test]
    fn an_option_without_a_value_or_a_meaning_is_refused() {
        let words = |text: &str| Options::read(text.split(' ').map(String::from));
        let options = words("--issuer a --jwks b").unwrap();
        assert_eq!((options.get("issuer").unwrap(), options.get("jwks").unwrap()), ("a", "b"));
        assert!(options.get("audience").is_err());
        assert!(words("--issuer").is_err());
        assert!(words("--isuer a").is_err());
    }
}
