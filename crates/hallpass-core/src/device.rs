//! Proof that somebody has signed in to an account on this device before.
//!
//! It opens nothing: whoever has it only gets a count of failed sign-ins apart from everybody else's, so that nobody who
//! fails on purpose locks the owner out. On the wire it is 75 characters of base64url: account id (8 bytes), nonce (16),
//! MAC (32).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use hallpass_token::AccountId;

use crate::{MacKey, Result, secret};

const LABEL: &[u8] = b"device";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Device {
    pub(crate) account: AccountId,
    pub(crate) nonce: [u8; 16],
}

impl Device {
    /// A device that has just signed in.
    pub(crate) fn new(account: AccountId) -> Result<Self> {
        Ok(Self { account, nonce: secret::random()? })
    }

    pub(crate) fn encode(self, key: &MacKey) -> String {
        let named = self.named();
        BASE64URL.encode([named.as_slice(), &key.mac(&[LABEL, &named].concat())].concat())
    }

    /// Reads a proof that we made, whole and unchanged; anything else is `None`.
    pub(crate) fn decode(text: &str, key: &MacKey) -> Option<Self> {
        let mut bytes = [0_u8; 56];
        // The length is fixed, so the buffer is big enough for whatever is read into it.
        if text.len() != 75 || BASE64URL.decode_slice_unchecked(text, &mut bytes).ok()? != bytes.len() {
            return None;
        }
        let (named, code) = bytes.split_first_chunk::<24>()?;
        if !key.verify(&[LABEL, named.as_slice()].concat(), code) {
            return None;
        }
        let (account, nonce) = named.split_first_chunk::<8>()?;
        Some(Self { account: AccountId(i64::from_be_bytes(*account)), nonce: nonce.try_into().ok()? })
    }

    fn named(self) -> [u8; 24] {
        let mut named = [0; 24];
        named[..8].copy_from_slice(&self.account.0.to_be_bytes());
        named[8..].copy_from_slice(&self.nonce);
        named
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MasterKey, Secrets};

    #[test]
    fn only_the_whole_proof_of_our_own_key_is_read() {
        let secrets = Secrets::derive(&MasterKey::generate().unwrap()).unwrap();
        let foreign = Secrets::derive(&MasterKey::generate().unwrap()).unwrap();
        let device = Device::new(AccountId(7)).unwrap();
        let text = device.encode(&secrets.limits);
        assert_eq!(text.len(), 75);
        assert_eq!(Device::decode(&text, &secrets.limits), Some(device));
        assert_eq!(Device::decode(&text, &foreign.limits), None);
        for cut in 0..text.len() {
            assert_eq!(Device::decode(&text[..cut], &secrets.limits), None, "cut to {cut}");
        }
        for (position, character) in text.char_indices() {
            let mut changed = text.clone();
            let other = if character == 'A' { "B" } else { "A" };
            changed.replace_range(position..=position, other);
            assert_eq!(Device::decode(&changed, &secrets.limits), None, "changed at {position}");
        }
        for extended in [format!("{text}A"), format!("{text}="), format!(" {text}"), text.to_uppercase()] {
            assert_eq!(Device::decode(&extended, &secrets.limits), None, "{extended}");
        }
    }
}
