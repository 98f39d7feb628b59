//! Text that nobody vouches for, as a part of a page of ours.
//!
//! Nothing in it ever becomes markup, but for addresses, which become links to themselves.

/// The text as it stands in HTML, between tags and in quoted attributes.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

/// The same, with links where the text has web addresses.
pub(super) fn linked(text: &str) -> String {
    text.split_inclusive(char::is_whitespace).map(linked_word).collect()
}

fn linked_word(word: &str) -> String {
    let Some(start) = ["http://", "https://"].iter().filter_map(|scheme| word.find(scheme)).min() else {
        return escaped(word);
    };
    let (before, rest) = word.split_at(start);
    let end = rest.find(|c: char| c.is_whitespace() || "<>\"'".contains(c)).unwrap_or(rest.len());
    // What ends a sentence or a bracket is no part of the address.
    let (address, _) = rest.split_at(end);
    let address = address.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']']);
    let (address, after) = rest.split_at(address.len());
    let link = escaped(address);
    format!(
        "{}<a href=\"{link}\" target=\"_blank\" rel=\"noopener noreferrer\">{link}</a>{}",
        escaped(before),
        escaped(after)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_becomes_markup() {
        assert_eq!(escaped(r#"<b a="1" c='2'>&amp;"#), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;");
        for hostile in [
            "<script>alert(1)</script>",
            "https://example.com/\"onmouseover=\"alert(1)",
            "https://example.com/'><img/src=x>",
            "javascript:alert(1)",
            "<https://example.com/><svg/onload=alert(1)>",
        ] {
            let html = linked(hostile);
            let without_ours = html.replace("\" target=\"_blank\" rel=\"noopener noreferrer\">", "");
            let without_ours = without_ours.replace("<a href=\"http", "").replace("</a>", "");
            assert!(!without_ours.contains(['<', '>', '"', '\'']), "{html}");
        }
        assert!(!linked("javascript:alert(1)").contains("<a"));
    }

    #[test]
    fn an_address_is_a_link_without_what_surrounds_it() {
        let link = |address: &str| {
            format!("<a href=\"{address}\" target=\"_blank\" rel=\"noopener noreferrer\">{address}</a>")
        };
        let address = "https://app.example.com/reset#token=hpt_a-b_";
        for (before, after) in [("", ""), ("Open ", "\nnow"), ("(", ")."), ("&lt;", "&gt;"), ("", ",\r\n")] {
            let plain = format!("{before}{address}{after}").replace("&lt;", "<").replace("&gt;", ">");
            assert_eq!(linked(&plain), format!("{before}{}{after}", link(address)));
        }
        assert_eq!(linked("http://a.example?x=1&y=2"), link("http://a.example?x=1&amp;y=2"));
    }
}
