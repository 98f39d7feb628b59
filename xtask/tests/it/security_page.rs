//! `docs/security.md` counts a promise as kept only by a test, so each test that it names has to be there.

use std::{collections::BTreeMap, fs, path::Path};

/// As the page abbreviates them.
const CRATES: [(&str, &str); 4] =
    [("token", "hallpass-token"), ("core", "hallpass-core"), ("axum", "hallpass-axum"), ("program", "hallpass")];

#[test]
fn every_test_that_the_security_page_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let sources: BTreeMap<&str, String> =
        CRATES.into_iter().map(|(short, name)| (short, source(&root.join("crates").join(name)))).collect();
    let page = fs::read_to_string(root.join("docs/security.md")).unwrap();
    let mut named = 0;
    for text in page.split('`') {
        let Some((source, (_, test))) =
            text.split_once('/').and_then(|(short, path)| sources.get(short).zip(path.rsplit_once("::")))
        else {
            continue;
        };
        // Several tests that begin alike are named by their beginning.
        let function = test.strip_suffix('…').map_or_else(|| format!("fn {test}("), |begin| format!("fn {begin}"));
        assert!(source.contains(&function), "docs/security.md names `{text}`, which is not there");
        named += 1;
    }
    assert!(named > 100, "the page names {named} tests");
}

/// All Rust of a crate, its tests included.
fn source(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all += &source(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all += &fs::read_to_string(path).unwrap();
        }
    }
    all
}
