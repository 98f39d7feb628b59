//! Mail leaves as what it is, over a connection that nobody else reads, and what goes wrong is told apart.

use std::time::Duration;

use hallpass_core::{
    config::{Mail, SmtpTls, Transport},
    mail::{Failure, Kind, Letter, Mailer, Templates, Values, Written},
    testing::{SinkMail, SmtpSink},
};
use uuid::Uuid;

use crate::support::START;

const ID: Uuid = Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0001);

fn written() -> Written {
    let Ok(templates) = Templates::load(&Mail::default()) else { panic!("the built-in templates work") };
    let values = Values::sample(Kind::ResetPassword, "Käse & Söhne", "https://app.example.com", START);
    templates.write(Kind::ResetPassword, "de", &values).unwrap()
}

fn letter() -> Letter {
    Letter { id: ID, to: "ada@example.org".into(), written: written(), sent_at: START }
}

fn saying(text: &str) -> Letter {
    Letter { written: Written { text: text.into(), ..written() }, ..letter() }
}

fn mailer(settings: &Mail) -> Mailer {
    Mailer::open(settings).unwrap_or_else(|problems| panic!("{problems:?}"))
}

async fn outage(mailer: &Mailer) -> String {
    match mailer.send(&letter()).await {
        Err(Failure::Outage(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_letter_arrives_as_it_was_written_in_both_parts() {
    let sink = SmtpSink::start().await;
    mailer(&sink.settings()).send(&letter()).await.unwrap();
    let SinkMail { from, to, subject, text, html, .. } = &sink.wait_for(1).await[0];
    assert_eq!((from.as_str(), to.as_slice()), ("no-reply@example.com", &["ada@example.org".to_owned()][..]));
    let expected = written();
    assert_eq!(*subject, expected.subject);
    assert_eq!(text.trim_end(), expected.text.trim_end());
    assert_eq!(html.trim_end(), expected.html.trim_end());
}

#[tokio::test]
async fn the_header_says_who_when_and_that_no_machine_should_answer() {
    let sink = SmtpSink::start().await;
    mailer(&sink.settings()).send(&letter()).await.unwrap();
    let mail = &sink.wait_for(1).await[0];
    let header = |name| mail.header(name).unwrap_or_default();
    assert_eq!(header("From"), "Example <no-reply@example.com>");
    assert_eq!(header("To"), "ada@example.org");
    assert_eq!(header("Date"), "Mon, 21 Sep 2026 14:13:20 +0000");
    assert_eq!(header("Message-ID"), format!("<{ID}@example.com>"));
    assert_eq!(header("Auto-Submitted"), "auto-generated");
    assert_eq!(header("Content-Language"), "de");
    assert_eq!(header("MIME-Version"), "1.0");
    assert!(header("Content-Type").starts_with("multipart/alternative;"), "{}", mail.raw);
    assert!(mail.raw.find("text/plain").unwrap() < mail.raw.find("text/html").unwrap(), "the best part comes last");
}

#[tokio::test]
async fn a_letter_that_is_sent_twice_is_the_same_letter() {
    let sink = SmtpSink::start().await;
    let mailer = mailer(&sink.settings());
    for sent_at in [START, START, START + 60] {
        mailer.send(&Letter { sent_at, ..letter() }).await.unwrap();
    }
    let mails = sink.wait_for(3).await;
    assert_eq!(mails[0].raw, mails[1].raw);
    assert_eq!(mails[0].header("Message-ID"), mails[2].header("Message-ID"));
    assert_ne!(mails[0].header("Date"), mails[2].header("Date"));
}

#[tokio::test]
async fn nothing_that_a_letter_says_becomes_a_header_or_a_command() {
    let sink = SmtpSink::start().await;
    let mailer = mailer(&sink.settings());
    let smuggled = "MAIL FROM:<eve@example.com>\r\nRCPT TO:<eve@example.com>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n";
    let dots = [
        format!("A\r\n.\r\n{smuggled}"),
        format!("A\n.\n{smuggled}"),
        format!("A\r.\r{smuggled}"),
        format!("A\n.\r\n{smuggled}"),
        format!("A\r\n.\n{smuggled}"),
        format!("A\r\r\n.\r\r\n{smuggled}"),
        ".".to_owned(),
        "..\r\n...\r\n".to_owned(),
        format!("{}\r\n.{}", "a".repeat(2000), "ö".repeat(2000)),
    ];
    for (index, text) in dots.iter().enumerate() {
        mailer.send(&saying(text)).await.unwrap();
        let mails = sink.wait_for(index + 1).await;
        assert_eq!(mails.len(), index + 1, "one letter is one mail: {text:?}");
        assert_eq!(mails[index].to, ["ada@example.org"]);
        let lines = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n").trim_end().to_owned();
        assert_eq!(lines(&mails[index].text), lines(text));
    }
    sink.clear();
    let subject = "A\r\nBcc: eve@example.com\r\n\r\n<b>B</b>\n.\r\nC";
    let locale = "de\r\nBcc: eve@example.com".to_owned();
    let hostile = Written { subject: subject.into(), locale, ..written() };
    mailer.send(&Letter { written: hostile, ..letter() }).await.unwrap();
    let mails = sink.wait_for(1).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].header("Bcc"), None, "{}", mails[0].raw);
    assert_eq!(mails[0].subject, "A  Bcc: eve@example.com    <b>B</b> .  C");
    let recipients =
        ["ada@example.org\r\nRCPT TO:<eve@example.com>", "ada@example.org>\r\nDATA", "a@b.c, d@e.f", "", "@"];
    for to in recipients {
        let sent = mailer.send(&Letter { to: to.into(), ..letter() }).await;
        assert!(matches!(sent, Err(Failure::Never(_))), "{to:?}: {sent:?}");
    }
    assert_eq!(sink.mails().len(), 1);
}

#[tokio::test]
async fn letters_share_a_connection_while_it_is_fresh() {
    let sink = SmtpSink::start().await;
    let mailer = mailer(&sink.settings());
    for sent_at in [START, START + 1, START + 31] {
        mailer.send(&Letter { sent_at, ..letter() }).await.unwrap();
    }
    assert_eq!(sink.connections(), 1);
    for sent_at in [START + 62, START] {
        mailer.send(&Letter { sent_at, ..letter() }).await.unwrap();
    }
    assert_eq!(
        sink.connections(),
        3,
        "one that was idle for more than 30 seconds is left, and so is one from the future"
    );
    sink.restart().await;
    mailer.send(&letter()).await.unwrap();
    assert_eq!(sink.connections(), 4, "one that the server closed is replaced");
    sink.refuse_next(550);
    assert!(mailer.send(&letter()).await.is_err());
    mailer.send(&letter()).await.unwrap();
    assert_eq!(sink.connections(), 5, "one with an unfinished letter is left");
    assert_eq!(sink.mails().len(), 7);
}

#[tokio::test]
async fn tls_from_the_first_byte_and_after_starttls_is_checked_against_our_authority() {
    for tls in [SmtpTls::Implicit, SmtpTls::Starttls] {
        let sink = SmtpSink::with_tls(tls).await;
        let settings = sink.settings();
        for host in ["127.0.0.1", "localhost"] {
            mailer(&Mail { smtp_host: host.into(), ..settings.clone() }).send(&letter()).await.unwrap();
        }
        assert_eq!(sink.wait_for(2).await.len(), 2);

        let stranger = SmtpSink::start().await;
        let other_authority = Mail { smtp_ca_file: stranger.ca_file().display().to_string(), ..settings.clone() };
        let public_authorities = Mail { smtp_ca_file: String::new(), ..settings.clone() };
        // Another name for this machine, and not one that the certificate is for.
        let other_name = Mail { smtp_host: "0.0.0.0".into(), ..settings };
        for wrong in [other_authority, public_authorities, other_name] {
            let reason = outage(&mailer(&wrong)).await;
            assert!(reason.contains("invalid peer certificate"), "{reason}");
        }
        assert_eq!(sink.mails().len(), 2);
    }
}

#[tokio::test]
async fn nothing_is_said_to_a_server_that_cannot_do_tls() {
    let plain = SmtpSink::start().await;
    plain.demand_sign_in("ada", "swordfish");
    for smtp_tls in [SmtpTls::Starttls, SmtpTls::Implicit] {
        let settings = Mail { smtp_tls, ..plain.settings() };
        outage(&mailer(&settings)).await;
    }
    assert_eq!(plain.mails().len(), 0);
    mailer(&plain.settings()).send(&letter()).await.unwrap();
}

#[tokio::test]
async fn whoever_cannot_sign_in_has_an_outage_and_shows_no_password() {
    let sink = SmtpSink::with_tls(SmtpTls::Starttls).await;
    sink.demand_sign_in("ada", "swordfish");
    let settings = sink.settings();
    mailer(&settings).send(&letter()).await.unwrap();
    let wrong = Mail { smtp_password: "sword-fish".to_owned().into(), ..settings.clone() };
    let reason = outage(&mailer(&wrong)).await;
    assert!(reason.starts_with("535"), "{reason}");
    let nobody = Mail { smtp_username: String::new(), ..settings.clone() };
    let reason = outage(&mailer(&nobody)).await;
    assert!(reason.starts_with("530"), "{reason}");
    assert_eq!(sink.mails().len(), 1);
    let plain = SmtpSink::start().await;
    let unasked = Mail { smtp_username: "ada".into(), smtp_password: "x".to_owned().into(), ..plain.settings() };
    outage(&mailer(&unasked)).await;
}

#[tokio::test]
async fn what_the_server_has_against_a_letter_is_told_apart_from_an_outage() {
    let sink = SmtpSink::start().await;
    let mailer = mailer(&sink.settings());
    let reason = |code: u16| format!("{code}: the test wants it so");
    for command in ["RCPT", "DATA", "."] {
        for code in [400, 450, 451, 452, 459] {
            sink.refuse_next_at(command, code);
            assert_eq!(mailer.send(&letter()).await, Err(Failure::Later(reason(code))), "{command}");
        }
        for code in [500, 550, 552, 556] {
            sink.refuse_next_at(command, code);
            assert_eq!(mailer.send(&letter()).await, Err(Failure::Never(reason(code))), "{command}");
        }
        sink.refuse_next_at(command, 421);
        assert_eq!(mailer.send(&letter()).await, Err(Failure::Outage(reason(421))), "{command}");
    }
    for command in ["CONNECT", "EHLO", "MAIL"] {
        for code in [421, 451, 550, 554] {
            sink.refuse_next_at(command, code);
            assert_eq!(mailer.send(&letter()).await, Err(Failure::Outage(reason(code))), "{command}");
        }
    }
    assert_eq!(sink.mails().len(), 0);
    mailer.send(&letter()).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_away_is_an_outage_until_it_is_back() {
    let sink = SmtpSink::start().await;
    let mailer = mailer(&sink.settings());
    sink.stop().await;
    let reason = outage(&mailer).await;
    assert!(reason.contains("refused"), "{reason}");
    sink.restart().await;
    mailer.send(&letter()).await.unwrap();
    assert_eq!(sink.wait_for(1).await.len(), 1);
    let unknown = Mail { smtp_host: "mail.invalid".into(), smtp_tls: SmtpTls::Implicit, ..sink.settings() };
    outage(&self::mailer(&unknown)).await;
}

#[tokio::test]
async fn a_server_that_falls_silent_costs_ten_seconds_and_its_late_answer_reaches_nobody() {
    let sink = SmtpSink::start().await;
    let mailer = mailer(&sink.settings());
    mailer.send(&letter()).await.unwrap();
    sink.ignore_next_at(".");
    let begun = std::time::Instant::now();
    assert_eq!(outage(&mailer).await, "the mail server took longer than 10 seconds");
    assert!(begun.elapsed() >= Duration::from_secs(10));
    mailer.send(&saying("next")).await.unwrap();
    let mails = sink.wait_for(2).await;
    assert_eq!((mails.len(), mails[1].text.trim(), sink.connections()), (2, "next", 2));
}

#[tokio::test]
async fn what_the_server_says_is_told_in_one_short_line_without_secrets() {
    let sink = SmtpSink::start().await;
    sink.demand_sign_in("ada", "swordfish");
    let mailer = mailer(&sink.settings());
    let encoded = "AGFkYQBzd29yZGZpc2g=";
    let said =
        format!("swordfish {encoded} https://x/reset#token=hpt_{}_-, \u{1b}[31m {}", "a".repeat(43), "ö".repeat(400));
    sink.answer_next("RCPT", 550, &said);
    let Err(Failure::Never(reason)) = mailer.send(&letter()).await else { panic!("must be refused") };
    assert!(reason.starts_with("550: *** *** https://x/reset#token=***, "), "{reason}");
    assert_eq!(reason.chars().count(), 300);
    assert!(!reason.chars().any(char::is_control));
}

#[tokio::test]
async fn a_folder_gets_one_file_for_each_letter_that_nobody_else_can_read() {
    let folder = tempfile::TempDir::new().unwrap();
    let place = folder.path().join("new").join("mail");
    let settings = Mail {
        transport: Transport::File,
        from: "no-reply@example.com".into(),
        folder: place.display().to_string(),
        ..Mail::default()
    };
    let mailer = mailer(&settings);
    mailer.send(&letter()).await.unwrap();
    mailer.send(&Letter { sent_at: START + 60, ..letter() }).await.unwrap();
    mailer.send(&Letter { id: Uuid::from_u128(2), ..letter() }).await.unwrap();
    let mut names: Vec<String> =
        place.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(
        names,
        [format!("{}.eml", Uuid::from_u128(2)), format!("{ID}.eml")],
        "the second try is the same letter"
    );
    let raw = std::fs::read_to_string(place.join(&names[1])).unwrap();
    let mail = SinkMail::parse(String::new(), Vec::new(), raw);
    assert_eq!(mail.subject, written().subject);
    assert_eq!(mail.text.trim_end(), written().text.trim_end());
    assert_eq!(mail.html.trim_end(), written().html.trim_end());
    assert_eq!(mail.header("Date").unwrap(), "Mon, 21 Sep 2026 14:14:20 +0000");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&place), mode(&place.join(&names[0]))), (0o700, 0o600));
    }
    std::fs::remove_dir_all(&place).unwrap();
    let reason = outage(&mailer).await;
    assert!(reason.starts_with("mail.folder: "), "{reason}");
}

