//! One conversation (RFC 5321), as strict as a mail server that takes no chances.
//!
//! It knows the commands that a client needs to send mail, and refuses all others.

use std::{io, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::{Mishap, Shared, SinkMail, lock};
use crate::config::SmtpTls;

trait Connection: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Connection for T {}

struct Session {
    stream: BufReader<Box<dyn Connection>>,
    shared: Arc<Shared>,
    /// Whether STARTTLS is there to be used.
    can_start_tls: bool,
    signed_in: bool,
    from: Option<String>,
    to: Vec<String>,
}

/// Speaks with one client until it leaves.
pub(super) async fn converse(stream: TcpStream, tls: SmtpTls, shared: Arc<Shared>) -> io::Result<()> {
    let stream: Box<dyn Connection> = match tls {
        SmtpTls::Implicit => Box::new(shared.acceptor.accept(stream).await?),
        SmtpTls::Starttls | SmtpTls::None => Box::new(stream),
    };
    let mut session = Session {
        stream: BufReader::new(stream),
        shared,
        can_start_tls: tls == SmtpTls::Starttls,
        signed_in: false,
        from: None,
        to: Vec::new(),
    };
    if session.goes_wrong("CONNECT").await? {
        return Ok(());
    }
    session.say("220 sink.test ESMTP").await?;
    while let Some(line) = session.line().await? {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let verb = verb.to_ascii_uppercase();
        if session.goes_wrong(&verb).await? {
            continue;
        }
        match verb.as_str() {
            "QUIT" => return session.say("221 bye").await,
            "STARTTLS" if session.can_start_tls => session = session.start_tls().await?,
            _ => session.obey(&verb, rest).await?,
        }
    }
    Ok(())
}

impl Session {
    async fn obey(&mut self, verb: &str, rest: &str) -> io::Result<()> {
        let account = lock(&self.shared.account).clone();
        let stranger = account.is_some() && !self.signed_in;
        match verb {
            "EHLO" => {
                let mut lines = vec!["sink.test"];
                lines.extend(self.can_start_tls.then_some("STARTTLS"));
                lines.extend(account.map(|_| "AUTH PLAIN"));
                let last = lines.pop().unwrap_or_default();
                for line in lines {
                    self.say(&format!("250-{line}")).await?;
                }
                self.say(&format!("250 {last}")).await
            }
            "AUTH" => {
                let expected = account.map(|(name, password)| BASE64.encode(format!("\0{name}\0{password}")));
                self.signed_in = !self.can_start_tls && expected.as_deref() == rest.strip_prefix("PLAIN ");
                self.say(if self.signed_in { "235 welcome" } else { "535 5.7.8 wrong name or password" }).await
            }
            "MAIL" if self.can_start_tls => self.say("530 5.7.0 use STARTTLS first").await,
            "MAIL" if stranger => self.say("530 5.7.0 sign in first").await,
            "MAIL" if self.from.is_none() => {
                let Some(from) = path(rest, "FROM:") else { return self.say("501 that is no sender").await };
                self.from = Some(from);
                self.say("250 fine").await
            }
            "RCPT" if self.from.is_some() => {
                let Some(to) = path(rest, "TO:") else { return self.say("501 that is no recipient").await };
                self.to.push(to);
                self.say("250 fine").await
            }
            "DATA" if !self.to.is_empty() => self.data().await,
            "RSET" => {
                self.from = None;
                self.to.clear();
                self.say("250 fine").await
            }
            "NOOP" => self.say("250 fine").await,
            _ => self.say("503 not now, or not here").await,
        }
    }

    async fn data(&mut self) -> io::Result<()> {
        self.say("354 go on").await?;
        let mut raw = Vec::new();
        let mut clean = true;
        loop {
            let Some(line) = self.line().await? else { return Ok(()) };
            if line == b".\r\n" {
                break;
            }
            // Servers that take a bare line feed for the end of a line can be made to see two mails in one.
            clean &= line.ends_with(b"\r\n") && line.is_ascii() && line.len() <= 1000;
            raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        let (from, to) = (self.from.take().unwrap_or_default(), std::mem::take(&mut self.to));
        if self.goes_wrong(".").await? {
            return Ok(());
        }
        let Some(raw) = String::from_utf8(raw).ok().filter(|_| clean) else {
            return self.say("550 5.6.0 bare line feeds, long lines or eight bits").await;
        };
        self.shared.mails.send_modify(|mails| mails.push(SinkMail::parse(from, to, raw)));
        self.say("250 taken").await
    }

    async fn start_tls(mut self) -> io::Result<Self> {
        self.say("220 go on").await?;
        let stream: Box<dyn Connection> = Box::new(self.shared.acceptor.accept(self.stream.into_inner()).await?);
        Ok(Self { stream: BufReader::new(stream), can_start_tls: false, from: None, to: Vec::new(), ..self })
    }

    /// Whether this command was to go wrong; then it just did.
    async fn goes_wrong(&mut self, command: &str) -> io::Result<bool> {
        let mishap = {
            let mut mishaps = lock(&self.shared.mishaps);
            let place = mishaps.iter().position(|(at, _)| at == command);
            place.and_then(|place| mishaps.remove(place))
        };
        match mishap {
            None => Ok(false),
            Some((_, Mishap::Silence)) => std::future::pending().await,
            Some((_, Mishap::Refuse(code, words))) => {
                self.say(&format!("{code} {words}")).await?;
                if code == 421 || command == "CONNECT" {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                Ok(true)
            }
        }
    }

    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).await?;
        Ok(Some(line).filter(|line| !line.is_empty()))
    }

    async fn say(&mut self, line: &str) -> io::Result<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        self.stream.flush().await
    }
}

/// The address in `FROM:<…>` or `TO:<…>`; parameters behind it do not matter here.
fn path(argument: &str, keyword: &str) -> Option<String> {
    let (found, rest) = argument.split_at_checked(keyword.len())?;
    let (path, _) = rest.trim_start().strip_prefix('<')?.split_once('>')?;
    found.eq_ignore_ascii_case(keyword).then(|| path.to_owned())
}
