//! What a person sees when the server starts: what it did, where it is, and what to try first.
//!
//! Never a log: it goes to people only, and never shows a secret.

use std::io::{self, IsTerminal};

use hallpass_core::{
    accounts,
    config::{Presence, Transport, Verification},
};

use crate::{settings::Settings, store::Opened};

/// Prints the banner to stderr if somebody is likely to read it.
pub(crate) async fn show(settings: &Settings, opened: &Opened, public_url: &str) {
    if settings.dev || io::stderr().is_terminal() {
        eprintln!("{}", banner(settings, opened, public_url).await);
    }
}

async fn banner(settings: &Settings, opened: &Opened, public_url: &str) -> String {
    let mut lines =
        vec![format!("Hallpass {}{}", env!("CARGO_PKG_VERSION"), if settings.dev { ", for development" } else { "" })];
    let migrations = match opened.migrated.len() {
        0 => String::new(),
        count => format!(", {count} migration(s) applied"),
    };
    lines.push(format!("  database   {}{migrations}", settings.database_shown()));
    if let Some(file) = &opened.key_made {
        lines.push(format!("  new key    {} (back it up, but not beside the database)", file.display()));
    }
    lines.push(format!("  pages      {public_url}/"));
    lines.push(format!("  API        {public_url}/docs"));
    if opened.hallpass.config().mail.transport == Transport::Mailbox {
        lines.push(format!("  mail       {public_url}/dev/mail (no mail leaves this machine)"));
    }
    let front_ends = settings.frontend_origins(public_url);
    if !front_ends.is_empty() {
        lines.push(format!("  front ends {}", front_ends.join(", ")));
    }
    if settings.dev {
        let name = if settings.accounts.username == Presence::Off { "ada@example.org" } else { "ada" };
        // Whoever starts again and pastes again finds the account of the first time.
        let made = accounts::find(&opened.hallpass, name).await.is_ok();
        lines.extend(first_steps(settings, public_url, made));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Commands for any POSIX shell, which work when they are pasted one after the other.
fn first_steps(settings: &Settings, public_url: &str, made: bool) -> Vec<String> {
    let (sign_up, verified) = (settings.accounts.sign_up, settings.accounts.verify_email == Verification::Required);
    if !made && !sign_up {
        return vec![String::new(), "Sign-up is closed: make an account with `hallpass accounts create`".into()];
    }
    let (username, email) = (r#""username":"ada""#, r#""email":"ada@example.org""#);
    let password = r#""password":"otters juggle brass lanterns""#;
    let all = match (settings.accounts.username, settings.accounts.email) {
        (Presence::Off, _) => format!("{email},{password}"),
        (_, Presence::Off) => format!("{username},{password}"),
        _ => format!("{username},{email},{password}"),
    };
    let name = if settings.accounts.username == Presence::Off { email } else { username };
    let known = format!("{name},{password}");
    let api = format!("{public_url}/api/v1");
    let json = "-H 'Content-Type: application/json'";
    let access = r#"s/.*"access_token":"\([^"]*\)".*/\1/"#;
    let refresh = r#"s/.*\("refresh_token":"[^"]*"\).*/{\1}/"#;
    let (way_in, path, account) =
        if made || verified { ("sign in", "login", known) } else { ("sign up", "signup", all.clone()) };
    let mut lines =
        vec![String::new(), "Try it: paste these into another terminal, one after the other".into(), String::new()];
    if verified && !made {
        lines.extend([
            "  # sign up, and then open the link in the mail".into(),
            format!("  curl -s {api}/signup {json} -d '{{{all}}}'"),
            String::new(),
        ]);
    }
    lines.extend([
        format!("  # {way_in}"),
        format!(r#"  session=$(curl -s {api}/{path} {json} -d '{{{account}}}'); echo "$session""#),
        String::new(),
        "  # who am I?".into(),
        format!(r#"  curl -s {api}/me -H "Authorization: Bearer $(echo "$session" | sed '{access}')""#),
        String::new(),
        "  # refresh: a new access token and the next refresh secret".into(),
        format!(r#"  curl -s {api}/refresh {json} -d "$(echo "$session" | sed '{refresh}')""#),
    ]);
    lines
}
