//! A mail as it arrived, and what a mail program shows of it.
//!
//! It is read by another library than the one that writes our mails.

use mail_parser::{MessageParser, PartType};

/// A mail that the sink took.
#[derive(Debug, Clone)]
pub struct SinkMail {
    /// The sender of the envelope (`MAIL FROM`).
    pub from: String,
    /// The recipients of the envelope (`RCPT TO`).
    pub to: Vec<String>,
    /// The mail as it was sent, header and body.
    pub raw: String,
    /// The subject, decoded.
    pub subject: String,
    /// The part in plain text, decoded, with lines that end in `\n`.
    pub text: String,
    /// The part in HTML, decoded, with lines that end in `\n`.
    pub html: String,
}

impl SinkMail {
    /// Reads a mail; parts that it does not have are empty.
    pub fn parse(from: String, to: Vec<String>, raw: String) -> Self {
        let (mut subject, mut text, mut html) = Default::default();
        if let Some(message) = MessageParser::default().parse(&raw) {
            subject = message.subject().unwrap_or_default().to_owned();
            for part in &message.parts {
                match &part.body {
                    PartType::Text(body) => text = body.replace("\r\n", "\n"),
                    PartType::Html(body) => html = body.replace("\r\n", "\n"),
                    _ => (),
                }
            }
        }
        Self { from, to, raw, subject, text, html }
    }

    /// The first header of this name as it was sent, without what folds it.
    pub fn header(&self, name: &str) -> Option<String> {
        let (head, _) = self.raw.split_once("\r\n\r\n").unwrap_or((&self.raw, ""));
        head.replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n").find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }

    /// The secret in the link of the text: what follows `#token=`.
    pub fn token(&self) -> Option<&str> {
        let (_, rest) = self.text.split_once("#token=")?;
        rest.split(char::is_whitespace).next()
    }
}
