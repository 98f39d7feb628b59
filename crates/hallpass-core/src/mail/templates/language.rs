//! Which language somebody gets: the account's, else what the client prefers, else the default.
//!
//! It is the lookup of RFC 4647, section 3.4: a tag that is not there is cut off at its end until it is.

/// The best of `locales` for an account's tag and an `Accept-Language` (RFC 9110 section 12.5.4), if one fits.
pub(super) fn choose<'a>(locales: &'a [String], account: Option<&str>, accept: Option<&str>) -> Option<&'a str> {
    let mut wanted: Vec<(&str, f32)> = accept.unwrap_or_default().split(',').filter_map(preference).collect();
    let refused: Vec<&str> = wanted.iter().filter(|(_, q)| *q == 0.0).map(|(tag, _)| *tag).collect();
    wanted.retain(|(_, q)| *q > 0.0);
    // The sort is stable: of two that are wanted alike, the first comes first.
    wanted.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let refuses = |locale: &str| refused.iter().any(|tag| tag.eq_ignore_ascii_case(locale));
    let preferred = wanted.into_iter().filter_map(|(tag, _)| look_up(locales, tag)).find(|locale| !refuses(locale));
    account.and_then(|tag| look_up(locales, tag)).or(preferred)
}

/// `de-AT;q=0.8`: a tag and how much it is wanted, from 0 to 1.
fn preference(item: &str) -> Option<(&str, f32)> {
    let (tag, weight) = item.split_once(';').unwrap_or((item, "q=1"));
    let (name, weight) = weight.split_once('=')?;
    let weight = weight.trim().parse().ok().filter(|weight| (0.0..=1.0).contains(weight))?;
    name.trim().eq_ignore_ascii_case("q").then_some((tag.trim(), weight))
}

fn look_up<'a>(locales: &'a [String], tag: &str) -> Option<&'a str> {
    let mut tag = tag;
    loop {
        if let Some(found) = locales.iter().find(|locale| locale.eq_ignore_ascii_case(tag)) {
            return Some(found);
        }
        (tag, _) = tag.rsplit_once('-')?;
    }
}

/// Whether a folder's name is a language tag as we take them: a language of two or three letters, and what narrows it.
pub(super) fn is_tag(name: &str) -> bool {
    let mut subtags = name.split('-');
    let language = subtags.next().unwrap_or_default();
    (2..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_alphabetic())
        && subtags.all(|subtag| (1..=8).contains(&subtag.len()) && subtag.bytes().all(|b| b.is_ascii_alphanumeric()))
}
