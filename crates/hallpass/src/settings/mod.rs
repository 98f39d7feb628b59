//! What the server can be told, and whether it is told something safe.
//!
//! Reads nothing by itself ([`sources`] does) and knows no rule of accounts or HTTP: it asks their crates.

use std::{borrow::Cow, ffi::OsString, fmt, net::SocketAddr, path::PathBuf};

use hallpass_axum::{Pages, Web, dialects::Dialect};
use hallpass_core::config::{Accounts, Config, Mail, Passwords, Revocation, Sessions, Throttle, Tokens};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::telemetry;

pub(crate) mod known;
mod mail;
pub(crate) mod master_key;
pub(crate) mod sources;

/// Where Create React App, Next and others, and Vite serve a front end in development.
const DEVELOPMENT_FRONT_ENDS: [&str; 2] = ["http://localhost:3000", "http://localhost:5173"];

/// Reserved for tests (RFC 6761 section 6.2): nobody else can own it.
const DEVELOPMENT_DOMAIN: &str = "example.test";

/// What is shown in the place of a secret.
const HIDDEN: &str = "***";

/// Everything that can be set, with the defaults that are safe.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where browsers and apps reach this server, such as `https://login.example.org`: the start of every link and the
    /// issuer of every token. Empty is allowed with `dev` only, and then takes `http://localhost` with the port of
    /// `listen`.
    pub(crate) public_url: String,
    /// The front ends that may call from a browser, each as `scheme://host:port` with nothing behind it. With `dev`, where
    /// neither this nor `public_url` is set, they are those of the usual development servers: `http://localhost:3000` and
    /// `http://localhost:5173`.
    pub(crate) frontend_origins: Vec<String>,
    /// The address and port to listen on; port `0` takes a free one.
    #[schemars(with = "String")]
    pub(crate) listen: SocketAddr,
    /// `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`; empty takes `hallpass.db` in `data_dir`.
    pub(crate) database: String,
    /// The folder for what the server keeps: the SQLite database and the master key.
    #[schemars(with = "String")]
    pub(crate) data_dir: PathBuf,
    /// The file with the master key, which seals the signing keys in the database; empty takes `master.key` in
    /// `data_dir`. It is made at the first start. `HALLPASS_MASTER_KEY` (32 bytes in base64) takes its place.
    pub(crate) master_key_file: String,
    /// Development: allows plain http and takes a `public_url` by itself; refused unless `listen` is a loopback
    /// address.
    pub(crate) dev: bool,
    /// Development over https with real names: certificates of an authority of this machine's own (`dev-tls` in
    /// `data_dir`), and `https://api.` with `dev_domain` and the port of `listen` as the `public_url`, unless one is set.
    /// It implies `dev`.
    pub(crate) dev_tls: bool,
    /// The domain of `dev_tls`, whose names have to lead to this machine. Front ends on the port 3000 of it, and of `app.`
    /// with it, may call.
    pub(crate) dev_domain: String,
    /// What an account consists of.
    pub(crate) accounts: Accounts,
    /// How passwords are judged and stored.
    pub(crate) passwords: Passwords,
    /// How long people stay signed in.
    pub(crate) sessions: Sessions,
    /// What access tokens say and for how long.
    pub(crate) tokens: Tokens,
    /// How many attempts there are.
    pub(crate) throttle: Throttle,
    /// How mail is written and sent.
    pub(crate) mail: Mail,
    /// The pages for people: their logo and colour.
    pub(crate) pages: Pages,
    /// How what was taken back reaches other servers.
    pub(crate) revocation: Revocation,
    /// What stands between the clients and this server.
    pub(crate) network: Network,
    /// How the log is written.
    pub(crate) log: Log,
    /// The wire formats of Django's packages that are spoken as well, each as a section `[[dialects]]`.
    pub(crate) dialects: Vec<Dialect>,
}

/// What stands between the clients and this server.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Network {
    /// The addresses of your reverse proxies (`10.0.0.7` or `10.0.0.0/8`): only they are believed in `X-Forwarded-For`.
    pub(crate) trusted_proxies: Vec<String>,
}

