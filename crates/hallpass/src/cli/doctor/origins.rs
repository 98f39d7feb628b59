//! What a browser on a page of a front end gets, and what one on any other page does not: CORS, cookies and the headers
//! that protect them.
//!
//! It asks to sign out without being signed in: an answer with cookies that changes nothing.

use hallpass_axum::doctor::Finding;
use reqwest::Method;

use super::ask::{Answer, Asker};

const SIGN_OUT: &str = "/api/v1/logout";

/// Nobody can have it (RFC 6761 section 6.4).
const ELSEWHERE: &str = "https://elsewhere.invalid";

const ONE_CORS: &str = "remove every `Access-Control-…` from the proxy (nginx: `add_header Access-Control-Allow-Origin`, \
    Caddy: `header Access-Control-Allow-Origin`): Hallpass answers them itself";

/// Looks from a front end that is listed.
pub(super) async fn look(asker: &Asker, origin: &str) -> Vec<Finding> {
    let mut findings = vec![match preflight(asker, origin).await {
        Ok(answer) => of_preflight(origin, &answer),
        Err(reasons) => asker.unreachable(&reasons),
    }];
    match sign_out(asker, origin).await {
        Ok(answer) => findings.push(of_answer(origin, &answer)),
        Err(reasons) => findings.push(asker.unreachable(&reasons)),
    }
    findings
}

/// Looks from a page that is not listed.
pub(super) async fn look_from_elsewhere(asker: &Asker) -> Option<Finding> {
    let answers = [preflight(asker, ELSEWHERE).await, sign_out(asker, ELSEWHERE).await];
    let about = "other origins";
    for answer in answers.iter().flatten() {
        let allowed = answer.header("access-control-allow-origin");
        if !allowed.is_empty() {
            let seen = format!("`Access-Control-Allow-Origin: {allowed}` for {ELSEWHERE}, which is not listed");
            return Some(Finding::wrong(about, seen, "any page may read what is meant for your front ends", ONE_CORS));
        }
    }
    let [_, Ok(answer)] = &answers else { return None };
    if answer.status == 403 {
        return Some(Finding::good(about, "are refused"));
    }
    let seen = format!("a page of {ELSEWHERE} can sign people out: {} instead of 403", answer.status);
    let fix = "let the proxy pass on `Origin` and `Sec-Fetch-Site` as they come (nginx: no `proxy_set_header Origin`)";
    Some(Finding::wrong(about, seen, "the server cannot tell foreign pages from its own (CSRF)", fix))
}

/// Looks at what comes with cookies, as a program gets it.
pub(super) async fn look_at_cookies(asker: &Asker) -> Vec<Finding> {
    match asker.send(Method::POST, SIGN_OUT, &[("content-length", "0")]).await {
        Ok(answer) => vec![cookies(&answer), kept_out_of_caches(&answer)],
        Err(reasons) => vec![asker.unreachable(&reasons)],
    }
}

async fn preflight(asker: &Asker, origin: &str) -> Result<Answer, String> {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-mode", "cors"),
    ];
    asker.send(Method::OPTIONS, SIGN_OUT, &headers).await
}

async fn sign_out(asker: &Asker, origin: &str) -> Result<Answer, String> {
    let headers =
        [("origin", origin), ("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors"), ("content-length", "0")];
    asker.send(Method::POST, SIGN_OUT, &headers).await
}

fn of_preflight(origin: &str, answer: &Answer) -> Finding {
    let about = format!("preflight from {origin}");
    let breaks = "the browser sends no request with `Authorization` or JSON from this front end";
    if let Some((seen, fix)) = cors_problem(origin, answer) {
        return Finding::wrong(about, seen, breaks, fix);
    }
    if !(200..300).contains(&answer.status) {
        let fix = "let the proxy hand on `OPTIONS` to Hallpass, and ask for no password or token before it";
        return Finding::wrong(about, format!("it is answered with {}", answer.status), breaks, fix);
    }
    for (name, wanted) in [
        ("access-control-allow-methods", "POST"),
        ("access-control-allow-headers", "authorization"),
        ("access-control-allow-headers", "content-type"),
    ] {
        let value = answer.header(name);
        if !value.split(',').any(|entry| entry.trim().eq_ignore_ascii_case(wanted)) {
            return Finding::wrong(about, format!("`{name}` is `{value}`, without `{wanted}`"), breaks, ONE_CORS);
        }
    }
    Finding::good(about, "it is allowed")
}

