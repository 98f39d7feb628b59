//! What the hosted pages look like: the few settings of an operator who wants their own name and colour on them.

use std::{fs, path::Path, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The largest logo, in bytes.
const LARGEST_LOGO: u64 = 256 * 1024;

/// The pages that this server has for people: `/login`, `/signup`, `/account`, `/admin` and those that mails lead to. They
/// show the name in `mail.product_name`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pages {
    /// Whether there are any. Without them your front end has pages of its own, also for the links in mails (`mail.links`).
    pub enabled: bool,
    /// An image file that stands at the top of each page: SVG, PNG, WebP or JPEG, at most 256 KiB; empty: there is none.
    pub logo: String,
    /// The colour of buttons and links, such as `#0b5cad`; empty takes that of Hallpass.
    pub color: String,
}

impl Default for Pages {
    fn default() -> Self {
        Self { enabled: true, logo: String::new(), color: String::new() }
    }
}

/// An image with its media type.
#[derive(Debug, Clone)]
pub(crate) struct Logo {
    pub(crate) kind: &'static str,
    pub(crate) bytes: Arc<[u8]>,
}

impl Pages {
    /// Everything that cannot be used, as sentences; otherwise the logo, if there is one.
    pub(super) fn open(&self) -> Result<Option<Logo>, Vec<String>> {
        let color = self
            .color
            .strip_prefix('#')
            .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let mut problems = Vec::new();
        if !self.color.is_empty() && !color {
            problems.push(format!("pages.color: `{}` is no colour: write six digits, as in `#0b5cad`", self.color));
        }
        let mut logo = None;
        if !self.logo.is_empty() {
            match Logo::read(&self.logo) {
                Ok(read) => logo = Some(read),
                Err(problem) => problems.push(format!("pages.logo: {problem}")),
            }
        }
        if problems.is_empty() { Ok(logo) } else { Err(problems) }
    }
}

impl Logo {
    fn read(path: &str) -> Result<Self, String> {
        let ending = Path::new(path).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let kind = match ending.to_ascii_lowercase().as_str() {
            "svg" => "image/svg+xml",
            "png" => "image/png",
            "webp" => "image/webp",
            "jpg" | "jpeg" => "image/jpeg",
            _ => return Err(format!("`{path}` has to end in `.svg`, `.png`, `.webp` or `.jpg`")),
        };
        let unreadable = |error| format!("`{path}` cannot be read: {error}");
        if fs::metadata(path).map_err(unreadable)?.len() > LARGEST_LOGO {
            return Err(format!("`{path}` is larger than 256 KiB: people load it with every page"));
        }
        let bytes = fs::read(path).map_err(unreadable)?.into();
        Ok(Self { kind, bytes })
    }
}
