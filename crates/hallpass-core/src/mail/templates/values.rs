//! Which mails there are, and what each can say.
//!
//! A value is data and never markup: it is escaped where it stands, and has no line of its own.

use serde::Serialize;

/// Which mail it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// To a new address: how to show that it is the account's.
    VerifyEmail,
    /// How to set a new password.
    ResetPassword,
    /// To the address that an account is to have: how to show that it is the owner's.
    ChangeEmail,
    /// To the address that an account had: that it has another one.
    EmailChanged,
    /// That the account has a new password.
    PasswordChanged,
    /// To somebody who has an account: that somebody wanted one with this address.
    AlreadyRegistered,
    /// How to sign in, by link or by code.
    SignInLink,
    /// That the account will be deleted, and how to call it off.
    AccountDeletionScheduled,
    /// That the account is gone.
    AccountDeleted,
}

impl Kind {
    /// Every mail that there is.
    pub const ALL: [Kind; 9] = [
        Kind::VerifyEmail,
        Kind::ResetPassword,
        Kind::ChangeEmail,
        Kind::EmailChanged,
        Kind::PasswordChanged,
        Kind::AlreadyRegistered,
        Kind::SignInLink,
        Kind::AccountDeletionScheduled,
        Kind::AccountDeleted,
    ];

    /// Its name, in `snake_case`: what its templates are called.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::VerifyEmail => "verify_email",
            Kind::ResetPassword => "reset_password",
            Kind::ChangeEmail => "change_email",
            Kind::EmailChanged => "email_changed",
            Kind::PasswordChanged => "password_changed",
            Kind::AlreadyRegistered => "already_registered",
            Kind::SignInLink => "sign_in_link",
            Kind::AccountDeletionScheduled => "account_deletion_scheduled",
            Kind::AccountDeleted => "account_deleted",
        }
    }

    /// The mail of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The page that its link opens, and for how many minutes, as a sample.
    fn link(self) -> Option<(&'static str, i64)> {
        match self {
            Kind::VerifyEmail => Some(("verify", 1440)),
            Kind::ChangeEmail => Some(("change-email", 1440)),
            Kind::ResetPassword | Kind::AlreadyRegistered => Some(("reset", 30)),
            Kind::SignInLink => Some(("sign-in", 10)),
            Kind::EmailChanged | Kind::PasswordChanged | Kind::AccountDeletionScheduled | Kind::AccountDeleted => None,
        }
    }
}

/// What a mail can say. A template finds each under its name; what is not there is false in an `if`.
#[derive(Clone, Serialize)]
pub struct Values {
    /// What the service is called.
    pub product: String,
    /// How to address the person: the first name or the user name.
    pub name: Option<String>,
    /// The address that the mail goes to.
    pub email: String,
    /// The page to open, with the secret behind its `#`.
    pub link: Option<String>,
    /// What can be typed in the place of the link.
    pub code: Option<String>,
    /// Minutes for which link and code are good.
    pub valid_minutes: Option<i64>,
    /// The address that the account has from now on.
    pub new_email: Option<String>,
    /// When the account will be deleted, in seconds since 1970 (UTC).
    pub delete_at: Option<i64>,
    /// When it was asked for, in seconds since 1970 (UTC).
    pub at: i64,
    /// The client address from which it was asked for. What the client calls itself is left out: it is anything that
    /// somebody likes to have mailed.
    pub ip: Option<String>,
}

impl Values {
    /// Everything that this mail can say, made up. `links` is what links begin with, `now` in seconds since 1970 (UTC).
    pub fn sample(kind: Kind, product: &str, links: &str, now: i64) -> Self {
        let link = kind.link();
        Self {
            product: product.into(),
            name: Some("Ada".into()),
            email: "ada@example.org".into(),
            code: (kind == Kind::SignInLink).then(|| "4F7K-9Q2M".into()),
            link: link.map(|(page, _)| format!("{links}/{page}#token=hpt_{}", "x".repeat(43))),
            valid_minutes: link.map(|(_, minutes)| minutes),
            new_email: (kind == Kind::EmailChanged).then(|| "ada@example.net".into()),
            delete_at: (kind == Kind::AccountDeletionScheduled).then_some(now + 14 * 86_400),
            at: now,
            ip: Some("203.0.113.7".into()),
        }
    }

    /// The same without what no mail can count on.
    pub(super) fn sparse(self) -> Self {
        Self { name: None, ip: None, ..self }
    }

    /// The same with every text in one line, so that none can look like more than a value.
    pub(super) fn in_lines(&self) -> Self {
        let option = |text: &Option<String>| text.as_deref().map(one_line);
        Self {
            product: one_line(&self.product),
            name: option(&self.name),
            email: one_line(&self.email),
            link: option(&self.link),
            code: option(&self.code),
            new_email: option(&self.new_email),
            ip: option(&self.ip),
            ..*self
        }
    }
}

/// A text with a space in the place of whatever breaks a line, controls a terminal or turns the direction of writing.
pub(in crate::mail) fn one_line(text: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let text: String = text.chars().map(|c| if breaks(c) { ' ' } else { c }).collect();
    text.trim().to_owned()
}
