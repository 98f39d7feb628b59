//! Reading request bodies: strict JSON, and each member with its exact type.
//!
//! Two programs must never read one body differently (RFC 8259 section 4), so duplicate keys, a byte order mark, other
//! encodings and a second document are refused. Members that an operation does not know have no effect and are no
//! error: clients send along what a newer or older server knows, and nothing but the members asked for is ever read.

mod members;
mod strict;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderValue, header},
};
use hallpass_core::{Code, Error};

pub(crate) use members::Members;
pub(crate) use strict::value;

use crate::error::Problem;

/// The largest body that is read, in bytes.
pub(crate) const LARGEST_BODY: usize = 64 * 1024;

/// A request body that knows how to be read from its members.
pub(crate) trait FromMembers: Sized {
    /// Takes the members that it knows; what is missing or of another type is noted in `members`, and then the value
    /// that is made here is thrown away.
    fn from_members(members: &mut Members) -> Self;
}

/// A JSON object in the body of a request.
pub(crate) struct Json<T>(pub(crate) T);

/// A JSON object in the body of a request that may as well have no body at all, which counts as `{}`.
pub(crate) struct OptionalJson<T>(pub(crate) T);

impl<S: Send + Sync, T: FromMembers> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        demand_json(request.headers())?;
        let body = body(request, state).await?;
        Ok(Self(read(&body)?))
    }
}

impl<S: Send + Sync, T: FromMembers> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let typed = request.headers().contains_key(header::CONTENT_TYPE);
        if typed {
            demand_json(request.headers())?;
        }
        match body(request, state).await? {
            body if body.is_empty() => Ok(Self(read(b"{}")?)),
            body if typed => Ok(Self(read(&body)?)),
            _ => Err(unsupported()),
        }
    }
}

/// The whole body.
pub(crate) async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    // The body was read whole, and its size and time limited, before the handler was called.
    Bytes::from_request(request, state).await.map_err(|_| Problem::new(Code::InvalidRequest, "The body cannot be read"))
}

fn read<T: FromMembers>(body: &[u8]) -> Result<T, Error> {
    let mut members = Members::new(strict::object(body)?);
    let value = T::from_members(&mut members);
    members.finish()?;
    Ok(value)
}

/// Refuses whatever does not say once that it is JSON in UTF-8; a plain form of another site cannot say that.
fn demand_json(headers: &HeaderMap) -> Result<(), Problem> {
    if is_of_type(headers, "application/json") { Ok(()) } else { Err(unsupported()) }
}

/// Whether a body says once that it is of a type, in UTF-8 and uncompressed.
pub(crate) fn is_of_type(headers: &HeaderMap, kind: &str) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let is_of_type = matches!((types.next(), types.next()), (Some(only), None) if says(only, kind));
    is_of_type && !headers.contains_key(header::CONTENT_ENCODING)
}

fn unsupported() -> Problem {
    Problem::new(Code::UnsupportedMediaType, "Send the body with `Content-Type: application/json`, uncompressed")
}

fn says(value: &HeaderValue, kind: &str) -> bool {
    let Ok(value) = value.to_str() else { return false };
    let (essence, parameter) = value.split_once(';').unwrap_or((value, ""));
    let parameter = parameter.trim();
    essence.trim().eq_ignore_ascii_case(kind)
        && ["", "charset=utf-8", "charset=\"utf-8\""].iter().any(|known| parameter.eq_ignore_ascii_case(known))
}
