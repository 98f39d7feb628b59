//! Asking the server, and what it means when there is no answer.
//!
//! No redirect is followed: browsers follow none for a preflight.

use std::{fs, io, net::SocketAddr, time::Duration};

use anyhow::{Context, Result};
use hallpass_axum::doctor::Finding;
use reqwest::{Certificate, Client, ClientBuilder, Method, Url, header::HeaderMap, redirect::Policy};

use crate::{
    cli::banner,
    settings::Settings,
    tls::{AUTHORITY, resolves_here},
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks one server.
pub(super) struct Asker {
    client: Client,
    /// The same without the authority of `dev_tls`, where that is there.
    distrustful: Option<Client>,
    base: String,
    pub(super) url: Url,
    /// What to write down so that the server's name leads to this machine, if it does not.
    hosts_line: Option<String>,
    /// The file of the authority.
    authority: std::path::PathBuf,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    /// Every value of a header, one for each line.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let lines = self.headers.get_all(name).iter();
        lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()).collect()
    }

    /// A header as one line.
    pub(super) fn header(&self, name: &str) -> String {
        self.all(name).join(", ")
    }

    /// A JSON body; `null` where it is none.
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A member of a JSON body; empty where it is no text.
    pub(super) fn member(&self, name: &str) -> String {
        self.json().get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
    }
}

impl Asker {
    pub(super) async fn new(settings: &Settings, base: &str) -> Result<Self> {
        let url = Url::parse(base).with_context(|| format!("`{base}` is not a URL"))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let is_missing = settings.dev_tls && url.domain().is_some() && !resolves_here(&host).await;
        let prepare = || {
            let builder = Client::builder().timeout(PATIENCE).redirect(Policy::none()).user_agent("hallpass doctor");
            // What the name leads to is a finding of its own, and the rest can be looked at all the same.
            if is_missing { builder.resolve(&host, settings.listen) } else { builder }
        };
        let authority = settings.dev_tls_folder().join(AUTHORITY);
        let known = fs::read(&authority).ok().and_then(|pem| Certificate::from_pem(&pem).ok());
        let build = |builder: ClientBuilder| builder.build().context("TLS cannot be used");
        let (client, distrustful) = match known.filter(|_| url.scheme() == "https") {
            Some(known) => (build(prepare().tls_certs_merge([known]))?, Some(build(prepare())?)),
            None => (build(prepare())?, None),
        };
        let hosts_line = is_missing.then(|| format!("{} {host}", settings.listen.ip()));
        Ok(Self { client, distrustful, base: base.to_owned(), url, hosts_line, authority })
    }

    /// Sends a request with these headers.
    ///
    /// # Errors
    /// Why there is no answer, from the outermost reason to the innermost.
    pub(super) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Result<Answer, String> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = async {
            let response = request.send().await?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Ok(Answer { status, headers, body: response.text().await? })
        };
        answer.await.map_err(|error: reqwest::Error| reasons(&error))
    }

    pub(super) async fn get(&self, path: &str) -> Result<Answer, String> {
        self.send(Method::GET, path, &[]).await
    }

    /// Whether the name of a server in development leads to this machine.
    pub(super) fn names(&self) -> Option<Finding> {
        let line = self.hosts_line.as_ref()?;
        Some(Finding::wrong(
            "names",
            format!("`{}` does not lead to this machine", self.url.host_str().unwrap_or_default()),
            "browsers do not find the server",
            format!("{line}    # {}", banner::HOSTS_FILE),
        ))
    }

    /// Whether others on this machine trust the authority of `dev_tls`.
    pub(super) async fn trust(&self) -> Option<Finding> {
        let client = self.distrustful.as_ref()?;
        if client.get(format!("{}/healthz", self.base)).send().await.is_ok() {
            return Some(Finding::good("trust", "this system trusts the authority of `--dev-tls`"));
        }
        Some(Finding::note(
            "trust",
            "this system does not trust the authority of `--dev-tls`; a browser with a store of its own may",
            "browsers show a warning instead of the page, and refuse what front ends ask",
            banner::trust(&self.authority).join("\n"),
        ))
    }

    /// Why there is no answer, as a finding.
    pub(super) fn unreachable(&self, reasons: &str) -> Finding {
        let host = self.url.host_str().unwrap_or_default();
        let (about, fix) = if reasons.contains("UnknownIssuer") {
            let chain = "serve the certificate with those between it and a known authority (nginx: `ssl_certificate \
                         fullchain.pem`)";
            ("TLS", format!("{chain}; a server with `--dev-tls` is asked with the same `--data-dir`"))
        } else if reasons.contains("not valid for name") || reasons.contains("NotValidForName") {
            ("TLS", format!("get a certificate for `{host}`: what it is for stands above"))
        } else if reasons.to_lowercase().contains("expired") {
            ("TLS", "renew the certificate, for example: certbot renew".to_owned())
        } else if reasons.contains("InvalidContentType") || reasons.contains("certificate") {
            ("TLS", format!("let a proxy speak TLS at `{}`, or start with `--dev-tls`", self.base))
        } else if reasons.contains("refused") {
            ("server", "start it: hallpass serve; look whether its port and that of the address are the same".into())
        } else if reasons.contains("lookup") || reasons.contains("dns") {
            ("names", format!("give `{host}` an address in the DNS, for development in {}", banner::HOSTS_FILE))
        } else {
            ("server", "look whether it runs, and whether a firewall or a proxy is in between".into())
        };
        Finding::wrong(about, format!("no answer from {}: {reasons}", self.base), "nothing works", fix)
    }

    /// Whether something stands between here and the server.
    pub(super) fn is_behind_proxy(&self, settings: &Settings) -> bool {
        let port = self.url.port_or_known_default() == Some(settings.listen.port());
        let here: Option<SocketAddr> = self.url.socket_addrs(|| None).ok().and_then(|all| all.first().copied());
        let direct = port && here.is_none_or(|here| here.ip().is_loopback());
        !direct || (self.url.scheme() == "https" && !settings.dev_tls)
    }
}

/// An error and its causes, without repetition.
fn reasons(error: &(dyn std::error::Error + 'static)) -> String {
    let mut all: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !all.iter().any(|known| known.contains(&text)) {
            all.push(text);
        }
        next = error.source();
        // What TLS says is inside, and not behind.
        if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            next = Some(inner);
        }
    }
    all.join(": ")
}
