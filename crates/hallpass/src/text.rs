//! Text that a terminal shows and never obeys.
//!
//! Whatever somebody typed into a field stays on its line, in its order, and visible.

use std::fmt::Write as _;

/// `text` with everything that a terminal would act on written out as `\uXXXX`, a form that is right inside JSON too.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if is_obeyed(character) {
            // All of them are in the first plane, so four digits do.
            let _ = write!(plain, "\\u{:04x}", u32::from(character));
        } else {
            plain.push(character);
        }
    }
    plain
}

/// Control characters, line and paragraph separators, what cannot be seen, and what turns the direction of text (UAX
/// 9).
pub(crate) fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}
