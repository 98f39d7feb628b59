//! In which form somebody gets an answer, as Django REST framework chooses it (`DefaultContentNegotiation`): JSON for
//! programs, a page for browsers.

use axum::http::StatusCode;
use url::form_urlencoded;

use super::drf::Refusal;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Page,
}

/// In the order in which they are preferred.
const ALL: [Format; 2] = [Format::Json, Format::Page];

/// Chooses by `?format=` and `Accept`: the most exact range first. How much somebody prefers what (`q`) plays no part.
///
/// # Errors
/// 404 for a `format` that there is not, 406 where none is accepted.
pub(super) fn choose(query: &str, accept: &str) -> Result<Format, Refusal> {
    let asked = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "format");
    let among = match asked.as_ref().map(|(_, format)| format.as_ref()) {
        None | Some("") => &ALL[..],
        Some("json") => &[Format::Json],
        Some("api") => &[Format::Page],
        Some(_) => return Err(Refusal::detail(StatusCode::NOT_FOUND, "Not found.")),
    };
    let ranges: Vec<Range> = accept.split(',').filter_map(Range::read).collect();
    let most_exact = ranges.iter().filter(|range| among.iter().any(|format| range.covers(*format)));
    let exactness = most_exact.map(|range| range.exactness).max();
    let covered =
        |format: &Format| ranges.iter().any(|range| Some(range.exactness) == exactness && range.covers(*format));
    let refusal = || Refusal::detail(StatusCode::NOT_ACCEPTABLE, "Could not satisfy the request Accept header.");
    among.iter().copied().find(covered).ok_or_else(refusal)
}

/// One media range of `Accept` (RFC 9110 section 12.5.1).
struct Range {
    main: String,
    sub: String,
    /// From 0, which is everything, to 3, a type with parameters.
    exactness: u8,
}

impl Range {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
        let kind = parts.next()?;
        let (main, sub) = kind.split_once('/')?;
        let parameters = parts.any(|part| !part.is_empty() && !part.starts_with("q="));
        let exactness = match (main, sub) {
            ("*", _) => 0,
            (_, "*") => 1,
            _ => 2 + u8::from(parameters),
        };
        Some(Self { main: main.into(), sub: sub.into(), exactness })
    }

    fn covers(&self, format: Format) -> bool {
        let (main, sub) = match format {
            Format::Json => ("application", "json"),
            Format::Page => ("text", "html"),
        };
        ["*", main].contains(&self.main.as_str()) && ["*", sub].contains(&self.sub.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_exact_range_decides_and_json_among_equals() {
        const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for (query, accept, expected) in [
            ("", "*/*", Ok(Format::Json)),
            ("", BROWSER, Ok(Format::Page)),
            ("", "text/html", Ok(Format::Page)),
            ("", "Text/HTML;q=0.1, */*;q=1", Ok(Format::Page)),
            ("", "text/*, */*", Ok(Format::Page)),
            ("", "text/html, application/json", Ok(Format::Json)),
            ("", "text/html;level=1, application/json", Ok(Format::Page)),
            ("", "text/html, application/json; indent=4", Ok(Format::Json)),
            ("", "application/json, text/plain, */*", Ok(Format::Json)),
            ("", "application/*", Ok(Format::Json)),
            ("format=api", "*/*", Ok(Format::Page)),
            ("format=json", BROWSER, Ok(Format::Json)),
            ("format=", BROWSER, Ok(Format::Page)),
            ("format=api", "application/json", Err(StatusCode::NOT_ACCEPTABLE)),
            ("format=xml", "*/*", Err(StatusCode::NOT_FOUND)),
            ("", "application/xml", Err(StatusCode::NOT_ACCEPTABLE)),
            ("", "", Err(StatusCode::NOT_ACCEPTABLE)),
            ("", "html", Err(StatusCode::NOT_ACCEPTABLE)),
        ] {
            let chosen = choose(query, accept).map_err(|Refusal(reply)| reply.status);
            assert_eq!(chosen, expected, "{query} {accept}");
        }
    }
}
