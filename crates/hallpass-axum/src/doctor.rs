//! What is wrong between browsers, proxies and this server: how it is said, why an origin is refused, and who may ask
//! what reaches the server.
//!
//! It explains what the layers decide and decides nothing itself.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use hallpass_core::MacKey;
use serde::Serialize;

use crate::web::{Origin, Policy};

/// The header with the [`proof`].
pub const PROOF: &str = "x-hallpass-doctor";

/// Seconds for which a proof is good, before and after its time.
const PROOF_LIFETIME: u64 = 60;

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How it is.
    pub level: Level,
    /// What was looked at.
    pub about: String,
    /// What was seen.
    pub seen: String,
    /// What does not work because of it, and why; empty where all is well.
    pub breaks: String,
    /// What to do, as lines for a file or a shell where that is possible; empty where all is well.
    pub fix: String,
}

/// How something is that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it has to be.
    Good,
    /// Worth knowing; nothing breaks that anybody can be sure of.
    Note,
    /// Something does not work.
    Wrong,
}

impl Finding {
    /// Something that is as it has to be.
    pub fn good(about: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::of(Level::Good, about, seen, "", "")
    }

    /// Something that is worth knowing.
    pub fn note(
        about: impl Into<String>,
        seen: impl Into<String>,
        breaks: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::of(Level::Note, about, seen, breaks, fix)
    }

    /// Something that does not work.
    pub fn wrong(
        about: impl Into<String>,
        seen: impl Into<String>,
        breaks: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::of(Level::Wrong, about, seen, breaks, fix)
    }

    fn of(
        level: Level,
        about: impl Into<String>,
        seen: impl Into<String>,
        breaks: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { level, about: about.into(), seen: seen.into(), breaks: breaks.into(), fix: fix.into() }
    }
}

/// Shows a server of the same master key that it may say what reaches it; `at` is the server's time, in seconds.
pub fn proof(key: &MacKey, at: i64) -> String {
    format!("{at}.{}", BASE64URL.encode(key.mac(at.to_string().as_bytes())))
}

/// Whether `text` is a proof of about this time.
pub(crate) fn is_proof(key: &MacKey, text: &str, now: i64) -> bool {
    let Some((at, code)) = text.split_once('.') else { return false };
    let good = BASE64URL.decode(code).is_ok_and(|code| key.verify(at.as_bytes(), &code));
    good && at.parse().is_ok_and(|at: i64| at.abs_diff(now) <= PROOF_LIFETIME)
}

impl Policy {
    /// Why pages of `origin` cannot use this server with cookies, if they cannot.
    pub fn why_refused(&self, origin: &str) -> Option<Finding> {
        let about = format!("the origin `{origin}`");
        let breaks = "the browser keeps the server's answers from pages of this origin, or the cookie from the server";
        let wrong = |seen: String, fix: String| Some(Finding::wrong(&about, seen, breaks, fix));
        let own = self.own();
        let page = match Origin::parse(origin) {
            Ok(page) => page,
            Err(problem) => {
                let fix = "serve the page at an address with `http://` or `https://`, and not in a sandboxed frame";
                return wrong(problem, fix.into());
            }
        };
        if page == *own {
            return None;
        }
        if !page.same_site(own) {
            return wrong(other_site(&page, own), one_site(&page, own));
        }
        if self.listed().contains(&page) {
            return None;
        }
        // Of the same site, so it does not differ in its scheme from whatever is listed.
        let namesake = self.listed().iter().find(|listed| listed.same_host(&page));
        let seen = match namesake {
            Some(listed) => {
                format!("not in `frontend_origins`: there it has another port, `{}`", listed.as_str())
            }
            None => "not in `frontend_origins`".into(),
        };
        wrong(seen, self.listing(&page))
    }

    /// The line of the settings that lists `page` as well.
    fn listing(&self, page: &Origin) -> String {
        let all: Vec<_> = self.listed().iter().chain([page]).map(|origin| format!("\"{}\"", origin.as_str())).collect();
        format!("frontend_origins = [{}]    # hallpass.toml; then start the server again", all.join(", "))
    }
}

fn other_site(page: &Origin, own: &Origin) -> String {
    if page.is_https() != own.is_https() {
        return format!("another scheme than the API at `{}`, which makes it another site", own.as_str());
    }
    format!(
        "on another site than the API at `{}`: cookies with `SameSite=Strict` are not sent from there",
        own.as_str()
    )
}

fn one_site(page: &Origin, own: &Origin) -> String {
    if page.is_loopback() && own.is_loopback() {
        return format!("open the front end under `{}`, with its own port", own.without_port());
    }
    if page.is_loopback() {
        return "let the development server forward `/api` to the API (Vite: `server.proxy`), or start the API here \
                with `hallpass serve --dev-tls`"
            .into();
    }
    format!("serve the front end below the domain of the API: `{}://app.{}`", own.scheme(), own.site())
}

#[cfg(test)]
mod tests {
    use hallpass_core::MasterKey;

    use super::*;
    use crate::Web;

    fn policy(public_url: &str, listed: &[&str], dev: bool) -> Policy {
        let frontend_origins = listed.iter().map(|origin| (*origin).to_owned()).collect();
        Web { public_url: public_url.into(), frontend_origins, dev, ..Web::default() }.check().unwrap()
    }

    #[test]
    fn an_origin_that_may_use_the_server_is_not_explained() {
        let policy = policy("https://api.example.com", &["https://app.example.com"], false);
        for origin in ["https://api.example.com", "https://app.example.com"] {
            assert_eq!(policy.why_refused(origin), None);
        }
    }

    #[test]
    fn why_an_origin_is_refused_is_said_with_what_to_do() {
        let earnest = policy("https://api.example.com", &["https://app.example.com"], false);
        let dev = policy("http://localhost:8000", &["http://localhost:3000"], true);
        for (policy, origin, seen, fix) in [
            (
                &earnest,
                "https://shop.example.com",
                "not in `frontend_origins`",
                r#"frontend_origins = ["https://app.example.com", "https://shop.example.com"]"#,
            ),
            (&earnest, "https://app.example.com:8443", "another port, `https://app.example.com`", ":8443\"]"),
            (&earnest, "http://app.example.com", "another scheme", "https://app.example.com"),
            (&earnest, "https://example.net", "another site", "https://app.example.com"),
            (&earnest, "http://localhost:3000", "another scheme", "server.proxy"),
            (&earnest, "null", "sandboxed", "not in a sandboxed frame"),
            (&dev, "http://127.0.0.1:3000", "another site", "`http://localhost`"),
            (&dev, "http://localhost:4000", "another port, `http://localhost:3000`", "http://localhost:4000"),
        ] {
            let finding = policy.why_refused(origin).unwrap();
            assert!(finding.seen.contains(seen) && finding.fix.contains(fix), "{finding:?}");
        }
    }

    #[test]
    fn a_proof_is_of_one_master_key_and_of_a_moment() {
        let key = MasterKey::generate().unwrap().doctor();
        let shown = proof(&key, 1000);
        for (now, good) in [(940, true), (1000, true), (1060, true), (939, false), (1061, false)] {
            assert_eq!(is_proof(&key, &shown, now), good, "{now}");
        }
        assert!(!is_proof(&MasterKey::generate().unwrap().doctor(), &shown, 1000));
        let moved = shown.replace("1000.", "1001.");
        for rubbish in ["", ".", "1000", "1000.", &moved, &format!("{shown}x")] {
            assert!(!is_proof(&key, rubbish, 1000), "{rubbish}");
        }
    }
}
