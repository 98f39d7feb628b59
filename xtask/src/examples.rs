//! The programs of `examples/`, each started as its README says and asked what its README promises.
//!
//! It holds no copy of their code: what it starts is what a reader would start.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Error, Result, anyhow, bail, ensure};
use reqwest::Client;
use serde_json::{Value, json};

use crate::{
    generated,
    guard::Guard,
    postgres::free_port,
    process::{built, command},
    servers::{self, Hallpass, PATIENCE, Server},
};

mod django;

/// Meets every rule about passwords.
const PASSWORD: &str = "otters juggle brass lanterns";

/// An example, and what there is to ask.
struct Example<'a> {
    name: &'static str,
    server: Server,
    /// The Hallpass server where its accounts sign in, and that server's command line.
    sign_in: String,
    hallpass: &'a Hallpass,
    /// For whoever is signed in.
    own: &'static str,
    /// For accounts with a role.
    of_role: (&'static str, &'static str),
}

/// Runs all of them and returns how many keep their promises.
pub(crate) fn run(guard: &mut Guard, python: &Path) -> Result<u64> {
    guard.run(&mut generated::build())?;
    servers::install_node(guard)?;
    let folder = tempfile::Builder::new().prefix("hallpass-examples-").tempdir()?.keep();
    guard.remove_at_the_end(&folder)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run_in(guard, python, &folder))
}

async fn run_in(guard: &mut Guard, python: &Path, folder: &Path) -> Result<u64> {
    let http = servers::http()?;
    let mut passed = 0;

    let hallpass = Hallpass::new("debug", folder, &[])?;
    let port = free_port()?;
    let server = hallpass.serve(guard, port)?;
    server.answers(&http, "/readyz").await?;
    for (name, mut command) in servers::back_ends("debug", python)? {
        let back_end = hallpass.followed_by(guard, &mut command, &format!("http://localhost:{port}"), &server)?;
        back_end.answers(&http, "/").await?;
        back_end.answers(&http, "/ready").await?;
        let example = Example {
            name,
            server: back_end,
            sign_in: server.url.clone(),
            own: "/orders",
            of_role: ("/refunds", "support"),
            hallpass: &hallpass,
        };
        passed += example.show(&http).await?;
    }
    passed += django::run(guard, python, folder, &http).await?;

    let mut embed_axum = command(built("debug", "embed-axum")?, []);
    let server = Server::start(guard, embed_axum.current_dir(folder), folder)?;
    server.answers(&http, "/readyz").await?;
    let data = [("DATABASE", "sqlite:embed-data/notes.db"), ("MASTER_KEY_FILE", "embed-data/master.key")];
    let example = Example {
        name: "embed-axum",
        sign_in: server.url.clone(),
        server,
        own: "/notes",
        of_role: ("/notes/all", "editor"),
        hallpass: &Hallpass::new("debug", folder, &data)?,
    };
    Ok(passed + example.show(&http).await?)
}

impl Example<'_> {
    /// One account from sign-up to sign-out, as the example sees it.
    async fn show(&self, http: &Client) -> Result<u64> {
        self.ask(http).await.map_err(|error| self.failed(&error))?;
        eprintln!("the example `{}` keeps its promises", self.name);
        Ok(1)
    }

    fn failed(&self, error: &Error) -> Error {
        anyhow!("the example `{}` failed: {error:#}. It says:\n{}", self.name, self.server.said())
    }

    async fn ask(&self, http: &Client) -> Result<()> {
        let (for_role, role) = self.of_role;
        self.expect(http, self.own, None, "401 token_missing").await?;

        let person = json!({ "username": self.name, "password": PASSWORD });
        let signed_up = self.sign_in(http, "signup", person).await?;
        let token = text(&signed_up, "access_token")?;
        self.expect(http, self.own, Some(token), "200").await?;
        self.expect(http, for_role, Some(token), "403 forbidden").await?;

        self.hallpass.run(&["accounts", "grant-role", self.name, role])?;
        self.wait_for(http, self.own, token, "401 token_stale").await?;
        let secret = json!({ "refresh_token": text(&signed_up, "refresh_token")? });
        let refreshed = self.sign_in(http, "refresh", secret).await?;
        let token = text(&refreshed, "access_token")?;
        self.expect(http, self.own, Some(token), "200").await?;
        self.expect(http, for_role, Some(token), "200").await?;

        http.post(format!("{}/api/v1/logout", self.sign_in)).bearer_auth(token).send().await?.error_for_status()?;
        self.wait_for(http, self.own, token, "401 session_ended").await
    }

    async fn sign_in(&self, http: &Client, operation: &str, body: Value) -> Result<Value> {
        let answer = http.post(format!("{}/api/v1/{operation}", self.sign_in)).json(&body).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    async fn expect(&self, http: &Client, path: &str, token: Option<&str>, expected: &str) -> Result<()> {
        let answer = self.answer(http, path, token).await?;
        ensure!(answer == expected, "`GET {path}` is answered with {answer}, not with {expected}");
        Ok(())
    }

    /// Asks until the answer is this one.
    async fn wait_for(&self, http: &Client, path: &str, token: &str, expected: &str) -> Result<()> {
        let began = Instant::now();
        loop {
            let answer = self.answer(http, path, Some(token)).await?;
            if answer == expected {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                bail!("`GET {path}` is still answered with {answer}, not with {expected}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The status of an answer and, if it is a refusal that has one, its code.
    async fn answer(&self, http: &Client, path: &str, token: Option<&str>) -> Result<String> {
        let mut request = http.get(format!("{}{path}", self.server.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(status.as_u16().to_string());
        }
        let problem: Value = answer.json().await?;
        let code = problem.get("code").and_then(Value::as_str).unwrap_or_default();
        Ok(format!("{} {code}", status.as_u16()).trim_end().to_owned())
    }
}

fn text<'a>(document: &'a Value, member: &str) -> Result<&'a str> {
    document.get(member).and_then(Value::as_str).with_context(|| format!("no `{member}` in {document}"))
}
