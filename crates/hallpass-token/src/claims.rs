//! What a token says, with types: the claims of RFC 9068 section 2.2 and the few that Hallpass adds. A claim of the
//! wrong type is never taken for one that is absent.

use serde_json::{Map, Number, Value};

use crate::{AccountId, MAX_LIFETIME, Reason, SessionId};

/// The claims of one access token.
///
/// Times are whole seconds since 1970 (UTC).
#[derive(Debug, Clone, PartialEq)]
pub struct Claims {
    /// `iss`: who issued the token, compared byte for byte.
    pub iss: String,
    /// `sub`: the account; a string of digits in the token.
    pub sub: AccountId,
    /// `aud`: for whom the token is; a string or an array of strings in the token.
    pub aud: Vec<String>,
    /// `client_id`: the application that the token was issued to.
    pub client_id: String,
    /// `exp`: from this moment on the token is over.
    pub exp: i64,
    /// `nbf`: before this moment the token is not yet good.
    pub nbf: Option<i64>,
    /// `iat`: when the token was issued.
    pub iat: i64,
    /// `jti`: the name of this one token.
    pub jti: String,
    /// `sid`: the session.
    pub sid: SessionId,
    /// `auth_time`: when the person last proved who they are.
    pub auth_time: i64,
    /// `amr`: how they proved it (RFC 8176), such as `pwd` or `otp`.
    pub amr: Vec<String>,
    /// `roles`: what the account may do (RFC 9068 section 2.2.3.1).
    pub roles: Vec<String>,
    /// `account_version`: counts the changes of the account that put older tokens out of date.
    pub account_version: i64,
    /// All other claims by name.
    pub extra: Map<String, Value>,
}

/// The claims that are fields of [`Claims`], and `cnf`, which is never taken: a token that is bound to a key
/// (RFC 7800, RFC 9449) is not a bearer token.
pub(crate) const RESERVED: [&str; 14] = [
    "iss",
    "sub",
    "aud",
    "client_id",
    "exp",
    "nbf",
    "iat",
    "jti",
    "sid",
    "auth_time",
    "amr",
    "roles",
    "account_version",
    "cnf",
];

impl Claims {
    /// Whether the account had this role when the token was issued.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|held| held == role)
    }

    /// Reads the claims out of a JSON object, and looks at them as far as that needs neither a clock nor a name to
    /// compare with. What is left over is `extra`.
    pub(crate) fn from_object(mut object: Map<String, Value>) -> Result<Self, Reason> {
        if object.contains_key("cnf") {
            return Err(Reason::Claim("cnf"));
        }
        let mut take = |name| object.remove(name).ok_or(Reason::Claim(name));
        let claims = Self {
            iss: string("iss", take("iss")?)?,
            sub: string("sub", take("sub")?)?.parse().map_err(|_| Reason::Claim("sub"))?,
            aud: audience(take("aud")?)?,
            client_id: string("client_id", take("client_id")?)?,
            exp: date("exp", &take("exp")?, f64::floor)?,
            nbf: take("nbf").ok().map(|value| date("nbf", &value, f64::ceil)).transpose()?,
            iat: date("iat", &take("iat")?, f64::floor)?,
            jti: string("jti", take("jti")?)?,
            sid: string("sid", take("sid")?)?.parse().map_err(|_| Reason::Claim("sid"))?,
            auth_time: date("auth_time", &take("auth_time")?, f64::floor)?,
            amr: strings("amr", take("amr")?)?,
            roles: strings("roles", take("roles")?)?,
            account_version: take("account_version")?.as_i64().ok_or(Reason::Claim("account_version"))?,
            extra: object,
        };
        // A token that lives longer than any that we issue would outlive the memory of its revocation.
        let lifetime = claims.exp.saturating_sub(claims.iat);
        if (0..=MAX_LIFETIME).contains(&lifetime) { Ok(claims) } else { Err(Reason::Claim("exp")) }
    }

    /// The claims as the JSON object that [`Claims::from_object`] reads back. A name that `extra` should not have
    /// loses.
    pub(crate) fn to_object(&self) -> Map<String, Value> {
        let mut object = self.extra.clone();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("iss", self.iss.as_str().into());
        put("sub", self.sub.to_string().into());
        put(
            "aud",
            match self.aud.as_slice() {
                [only] => only.as_str().into(),
                several => several.into(),
            },
        );
        put("client_id", self.client_id.as_str().into());
        put("exp", self.exp.into());
        if let Some(nbf) = self.nbf {
            put("nbf", nbf.into());
        }
        put("iat", self.iat.into());
        put("jti", self.jti.as_str().into());
        put("sid", self.sid.to_string().into());
        put("auth_time", self.auth_time.into());
        put("amr", self.amr.as_slice().into());
        put("roles", self.roles.as_slice().into());
        put("account_version", self.account_version.into());
        object
    }
}

fn string(name: &'static str, value: Value) -> Result<String, Reason> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(Reason::Claim(name)),
    }
}

fn strings(name: &'static str, value: Value) -> Result<Vec<String>, Reason> {
    match value {
        Value::Array(items) => items.into_iter().map(|item| string(name, item)).collect(),
        _ => Err(Reason::Claim(name)),
    }
}

/// One string or an array of strings (RFC 7519 section 4.1.3).
fn audience(value: Value) -> Result<Vec<String>, Reason> {
    match value {
        Value::String(only) => Ok(vec![only]),
        several => strings("aud", several),
    }
}

/// A NumericDate (RFC 7519 section 2), which may have a fraction: `round` says to which side it is cut, so that a
/// fraction never makes a token good for longer.
fn date(name: &'static str, value: &Value, round: fn(f64) -> f64) -> Result<i64, Reason> {
    /// The years to which a double counts seconds exactly; beyond, nothing is a date.
    const LIMIT: i64 = 1 << 53;
    let seconds = value.as_number().and_then(|number| whole(number, round));
    seconds.filter(|seconds| (-LIMIT..=LIMIT).contains(seconds)).ok_or(Reason::Claim(name))
}

fn whole(number: &Number, round: fn(f64) -> f64) -> Option<i64> {
    if let Some(seconds) = number.as_i64() {
        return Some(seconds);
    }
    let seconds = round(number.as_f64()?);
    // It has no fraction any more, and the cast saturates.
    seconds.is_finite().then_some(seconds as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fraction_of_a_second_never_makes_a_token_good_for_longer() {
        assert_eq!(date("exp", &json!(100.9), f64::floor), Ok(100));
        assert_eq!(date("nbf", &json!(100.1), f64::ceil), Ok(101));

        let claims = json!({
            "iss": "i", "sub": "7", "aud": "a", "client_id": "c", "jti": "j", "amr": [], "roles": [],
            "sid": "0198c0de-7a11-7000-8000-00000000002a", "account_version": 1,
            "exp": 200.9, "nbf": 100.1, "iat": 100.1, "auth_time": 100.1,
        });
        let claims = Claims::from_object(claims.as_object().unwrap().clone()).unwrap();
        assert_eq!((claims.exp, claims.nbf), (200, Some(101)));
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for value in
            [json!("100"), json!(null), json!(true), json!([100]), json!(1e300), json!(u64::MAX), json!(i64::MIN)]
        {
            assert_eq!(date("exp", &value, f64::floor), Err(Reason::Claim("exp")), "{value}");
        }
    }
}
