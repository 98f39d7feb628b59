//! How mail leaves: to a mail server, into a folder, into memory, or not at all.
//!
//! A letter that is sent twice is the same letter, byte for byte but for its date: what receives it can tell by its
//! `Message-ID`. Nothing that a letter says can become a header or a command.

use std::{
    collections::VecDeque,
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart, MultiPartKind, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};
use uuid::Uuid;

mod smtp;

use super::templates::{Written, one_line};
use crate::config::{self, Transport};

/// Letters that the mailbox in memory holds.
const MAILBOX: usize = 200;
/// Characters of the longest account of a failure.
const MAX_REASON: usize = 300;

/// A mail to one person.
#[derive(Clone)]
pub struct Letter {
    /// Which one it is; each attempt to send it has the same.
    pub id: Uuid,
    /// The address that it goes to.
    pub to: String,
    /// What it says.
    pub written: Written,
    /// When it is sent, in seconds since 1970 (UTC).
    pub sent_at: i64,
}

/// Why a letter did not leave, as one line of at most 300 characters, without any secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The way is closed, for this letter and for any other: the mail server is away, lets nobody in, or has no TLS.
    Outage(String),
    /// The mail server does not take this letter now (4xx).
    Later(String),
    /// The mail server will never take this letter (5xx).
    Never(String),
}

/// One of the ways.
pub struct Mailer(Way);

enum Way {
    Off,
    Smtp { from: Mailbox, server: Box<smtp::Server> },
    File { from: Mailbox, folder: PathBuf },
    Mailbox(Mutex<VecDeque<Letter>>),
}

impl Mailer {
    /// Makes the way ready that the settings name. A mail server is not asked before there is a letter.
    ///
    /// # Errors
    /// What cannot be used, each as a sentence that says what to change.
    pub fn open(config: &config::Mail) -> Result<Self, Vec<String>> {
        let one = |problem| vec![problem];
        Ok(Self(match config.transport {
            Transport::Off => Way::Off,
            Transport::Mailbox => Way::Mailbox(Mutex::default()),
            Transport::Smtp => {
                let from = config.sender().map_err(one)?;
                let server = smtp::Server::new(config, from.email.domain()).map_err(one)?;
                Way::Smtp { from, server: Box::new(server) }
            }
            Transport::File => {
                let from = config.sender().map_err(one)?;
                let folder = PathBuf::from(&config.folder);
                make_folder(&folder).map_err(|error| one(format!("`mail.folder`: `{}`: {error}", config.folder)))?;
                Way::File { from, folder }
            }
        }))
    }

    /// Sends a letter, within 10 seconds. Where there is no way it is dropped.
    ///
    /// # Errors
    /// Why it did not leave. After an [outage](Failure::Outage) it may have: the answer is what was lost.
    pub async fn send(&self, letter: &Letter) -> Result<(), Failure> {
        match &self.0 {
            Way::Off => Ok(()),
            Way::Smtp { from, server } => {
                let message = message(from, letter)?;
                server.send(message.envelope(), &message.formatted(), letter.sent_at).await
            }
            Way::File { from, folder } => {
                let mail = message(from, letter)?.formatted();
                let (folder, id) = (folder.clone(), letter.id);
                let written = tokio::task::spawn_blocking(move || write(&folder, id, &mail)).await;
                let failed =
                    |error: &dyn std::fmt::Display| Failure::Outage(shortened(&format!("mail.folder: {error}")));
                written.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
            }
            Way::Mailbox(letters) => {
                let mut letters = letters.lock().unwrap_or_else(PoisonError::into_inner);
                letters.push_front(letter.clone());
                letters.truncate(MAILBOX);
                Ok(())
            }
        }
    }

    /// The last 200 letters, the newest first; `None` if they went another way than into memory.
    pub fn mailbox(&self) -> Option<Vec<Letter>> {
        let Way::Mailbox(letters) = &self.0 else { return None };
        Some(letters.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect())
    }

    /// Whether there is no way for mail to leave.
    pub fn is_off(&self) -> bool {
        matches!(self.0, Way::Off)
    }
}

/// A letter as a message (RFC 5322) in text and HTML (RFC 2046 section 5.1.4), which no machine should answer (RFC 3834).
fn message(from: &Mailbox, letter: &Letter) -> Result<Message, Failure> {
    let Letter { id, to, written, sent_at } = letter;
    let never = |error: &dyn std::fmt::Display| Failure::Never(shortened(&error.to_string()));
    let to: Address = to.parse().map_err(|error| never(&error))?;
    let sent_at = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(*sent_at).unwrap_or_default());
    let header = |name, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), one_line(value));
    let lines = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
    let parts = MultiPart::builder().kind(MultiPartKind::Alternative).boundary(id.simple().to_string());
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(one_line(&written.subject))
        .date(sent_at)
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("Content-Language", &written.locale))
        .multipart(
            parts
                .singlepart(SinglePart::plain(lines(&written.text)))
                .singlepart(SinglePart::html(lines(&written.html))),
        )
        .map_err(|error| never(&error))
}

/// Writes a mail so that whoever reads the folder sees all of it or nothing: it holds links that work.
fn write(folder: &Path, id: Uuid, mail: &[u8]) -> std::io::Result<()> {
    let unfinished = folder.join(format!(".{id}.unfinished"));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(mail)?;
    file.sync_all()?;
    std::fs::rename(unfinished, folder.join(format!("{id}.eml")))
}

fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A reason in one line that is not too long.
fn shortened(reason: &str) -> String {
    one_line(reason).chars().take(MAX_REASON).collect()
}
