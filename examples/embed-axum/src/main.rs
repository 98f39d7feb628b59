//! Hallpass inside another axum application: one process, one port, the application's own routes beside the sign-in.

use std::{env, fs, os::unix::fs::OpenOptionsExt, path::Path, process::ExitCode, time::Duration};

use anyhow::{Context, anyhow};
use axum::{Router, extract::FromRef, routing::get};
use hallpass_axum::{AppState, Clock, CurrentUser, Gate, Rejection, Web, maintain, router, serve};
use hallpass_core::{Config, Db, Hallpass, MasterKey};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    anyhow::ensure!(env::args_os().len() == 1, "it takes no arguments: README.md names the variable that it reads");
    let port = env::vars().find(|(name, _)| name == "PORT").map_or_else(|| "8001".into(), |(_, port)| port);
    let port: u16 =
        port.parse().ok().with_context(|| format!("`PORT` is `{port}`: it has to be a number up to 65535"))?;
    let public_url = format!("http://localhost:{port}");
    let folder = Path::new("embed-data");
    fs::create_dir_all(folder)?;
    let clock = Clock::system();
    let hallpass = open(folder, &public_url, &clock).await?;
    // `dev` allows plain HTTP; leave it out where `public_url` begins with `https://`.
    let web = Web { public_url: public_url.clone(), dev: true, ..Web::default() };
    let state = AppState::new(hallpass, &web, clock).map_err(|problems| anyhow!(problems.join("\n")))?;

    // Follows what other processes take back, and rotates the keys.
    tokio::spawn(maintain(state.clone()));
    let listener =
        TcpListener::bind(("127.0.0.1", port)).await.with_context(|| format!("cannot listen on port {port}"))?;
    println!("sign up at {public_url}/api/v1/signup, then ask {public_url}/notes");
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    serve(listener, app(state), stop, Duration::from_secs(30)).await;
    Ok(())
}

/// What the handlers of this application share. To know who is signed in they need no more than a [`Gate`].
#[derive(Clone)]
struct Notes {
    gate: Gate,
}

impl FromRef<Notes> for Gate {
    fn from_ref(notes: &Notes) -> Self {
        notes.gate.clone()
    }
}

/// The application's own routes, and everything of Hallpass beside them.
fn app(state: AppState) -> Router {
    let notes = Notes { gate: Gate::from_ref(&state) };
    Router::new()
        .route("/notes", get(own_notes))
        .route("/notes/all", get(all_notes))
        .with_state(notes)
        .merge(router(state))
}

/// For whoever is signed in. Signed out, deactivated or stale tokens are refused before this runs, without a database.
async fn own_notes(user: CurrentUser) -> String {
    format!("the notes of account {}\n", user.sub)
}

/// For accounts with the role `editor`.
async fn all_notes(user: CurrentUser) -> Result<&'static str, Rejection> {
    user.require_role("editor")?;
    Ok("everybody's notes\n")
}

/// Opens the database in `folder`, made and brought up to date if need be, under the master key beside it.
async fn open(folder: &Path, public_url: &str, clock: &Clock) -> anyhow::Result<Hallpass> {
    let db = Db::open(&format!("sqlite:{}", folder.join("notes.db").display())).await?;
    db.migrate().await?;
    let file = folder.join("master.key");
    let master = match fs::read_to_string(&file) {
        Ok(text) => MasterKey::from_base64(&text).map_err(anyhow::Error::msg)?,
        Err(_) => {
            let master = MasterKey::generate()?;
            let mut new = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?;
            std::io::Write::write_all(&mut new, master.to_base64().as_bytes())?;
            master
        }
    };
    Ok(Hallpass::open(db, &master, Config::for_issuer(public_url), clock.now()).await?)
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        http::{Request, StatusCode},
    };
    use hallpass_core::{AccountId, Ctx, accounts};
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use super::*;

    const PUBLIC_URL: &str = "http://localhost:8001";

    struct Visitor {
        app: Router,
        token: String,
    }

    impl Visitor {
        async fn post(&self, path: &str, body: Value) -> Value {
            let request =
                Request::post(path).header("content-type", "application/json").body(Body::from(body.to_string()));
            let response = self.app.clone().oneshot(request.unwrap()).await.unwrap();
            let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            serde_json::from_slice(&body).unwrap()
        }

        async fn get(&self, path: &str) -> StatusCode {
            let request = Request::get(path).header("authorization", format!("Bearer {}", self.token));
            self.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
        }
    }

    #[tokio::test]
    async fn own_routes_know_who_is_signed_in_and_what_roles_they_have_now() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::system();
        let hallpass = open(folder.path(), PUBLIC_URL, &clock).await.unwrap();
        let web = Web { public_url: PUBLIC_URL.into(), dev: true, ..Web::default() };
        let state = AppState::new(hallpass.clone(), &web, clock.clone()).unwrap();
        let mut visitor = Visitor { app: app(state), token: "none".into() };
        assert_eq!(visitor.get("/notes").await, StatusCode::UNAUTHORIZED);

        let person = json!({ "username": "ada", "password": "seven quiet otters dream" });
        let signed_up = visitor.post("/api/v1/signup", person).await;
        visitor.token = signed_up["access_token"].as_str().unwrap().to_owned();
        assert_eq!(visitor.get("/notes").await, StatusCode::OK);
        assert_eq!(visitor.get("/notes/all").await, StatusCode::FORBIDDEN);

        let ada = AccountId(signed_up["user"]["id"].as_i64().unwrap());
        accounts::grant_role(&hallpass, &Ctx::operator(clock.now()), ada, "editor").await.unwrap();
        assert_eq!(visitor.get("/notes/all").await, StatusCode::UNAUTHORIZED, "the old token is stale");
        let refreshed = visitor.post("/api/v1/refresh", json!({ "refresh_token": signed_up["refresh_token"] })).await;
        visitor.token = refreshed["access_token"].as_str().unwrap().to_owned();
        assert_eq!(visitor.get("/notes/all").await, StatusCode::OK);
    }
}
