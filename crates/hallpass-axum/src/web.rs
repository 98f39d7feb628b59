//! Where the server is on the web and who its front ends are: the few settings that everything about browsers follows
//! from.
//!
//! Cookies, CORS, the CSRF rule and the security headers are never set one by one: they are derived here from two
//! facts, the API's public URL and the list of its front ends' origins, so they cannot contradict each other.

mod origin;
mod pages;
mod proxies;

use std::net::IpAddr;

use axum::http::{HeaderValue, Uri};

pub(crate) use origin::Origin;
use pages::Logo;
pub use pages::Pages;
use proxies::Network;

use crate::dialects::Dialect;

/// What the HTTP side has to be told.
#[derive(Debug, Clone, Default)]
pub struct Web {
    /// The address at which clients reach this API, such as `https://api.example.com`.
    pub public_url: String,
    /// The origins of the front ends that live apart from the API, each exactly as browsers send it:
    /// `https://app.example.com`, `http://localhost:5173`.
    pub frontend_origins: Vec<String>,
    /// The addresses of our own proxies (`10.0.0.7` or `10.0.0.0/8`): only they are believed in `X-Forwarded-For`.
    pub trusted_proxies: Vec<String>,
    /// Development on this machine: plain HTTP is fine, and nothing but this machine is.
    pub dev: bool,
    /// In development over HTTPS: the domain whose names lead to this machine, such as `example.test`.
    pub dev_domain: Option<String>,
    /// The wire formats of other servers that are spoken as well.
    pub dialects: Vec<Dialect>,
    /// The pages for people.
    pub pages: Pages,
}

impl Web {
    /// Checks the settings against each other and derives what the layers work with.
    ///
    /// # Errors
    /// One sentence for each thing that cannot work: the reason, and what to do.
    pub fn check(&self) -> Result<Policy, Vec<String>> {
        if let Some(problem) = self.dev_domain.as_deref().and_then(dev_domain_problem) {
            // Everything else would follow from it.
            return Err(vec![problem]);
        }
        let mut problems = Vec::new();
        let mut keep = |problem| problems.push(problem);
        let own = own_origin(self).map_err(&mut keep).ok();
        let mut listed = Vec::new();
        for text in &self.frontend_origins {
            match frontend(text, own.as_ref(), self) {
                Ok(origin) if listed.contains(&origin) => keep(format!("frontend_origins: `{text}` is listed twice")),
                Ok(origin) => listed.push(origin),
                Err(problem) => keep(format!("frontend_origins: {problem}")),
            }
        }
        let proxies: Vec<Network> = self
            .trusted_proxies
            .iter()
            .filter_map(|text| text.parse().map_err(|problem| keep(format!("trusted_proxies: {problem}"))).ok())
            .collect();
        problems.extend(self.dialects.iter().filter_map(|dialect| dialect.open().err()));
        let logo = self.pages.open().map_err(|found| problems.extend(found)).ok().flatten();
        match own {
            Some(own) if problems.is_empty() => Ok(Policy {
                prefix: self.public_url.parse::<Uri>().map_or(String::new(), |url| path_of(&url)),
                own,
                listed,
                proxies,
                pages: self.pages.clone(),
                logo,
                dev: self.dev,
            }),
            _ => Err(problems),
        }
    }
}

/// What follows from settings that fit together.
#[derive(Debug, Clone)]
pub struct Policy {
    own: Origin,
    listed: Vec<Origin>,
    proxies: Vec<Network>,
    prefix: String,
    pages: Pages,
    logo: Option<Logo>,
    dev: bool,
}

impl Policy {
    /// Whether `value` of an `Origin` header is one of the front ends, byte for byte.
    pub(crate) fn lists(&self, value: &HeaderValue) -> bool {
        self.listed.iter().any(|origin| origin.as_str().as_bytes() == value.as_bytes())
    }

    /// The same, where a slash at the end does not count, as with django-cors-headers.
    pub(crate) fn lists_with_slash(&self, value: &HeaderValue) -> bool {
        let bare = value.as_bytes().strip_suffix(b"/").unwrap_or(value.as_bytes());
        self.listed.iter().any(|origin| origin.as_str().as_bytes() == bare)
    }

    /// Whether `value` of an `Origin` header is the API's own origin, byte for byte.
    pub(crate) fn is_own(&self, value: &HeaderValue) -> bool {
        self.own.as_str().as_bytes() == value.as_bytes()
    }

    /// Whether a `Host` header names this server: by the public URL, or as this machine.
    pub(crate) fn is_named(&self, host: &str) -> bool {
        Origin::parse(&format!("http://{host}")).is_ok_and(|named| named.is_loopback() || named.same_host(&self.own))
    }

