//! Who is calling, as far as it decides where secrets go: a browser on one of our pages, on a foreign one, or no
//! browser.
//!
//! Browsers write `Sec-Fetch-Site` and `Origin` themselves and no page can change them, so they are believed; what a
//! program writes there only makes its own request fail.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, header, request::Parts},
};
use hallpass_core::{Code, Error, Result, SessionId, sessions};

use crate::{AppState, cookies, csrf, error::Problem, web::Policy};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who is calling.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client {
    /// Whether it is a browser: then the refresh secret goes into its cookie and never into a body.
    pub(crate) browser: bool,
    page: Page,
}

/// The page that a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    /// Of our own origin, or of a front end that is listed.
    Ours,
    /// Of any other origin, or of one that will not say which.
    Foreign,
    /// The request does not say: no browser, or one from before these headers.
    Unknown,
}

impl Client {
    pub(crate) fn of(headers: &HeaderMap, policy: &Policy) -> Self {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let site = headers.get(FETCH_SITE).map(|value| value.as_bytes());
        let page = match (site, origins.next(), origins.next()) {
            (_, Some(_), Some(_)) => Page::Foreign,
            (_, Some(origin), None) if policy.is_own(origin) || policy.lists(origin) => Page::Ours,
            // Also with `same-origin`: no browser says both, and whoever does is not believed.
            (_, Some(_), None) => Page::Foreign,
            (Some(b"same-origin"), None, _) => Page::Ours,
            // `none` is the person, by the address bar or a bookmark: no page, so nothing vouches for the request.
            (None | Some(b"none"), None, _) => Page::Unknown,
            (Some(_), None, _) => Page::Foreign,
        };
        Self { browser: site.is_some() || headers.contains_key(header::ORIGIN), page }
    }

    /// Refuses what a page makes a browser do that has no business with us.
    ///
    /// # Errors
    /// [`Code::OriginNotAllowed`].
    pub(crate) fn refuse_foreign_page(self) -> Result<()> {
        if self.page != Page::Foreign {
            return Ok(());
        }
        let detail =
            "This page's origin is not in `frontend_origins`: the operator lists it exactly as browsers send it";
        Err(Error::new(Code::OriginNotAllowed, detail))
    }

    /// The refresh secret that the browser keeps for one of our pages; without a browser's word for the page, only with
    /// the CSRF token of the session that the secret names.
    ///
    /// # Errors
    /// [`Code::OriginNotAllowed`], [`Code::CsrfFailed`]; [`Code::InvalidRequest`] for cookies that are not as we set
    /// them.
    pub(crate) fn cookie<'h>(self, app: &AppState, headers: &'h HeaderMap) -> Result<Option<&'h str>> {
        let Some(secret) = cookies::REFRESH.read(headers)? else { return Ok(None) };
        self.refuse_foreign_page()?;
        if self.page == Page::Unknown
            && let Some(session) = session_of(app, secret)
        {
            csrf::demand(app.hallpass(), headers, session)?;
        }
        Ok(Some(secret))
    }
}

impl FromRequestParts<AppState> for Client {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        Ok(Self::of(&parts.headers, app.policy()))
    }
}

/// What shows that somebody has signed in on this device before, from the body or the cookie. It proves nothing about
/// who is calling now, so it needs no word for the page, and one that is not as we set it is as good as none.
pub(crate) fn device<'h>(given: Option<&'h str>, headers: &'h HeaderMap) -> Option<&'h str> {
    given.or_else(|| cookies::DEVICE.read(headers).ok().flatten())
}

fn session_of(app: &AppState, secret: &str) -> Option<SessionId> {
    sessions::session_of(app.hallpass(), secret)
}
