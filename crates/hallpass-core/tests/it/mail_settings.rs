//! Settings of mail that cannot work are refused before anything is sent, each with a sentence that says what to do.

use hallpass_core::{
    Config,
    config::{Mail, Presence, SmtpTls, Transport, Verification},
    mail::Mailer,
};

use crate::support::config;

/// What is wrong with settings that are fine but for `change`.
fn problems(change: impl FnOnce(&mut Config)) -> Vec<String> {
    let settings = |config: &mut Config| {
        config.mail = Mail {
            transport: Transport::Smtp,
            from: "Example <no-reply@example.com>".into(),
            smtp_host: "mail.example.com".into(),
            ..config.mail.clone()
        };
        change(config);
    };
    config(settings).check()
}

fn problem(change: impl FnOnce(&mut Config)) -> String {
    let problems = problems(change);
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].clone()
}

#[test]
fn a_mail_server_needs_a_name_a_sender_and_tls() {
    assert_eq!(problems(|_| ()), [""; 0]);
    assert_eq!(problem(|c| c.mail.smtp_host.clear()), "`mail.smtp_host` is empty: name your mail server");
    let both = "`mail.smtp_username` and `mail.smtp_password` belong together: set both, or neither";
    assert_eq!(problem(|c| c.mail.smtp_username = "ada".into()), both);
    assert_eq!(problem(|c| c.mail.smtp_password = "secret".to_owned().into()), both);
    assert_eq!(
        problem(|c| c.mail.smtp_tls = SmtpTls::None),
        "`mail.smtp_tls` must be `starttls` or `implicit` for a mail server that is not on this machine"
    );
    for host in ["localhost", "LocalHost", "127.0.0.1", "127.8.8.8", "::1", "[::1]"] {
        let local = |c: &mut Config| {
            c.mail.smtp_tls = SmtpTls::None;
            c.mail.smtp_host = host.into();
            c.mail.smtp_username = "ada".into();
            c.mail.smtp_password = "secret".to_owned().into();
        };
        assert_eq!(problems(local), [""; 0], "{host}");
    }
    for host in ["128.0.0.1", "0.0.0.0", "::", "localhost.example.com", "127.0.0.1.nip.io", "2130706433"] {
        let elsewhere = |c: &mut Config| {
            c.mail.smtp_tls = SmtpTls::None;
            c.mail.smtp_host = host.into();
        };
        assert!(problem(elsewhere).starts_with("`mail.smtp_tls`"), "{host}");
    }
}

#[test]
fn a_sender_is_one_address_in_ascii_with_or_without_a_name() {
    for from in ["no-reply@example.com", "Example <no-reply@example.com>", "Öko <a@b.example>", "me@localhost"] {
        assert_eq!(problems(|c| c.mail.from = from.into()), [""; 0], "{from}");
    }
    for from in
        ["", "Example", "a@b@c", "a@example.com, b@example.com", "ö@example.com", "a@example.com\r\nBcc: b@c.de"]
    {
        let wrong = problem(|c| c.mail.from = from.into());
        assert!(
            wrong.starts_with("`mail.from`: ") && wrong.ends_with("write `Example <no-reply@example.com>`"),
            "{wrong}"
        );
    }
    let mailbox = |c: &mut Config| {
        c.mail.from.clear();
        c.mail.transport = Transport::Mailbox;
    };
    assert_eq!(problems(mailbox), [""; 0], "mail that goes nowhere needs no sender");
}

#[test]
fn links_are_addresses_that_a_page_can_be_added_to() {
    for links in ["https://app.example.com", "http://localhost:5173", "https://example.com/app"] {
        assert_eq!(problems(|c| c.mail.links = links.into()), [""; 0], "{links}");
    }
    let wrong = [
        "https://app.example.com/",
        "https://app.example.com#top",
        "https://app.example.com?next=1",
        "https://user:word@app.example.com",
        "ftp://app.example.com",
        "javascript:alert(1)",
        "app.example.com",
        "https://",
        "https://app.example.com/\"><b>",
        "https://app.example.com /x",
        "https://app.example.com\\x",
    ];
    for links in wrong {
        let problem = problem(|c| c.mail.links = links.into());
        assert!(problem.starts_with("`mail.links`: "), "{problem}");
    }
    assert_eq!(problem(|c| c.mail.links.clear()), "`mail.links` is empty: set `public_url`");
}