/// How the log is written.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    /// `text` for people, `json` for machines; one line an event either way.
    pub(crate) format: LogFormat,
    /// The least important level that is written: `error`, `warn`, `info`, `debug` or `trace`; also `target=level`
    /// pairs with commas between.
    pub(crate) level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".into() }
    }
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: String::new(),
            frontend_origins: Vec::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8000)),
            database: String::new(),
            data_dir: PathBuf::from("data"),
            master_key_file: String::new(),
            dev: false,
            dev_tls: false,
            dev_domain: DEVELOPMENT_DOMAIN.into(),
            accounts: Accounts::default(),
            passwords: Passwords::default(),
            sessions: Sessions::default(),
            tokens: Tokens::default(),
            throttle: Throttle::default(),
            mail: Mail::default(),
            pages: Pages::default(),
            revocation: Revocation::default(),
            network: Network::default(),
            log: Log::default(),
            dialects: Vec::new(),
        }
    }
}

impl Settings {
    /// Where clients reach this server when it listens on `port`.
    pub(crate) fn public_url(&self, port: u16) -> String {
        match (self.public_url.as_str(), self.dev_domain()) {
            ("", Some(domain)) if port == 443 => format!("https://api.{domain}"),
            ("", Some(domain)) => format!("https://api.{domain}:{port}"),
            ("", None) if self.dev => format!("http://localhost:{port}"),
            (url, _) => url.to_owned(),
        }
    }

    /// The front ends that may call the server at `public_url` from a browser.
    pub(crate) fn frontend_origins(&self, public_url: &str) -> Vec<String> {
        if let Some(domain) = self.dev_domain() {
            let usual = [format!("https://{domain}:3000"), format!("https://app.{domain}:3000")];
            let more = usual.into_iter().filter(|origin| origin != public_url);
            let more: Vec<_> = more.filter(|origin| !self.frontend_origins.contains(origin)).collect();
            [self.frontend_origins.as_slice(), &more].concat()
        } else if self.dev && self.public_url.is_empty() && self.frontend_origins.is_empty() {
            let usual = DEVELOPMENT_FRONT_ENDS.into_iter().filter(|origin| *origin != public_url);
            usual.map(str::to_owned).collect()
        } else {
            self.frontend_origins.clone()
        }
    }

    /// The domain that is served over https in development.
    pub(crate) fn dev_domain(&self) -> Option<&str> {
        self.dev_tls.then_some(&self.dev_domain)
    }

    /// The names by which browsers find this server and its front ends, each once.
    pub(crate) fn dev_hosts(&self, public_url: &str) -> Vec<String> {
        let mut hosts = Vec::new();
        for url in [public_url.to_owned()].into_iter().chain(self.frontend_origins(public_url)) {
            let name = url::Url::parse(&url).ok().and_then(|url| url.domain().map(str::to_owned));
            hosts.extend(name.filter(|name| !hosts.contains(name)));
        }
        hosts
    }

    /// The folder with the certificates of `dev_tls`.
    pub(crate) fn dev_tls_folder(&self) -> PathBuf {
        self.data_dir.join("dev-tls")
    }

    /// The address of the database.
    pub(crate) fn database(&self) -> String {
        if self.database.is_empty() {
            format!("sqlite:{}", self.data_dir.join("hallpass.db").display())
        } else {
            self.database.clone()
        }
    }

    /// The file of the SQLite database, if it is one.
    pub(crate) fn database_file(&self) -> Option<PathBuf> {
        let database = self.database();
        let path = database.strip_prefix("sqlite:")?;
        let path = path.strip_prefix("//").unwrap_or(path);
        Some(PathBuf::from(path.split_once('?').map_or(path, |(path, _)| path)))
    }

