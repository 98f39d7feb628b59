//! The master key and what is derived from it: MAC keys for refresh secrets, CSRF tokens, limits, mailed codes,
//! sessions, status lists and cursors, and the key that seals signing keys and mails that wait.
//!
//! Nothing here is ever stored in the database in a form that could be used, and nothing here can be printed.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    constant_time, hmac, rand,
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use zeroize::Zeroizing;

use crate::{Error, Result};

/// 32 random bytes that the operator keeps outside the database; all other secrets of the server hang on it.
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// A new key from the system's randomness.
    pub fn generate() -> Result<Self> {
        random().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// Reads a key as [`MasterKey::to_base64`] wrote it; says what is wrong without repeating it.
    pub fn from_base64(text: &str) -> Result<Self, &'static str> {
        let bytes = Zeroizing::new(BASE64.decode(text.trim()).map_err(|_| "the master key is not base64")?);
        let bytes = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| "the master key is not 32 bytes long")?;
        if bytes.iter().all(|byte| Some(byte) == bytes.first()) {
            return Err("the master key is one byte repeated: make one with `openssl rand -base64 32`");
        }
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// The key as text, to be kept where only the server can read it.
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64.encode(*self.0))
    }

    /// Proves to a server that whoever asks what reaches it holds its master key.
    pub fn doctor(&self) -> MacKey {
        self.mac_key("hallpass doctor v1")
    }

    fn mac_key(&self, purpose: &str) -> MacKey {
        MacKey(hmac::Key::new(hmac::HMAC_SHA256, self.derive(purpose).as_ref()))
    }

    /// A key for one purpose: HMAC-SHA-256 of the purpose's name (NIST SP 800-108 in its one-block form).
    fn derive(&self, purpose: &str) -> hmac::Tag {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &*self.0), purpose.as_bytes())
    }
}

/// A key that makes and checks HMAC-SHA-256 codes for one purpose.
pub struct MacKey(hmac::Key);

impl MacKey {
    /// The 32-byte code of `message`.
    pub fn mac(&self, message: &[u8]) -> [u8; 32] {
        let mut code = [0; 32];
        code.copy_from_slice(hmac::sign(&self.0, message).as_ref());
        code
    }

    /// Whether `code` is the whole code of `message`; takes the same time whatever differs.
    pub fn verify(&self, message: &[u8], code: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.mac(message), code).is_ok()
    }
}

/// What the server derives from its master key at start.
pub struct Secrets {
    /// Proves refresh secrets.
    pub(crate) refresh: MacKey,
    /// Proves CSRF tokens.
    pub csrf: MacKey,
    /// Proves known devices, and stands for accounts and names where failures are counted.
    pub(crate) limits: MacKey,
    /// Stands for the codes that were mailed.
    pub(crate) codes: MacKey,
    /// Proves the keys of sessions.
    pub(crate) session_keys: MacKey,
    /// Names status lists and shuffles what is in them.
    pub(crate) status_lists: MacKey,
    /// Proves where the pages of a list for administrators go on.
    pub(crate) cursors: MacKey,
    /// Proves who asks what reaches this server.
    pub doctor: MacKey,
    /// Tells whether a database was set up under this master key.
    pub(crate) fingerprint: String,
    sealing: RandomizedNonceKey,
}

impl Secrets {
    pub(crate) fn derive(master: &MasterKey) -> Result<Self> {
        let mac = |purpose| master.mac_key(purpose);
        Ok(Self {
            refresh: mac("hallpass refresh secret v1"),
            csrf: mac("hallpass csrf token v1"),
            limits: mac("hallpass limits v1"),
            codes: mac("hallpass mailed code v1"),
            session_keys: mac("hallpass session key v1"),
            status_lists: mac("hallpass status lists v1"),
            cursors: mac("hallpass admin cursor v1"),
            doctor: master.doctor(),
            fingerprint: BASE64.encode(master.derive("hallpass master key fingerprint v1").as_ref()),
            sealing: RandomizedNonceKey::new(&AES_256_GCM, master.derive("hallpass sealing v1").as_ref())
                .map_err(|_| Error::internal("the sealing key cannot be made"))?,
        })
    }

    /// Encrypts `secret` (AES-256-GCM, random nonce in front) so that it opens only under the same `name`.
    pub(crate) fn seal(&self, name: &str, secret: &[u8]) -> Result<Vec<u8>> {
        let mut sealed = secret.to_vec();
        let nonce = self
            .sealing
            .seal_in_place_append_tag(Aad::from(name), &mut sealed)
            .map_err(|_| Error::internal("a secret cannot be sealed"))?;
        Ok([nonce.as_ref().as_slice(), &sealed].concat())
    }

    /// Decrypts what [`Secrets::seal`] made under the same `name`.
    pub(crate) fn open(&self, name: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let broken = || Error::internal("a sealed secret in the database does not open under this master key");
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(broken)?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let length = self
            .sealing
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(name), &mut buffer)
            .map_err(|_| broken())?
            .len();
        buffer.truncate(length);
        Ok(buffer)
    }
}

/// Bytes from the system's randomness.
pub(crate) fn random<const LENGTH: usize>() -> Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    rand::fill(&mut bytes).map_err(|_| Error::internal("the system gives no randomness"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_only_under_its_name_and_its_master_key() {
        let secrets = Secrets::derive(&MasterKey::generate().unwrap()).unwrap();
        let sealed = secrets.seal("one", b"secret").unwrap();
        assert_eq!(*secrets.open("one", &sealed).unwrap(), b"secret");
        assert!(secrets.open("two", &sealed).is_err());
        assert!(Secrets::derive(&MasterKey::generate().unwrap()).unwrap().open("one", &sealed).is_err());
        for length in 0..sealed.len() {
            assert!(secrets.open("one", &sealed[..length]).is_err(), "cut to {length} bytes");
        }
    }

    #[test]
    fn the_same_master_key_derives_different_keys_for_different_purposes() {
        let secrets = Secrets::derive(&MasterKey::generate().unwrap()).unwrap();
        assert_ne!(secrets.refresh.mac(b"x"), secrets.csrf.mac(b"x"));
    }

    #[test]
    fn a_weak_or_garbled_master_key_is_refused() {
        for text in ["", "not base64!", "c2hvcnQ=", &BASE64.encode([7; 32]), &BASE64.encode([1; 33])] {
            assert!(MasterKey::from_base64(text).is_err(), "{text}");
        }
        let good = MasterKey::generate().unwrap().to_base64();
        assert_eq!(MasterKey::from_base64(&good).unwrap().to_base64(), good);
    }
}
