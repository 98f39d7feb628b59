//! Strict JSON: one UTF-8 document (RFC 8259), no name twice in any object, at most [`MAX_DEPTH`] levels. It never
//! settles for the first or the last of two members, because two readers could settle differently.

use std::{collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The most arrays and objects inside each other, the outermost counted.
pub(crate) const MAX_DEPTH: usize = 32;

/// Reads one JSON object. `None` tells nothing of what is wrong, since nobody is told.
pub(crate) fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Checked { levels_left: MAX_DEPTH }.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    // Read a second time rather than built while checking: how a number becomes a `Value` is serde_json's affair, and
    // differs with its features.
    serde_json::from_str(text).ok()
}

/// Walks over one value and finds names that come twice and nesting that goes too deep.
struct Checked {
    levels_left: usize,
}

impl Checked {
    fn inner<E: serde::de::Error>(&self) -> Result<usize, E> {
        self.levels_left.checked_sub(1).ok_or_else(|| E::custom("nested too deeply"))
    }
}

impl<'de> DeserializeSeed<'de> for Checked {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Checked {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let levels_left = self.inner()?;
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !names.insert(name) {
                return Err(A::Error::custom("a name comes twice"));
            }
            members.next_value_seed(Checked { levels_left })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let levels_left = self.inner()?;
        while items.next_element_seed(Checked { levels_left })?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_comes_twice_is_refused_at_any_depth_and_in_any_spelling() {
        assert!(object(br#"{"a":1,"b":[{"a":1}]}"#).is_some());
        assert!(object(br#"{"a":1,"a":1}"#).is_none());
        assert!(object(br#"{"a":1,"\u0061":1}"#).is_none());
        assert!(object(br#"{"b":[{"a":1,"a":2}]}"#).is_none());
    }

    #[test]
    fn nesting_ends_at_32_levels() {
        let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
        assert!(object(nested(32).as_bytes()).is_some());
        assert!(object(nested(33).as_bytes()).is_none());
    }

    #[test]
    fn only_one_utf8_object_is_a_document() {
        for bad in [
            &b""[..],
            b"[]",
            b"1",
            b"null",
            b"{} {}",
            b"{}\0",
            b"\xef\xbb\xbf{}",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":\"\\ud800\"}",
            b"{\"a\":NaN}",
            b"{\"a\":01}",
            b"{\"a\":1,}",
            b"{\"a\":1e400}",
            b"{/**/}",
        ] {
            assert!(object(bad).is_none(), "{:?}", bad.escape_ascii().to_string());
        }
        assert!(object(b" \r\n\t{} ").is_some());
    }
}