    /// The address of the database without the password in it: for people and logs.
    pub(crate) fn database_shown(&self) -> String {
        let database = self.database();
        if self.database_file().is_some() {
            return database;
        }
        let Ok(mut url) = url::Url::parse(&database) else { return HIDDEN.into() };
        if url.password().is_some() && url.set_password(Some(HIDDEN)).is_err() {
            return HIDDEN.into();
        }
        // PostgreSQL also takes the password as a parameter.
        if url.query().is_some() {
            let hide = |(name, value): (Cow<'_, str>, Cow<'_, str>)| {
                let value = if name == "password" { HIDDEN.into() } else { value.into_owned() };
                (name.into_owned(), value)
            };
            let parameters: Vec<(String, String)> = url.query_pairs().map(hide).collect();
            url.query_pairs_mut().clear().extend_pairs(parameters);
        }
        url.into()
    }

    /// The file with the master key.
    pub(crate) fn master_key_file(&self) -> PathBuf {
        match self.master_key_file.as_str() {
            "" => self.data_dir.join("master.key"),
            path => path.into(),
        }
    }

    /// What the core is told; tokens and links name `public_url` unless the settings say otherwise.
    pub(crate) fn core(&self, public_url: &str) -> Config {
        let or_public_url = |given: &str| if given.is_empty() { public_url.to_owned() } else { given.to_owned() };
        let tokens = Tokens {
            issuer: or_public_url(&self.tokens.issuer),
            audience: or_public_url(&self.tokens.audience),
            ..self.tokens.clone()
        };
        Config {
            public_url: public_url.to_owned(),
            accounts: self.accounts.clone(),
            passwords: self.passwords.clone(),
            sessions: self.sessions.clone(),
            throttle: self.throttle,
            tokens,
            mail: self.mail(public_url),
            revocation: self.revocation.clone(),
        }
    }

    /// What the HTTP side is told.
    pub(crate) fn web(&self, public_url: &str) -> Web {
        Web {
            public_url: public_url.to_owned(),
            frontend_origins: self.frontend_origins(public_url),
            trusted_proxies: self.network.trusted_proxies.clone(),
            dev: self.dev,
            dev_domain: self.dev_domain().map(str::to_owned),
            dialects: self.dialects.clone(),
            pages: self.pages.clone(),
        }
    }

    /// Finds everything that a server must not start with.
    ///
    /// # Errors
    /// Every problem at once, each a line that says what to do and repeats no secret.
    pub(crate) fn check(&self, environment: &[(OsString, OsString)]) -> Result<(), Problems> {
        let mut problems = Vec::new();
        let public_url = self.public_url(self.listen.port());
        let loopback = self.listen.ip().is_loopback();
        let unset = public_url.is_empty();
        if unset {
            problems.push(
                "`public_url` is not set: write the address at which clients reach this server, such as \
                 `https://login.example.org`; for development on this machine start with `--dev`"
                    .into(),
            );
        }
        if self.dev && !loopback {
            problems.push(format!(
                "`dev` is for this machine only and `listen` is `{}`: listen on `127.0.0.1:{}`, or leave `dev` out",
                self.listen,
                self.listen.port()
            ));
        }
        if !self.dev_tls && self.dev_domain != DEVELOPMENT_DOMAIN {
            problems
                .push("`dev_domain` has no effect without `dev_tls`: start with `--dev-tls`, or leave it out".into());
        }
        if !self.throttle.enabled && !loopback {
            problems.push(format!(
                "`throttle.enabled = false` lets everybody try passwords without end, and `listen` is `{}`: leave it out",
                self.listen
            ));
        }
        if !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| self.database().starts_with(scheme)) {
            problems.push("`database` must begin with `sqlite:` or `postgres://`".into());
        }
        // One missing address is one problem, though everything below asks for it.
        let stand_in = if unset { "https://login.example.org" } else { &public_url };
        let core = self.core(stand_in);
        problems.extend(core.check());
        for problem in self.mail_problems(&core.mail) {
            // What the settings show already is noticed again by whoever is opened with them.
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        problems.extend(self.web(stand_in).check().err().into_iter().flatten());
        problems.extend(telemetry::filter(&self.log).err());
        problems.extend(master_key::problem(self, environment));
        if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
    }
}

/// What is wrong with the settings: each problem is one line that says what to do.
#[derive(Debug)]
pub(crate) struct Problems(pub(crate) Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Problems {}
