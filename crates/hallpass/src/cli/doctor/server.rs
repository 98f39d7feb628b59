//! Whether there is a server, whether it is ours and well, and whether it and this machine agree on the time.

use hallpass_axum::doctor::Finding;

use super::ask::{Answer, Asker};
use crate::settings::Settings;

/// Looks; `false` if it makes no sense to ask further.
pub(super) async fn look(asker: &Asker, settings: &Settings, now: i64, findings: &mut Vec<Finding>) -> bool {
    let answer = match asker.get("/healthz").await {
        Ok(answer) => answer,
        Err(reasons) => {
            findings.push(asker.unreachable(&reasons));
            return false;
        }
    };
    let host = asker.url.host_str().unwrap_or_default();
    if asker.url.scheme() == "https" {
        findings.push(Finding::good("TLS", format!("the certificate is good for `{host}`")));
    }
    if answer.status != 200 || answer.member("status") != "ok" {
        findings.push(not_ours(&answer));
        return false;
    }
    findings.push(Finding::good("server", format!("answers at {}", asker.url)));
    findings.extend(asker.trust().await);
    findings.push(clock(&answer, settings.tokens.leeway, now));
    findings.push(ready(asker).await);
    findings.push(keys(asker).await);
    true
}

fn not_ours(answer: &Answer) -> Finding {
    let (seen, fix) = match answer.status {
        300..=399 => (
            format!("/healthz is redirected to `{}`", answer.header("location")),
            "write where the redirect leads: public_url = \"https://…\"    # hallpass.toml; browsers follow none for a \
             preflight",
        ),
        502..=504 => (
            format!("a proxy answers {}: it does not reach the server", answer.status),
            "start the server, or correct the address in the proxy (nginx: `proxy_pass http://127.0.0.1:8000;`)",
        ),
        status => (
            format!("/healthz is answered by something else, with {status}"),
            "let the proxy hand on every path below `public_url`, without the path of `public_url` itself (nginx: \
             `location /auth/ { proxy_pass http://127.0.0.1:8000/; }`)",
        ),
    };
    Finding::wrong("server", seen, "nothing works", fix)
}

async fn ready(asker: &Asker) -> Finding {
    let seen = match asker.get("/readyz").await {
        Ok(answer) if answer.status == 200 => return Finding::good("readiness", "requests can be served"),
        Ok(answer) => format!("{} {}", answer.status, answer.member("detail")),
        Err(reasons) => reasons,
    };
    Finding::wrong("readiness", seen, "nobody can sign in or refresh", "look into the log; is the database there?")
}

async fn keys(asker: &Asker) -> Finding {
    let seen = match asker.get("/.well-known/jwks.json").await {
        Ok(answer)
            if answer.json().get("keys").and_then(|keys| keys.as_array()).is_some_and(|keys| !keys.is_empty()) =>
        {
            return Finding::good("JWKS", "the keys can be read");
        }
        Ok(answer) => format!("/.well-known/jwks.json answers {} without keys", answer.status),
        Err(reasons) => reasons,
    };
    let fix = "let the proxy hand on `/.well-known/` as well (nginx: `location /.well-known/jwks.json { proxy_pass \
               http://127.0.0.1:8000; }`)";
    Finding::wrong("JWKS", seen, "back ends cannot check access tokens", fix)
}

/// By how much the clocks differ; two seconds are the way.
fn clock(answer: &Answer, leeway: i64, now: i64) -> Finding {
    let Some(date) = server_time(answer) else {
        return Finding::note("clock", "the answer has no `Date`", "", "");
    };
    let difference = now - date;
    let seen = format!(
        "this machine is {} s {} the server",
        difference.abs(),
        if difference < 0 { "behind" } else { "ahead of" }
    );
    if difference.abs() <= leeway.max(2) {
        return Finding::good("clock", seen);
    }
    Finding::wrong(
        "clock",
        seen,
        "a back end here takes new tokens for ones of the future, or old ones for good",
        "timedatectl set-ntp true    # on both machines",
    )
}

/// The server's time, in seconds.
pub(super) fn server_time(answer: &Answer) -> Option<i64> {
    let date = answer.header("date");
    jiff::fmt::rfc2822::parse(&date).ok().map(|date| date.timestamp().as_second())
}
