//! `hallpass mail`: how mails look, whether they leave, and, in `outbox`, which have not left.
//!
//! Shows no link that works: those are made when a mail is sent, and kept nowhere.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::{Args, Subcommand, builder::PossibleValuesParser};
use hallpass_axum::Clock;
use hallpass_core::{
    config::{self, Transport},
    mail::{Failure, Kind, Letter, Mailer, Templates, Values, Written},
    names::Email,
};
use uuid::{NoContext, Timestamp, Uuid};

use super::{Output, WrongUse, core, print, runtime, table::lined_up};
use crate::settings::{Problems, Settings};

mod outbox;

#[derive(Debug, Subcommand)]
pub(crate) enum Mail {
    Preview(Preview),
    Test(Test),
    /// List the mails that have not gone out, the oldest first: those that wait, and those that were given up
    Queue(Output),
    /// Let the server try again to send what was given up
    Retry(Output),
}

/// Show a mail as people get it, with made-up values
///
/// Lists the mails if none is named. It reads the templates of `mail.templates`, so it shows what you changed. It needs
/// no database and no mail server.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  hallpass mail preview
  hallpass mail preview reset_password --locale de
  hallpass mail preview reset_password --html > reset.html
  hallpass mail preview --out previews
      every mail in every language, as .txt and .html")]
pub(crate) struct Preview {
    /// Which mail
    #[arg(value_parser = kinds())]
    kind: Option<String>,
    /// In this language instead of `mail.default_locale`
    #[arg(long, value_name = "LANGUAGE")]
    locale: Option<String>,
    /// Only the page that most mail programs show
    #[arg(long, requires = "kind", conflicts_with_all = ["text", "out"])]
    html: bool,
    /// Only the text, without the subject
    #[arg(long, requires = "kind", conflicts_with = "out")]
    text: bool,
    /// Write files into this folder: of every mail in every language, unless you name one
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Send one mail with made-up values at once, and say what became of it
///
/// It goes by `mail.transport`, past the outbox, and needs no database. The link in it does not work.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  hallpass mail test you@example.org
  hallpass mail test you@example.org --kind reset_password --locale de")]
pub(crate) struct Test {
    /// Whom to send it to
    address: String,
    /// Which mail
    #[arg(long, default_value = Kind::VerifyEmail.as_str(), value_parser = kinds())]
    kind: String,
    /// In this language instead of `mail.default_locale`
    #[arg(long, value_name = "LANGUAGE")]
    locale: Option<String>,
}

fn kinds() -> PossibleValuesParser {
    PossibleValuesParser::new(Kind::ALL.iter().map(|kind| kind.as_str()))
}

impl Mail {
    pub(crate) fn run(&self, settings: &Settings, environment: &[(OsString, OsString)]) -> Result<()> {
        match self {
            Self::Preview(preview) => preview.run(settings),
            Self::Test(test) => test.run(settings),
            Self::Queue(output) => outbox::queue(settings, environment, *output),
            Self::Retry(output) => outbox::retry(settings, environment, *output),
        }
    }
}

/// Everything that a mail is made of.
struct Desk {
    settings: config::Mail,
    templates: Templates,
    now: i64,
}

impl Desk {
    fn new(settings: &Settings) -> Result<Self> {
        let settings = core(settings).mail;
        let templates = Templates::load(&settings).map_err(Problems)?;
        Ok(Self { settings, templates, now: Clock::system().now() })
    }

    /// The language that is asked for, or else the default one.
    fn locale<'a>(&'a self, asked: Option<&'a str>) -> Result<&'a str> {
        let locales = self.templates.locales();
        match asked {
            None => Ok(self.templates.choose(None, None)),
            Some(asked) if locales.contains(&asked) => Ok(asked),
            Some(asked) => {
                let known: Vec<String> = locales.iter().map(|locale| format!("`{locale}`")).collect();
                Err(WrongUse(format!("there are no mails in `{asked}`: give one of {}", known.join(", "))).into())
            }
        }
    }