#[test]
fn what_depends_on_mail_is_refused_without_it() {
    let off = |c: &mut Config| c.mail.transport = Transport::Off;
    assert_eq!(problems(off), [""; 0]);
    let verified = |c: &mut Config| {
        c.accounts.verify_email = Verification::Required;
        c.accounts.email = Presence::Required;
    };
    assert_eq!(problems(verified), [""; 0]);
    let verified_off = |c: &mut Config| {
        verified(c);
        off(c);
    };
    assert_eq!(problem(verified_off), "`accounts.verify_email = \"required\"` needs mail: set `mail.transport`");
    assert_eq!(
        problem(|c| c.accounts.verify_email = Verification::Required),
        "`accounts.verify_email = \"required\"` needs addresses: set `accounts.email` to `required`"
    );
    let links_off = |c: &mut Config| {
        c.accounts.sign_in_links = true;
        off(c);
    };
    assert_eq!(problem(links_off), "`accounts.sign_in_links = true` needs mail: set `mail.transport`");
    let links_to_nobody = |c: &mut Config| {
        c.accounts.sign_in_links = true;
        c.accounts.email = Presence::Off;
    };
    assert!(problem(links_to_nobody).starts_with("`accounts.sign_in_links = true` needs addresses"));
}

#[test]
fn other_numbers_and_names_have_limits() {
    for days in [-1, 366] {
        let wrong = problem(|c| c.accounts.deletion_grace_days = days);
        assert_eq!(wrong, "`accounts.deletion_grace_days` must be 0 to 365");
    }
    assert_eq!(problem(|c| c.mail.product_name = " ".into()), "`mail.product_name` is empty");
    let nowhere = |c: &mut Config| {
        c.mail.transport = Transport::File;
        c.mail.folder.clear();
    };
    assert!(problem(nowhere).starts_with("`mail.folder` is empty"));
    let useless = |c: &mut Config| {
        c.mail.smtp_tls = SmtpTls::None;
        c.mail.smtp_host = "localhost".into();
        c.mail.smtp_ca_file = "ca.pem".into();
    };
    assert!(problem(useless).starts_with("`mail.smtp_ca_file` has no effect without TLS"));
}

#[test]
fn files_that_are_not_there_or_something_else_are_named() {
    let open = |change: &dyn Fn(&mut Mail)| {
        let mut mail = config(|c| {
            c.mail.transport = Transport::Smtp;
            c.mail.from = "no-reply@example.com".into();
            c.mail.smtp_host = "mail.example.com".into();
        })
        .mail;
        change(&mut mail);
        Mailer::open(&mail).err().unwrap_or_default().join("; ")
    };
    assert_eq!(open(&|_| ()), "");
    assert!(
        open(&|mail| mail.smtp_ca_file = "/nowhere/ca.pem".into())
            .starts_with("`mail.smtp_ca_file`: `/nowhere/ca.pem`: ")
    );
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("ca.pem").display().to_string();
    for content in ["", "rubbish", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        std::fs::write(&file, content).unwrap();
        let problem = open(&|mail| mail.smtp_ca_file.clone_from(&file));
        assert!(problem.starts_with(&format!("`mail.smtp_ca_file`: `{file}`: ")), "{content}: {problem}");
    }
    let in_a_file = open(&|mail| {
        mail.transport = Transport::File;
        mail.folder = format!("{file}/mail");
    });
    assert!(in_a_file.starts_with(&format!("`mail.folder`: `{file}/mail`: ")), "{in_a_file}");
}
