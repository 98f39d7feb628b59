//! JSON (RFC 8259) in which nothing is left to the reader's taste.
//!
//! It accepts one object in UTF-8, at most 32 levels deep, without duplicate keys at any level; it never recurses
//! deeper than that, whatever is sent.

use std::fmt;

use hallpass_core::{Code, Error};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, error::Category};

/// Levels of arrays and objects.
const DEEPEST: u8 = 32;

/// Reads one object and nothing besides it.
///
/// # Errors
/// [`Code::InvalidRequest`] with the place of the fault, never with what stood there.
pub(crate) fn object(body: &[u8]) -> Result<Map<String, Value>, Error> {
    let refuse = |detail: String| Error::new(Code::InvalidRequest, detail);
    let text = str::from_utf8(body).map_err(|_| refuse("The body is not UTF-8".into()))?;
    match value(text).map_err(|fault| refuse(format!("The body {fault}")))? {
        Value::Object(members) => Ok(members),
        _ => Err(refuse("The body is not a JSON object".into())),
    }
}

/// Reads one value of any kind and nothing besides it, or says what is wrong and where.
pub(crate) fn value(text: &str) -> Result<Value, String> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Level(DEEPEST).deserialize(&mut deserializer);
    value.and_then(|value| deserializer.end().map(|()| value)).map_err(|error| {
        let what = match error.classify() {
            Category::Data => "has a duplicate key or is nested too deep",
            _ => "is not JSON",
        };
        format!("{what}, at line {} column {}", error.line(), error.column())
    })
}

/// Reads a value that may contain so many more levels.
struct Level(u8);

impl Level {
    fn deeper<E: serde::de::Error>(&self) -> Result<u8, E> {
        self.0.checked_sub(1).ok_or_else(|| E::custom("too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(Level(deeper))? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let value = members.next_value_seed(Level(deeper))?;
            if object.insert(key, value).is_some() {
                return Err(A::Error::custom("duplicate key"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_object_is_read_as_it_stands() {
        let text = r#"{"a":[1,-2,0.5,true,null,"é\u00e9\ud83d\ude00"],"b":{"a":{}}}"#;
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(Value::Object(object(text.as_bytes()).unwrap()), expected);
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        let bodies: &[&[u8]] = &[
            b"",
            b" ",
            b"null",
            b"[]",
            b"\"x\"",
            br#"{"a":1,"a":1}"#,
            br#"{"a":1,"\u0061":2}"#,
            br#"{"o":{"a":1,"a":2}}"#,
            br#"{"o":[{"a":1,"a":2}]}"#,
            br#"{"a":1}{}"#,
            br#"{"a":1} x"#,
            br#"{"a":1,}"#,
            br#"{'a':1}"#,
            br#"{"a":NaN}"#,
            br#"{"a":Infinity}"#,
            br#"{"a":1e999}"#,
            br#"{"a":01}"#,
            br#"{"a":"\ud800"}"#,
            br#"{"a":1}/**/"#,
            b"{\"a\":\"\xff\"}",
            b"\xef\xbb\xbf{}",
            b"\xff\xfe{\x00}\x00",
            b"{\"a\":\"\n\"}",
        ];
        for body in bodies {
            let error = object(body).expect_err(&String::from_utf8_lossy(body));
            assert_eq!(error.code, Code::InvalidRequest);
        }
    }

    #[test]
    fn nesting_ends_at_thirty_two_levels() {
        let arrays = |depth: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1));
        let objects = |depth: usize| format!(r#"{}{{}}{}"#, r#"{"a":"#.repeat(depth - 1), "}".repeat(depth - 1));
        for nested in [arrays, objects as fn(usize) -> String] {
            object(nested(32).as_bytes()).unwrap();
            object(nested(33).as_bytes()).unwrap_err();
            object(nested(13_000).as_bytes()).unwrap_err();
        }
        object("[".repeat(65_000).as_bytes()).unwrap_err();
    }
}
