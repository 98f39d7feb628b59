//! The body of a request as Django REST framework takes it: JSON, a form, or a form in parts.

use std::convert::Infallible;

use axum::{
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
};
use futures_util::stream;
use multer::Multipart;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::drf::Refusal;
use crate::json;

/// Marks in a text where half of a surrogate pair was written, which no text can have; the four hexadecimal digits of it
/// follow. It is a noncharacter (Unicode Standard section 23.7), which nobody means to send.
pub(super) const LONE_SURROGATE: char = '\u{FDD0}';

/// What a body says.
pub(super) enum Data {
    Members(Map<String, Value>),
    /// Another kind of JSON, by its name in Python.
    NoObject(&'static str),
    Null,
}

impl Data {
    /// The members, or what is wrong with a body that has none.
    pub(super) fn members(self) -> Result<Map<String, Value>, Refusal> {
        match self {
            Self::Members(members) => Ok(members),
            Self::Null => Err(Refusal::whole("No data provided")),
            Self::NoObject(kind) => {
                Err(Refusal::whole(format!("Invalid data. Expected a dictionary, but got {kind}.")))
            }
        }
    }
}

/// Reads a body by its `Content-Type`; without either it is empty.
pub(super) async fn read(headers: &HeaderMap, body: &Bytes) -> Result<Data, Refusal> {
    let given = headers.get(header::CONTENT_TYPE).map(|kind| String::from_utf8_lossy(kind.as_bytes()));
    let kind = given.as_deref().unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        _ if body.is_empty() => Ok(Data::Members(Map::new())),
        "application/json" => read_json(body),
        "application/x-www-form-urlencoded" => {
            let text = |(name, value): (String, String)| (name, Value::String(value));
            Ok(Data::Members(form_urlencoded::parse(body).into_owned().map(text).collect()))
        }
        "multipart/form-data" => read_parts(kind, body).await,
        _ => {
            let detail = format!("Unsupported media type \"{kind}\" in request.");
            Err(Refusal::detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
        }
    }
}

fn read_json(body: &[u8]) -> Result<Data, Refusal> {
    let wrong = |what: &str| Refusal::detail(StatusCode::BAD_REQUEST, format!("JSON parse error - {what}"));
    let text = str::from_utf8(body).map_err(|_| wrong("the body is not UTF-8"))?;
    match json::value(&mark_lone_surrogates(text)).map_err(|fault| wrong(&format!("the body {fault}")))? {
        Value::Object(members) => Ok(Data::Members(members)),
        Value::Null => Ok(Data::Null),
        Value::Array(_) => Ok(Data::NoObject("list")),
        Value::String(_) => Ok(Data::NoObject("str")),
        Value::Bool(_) => Ok(Data::NoObject("bool")),
        Value::Number(number) => Ok(Data::NoObject(if number.is_f64() { "float" } else { "int" })),
    }
}

async fn read_parts(kind: &str, body: &Bytes) -> Result<Data, Refusal> {
    let wrong = |error: multer::Error| {
        Refusal::detail(StatusCode::BAD_REQUEST, format!("Multipart form parse error - {error}"))
    };
    let boundary = multer::parse_boundary(kind).map_err(wrong)?;
    let whole = stream::iter([Ok::<_, Infallible>(body.clone())]);
    let mut parts = Multipart::new(whole, boundary);
    let mut members = Map::new();
    while let Some(part) = parts.next_field().await.map_err(wrong)? {
        // A file is no value of any field here.
        if let Some(name) = part.name().filter(|_| part.file_name().is_none()).map(str::to_owned) {
            members.insert(name, part.text().await.map_err(wrong)?.into());
        }
    }
    Ok(Data::Members(members))
}

/// Escapes of half a surrogate pair, written so that they can be read as text.
fn mark_lone_surrogates(text: &str) -> String {
    let mut marked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        marked.push_str(before);
        let unit = |escape: &str| {
            let digits = escape.strip_prefix("\\u")?.get(..4)?;
            u16::from_str_radix(digits, 16).ok().map(|unit| (unit, digits.to_ascii_uppercase()))
        };
        let length = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some((0xD800..=0xDBFF, _)), Some((0xDC00..=0xDFFF, _))) => 12,
            (Some((0xD800..=0xDFFF, digits)), _) => {
                marked.extend([LONE_SURROGATE.to_string(), digits]);
                rest = escape.get(6..).unwrap_or_default();
                continue;
            }
            // The escaped character belongs to the escape, so that `\\u` is none of another.
            _ => 1 + escape.chars().nth(1).map_or(0, char::len_utf8),
        };
        let (escape, behind) = escape.split_at_checked(length).unwrap_or((escape, ""));
        marked.push_str(escape);
        rest = behind;
    }
    marked + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_surrogate_pair_is_found_and_a_whole_one_is_text() {
        for (sent, read) in [
            (r#"{"a":"a\ud800b"}"#, "a\u{FDD0}D800b"),
            (r#"{"a":"\uDC00"}"#, "\u{FDD0}DC00"),
            (r#"{"a":"\ud83d\ude00"}"#, "😀"),
            (r#"{"a":"\\ud800"}"#, "\\ud800"),
            (r#"{"a":"\\\ud800x"}"#, "\\\u{FDD0}D800x"),
            (r#"{"a":"\ud800\ud83d\ude00"}"#, "\u{FDD0}D800😀"),
        ] {
            let Ok(Data::Members(members)) = read_json(sent.as_bytes()) else { panic!("{sent}") };
            assert_eq!(members["a"], read, "{sent}");
        }
        for broken in [r#"{"a":"\"#, r#"{"a":"\u"#, r#"{"a":"\ud8"#, r#"{"a":"\é"}"#] {
            assert!(read_json(broken.as_bytes()).is_err(), "{broken}");
        }
    }
}
