//! What a request has become when it reaches the server: its host, its scheme, and whom the server takes for the client.
//!
//! The server tells that to whoever proves to have its master key, and in development to anybody on this machine.

use hallpass_axum::doctor::{self, Finding};
use hallpass_core::MasterKey;
use reqwest::Method;
use serde_json::Value;

use super::{ask::Asker, server};
use crate::settings::Settings;

/// An address that no client has (RFC 5737): a server that believes it believes everybody.
const FORGED: &str = "192.0.2.1";

/// Seconds by which no clock is wrong that somebody looks after.
const FAR_OFF: u64 = 3600;

/// Looks at what arrives.
pub(super) async fn look(asker: &Asker, settings: &Settings, key: Option<&MasterKey>, now: i64) -> Vec<Finding> {
    let Some(seen) = ask(asker, key, now).await else {
        return vec![Finding::note(
            "proxies",
            "the server does not say what reaches it",
            "whether it knows its clients' addresses cannot be seen from here",
            "run this where the server's master key is: `master_key_file`, or `HALLPASS_MASTER_KEY`",
        )];
    };
    let proxied = asker.is_behind_proxy(settings);
    let mut findings = vec![host(asker, &seen, proxied)];
    findings.extend(scheme(asker, &seen));
    findings.push(client(&seen, proxied));
    findings
}

async fn ask(asker: &Asker, key: Option<&MasterKey>, now: i64) -> Option<Value> {
    // The server's own time, so that clocks that differ stop nothing; but no proof for a time that somebody makes up.
    let theirs = asker.get("/healthz").await.ok().as_ref().and_then(server::server_time)?;
    let known = key.filter(|_| theirs.abs_diff(now) < FAR_OFF);
    let proof = known.map(|key| doctor::proof(&key.doctor(), theirs)).unwrap_or_default();
    let headers = [(doctor::PROOF, proof.as_str()), ("x-forwarded-for", FORGED)];
    let answer = asker.send(Method::GET, "/doctor/seen", &headers).await.ok()?;
    (answer.status == 200).then(|| answer.json()).filter(Value::is_object)
}

fn host(asker: &Asker, seen: &Value, proxied: bool) -> Finding {
    let asked = match (asker.url.host_str(), asker.url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    };
    let arrived = seen["host"].as_str().unwrap_or_default();
    if arrived == asked || !proxied && arrived.is_empty() {
        return Finding::good("Host", arrived);
    }
    Finding::wrong(
        "Host",
        format!("`{asked}` was asked and `{arrived}` arrived"),
        "the pages for development are served under the server's own name only, and logs name another host",
        "nginx: proxy_set_header Host $http_host;    Apache: ProxyPreserveHost On    Vite: changeOrigin: false",
    )
}

/// The scheme as a proxy says it: the server itself goes by `public_url`.
fn scheme(asker: &Asker, seen: &Value) -> Option<Finding> {
    let arrived = first(seen, "x-forwarded-proto")?;
    if arrived == asker.url.scheme() {
        return Some(Finding::good("X-Forwarded-Proto", arrived));
    }
    Some(Finding::note(
        "X-Forwarded-Proto",
        format!("`{}` was asked and the proxy says `{arrived}`", asker.url.scheme()),
        "Hallpass goes by `public_url`; other programs behind the proxy make links with the wrong scheme",
        "nginx: proxy_set_header X-Forwarded-Proto $scheme;",
    ))
}

fn client(seen: &Value, proxied: bool) -> Finding {
    let about = "client address";
    let text = |name: &str| seen[name].as_str().unwrap_or("nobody").to_owned();
    let (peer, client) = (text("peer"), text("client"));
    let trusted = seen["peer_is_trusted"] == true;
    let lines = first(seen, "x-forwarded-for").unwrap_or_default();
    let breaks = "everybody counts as one client: limits on passwords and sign-ups hit all of them at once";
    if !proxied {
        return Finding::good(about, client);
    }
    // What this sent is always there unless a proxy replaces it; one that adds nothing leaves it alone.
    if trusted && lines == FORGED {
        return Finding::wrong(
            about,
            format!("the server believes the `X-Forwarded-For: {FORGED}` that this sent"),
            "anybody can pretend to be at any address, and so escape every limit",
            "nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;    # and only proxies in trusted_proxies",
        );
    }
    if trusted && client == FORGED {
        return Finding::note(
            about,
            format!("`{lines}` arrived, and this machine's own address is in `trusted_proxies`"),
            "whoever asks from an address that is trusted can pretend to be at any other",
            "[network]\ntrusted_proxies = […]    # hallpass.toml: the addresses of your proxies, and no more",
        );
    }
    if !trusted && (lines.is_empty() || lines == FORGED) {
        return Finding::wrong(
            about,
            format!("the server takes the proxy at `{peer}` for the client, which says nothing of another one"),
            breaks,
            format!(
                "nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n\
                 [network]\ntrusted_proxies = [\"{peer}\"]    # hallpass.toml"
            ),
        );
    }
    if !trusted {
        return Finding::wrong(
            about,
            format!("the server takes the proxy at `{peer}` for the client, since it may not believe `{lines}`"),
            breaks,
            format!("[network]\ntrusted_proxies = [\"{peer}\"]    # hallpass.toml"),
        );
    }
    Finding::good(about, format!("the server takes `{client}` for the client"))
}

/// A header as it arrived, in one line.
fn first(seen: &Value, name: &str) -> Option<String> {
    let lines = seen.get("forwarded")?.get(name)?.as_array()?;
    Some(lines.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
}
