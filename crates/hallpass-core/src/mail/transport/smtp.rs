//! A mail server (RFC 5321), and the connection that is kept open between two letters.
//!
//! A connection that was not left in order is never used again: an answer that comes late would be taken for the answer
//! to the next letter.

use std::{sync::PoisonError, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use lettre::{
    address::Envelope,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::ClientId,
    },
};
use secrecy::{ExposeSecret, SecretString};

use super::{Failure, shortened};
use crate::config::{self, SmtpTls};

/// For the whole conversation about one letter.
const TIME: Duration = Duration::from_secs(10);
/// Seconds after which an idle connection is not trusted any more: what stands between forgets them without a word.
const IDLE: i64 = 30;
/// Begins each secret that a mail carries; a server that dislikes a letter may quote it.
const SECRET: &str = "hpt_";

pub(super) struct Server {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
    /// Nothing of this is shown, whatever the server says.
    hidden: Vec<SecretString>,
    hello: ClientId,
    idle: std::sync::Mutex<Option<Idle>>,
}

enum Tls {
    Starttls(TlsParameters),
    Implicit(TlsParameters),
    None,
}

struct Idle {
    connection: AsyncSmtpConnection,
    since: i64,
}

impl Server {
    /// `domain` is what we call ourselves.
    pub(super) fn new(config: &config::Mail, domain: &str) -> Result<Self, String> {
        let host = config.smtp_host.trim_matches(['[', ']']).to_owned();
        let (tls, port) = match config.smtp_tls {
            SmtpTls::Starttls => (Tls::Starttls(parameters(config, &host)?), 587),
            SmtpTls::Implicit => (Tls::Implicit(parameters(config, &host)?), 465),
            SmtpTls::None => (Tls::None, 25),
        };
        let (name, password) = (&config.smtp_username, config.smtp_password.expose_secret());
        let with_password = Some(password).filter(|password| !password.is_empty());
        let hidden = with_password.into_iter().flat_map(|password| {
            let plain = BASE64.encode(format!("\0{name}\0{password}"));
            [SecretString::from(plain), BASE64.encode(password).into(), password.into()]
        });
        Ok(Self {
            host,
            port: if config.smtp_port == 0 { port } else { config.smtp_port },
            tls,
            credentials: (!name.is_empty()).then(|| Credentials::new(name.clone(), password.to_owned())),
            hidden: hidden.collect(),
            hello: ClientId::Domain(domain.to_owned()),
            idle: std::sync::Mutex::default(),
        })
    }

    /// Hands over a letter at the moment `now`.
    pub(super) async fn send(&self, envelope: &Envelope, mail: &[u8], now: i64) -> Result<(), Failure> {
        // Whatever happens in between, the connection is only kept if this comes to its end.
        match tokio::time::timeout(TIME, self.converse(envelope, mail, now)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::Outage(format!("the mail server took longer than {} seconds", TIME.as_secs()))),
        }
    }

    async fn converse(&self, envelope: &Envelope, mail: &[u8], now: i64) -> Result<(), Failure> {
        let outage = |error: Error| Failure::Outage(self.reason(&error));
        let mut connection = self.connection(now).await.map_err(outage)?;
        // The sender is the same for all: a server that refuses it has nothing against this letter.
        connection.command(Mail::new(envelope.from().cloned(), Vec::new())).await.map_err(outage)?;
        let refusal = |error: Error| self.refusal(&error);
        for to in envelope.to() {
            connection.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(refusal)?;
        }
        connection.command(Data).await.map_err(refusal)?;
        connection.message(mail).await.map_err(refusal)?;
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(Idle { connection, since: now });
        Ok(())
    }

    /// The connection that the last letter left, if it still stands, or a new one.
    async fn connection(&self, now: i64) -> Result<AsyncSmtpConnection, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Idle { mut connection, since }) = idle
            && (since..=since.saturating_add(IDLE)).contains(&now)
            && connection.test_connected().await
        {
            return Ok(connection);
        }
        let implicit = match &self.tls {
            Tls::Implicit(parameters) => Some(parameters.clone()),
            Tls::Starttls(_) | Tls::None => None,
        };
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(TIME), &self.hello, implicit, None).await?;
        if let Tls::Starttls(parameters) = &self.tls {
            connection.starttls(parameters.clone(), &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await?;
        }
        Ok(connection)
    }

    /// What an answer to a letter means. 421 may come at any time and is about the server (RFC 5321 section 3.8).
    fn refusal(&self, error: &Error) -> Failure {
        let reason = self.reason(error);
        match error.status().map(u16::from) {
            Some(400..=420 | 422..=499) => Failure::Later(reason),
            Some(500..) => Failure::Never(reason),
            _ => Failure::Outage(reason),
        }
    }

    fn reason(&self, error: &Error) -> String {
        let mut reason = match error.status() {
            // What the server said.
            Some(status) => status.to_string(),
            None => error.to_string(),
        };
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !reason.contains(&cause_text) {
                reason = format!("{reason}: {cause_text}");
            }
            source = cause.source();
        }
        for secret in &self.hidden {
            reason = reason.replace(secret.expose_secret(), "***");
        }
        shortened(&without_tickets(&reason))
    }
}

/// The text without the secrets of links.
fn without_tickets(text: &str) -> String {
    let is_secret = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut pieces = text.split(SECRET);
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        kept.push_str("***");
        kept.push_str(piece.trim_start_matches(is_secret));
    }
    kept
}

/// TLS with a server that shows a certificate for `host`, of a public authority or of ours.
fn parameters(config: &config::Mail, host: &str) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::WebpkiRoots);
    let path = &config.smtp_ca_file;
    if !path.is_empty() {
        let wrong = |why: &dyn std::fmt::Display| format!("`mail.smtp_ca_file`: `{path}`: {why}");
        let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
        if !pem.windows(BEGIN.len()).any(|window| window == BEGIN) {
            return Err(wrong(&"there is no certificate in PEM in it"));
        }
        let certificate = Certificate::from_pem(&pem).map_err(|error| wrong(&error))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| format!("`mail.smtp_ca_file`: `{path}`: {error}"))
}

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
