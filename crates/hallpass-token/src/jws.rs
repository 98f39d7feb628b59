//! A signed token in compact form (RFC 7515 section 7.1), taken apart as strictly as the standard allows. Nothing in
//! the header ever brings a key or a rule with it: it names a key that is already here, and says what it must say.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::{Map, Value};

use crate::{KeySet, Reason, VerifyingKey, json};

/// base64url without padding, and without set bits behind the last byte: one text for one sequence of bytes
/// (RFC 7515 section 2, RFC 4648 section 3.5).
pub(crate) const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(false),
);

/// The `typ` of the tokens that we issue (RFC 9068 section 2.1).
pub(crate) const TYPE: &str = "at+jwt";

/// Every `typ` of an access token (RFC 9068 section 4). As media types they are compared without regard to case
/// (RFC 7515 section 4.1.9).
const TYPES: [&str; 2] = [TYPE, "application/at+jwt"];

/// Whether a `typ` is that of an access token.
pub(crate) fn is_access_token(typ: &str) -> bool {
    TYPES.into_iter().any(|ours| ours.eq_ignore_ascii_case(typ))
}

/// Checks the form, the key, the signature and the type of `token`, in this order, and returns the members of its
/// payload. The caller has made sure that it is not too long.
pub(crate) fn open(token: &str, keys: &KeySet) -> Result<Map<String, Value>, Reason> {
    // Two cuts rather than a split at every dot: a token of dots costs no memory.
    let (signed, signature) = token.rsplit_once('.').ok_or(Reason::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(Reason::Malformed)?;
    if payload.contains('.') {
        return Err(Reason::Malformed);
    }
    let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);
    let header = json::object(&header).ok_or(Reason::Malformed)?;
    if !key_for(&header, keys)?.verify_signature(signed.as_bytes(), &signature) {
        return Err(Reason::Signature);
    }
    // Only now: what a token that nobody signed says of itself does not matter.
    if !is_access_token(text(&header, "typ")?) {
        return Err(Reason::Header("typ"));
    }
    json::object(&payload).ok_or(Reason::Malformed)
}

/// The key that signed, if the header is right.
fn key_for<'a>(header: &Map<String, Value>, keys: &'a KeySet) -> Result<&'a VerifyingKey, Reason> {
    // `crit` and `b64` change what is signed, `zip` and `cty` what the payload is; none has a place in an access token.
    // `jwk`, `jku`, `x5u`, `x5c` and `x5t` are, like any other member, not read at all.
    if let Some(forbidden) = ["crit", "b64", "zip", "cty"].into_iter().find(|name| header.contains_key(*name)) {
        return Err(Reason::Header(forbidden));
    }
    let key = keys.get(text(header, "kid")?).ok_or(Reason::UnknownKey)?;
    // The key has an algorithm; the token can only agree with it (RFC 8725 section 3.1).
    if text(header, "alg")? != key.algorithm().as_str() {
        return Err(Reason::Algorithm);
    }
    Ok(key)
}

fn text<'a>(header: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, Reason> {
    header.get(name).and_then(Value::as_str).ok_or(Reason::Header(name))
}

fn decode(part: &str) -> Result<Vec<u8>, Reason> {
    BASE64URL.decode(part).map_err(|_| Reason::Malformed)
}
