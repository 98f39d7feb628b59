//! What a person sees when the server starts: what it did, where it is, and what to try first.
//!
//! Never a log: it goes to people only, and never shows a secret.

use std::{
    io::{self, IsTerminal},
    path::Path,
};

use hallpass_core::{
    accounts,
    config::{Presence, Transport, Verification},
};

use crate::{
    settings::Settings,
    store::Opened,
    tls::{AUTHORITY, CERTIFICATE, DevTls, KEY, resolves_here},
};

/// Where a machine's own names are written down.
pub(crate) const HOSTS_FILE: &str = "/etc/hosts (Windows: C:\\Windows\\System32\\drivers\\etc\\hosts)";

/// Prints the banner to stderr if somebody is likely to read it.
pub(crate) async fn show(settings: &Settings, opened: &Opened, public_url: &str, tls: Option<&DevTls>) {
    if settings.dev || io::stderr().is_terminal() {
        eprintln!("{}", banner(settings, opened, public_url, tls).await);
    }
}

async fn banner(settings: &Settings, opened: &Opened, public_url: &str, tls: Option<&DevTls>) -> String {
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
        lines.push(format!("  doctor     {public_url}/doctor, and `hallpass doctor`"));
    }
    let absent = match tls {
        Some(_) => absent_names(&settings.dev_hosts(public_url)).await,
        None => Vec::new(),
    };
    if let Some(tls) = tls {
        lines.extend(of_tls(settings, tls, &absent));
    }
    if settings.dev {
        let curl = curl(settings, public_url, tls, &absent);
        let name = if settings.accounts.username == Presence::Off { "ada@example.org" } else { "ada" };
        // Whoever starts again and pastes again finds the account of the first time.
        let made = accounts::find(&opened.hallpass, name).await.is_ok();
        lines.extend(first_steps(settings, &curl, public_url, made));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// The names that do not lead to this machine.
async fn absent_names(hosts: &[String]) -> Vec<String> {
    let mut absent = Vec::new();
    for host in hosts {
        if !resolves_here(host).await {
            absent.push(host.clone());
        }
    }
    absent
}

/// What it takes until browsers find the server under its names and trust it.
fn of_tls(settings: &Settings, tls: &DevTls, absent: &[String]) -> Vec<String> {
    let [authority, certificate, key] = [AUTHORITY, CERTIFICATE, KEY].map(|name| tls.folder.join(name));
    let mut lines = Vec::new();
    if !absent.is_empty() {
        lines.extend([String::new(), format!("Add this line to {HOSTS_FILE}:"), String::new()]);
        lines.push(format!("  {} {}", settings.listen.ip(), absent.join(" ")));
    }
    let trusted = if tls.is_new { "was made just now" } else { "is the one of last time" };
    lines.extend([
        String::new(),
        format!(
            "Trust this machine's authority once, and start the browser again ({} {trusted}):",
            authority.display()
        ),
        String::new(),
    ]);
    lines.extend(trust(&authority).into_iter().map(|line| format!("  {line}")));
    lines.extend([String::new(), "The development server of a front end (Vite: `server.https`) takes:".into()]);
    lines.extend([String::new(), format!("  cert: {}", certificate.display()), format!("  key:  {}", key.display())]);
    lines
}

/// How systems and browsers are told to trust an authority.
pub(crate) fn trust(authority: &Path) -> Vec<String> {
    let file = authority.display();
    vec![
        format!("Debian    sudo cp '{file}' /usr/local/share/ca-certificates/hallpass-dev.crt && sudo update-ca-certificates"),
        format!("macOS     sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain '{file}'"),
        format!("Windows   certutil -addstore -user Root \"{file}\""),
        format!(
            "Chromium  certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n hallpass-dev -i '{file}'  \
             (on Linux; package libnss3-tools)"
        ),
        "Firefox   Settings, Certificates, View Certificates, Authorities, Import; takes the system's on macOS, Windows"
            .into(),
    ]
}

/// `curl` as it finds the server and trusts it.
fn curl(settings: &Settings, public_url: &str, tls: Option<&DevTls>, absent: &[String]) -> String {
    let Some(tls) = tls else { return "curl -s".into() };
    let url = url::Url::parse(public_url).ok();
    let place = url.as_ref().and_then(|url| Some((url.domain()?, url.port_or_known_default()?)));
    let resolve = match place {
        Some((host, port)) if absent.iter().any(|name| name == host) => {
            format!(" --resolve {host}:{port}:{}", settings.listen.ip())
        }
        _ => String::new(),
    };
    format!("curl -s --cacert '{}'{resolve}", tls.folder.join(AUTHORITY).display())
}

/// Commands for any POSIX shell, which work when they are pasted one after the other.
fn first_steps(settings: &Settings, curl: &str, public_url: &str, made: bool) -> Vec<String> {
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
            format!("  {curl} {api}/signup {json} -d '{{{all}}}'"),
            String::new(),
        ]);
    }
    lines.extend([
        format!("  # {way_in}"),
        format!(r#"  session=$({curl} {api}/{path} {json} -d '{{{account}}}'); echo "$session""#),
        String::new(),
        "  # who am I?".into(),
        format!(r#"  {curl} {api}/me -H "Authorization: Bearer $(echo "$session" | sed '{access}')""#),
        String::new(),
        "  # refresh: a new access token and the next refresh secret".into(),
        format!(r#"  {curl} {api}/refresh {json} -d "$(echo "$session" | sed '{refresh}')""#),
    ]);
    lines
}