#[tokio::test]
async fn the_mailbox_holds_the_last_200_letters_the_newest_first() {
    let mailbox = mailer(&Mail { transport: Transport::Mailbox, ..Mail::default() });
    for number in 0..205 {
        mailbox.send(&Letter { id: Uuid::from_u128(number), ..letter() }).await.unwrap();
    }
    let ids: Vec<u128> = mailbox.mailbox().unwrap().iter().map(|letter| letter.id.as_u128()).collect();
    assert_eq!(ids, (5..205).rev().collect::<Vec<_>>());
    assert!(!mailbox.is_off());
    let off = mailer(&Mail::default());
    off.send(&letter()).await.unwrap();
    assert!(off.is_off() && off.mailbox().is_none());
    assert!(mailer(&SmtpSink::start().await.settings()).mailbox().is_none());
}

#[tokio::test]
async fn a_dropped_attempt_leaves_nothing_behind_that_confuses_the_next() {
    let sink = SmtpSink::start().await;
    let mailer = mailer(&sink.settings());
    mailer.send(&letter()).await.unwrap();
    sink.ignore_next_at("DATA");
    let dropped = tokio::time::timeout(Duration::from_millis(300), mailer.send(&letter())).await;
    assert!(dropped.is_err());
    mailer.send(&saying("next")).await.unwrap();
    let mails = sink.wait_for(2).await;
    assert_eq!((mails.len(), mails[1].text.trim()), (2, "next"));
}
