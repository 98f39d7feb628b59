//! `hallpass doctor`: asks the running server as a browser would, and says what keeps cookies and answers from arriving.
//!
//! It signs nobody in and changes nothing; what it finds wrong it never mends.

use std::ffi::OsString;

use anyhow::{Result, bail};
use clap::Args;
use hallpass_axum::{
    Clock, Policy,
    doctor::{Finding, Level},
};
use hallpass_core::config::{Presence, Transport};

use super::{Output, print, print_json, runtime};
use crate::{
    settings::{
        Settings,
        master_key::{self, Absent},
    },
    text::plain,
};

mod arrival;
mod ask;
mod origins;
mod server;

use ask::Asker;

/// Say what is wrong with cookies, CORS, certificates and proxies, and how to mend it
///
/// Reads the settings, checks them, and asks the server at `public_url` as a browser on each of `frontend_origins`
/// would. The server has to run. With the server's master key at hand it also says what proxies make of a request.
/// Exit code 1 if something is wrong.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  hallpass doctor
  hallpass doctor --dev
      for a server that runs with `--dev`
  hallpass doctor --origin https://shop.example.com
      why pages of this origin cannot sign in
  hallpass doctor --url http://127.0.0.1:8000
      the server itself, past its proxy")]
pub(crate) struct Doctor {
    /// Ask at this address instead of `public_url`
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Look from this origin as well; can be repeated
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
    #[command(flatten)]
    output: Output,
}

impl Doctor {
    pub(crate) fn run(&self, settings: &Settings, environment: &[(OsString, OsString)]) -> Result<()> {
        let findings = runtime()?.block_on(self.look(settings, environment))?;
        if self.output.json {
            print_json(&serde_json::to_value(&findings)?)?;
        } else {
            print(&findings.iter().map(text).collect::<Vec<_>>().join("\n"))?;
        }
        match findings.iter().filter(|finding| finding.level == Level::Wrong).count() {
            0 => Ok(()),
            count => bail!("{count} thing(s) are wrong: each says what to do"),
        }
    }

    async fn look(&self, settings: &Settings, environment: &[(OsString, OsString)]) -> Result<Vec<Finding>> {
        let mut findings = of_settings(settings, environment);
        let public_url = settings.public_url(settings.listen.port());
        let Ok(policy) = settings.web(&public_url).check() else { return Ok(findings) };
        let base = self.url.as_deref().unwrap_or(&public_url).trim_end_matches('/');
        let asker = Asker::new(settings, base).await?;
        findings.extend(asker.names());
        let now = Clock::system().now();
        if !server::look(&asker, settings, now, &mut findings).await {
            return Ok(findings);
        }
        self.look_from_origins(&asker, settings, &policy, &public_url, &mut findings).await;
        let key = match master_key::from_environment(settings, environment) {
            Ok(Some(key)) => Some(key),
            _ => master_key::from_file(settings, Absent::Refuse).ok().map(|(key, _)| key),
        };
        findings.extend(arrival::look(&asker, settings, key.as_ref(), now).await);
        Ok(findings)
    }

    async fn look_from_origins(
        &self,
        asker: &Asker,
        settings: &Settings,
        policy: &Policy,
        public_url: &str,
        findings: &mut Vec<Finding>,
    ) {
        for origin in &self.origins {
            match policy.why_refused(origin) {
                Some(refused) => findings.push(refused),
                None => findings.push(Finding::good(format!("the origin `{origin}`"), "it is allowed")),
            }
        }
        for origin in settings.frontend_origins(public_url) {
            findings.extend(origins::look(asker, &origin).await);
        }
        findings.extend(origins::look_from_elsewhere(asker).await);
        findings.extend(origins::look_at_cookies(asker).await);
    }
}

/// What can be seen without asking anybody.
fn of_settings(settings: &Settings, environment: &[(OsString, OsString)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    match settings.check(environment) {
        Ok(()) => findings.push(Finding::good("settings", "a server starts with them")),
        Err(problems) => {
            findings.extend(problems.0.into_iter().map(|problem| {
                Finding::wrong("settings", problem, "the server does not start", "change it as that says")
            }))
        }
    }
    if settings.mail.transport == Transport::Off && !settings.dev && settings.accounts.email != Presence::Off {
        findings.push(Finding::note(
            "mail",
            "`mail.transport` is `off`",
            "nobody who forgets a password can set a new one",
            "[mail]\ntransport = \"smtp\"\nfrom = \"no-reply@example.com\"\nsmtp_host = \"smtp.example.com\"    \
             # hallpass.toml; then: hallpass mail test you@example.com",
        ));
    }
    findings
}

/// A finding for people: one line where all is well, and else a line each for what was seen and what to do.
fn text(finding: &Finding) -> String {
    let level = match finding.level {
        Level::Good => "good ",
        Level::Note => "note ",
        Level::Wrong => "WRONG",
    };
    let mut text = plain(&format!("{level}  {}: {}", finding.about, finding.seen));
    for (title, lines) in [("so", &finding.breaks), ("fix", &finding.fix)] {
        for (number, line) in lines.lines().enumerate() {
            text += &format!("\n       {:<4} {}", if number == 0 { title } else { "" }, plain(line));
        }
    }
    text
}
