//! Mails as tests get and read them: whom they are to, what they say, and the secret of their link.

use hallpass_core::{
    Config,
    config::Verification,
    testing::{SinkMail, SmtpSink},
};

use crate::support::*;

pub(crate) const ADA: &str = "ada@example.com";
pub(crate) const NEW: &str = "lovelace@example.org";
pub(crate) const BOB: &str = "bob@example.net";
pub(crate) const OTHER_PASSWORD: &str = "lighthouse pickle gravity 9";

/// The accounts' addresses are not asked for, so that nothing is mailed at sign-up.
pub(crate) fn unverified(config: &mut Config) {
    config.accounts.verify_email = Verification::None;
}

/// Sends what is due, and returns the mails that have come since the last time.
pub(crate) async fn new_mails(app: &TestApp, sink: &SmtpSink) -> Vec<SinkMail> {
    app.send_mail().await;
    let mails = sink.mails();
    sink.clear();
    mails
}

/// The only one.
pub(crate) async fn one_mail(app: &TestApp, sink: &SmtpSink) -> SinkMail {
    let mut mails = new_mails(app, sink).await;
    assert_eq!(mails.len(), 1, "{mails:#?}");
    mails.remove(0)
}

/// Asserts that it is this mail to this person alone, which says the same in both parts, and that its one link leads to
/// `page`. Returns the secret of the link.
#[track_caller]
pub(crate) fn link(mail: &SinkMail, to: &str, subject: &str, says: &str, page: &str) -> String {
    assert_mail(mail, to, subject, says);
    let token = mail.token().unwrap_or_default();
    assert!(token.starts_with("hpt_") && token.len() == 47, "{}", mail.text);
    let link = format!("{FRONT_END}/{page}#token={token}");
    assert!(mail.text.contains(&format!("\n{link}\n")), "{}", mail.text);
    assert!(mail.html.contains(&format!("<a href=\"{link}\"")), "{}", mail.html);
    assert_eq!((mail.text.matches("://").count(), mail.html.matches("://").count()), (1, 3), "{}", mail.html);
    token.to_owned()
}

/// The same of a mail without a link.
#[track_caller]
pub(crate) fn notice(mail: &SinkMail, to: &str, subject: &str, says: &str) {
    assert_mail(mail, to, subject, says);
    assert!(!mail.text.contains("://") && !mail.html.contains("://") && !mail.raw.contains("hpt_"), "{}", mail.text);
}

#[track_caller]
fn assert_mail(mail: &SinkMail, to: &str, subject: &str, says: &str) {
    let header = |name| mail.header(name).unwrap_or_default();
    assert_eq!((mail.from.as_str(), header("From")), ("no-reply@example.com", "Example <no-reply@example.com>".into()));
    assert_eq!((mail.to.as_slice(), header("To")), (&[to.to_owned()][..], to.into()));
    assert_eq!(mail.subject, subject);
    assert!(mail.text.contains(says), "{}", mail.text);
    assert!(mail.html.contains(says), "{}", mail.html);
}

#[track_caller]
pub(crate) fn confirmation(mail: &SinkMail, to: &str) -> String {
    let says = format!("Somebody gave this address, {to}, for an account at Example.");
    link(mail, to, "Confirm your e-mail address at Example", &says, "verify")
}

/// The secret and the code of a mail that signs in.
#[track_caller]
pub(crate) fn sign_in_mail(mail: &SinkMail, to: &str) -> (String, String) {
    let says = "Here is the link that signs you in to Example:";
    let token = link(mail, to, "Sign in to Example", says, "sign-in");
    let (_, rest) = mail.text.split_once("Or enter this code where you asked for it:\n\n").unwrap();
    let code = rest.lines().next().unwrap().to_owned();
    assert!(code.len() == 9 && mail.html.contains(&format!(">{code}<")), "{}", mail.html);
    (token, code)
}