    /// Whether clients reach the API over TLS.
    pub(crate) fn https(&self) -> bool {
        self.own.is_https()
    }

    /// The API's own origin.
    pub(crate) fn own(&self) -> &Origin {
        &self.own
    }

    /// The front ends.
    pub(crate) fn listed(&self) -> &[Origin] {
        &self.listed
    }

    /// The address at which clients reach the API.
    pub(crate) fn public_url(&self) -> String {
        format!("{}{}", self.own.as_str(), self.prefix)
    }

    /// Whether it is development on this machine.
    pub(crate) fn dev(&self) -> bool {
        self.dev
    }

    /// Whether `address` is one of our own proxies.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|network| network.contains(address))
    }

    /// The origins of the front ends.
    pub(crate) fn frontend_origins(&self) -> impl Iterator<Item = &str> {
        self.listed.iter().map(Origin::as_str)
    }

    /// What the pages for people look like.
    pub(crate) fn pages(&self) -> &Pages {
        &self.pages
    }

    /// What stands at their top.
    pub(crate) fn logo(&self) -> Option<&Logo> {
        self.logo.as_ref()
    }

    /// The path of the public URL, empty where the API has a host of its own.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }
}

/// The origin of the API, if the public URL can be one.
fn own_origin(web: &Web) -> Result<Origin, String> {
    let public_url = web.public_url.as_str();
    let wrong = |problem: String| format!("public_url: {problem}");
    if public_url.is_empty() {
        return Err(wrong(
            "is empty: write the address at which clients reach the API, `https://api.example.com`".into(),
        ));
    }
    let url: Uri = public_url.parse().map_err(|_| wrong(format!("`{public_url}` is not a URL")))?;
    let path = path_of(&url);
    if url.query().is_some() || public_url.contains('#') || public_url.ends_with('/') {
        return Err(wrong(format!("write `{public_url}` without a query, a fragment and a slash at its end")));
    }
    let text = public_url.strip_suffix(&path).unwrap_or(public_url);
    let origin = Origin::parse(text).map_err(&wrong)?;
    if let Some(domain) = web.dev_domain.as_deref().filter(|domain| !origin.is_below(domain)) {
        return Err(wrong(format!("`{text}` is not below `{domain}`, for which this machine has certificates")));
    }
    suits(&origin, web).map_err(&wrong)?;
    Ok(origin)
}

/// Whether an origin can be used in development, or in earnest; below the domain of development it is as in earnest.
fn suits(origin: &Origin, web: &Web) -> Result<(), String> {
    let below = web.dev_domain.as_deref().is_some_and(|domain| origin.is_below(domain));
    origin.suits(web.dev && !below)
}

/// Why a domain cannot have an API and front ends of one site, if it cannot.
fn dev_domain_problem(domain: &str) -> Option<String> {
    let fits = !domain.starts_with('.')
        && psl::domain_str(domain).is_some()
        && Origin::parse(&format!("https://{domain}"))
            .is_ok_and(|origin| origin.is_below(domain) && !origin.is_address());
    (!fits).then(|| {
        format!("dev_domain: `{domain}` is not a domain of two parts or more: write one such as `example.test`")
    })
}

/// The origin of a front end, if browsers will send the API's cookies along from it.
fn frontend(text: &str, own: Option<&Origin>, web: &Web) -> Result<Origin, String> {
    let origin = Origin::parse(text)?;
    let Some(own) = own else { return Ok(origin) };
    if origin == *own {
        return Err(format!("`{text}` is the API's own origin, which is always allowed: leave it out"));
    }
    if origin.is_loopback() && !own.is_loopback() {
        return Err(format!(
            "`{text}` is on this machine and the API at `{}` is not, so browsers never send its cookies from there: \
             let your development server forward `/api` to the API (Vite: `server.proxy`), or run the API here with \
             `dev = true`",
            own.as_str()
        ));
    }
    suits(&origin, web)?;
    if !origin.same_site(own) {
        return Err(format!(
            "`{text}` is on another site than the API at `{}`, so browsers never send its `SameSite=Strict` cookies \
             from there: serve both under one registrable domain, such as `https://app.{site}` and \
             `https://api.{site}`",
            own.as_str(),
            site = own.site()
        ));
    }
    Ok(origin)
}

/// The path of `url`, where `/` alone counts as none.
fn path_of(url: &Uri) -> String {
    if url.path() == "/" { String::new() } else { url.path().to_owned() }
}
