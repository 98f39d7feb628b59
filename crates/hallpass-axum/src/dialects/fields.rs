//! The rules of Django REST framework's fields, and what it says of a value that breaks one.

use std::net::IpAddr;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{body::LONE_SURROGATE, drf::Refusal};

/// Characters of the longest user name, first name or last name.
pub(super) const NAME: usize = 150;
/// Characters of the longest e-mail address.
pub(super) const EMAIL: usize = 254;

/// What a text field asks for.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    pub(super) required: bool,
    pub(super) blank: bool,
    pub(super) longest: Option<usize>,
}

/// Must be there, and must not be blank.
pub(super) const NEEDED: Rules = Rules { required: true, blank: false, longest: None };

/// Takes the fields of one request, and collects what is wrong with them in that order.
pub(super) struct Fields {
    members: Map<String, Value>,
    wrong: Map<String, Value>,
}

impl Fields {
    pub(super) fn of(members: Map<String, Value>) -> Self {
        Self { members, wrong: Map::new() }
    }

    /// A `CharField`: the text without blanks around it; `None` if it is not there, or wrong.
    pub(super) fn text(&mut self, name: &str, rules: Rules) -> Option<String> {
        self.field(name, rules, |_| Vec::new())
    }

    /// A user name as Django takes it, which the account can have.
    pub(super) fn username(&mut self, name: &str, required: bool) -> Option<String> {
        self.field(name, Rules { required, blank: false, longest: Some(NAME) }, |text| {
            let fine = text.chars().all(|c| c.is_alphanumeric() || c == '_' || "@.+-".contains(c));
            let sentence = "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ \
                characters.";
            if fine { Vec::new() } else { vec![sentence.to_owned()] }
        })
    }

    /// An `EmailField`.
    pub(super) fn email(&mut self, name: &str, rules: Rules) -> Option<String> {
        const WRONG: &str = "Enter a valid email address.";
        if matches!(self.members.get(name), Some(Value::Bool(_) | Value::Array(_) | Value::Object(_))) {
            self.refuse(name, WRONG);
            return None;
        }
        self.field(name, Rules { longest: rules.longest.or(Some(EMAIL)), ..rules }, |text| {
            if is_email(text) { Vec::new() } else { vec![WRONG.to_owned()] }
        })
    }

    /// Notes what is wrong with a field.
    pub(super) fn refuse(&mut self, name: &str, sentence: impl Into<String>) {
        let _: Option<()> = self.note(name, vec![sentence.into()]);
    }

    /// The same for everything that is wrong with it, if anything is.
    pub(super) fn refuse_all(&mut self, name: &str, sentences: Vec<String>) {
        if !sentences.is_empty() {
            let _: Option<()> = self.note(name, sentences);
        }
    }

    /// A `PrimaryKeyRelatedField`: the id of an account, which must be there.
    pub(super) fn key(&mut self, name: &str) -> Option<i64> {
        let kind = match self.members.get(name) {
            None => return self.note(name, vec!["This field is required.".into()]),
            Some(Value::Null) => return self.note(name, vec!["This field may not be null.".into()]),
            Some(Value::Number(number)) => match number.as_i64() {
                Some(id) => return Some(id),
                None => "float",
            },
            Some(Value::String(text)) => match text.trim().parse() {
                Ok(id) => return Some(id),
                Err(_) => "str",
            },
            Some(Value::Bool(_)) => "bool",
            Some(Value::Array(_)) => "list",
            Some(Value::Object(_)) => "dict",
        };
        self.note(name, vec![format!("Incorrect type. Expected pk value, received {kind}.")])
    }

    /// Goes on if nothing is wrong.
    pub(super) fn check(&mut self) -> Result<(), Refusal> {
        let wrong = std::mem::take(&mut self.wrong);
        if wrong.is_empty() { Ok(()) } else { Err(Refusal::new(StatusCode::BAD_REQUEST, Value::Object(wrong))) }
    }