fn of_answer(origin: &str, answer: &Answer) -> Finding {
    let about = format!("answer to {origin}");
    let breaks = "the browser keeps the answer from this front end, and the cookie out of its store";
    if let Some((seen, fix)) = cors_problem(origin, answer) {
        return Finding::wrong(about, seen, breaks, fix);
    }
    let vary = answer.header("vary");
    if !vary.split(',').any(|name| name.trim().eq_ignore_ascii_case("origin") || name.trim() == "*") {
        let fix = "let the proxy pass on `Vary` (nginx: no `proxy_hide_header Vary`)";
        let breaks = "a cache can give one front end the answer that another one may read";
        return Finding::wrong(about, format!("`Vary` is `{vary}`, without `Origin`"), breaks, fix);
    }
    Finding::good(about, "the front end may read it, with cookies")
}

/// What a browser has against the CORS headers of an answer to `origin`, and what to do.
fn cors_problem(origin: &str, answer: &Answer) -> Option<(String, String)> {
    let allowed = answer.all("access-control-allow-origin");
    let credentials = answer.all("access-control-allow-credentials");
    match allowed.as_slice() {
        [] if answer.member("code") == "origin_not_allowed" => Some((
            "the running server does not list it".into(),
            format!("frontend_origins = [\"{origin}\"]    # hallpass.toml; then start the server again"),
        )),
        [] => Some((
            "there is no `Access-Control-Allow-Origin`".into(),
            "let the proxy pass on `Origin`, and `Access-Control-…` of the answer; start the server again with these \
             settings if they are new"
                .into(),
        )),
        [one] if one == origin => (credentials.as_slice() != ["true"]).then(|| {
            (format!("`Access-Control-Allow-Credentials` is `{}`, not `true`", credentials.join(", ")), ONE_CORS.into())
        }),
        [one] if one == "*" => Some((
            "`Access-Control-Allow-Origin: *`, with which browsers send and keep no cookie".into(),
            ONE_CORS.into(),
        )),
        [one] => Some((format!("`Access-Control-Allow-Origin` is `{one}`"), ONE_CORS.into())),
        many => Some((
            format!("`Access-Control-Allow-Origin` came {} times: {}", many.len(), many.join(", ")),
            ONE_CORS.into(),
        )),
    }
}

fn cookies(answer: &Answer) -> Finding {
    let about = "cookies";
    let breaks = "the browser does not keep the cookie, and nobody stays signed in after a reload";
    let lines = answer.all("set-cookie");
    let Some(line) = lines.iter().find(|line| line.contains("refresh=")) else {
        let fix = "let the proxy pass on `Set-Cookie` (nginx: no `proxy_hide_header Set-Cookie`), and `POST` as `POST`";
        let seen = format!("no `Set-Cookie` of ours on the answer {} to POST {SIGN_OUT}", answer.status);
        return Finding::wrong(about, seen, breaks, fix);
    };
    let mut parts = line.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let attributes: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
    let has = |wanted: &str| attributes.iter().any(|attribute| attribute == wanted);
    let wrong = |seen: &str, fix: &str| Finding::wrong(about, format!("{seen}: `{line}`"), breaks, fix);
    if !name.starts_with("__Host-refresh=") {
        return wrong(
            "the proxy changes the name",
            "leave `Set-Cookie` as it comes: no `proxy_cookie_*`, no `Header edit`",
        );
    }
    if let Some(domain) = attributes.iter().find(|attribute| attribute.starts_with("domain=")) {
        let seen = format!("the proxy adds `{domain}`, which `__Host-` forbids");
        return wrong(&seen, "remove `proxy_cookie_domain` (nginx) or `cookieDomainRewrite` (Vite, http-proxy)");
    }
    for (wanted, fix) in [
        (
            "path=/",
            "remove `proxy_cookie_path` (nginx) or `cookiePathRewrite` (Vite, http-proxy): `__Host-` needs `Path=/`",
        ),
        ("secure", "leave `Set-Cookie` as it comes (nginx: no `proxy_cookie_flags`): `__Host-` needs `Secure`"),
        (
            "httponly",
            "leave `Set-Cookie` as it comes (nginx: no `proxy_cookie_flags`): without it scripts read the secret",
        ),
        ("samesite=strict", "leave `Set-Cookie` as it comes (nginx: no `proxy_cookie_flags`)"),
    ] {
        if !has(wanted) {
            return wrong(&format!("without `{wanted}`"), fix);
        }
    }
    Finding::good(about, "they arrive as they are set")
}

fn kept_out_of_caches(answer: &Answer) -> Finding {
    let value = answer.header("cache-control");
    if value.contains("no-store") {
        return Finding::good("caches", "answers stay out of them");
    }
    Finding::wrong(
        "caches",
        format!("`Cache-Control` is `{value}`, without `no-store`"),
        "a cache can give somebody the tokens of somebody else",
        "leave `Cache-Control` as it comes (nginx: no `expires`, no `add_header Cache-Control`, no \
         `proxy_ignore_headers Cache-Control`)",
    )
}
