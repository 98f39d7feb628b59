//! `examples/django-backend`: Hallpass in front of a database that Django made, and three ways to take its tokens.
//!
//! What its third way promises, all examples do. Here is what the two of SimpleJWT know at once, and what they never do.

use std::path::Path;

use anyhow::Result;
use reqwest::Client;
use serde_json::json;

use super::{Example, PASSWORD, text};
use crate::{
    guard::Guard,
    postgres::free_port,
    process::output,
    servers::{self, Hallpass},
};

const NAME: &str = "django-backend";

/// Makes the database as Django does, puts Hallpass in front of it, and returns how many examples keep their promises.
pub(super) async fn run(guard: &mut Guard, python: &Path, folder: &Path, http: &Client) -> Result<u64> {
    let database = folder.join("django.sqlite3");
    output(&mut servers::django(python, &database, &["manage.py", "migrate"]))?;
    let url = format!("sqlite:{}", database.display());
    let settings = [("DATABASE", url.as_str()), ("ACCOUNTS__NAMES", "django"), ("PASSWORDS__ENCODING", "django")];
    let hallpass = Hallpass::new("debug", folder, &settings)?;
    hallpass.adopt_django()?;

    let port = free_port()?;
    let server = hallpass.serve(guard, port)?;
    server.answers(http, "/readyz").await?;
    let mut django = servers::django(python, &database, &["main.py"]);
    let back_end = hallpass.followed_by(guard, &mut django, &format!("http://localhost:{port}"), &server)?;
    back_end.answers(http, "/").await?;
    back_end.answers(http, "/ready").await?;
    let example = Example {
        name: NAME,
        server: back_end,
        sign_in: server.url,
        own: "/hallpass/orders/",
        of_role: ("/hallpass/refunds/", "support"),
        hallpass: &hallpass,
    };
    let passed = example.show(http).await?;
    example.of_simplejwt(http).await.map_err(|error| example.failed(&error))?;
    Ok(passed)
}

impl Example<'_> {
    /// The two ways of SimpleJWT, with the account that has the role by now.
    async fn of_simplejwt(&self, http: &Client) -> Result<()> {
        let signed_in = self.sign_in(http, "login", json!({ "username": NAME, "password": PASSWORD })).await?;
        let token = text(&signed_in, "access_token")?;
        let forged = format!("{}{}", token.trim_end_matches(|last| last != '.'), "A".repeat(86));
        for way in ["/stateless", "/database"] {
            self.expect(http, &format!("{way}/orders/"), None, "401").await?;
            self.expect(http, &format!("{way}/orders/"), Some(&forged), "401 token_not_valid").await?;
            self.expect(http, &format!("{way}/orders/"), Some(token), "200").await?;
            self.expect(http, &format!("{way}/refunds/"), Some(token), "200").await?;
        }
        // What has changed is seen where the user is read, at once; a token that is believed says what it said.
        self.hallpass.run(&["accounts", "revoke-role", NAME, "support"])?;
        self.expect(http, "/database/refunds/", Some(token), "403").await?;
        self.expect(http, "/stateless/refunds/", Some(token), "200").await?;
        self.hallpass.run(&["accounts", "deactivate", NAME])?;
        self.expect(http, "/database/orders/", Some(token), "401 user_inactive").await?;
        self.expect(http, "/stateless/orders/", Some(token), "200").await?;
        self.wait_for(http, self.own, token, "401 session_ended").await?;

        self.hallpass.run(&["accounts", "activate", NAME])?;
        let signed_in = self.sign_in(http, "login", json!({ "username": NAME, "password": PASSWORD })).await?;
        let token = text(&signed_in, "access_token")?;
        http.post(format!("{}/api/v1/logout", self.sign_in)).bearer_auth(token).send().await?.error_for_status()?;
        self.wait_for(http, self.own, token, "401 session_ended").await?;
        // As the README says: neither hears of a sign-out.
        self.expect(http, "/stateless/orders/", Some(token), "200").await?;
        self.expect(http, "/database/orders/", Some(token), "200").await
    }
}
