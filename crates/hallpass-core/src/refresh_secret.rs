//! A refresh secret: it names a session and a generation and proves both.
//!
//! The database stores neither the secret nor anything that makes one; a garbled or forged secret is refused before any
//! database work. On the wire it is `hpr_` and 75 characters of base64url: MAC (32 bytes), generation (8), session (16).
//! The MAC comes first so that two secrets share no prefix beyond the format.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use hallpass_token::SessionId;
use uuid::Uuid;

use crate::MacKey;

/// Tells secret scanners and people what they found.
const PREFIX: &str = "hpr_";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RefreshSecret {
    pub(crate) session: SessionId,
    pub(crate) generation: i64,
}

impl RefreshSecret {
    /// The same session and generation always give the same text.
    pub(crate) fn encode(self, key: &MacKey) -> String {
        let named = self.named();
        let mut bytes = Vec::with_capacity(56);
        bytes.extend_from_slice(&key.mac(&named));
        bytes.extend_from_slice(&named);
        format!("{PREFIX}{}", BASE64URL.encode(bytes))
    }

    /// Reads a secret that we made, whole and unchanged; anything else is `None`.
    pub(crate) fn decode(text: &str, key: &MacKey) -> Option<Self> {
        let text = text.strip_prefix(PREFIX)?;
        let mut bytes = [0_u8; 56];
        // The length is fixed, so the buffer is big enough for whatever is read into it.
        if text.len() != 75 || BASE64URL.decode_slice_unchecked(text, &mut bytes).ok()? != bytes.len() {
            return None;
        }
        let (code, named) = bytes.split_first_chunk::<32>()?;
        if !key.verify(named, code) {
            return None;
        }
        let (generation, session) = named.split_first_chunk::<8>()?;
        let session = SessionId(Uuid::from_slice(session).ok()?);
        Some(Self { session, generation: i64::from_be_bytes(*generation) })
    }

    fn named(self) -> [u8; 24] {
        let mut named = [0; 24];
        named[..8].copy_from_slice(&self.generation.to_be_bytes());
        named[8..].copy_from_slice(self.session.0.as_bytes());
        named
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MasterKey, Secrets};

    #[test]
    fn only_the_whole_secret_of_our_own_key_is_read() {
        let secrets = Secrets::derive(&MasterKey::generate().unwrap()).unwrap();
        let foreign = Secrets::derive(&MasterKey::generate().unwrap()).unwrap();
        let secret = RefreshSecret { session: SessionId(Uuid::from_u128(7)), generation: 3 };
        let text = secret.encode(&secrets.refresh);
        assert_eq!(text.len(), 79);
        assert_eq!(RefreshSecret::decode(&text, &secrets.refresh), Some(secret));
        assert_eq!(RefreshSecret::decode(&text, &foreign.refresh), None);
        for cut in 0..text.len() {
            assert_eq!(RefreshSecret::decode(&text[..cut], &secrets.refresh), None, "cut to {cut}");
        }
        for (position, character) in text.char_indices() {
            let mut changed = text.clone();
            let other = if character == 'A' { "B" } else { "A" };
            changed.replace_range(position..=position, other);
            assert_eq!(RefreshSecret::decode(&changed, &secrets.refresh), None, "changed at {position}");
        }
        for extended in [format!("{text}A"), format!("{text}="), format!(" {text}"), text.to_uppercase()] {
            assert_eq!(RefreshSecret::decode(&extended, &secrets.refresh), None, "{extended}");
        }
    }

    #[test]
    fn ten_thousand_secrets_share_no_prefix_beyond_the_format() {
        let secrets = Secrets::derive(&MasterKey::generate().unwrap()).unwrap();
        let text = |n| RefreshSecret { session: SessionId(Uuid::from_u128(n)), generation: 0 }.encode(&secrets.refresh);
        let all: std::collections::BTreeSet<String> = (0..10_000).map(text).collect();
        assert_eq!(all.len(), 10_000);
        let firsts: std::collections::BTreeSet<char> = all.iter().filter_map(|text| text.chars().nth(4)).collect();
        assert_eq!(firsts.len(), 64, "the first character after the prefix takes every value");
    }
}
