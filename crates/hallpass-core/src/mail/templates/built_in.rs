//! The templates that come with the program. A new language is a folder in `templates/` and a line here.
//!
//! They are the same for everybody; what an operator changes lies in the folder of `mail.templates`.

/// A language's files by their names below `templates/`.
macro_rules! language {
    ($tag:literal) => {
        language!(
            $tag: "verify_email" "reset_password" "change_email" "email_changed" "password_changed" "already_registered"
            "sign_in_link" "account_deletion_scheduled" "account_deleted"
        )
    };
    ($tag:literal: $($kind:literal)+) => {
        &[
            language!(@file concat!($tag, "/layout.html")),
            language!(@file concat!($tag, "/layout.txt")),
            $(
                language!(@file concat!($tag, "/", $kind, ".subject")),
                language!(@file concat!($tag, "/", $kind, ".txt")),
                language!(@file concat!($tag, "/", $kind, ".html")),
            )+
        ]
    };
    (@file $name:expr) => {
        ($name, include_str!(concat!("../../../templates/", $name)))
    };
}

/// What all languages share, and what each has.
pub(super) const FILES: &[&[(&str, &str)]] =
    &[&[language!(@file "base.html"), language!(@file "base.txt")], language!("de"), language!("en")];