    fn field(&mut self, name: &str, rules: Rules, judge: impl FnOnce(&str) -> Vec<String>) -> Option<String> {
        let text = match self.members.get(name) {
            None if rules.required => return self.note(name, vec!["This field is required.".into()]),
            None => return None,
            Some(Value::Null) => return self.note(name, vec!["This field may not be null.".into()]),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => return self.note(name, vec!["Not a valid string.".into()]),
        };
        if text.is_empty() {
            return if rules.blank { Some(text) } else { self.note(name, vec!["This field may not be blank.".into()]) };
        }
        let mut wrong = Vec::new();
        if let Some(longest) = rules.longest.filter(|longest| text.chars().count() > *longest) {
            wrong.push(format!("Ensure this field has no more than {longest} characters."));
        }
        wrong.extend(judge(&text));
        if text.contains('\0') {
            wrong.push("Null characters are not allowed.".into());
        }
        if let Some((_, behind)) = text.split_once(LONE_SURROGATE) {
            let unit: String = behind.chars().take(4).collect();
            wrong.push(format!("Surrogate characters are not allowed: U+{unit}."));
        }
        if wrong.is_empty() { Some(text) } else { self.note(name, wrong) }
    }

    fn note<T>(&mut self, name: &str, sentences: Vec<String>) -> Option<T> {
        self.wrong.insert(name.to_owned(), json!(sentences));
        None
    }
}

/// Whether Django takes `text` for an e-mail address (`django.core.validators.EmailValidator`).
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    text.chars().count() <= 320 && is_local_part(local) && is_domain(domain)
}

fn is_local_part(local: &str) -> bool {
    let atom = |atom: &str| {
        !atom.is_empty() && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b"-!#$%&'*+/=?^_`{}|~".contains(&b))
    };
    let quoted = || {
        let inner = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        // Within quotes anything printable but a blank, and the quote and the backslash only behind a backslash.
        inner.is_some_and(|inner| {
            let mut escaped = false;
            let fine = inner.bytes().all(|b| {
                let plain = escaped || !matches!(b, b'"' | b'\\');
                escaped = !escaped && b == b'\\';
                (plain || escaped) && (0x21..=0x7E).contains(&b)
            });
            fine && !escaped && !inner.is_empty()
        })
    };
    local.split('.').all(atom) || quoted()
}

fn is_domain(domain: &str) -> bool {
    if domain == "localhost" {
        return true;
    }
    if let Some(literal) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return literal.strip_prefix("IPv6:").unwrap_or(literal).parse::<IpAddr>().is_ok();
    }
    let letter = |c: char| c.is_ascii_alphanumeric() || ('\u{A1}'..='\u{FFFF}').contains(&c);
    let label = |label: &str| {
        (1..=63).contains(&label.chars().count())
            && label.chars().all(|c| letter(c) || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top = |top: &str| top.chars().count() >= 2 && !top.chars().all(|c| c.is_ascii_digit());
    let alphabetic = |top: &str| {
        top.starts_with("xn--") || top.chars().all(|c| c == '-' || c.is_ascii_alphabetic() || !c.is_ascii())
    };
    domain.rsplit_once('.').is_some_and(|(_, last)| domain.split('.').all(label) && top(last) && alphabetic(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_what_django_takes_for_one() {
        for fine in
            ["a@localhost", "a@[127.0.0.1]", "a@müller.de", "a+b@c.de", "A@B.DE", "\"a\\\"b\"@c.de", "a@xn--p1ai"]
        {
            let expected = fine != "a@xn--p1ai";
            assert_eq!(is_email(fine), expected, "{fine}");
        }
        for wrong in [
            "a@b",
            "a b@c.de",
            "a@b@c.de",
            "a.@c.de",
            ".a@c.de",
            "a@b.c",
            "a@-b.de",
            "a@b-.de",
            "ä@b.de",
            "a@",
            "@b.de",
            "\"a b\"@c.de",
            "a@b..de",
            "a@1.23",
        ] {
            assert!(!is_email(wrong), "{wrong}");
        }
    }
}