    fn write(&self, kind: Kind, locale: &str) -> Result<Written> {
        let values = Values::sample(kind, &self.settings.product_name, &self.settings.links, self.now);
        Ok(self.templates.write(kind, locale, &values)?)
    }
}

impl Preview {
    fn run(&self, settings: &Settings) -> Result<()> {
        let desk = Desk::new(settings)?;
        let kind = self.kind.as_deref().and_then(Kind::parse);
        if let Some(folder) = &self.out {
            return self.write_files(&desk, kind, folder);
        }
        let locale = desk.locale(self.locale.as_deref())?;
        let Some(kind) = kind else { return list(&desk, locale) };
        let mail = desk.write(kind, locale)?;
        match (self.html, self.text) {
            (true, _) => print(mail.html.trim_end()),
            (_, true) => print(mail.text.trim_end()),
            _ => print(with_subject(&mail).trim_end()),
        }
    }

    fn write_files(&self, desk: &Desk, kind: Option<Kind>, folder: &Path) -> Result<()> {
        let kinds = kind.map_or_else(|| Kind::ALL.to_vec(), |kind| vec![kind]);
        let locales = match self.locale.as_deref() {
            Some(locale) => vec![desk.locale(Some(locale))?],
            None => desk.templates.locales(),
        };
        fs::create_dir_all(folder).with_context(|| format!("the folder `{}` cannot be made", folder.display()))?;
        for kind in &kinds {
            for locale in &locales {
                let mail = desk.write(*kind, locale)?;
                for (extension, content) in [("txt", with_subject(&mail)), ("html", mail.html)] {
                    let path = folder.join(format!("{}.{locale}.{extension}", kind.as_str()));
                    fs::write(&path, content)
                        .with_context(|| format!("the file `{}` cannot be written", path.display()))?;
                }
            }
        }
        eprintln!("{} mails written into `{}`", kinds.len() * locales.len(), folder.display());
        Ok(())
    }
}

fn list(desk: &Desk, locale: &str) -> Result<()> {
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        rows.push([kind.as_str().to_owned(), desk.write(kind, locale)?.subject]);
    }
    print(&lined_up(["KIND", "SUBJECT"], rows))
}

fn with_subject(mail: &Written) -> String {
    format!("Subject: {}\n\n{}", mail.subject, mail.text)
}

impl Test {
    fn run(&self, settings: &Settings) -> Result<()> {
        let desk = Desk::new(settings)?;
        let to = Email::parse(&self.address).map_err(|wrong| WrongUse(wrong.detail.to_string()))?;
        match desk.settings.transport {
            Transport::Off => anyhow::bail!("this server sends no mail: set `mail.transport` to `smtp` or `file`"),
            Transport::Mailbox => anyhow::bail!(
                "in development mails stay in the running server, which shows them at `/dev/mail`: set \
                 `mail.transport` to `smtp` or `file` to try that"
            ),
            Transport::Smtp | Transport::File => {}
        }
        let problems = core(settings).check();
        if !problems.is_empty() {
            return Err(Problems(problems).into());
        }
        let mailer = Mailer::open(&desk.settings).map_err(Problems)?;
        let kind = Kind::parse(&self.kind).unwrap_or(Kind::VerifyEmail);
        let written = desk.write(kind, desk.locale(self.locale.as_deref())?)?;
        let moment = Timestamp::from_unix(NoContext, desk.now.unsigned_abs(), 0);
        let letter = Letter { id: Uuid::new_v7(moment), to: to.as_str().to_owned(), written, sent_at: desk.now };
        runtime()?.block_on(mailer.send(&letter)).map_err(explain)?;
        match desk.settings.transport {
            Transport::File => eprintln!("written into the folder `{}`", desk.settings.folder),
            _ => eprintln!(
                "the mail server `{}` took it: now look for it in the mailbox of `{}`, also under spam",
                desk.settings.smtp_host,
                to.as_str()
            ),
        }
        Ok(())
    }
}

fn explain(failure: Failure) -> anyhow::Error {
    match failure {
        Failure::Outage(why) => {
            anyhow::anyhow!("no mail can leave: {why}; look at `[mail]` of the settings and at the mail server")
        }
        Failure::Later(why) => anyhow::anyhow!("the mail server does not take this mail now, maybe later: {why}"),
        Failure::Never(why) => anyhow::anyhow!("the mail server will never take this mail: {why}"),
    }
}
