//! How mail is written and sent.

use std::net::IpAddr;

use lettre::message::Mailbox;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Accounts, Presence, Verification, hidden, unless};

/// By which way mail leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// None: what needs mail is refused.
    Off,
    /// A mail server (RFC 5321).
    Smtp,
    /// A folder, one `.eml` file for each mail.
    File,
    /// The memory of this server: in development, for its page `/dev/mail`.
    Mailbox,
}

/// How the connection to the mail server is kept secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// It begins in the clear and must turn to TLS (STARTTLS, RFC 3207); a server that cannot do it is refused.
    Starttls,
    /// TLS from the first byte (RFC 8314 section 3.3).
    Implicit,
    /// Not at all: only to a mail server on this machine.
    None,
}

/// How mail is written and sent.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// By which way mail leaves: `off`, `smtp`, `file` (into `folder`) or `mailbox` (into memory: development only). With `dev`, `off` means `mailbox`.
    pub transport: Transport,
    /// The sender, such as `Example <no-reply@example.com>`.
    pub from: String,
    /// What mails call the service that people sign in to.
    pub product_name: String,
    /// The start of the links in mails; empty takes `public_url`. Set it to your front end's address if it has pages of its own at `/verify`, `/reset`, `/change-email` and `/sign-in`.
    pub links: String,
    /// The language of mails to people whose language is not known or not there.
    pub default_locale: String,
    /// A folder whose files take the place of the built-in templates of the same name; empty: there is none.
    pub templates: String,
    /// Where the `file` transport writes.
    pub folder: String,
    /// The mail server.
    pub smtp_host: String,
    /// Its port; `0` takes 587 for `starttls`, 465 for `implicit` and 25 for `none`.
    pub smtp_port: u16,
    /// How the connection is kept secret: `starttls`, `implicit`, or `none` for a mail server on this machine.
    pub smtp_tls: SmtpTls,
    /// The name to sign in with at the mail server; empty: it asks for none.
    pub smtp_username: String,
    /// The password that belongs to it.
    #[serde(serialize_with = "hidden")]
    #[schemars(with = "String")]
    pub smtp_password: SecretString,
    /// A file of certificates (PEM) that the mail server's is checked against; empty takes the public authorities.
    pub smtp_ca_file: String,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            transport: Transport::Off,
            from: String::new(),
            product_name: "Hallpass".into(),
            links: String::new(),
            default_locale: "en".into(),
            templates: String::new(),
            folder: "mail".into(),
            smtp_host: String::new(),
            smtp_port: 0,
            smtp_tls: SmtpTls::Starttls,
            smtp_username: String::new(),
            smtp_password: SecretString::default(),
            smtp_ca_file: String::new(),
        }
    }
}

impl Mail {
    /// Who mail is from.
    pub(crate) fn sender(&self) -> Result<Mailbox, String> {
        let sender = self
            .from
            .parse::<Mailbox>()
            .ok()
            .filter(|sender| sender.email.domain().is_ascii() && sender.email.user().is_ascii());
        sender
            .ok_or_else(|| format!("`mail.from`: `{}` is no sender: write `Example <no-reply@example.com>`", self.from))
    }

    /// What cannot be used, or not by these accounts, as far as that can be told without looking at a file.
    pub(super) fn problems(&self, accounts: &Accounts) -> Vec<String> {
        let mut problems = self.problems_of_accounts(accounts);
        if self.transport != Transport::Off {
            problems.extend(self.problem_of_links());
        }
        if matches!(self.transport, Transport::Smtp | Transport::File) {
            problems.extend(self.sender().err());
        }
        if self.transport == Transport::Smtp {
            problems.extend(self.problems_of_smtp());
        }
        problems.extend(unless(!self.product_name.trim().is_empty(), "`mail.product_name` is empty"));
        let folder_is_named = self.transport != Transport::File || !self.folder.is_empty();
        problems.extend(unless(folder_is_named, "`mail.folder` is empty: name the folder that mails are written to"));
        problems
    }

    fn problems_of_accounts(&self, accounts: &Accounts) -> Vec<String> {
        let there_is_mail = self.transport != Transport::Off;
        let verified = accounts.verify_email == Verification::Required;
        [
            unless(
                there_is_mail || !verified,
                "`accounts.verify_email = \"required\"` needs mail: set `mail.transport`",
            ),
            unless(
                !verified || accounts.email == Presence::Required,
                "`accounts.verify_email = \"required\"` needs addresses: set `accounts.email` to `required`",
            ),
            unless(
                there_is_mail || !accounts.sign_in_links,
                "`accounts.sign_in_links = true` needs mail: set `mail.transport`",
            ),
            unless(
                !accounts.sign_in_links || accounts.email != Presence::Off,
                "`accounts.sign_in_links = true` needs addresses: set `accounts.email` to `optional` or `required`",
            ),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn problems_of_smtp(&self) -> Vec<String> {
        let has_name = !self.smtp_username.is_empty();
        let has_password = !self.smtp_password.expose_secret().is_empty();
        let is_secret = self.smtp_tls != SmtpTls::None || is_loopback(&self.smtp_host);
        let ca_file_is_used = self.smtp_tls != SmtpTls::None || self.smtp_ca_file.is_empty();
        [
            unless(!self.smtp_host.is_empty(), "`mail.smtp_host` is empty: name your mail server"),
            unless(
                has_name == has_password,
                "`mail.smtp_username` and `mail.smtp_password` belong together: set both, or neither",
            ),
            unless(
                is_secret || self.smtp_host.is_empty(),
                "`mail.smtp_tls` must be `starttls` or `implicit` for a mail server that is not on this machine",
            ),
            unless(ca_file_is_used, "`mail.smtp_ca_file` has no effect without TLS: remove it, or set `mail.smtp_tls`"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn problem_of_links(&self) -> Option<String> {
        if self.links.is_empty() {
            return Some("`mail.links` is empty: set `public_url`".into());
        }
        let fine = Url::parse(&self.links).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.username().is_empty()
                && url.password().is_none()
                && !self.links.contains(['?', '#', ' ', '"', '<', '>', '\\'])
                && !self.links.contains(char::is_control)
                && !self.links.ends_with('/')
        });
        let problem = format!(
            "`mail.links`: `{}` must be an address such as `https://app.example.com`, without a slash at its end",
            self.links
        );
        unless(fine, &problem)
    }
}

/// Whether what is sent to a host stays on this machine.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}
