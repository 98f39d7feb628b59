//! What mails say, in whom's language, and what an operator can change of it.

use std::{collections::BTreeSet, path::Path};

use hallpass_core::{
    Code,
    config::Mail,
    mail::{Kind, Templates, Values, Written},
};
use tempfile::TempDir;

use crate::support::{START, code};

const PRODUCT: &str = "Otter Post";
const LINKS: &str = "https://app.example.com";

fn built_in() -> Templates {
    load(|_| ()).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn load(settings: impl FnOnce(&mut Mail)) -> Result<Templates, Vec<String>> {
    let mut mail = Mail { product_name: PRODUCT.into(), links: LINKS.into(), ..Mail::default() };
    settings(&mut mail);
    Templates::load(&mail)
}

/// A folder of an operator's with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    folder
}

fn load_with(files: &[(&str, &str)]) -> Result<Templates, Vec<String>> {
    let folder = folder(files);
    load(|mail| mail.templates = folder.path().display().to_string())
}

/// The only thing that is wrong with a folder of these files.
fn problem_with(files: &[(&str, &str)]) -> String {
    let Err(problems) = load_with(files) else { panic!("{files:?} must be refused") };
    assert_eq!(problems.len(), 1, "{problems:#?}");
    problems[0].clone()
}

fn sample(kind: Kind) -> Values {
    Values::sample(kind, PRODUCT, LINKS, START)
}

fn write(kind: Kind, values: &Values) -> Written {
    built_in().write(kind, "en", values).unwrap()
}

/// HTML with its entities resolved.
fn resolved(html: &str) -> String {
    let plain = html.replace("&#39;", "'").replace("&quot;", "\"").replace("&gt;", ">").replace("&lt;", "<");
    plain.replace("&amp;", "&")
}

#[test]
fn every_mail_says_in_every_language_all_that_its_reader_needs() {
    let templates = built_in();
    for locale in templates.locales() {
        let mut subjects = BTreeSet::new();
        for kind in Kind::ALL {
            let values = sample(kind);
            let Written { subject, text, html, locale: written_in } = templates.write(kind, locale, &values).unwrap();
            let place = format!("{locale}/{}", kind.as_str());
            assert_eq!(written_in, locale);
            assert!(subject.contains(PRODUCT), "{place}: {subject}");
            assert!(subjects.insert(subject), "{place}: each mail has a subject of its own");
            let day = if locale == "de" { "21.09.2026" } else { "2026-09-21" };
            let needed = [&values.name, &values.link, &values.code, &values.new_email, &values.ip];
            let needed = needed.into_iter().flatten().map(String::as_str).chain([PRODUCT, &*values.email, day]);
            for needed in needed.filter(|needed| kind != Kind::SignInLink || *needed != values.email) {
                assert!(text.contains(needed), "{place}.txt: {needed} is missing in\n{text}");
                assert!(resolved(&html).contains(needed), "{place}.html: {needed} is missing in\n{html}");
            }
            for left in ["{{", "{%", "none", "None", "\n\n\n"] {
                assert!(!text.contains(left), "{place}.txt: {left:?} in\n{text}");
            }
            assert!(html.starts_with("<!doctype html>") && html.contains(&format!("<html lang=\"{locale}\">")));
            assert!(!html.contains("<img") && !html.contains("<script") && !html.contains("url("), "{place}.html");
            // Apart from the button with its link, both parts have the same words.
            for paragraph in text.split("\n\n").filter(|paragraph| paragraph.ends_with(['.', ':'])) {
                for line in paragraph.lines().filter(|line| *line != "-- ") {
                    assert!(resolved(&html).contains(line), "{place}: only the text says {line}");
                }
            }
        }
    }
}

#[test]
fn what_is_not_known_leaves_no_trace() {
    for kind in Kind::ALL {
        let values = Values { name: None, ip: None, ..sample(kind) };
        let Written { text, html, .. } = write(kind, &values);
        assert!(text.starts_with("Hello,\n\n") && html.contains("<p>Hello,</p>"), "{text}");
        assert!(!text.contains("Requested") && !html.contains("Requested"), "{text}");
        assert!(!text.contains("none") && !html.contains(">none"), "{text}");
    }
}

#[test]
fn whoever_did_not_create_the_account_is_told_not_to_follow_the_link() {
    let text = |locale| built_in().write(Kind::VerifyEmail, locale, &sample(Kind::VerifyEmail)).unwrap().text;
    assert!(text("en").contains("If you did not create this account, do not follow the link"), "{}", text("en"));
    assert!(text("de").contains("nicht angelegt haben, folgen Sie dem Link nicht"), "{}", text("de"));
}

#[test]
fn the_day_on_which_an_account_goes_is_written_as_its_readers_write_it() {
    let kind = Kind::AccountDeletionScheduled;
    let text = |locale| built_in().write(kind, locale, &sample(kind)).unwrap().text;
    assert!(text("en").contains("deleted on 2026-10-05"), "{}", text("en"));
    assert!(text("de").contains("am 05.10.2026 gelöscht"), "{}", text("de"));
}

#[test]
fn how_long_a_link_is_good_is_said_in_minutes_or_hours() {
    let text =
        |minutes| write(Kind::VerifyEmail, &Values { valid_minutes: Some(minutes), ..sample(Kind::VerifyEmail) }).text;
    assert!(text(30).contains("Valid for 30 minutes,"));
    assert!(text(1440).contains("Valid for 24 hours,"));
}

#[test]
fn a_value_is_escaped_in_html_and_stays_as_it_is_in_text() {
    let name = r#"<b onclick="x('y')">A & B</b>"#;
    let product = "<i>P</i>";
    let values = Values { name: Some(name.into()), product: product.into(), ..sample(Kind::ResetPassword) };
    let Written { subject, text, html, .. } = write(Kind::ResetPassword, &values);
    assert!(text.contains(name) && text.contains(product) && subject.contains(product));
    assert!(!html.contains("<b ") && !html.contains("<i>"), "{html}");
    assert!(html.contains("&lt;b onclick=&quot;x(&#39;y&#39;)&quot;&gt;A &amp; B&lt;/b&gt;"), "{html}");
    let link = values.link.unwrap();
    assert!(html.contains(&format!("href=\"{link}\"")), "mail programs and filters see the link as it is: {html}");
}

#[test]
fn no_value_makes_a_line_of_its_own() {
    let hostile = "A\r\nBcc: eve@example.com\r\n\r\nB\u{2028}C\u{202e}D\u{0}E";
    for kind in Kind::ALL {
        let sample = sample(kind);
        let values = Values {
            product: hostile.into(),
            name: Some(hostile.into()),
            email: format!("{hostile}@example.com"),
            ..sample.clone()
        };
        let plain = write(kind, &sample);
        let Written { subject, text, html, .. } = write(kind, &values);
        assert!(!subject.chars().any(char::is_control) && subject.contains("A  Bcc: eve@example.com    B C D E"));
        assert_eq!(text.lines().count(), plain.text.lines().count(), "{text}");
        assert_eq!(html.lines().count(), plain.html.lines().count(), "{html}");
        for forbidden in ['\r', '\0', '\u{2028}', '\u{202e}'] {
            assert!(!text.contains(forbidden) && !html.contains(forbidden));
        }
    }
}

#[test]
fn people_get_the_best_language_that_there_is() {
    let templates = built_in();
    let table = [
        (None, None, "en"),
        (Some("de"), None, "de"),
        (Some("DE-at"), Some("en"), "de"),
        (Some("fr"), Some("de"), "de"),
        (Some(""), Some(""), "en"),
        (None, Some("de"), "de"),
        (None, Some("de-AT"), "de"),
        (None, Some("de-AT-1996-x-y"), "de"),
        (None, Some("DE"), "de"),
        (None, Some("fr, de;q=0.5, en;q=0.8"), "en"),
        (None, Some("fr, de;q=0.8, en;q=0.5"), "de"),
        (None, Some("de,en"), "de"),
        (None, Some("en , de"), "en"),
        (None, Some("de;q=0, fr"), "en"),
        (None, Some("de-AT, de;q=0, fr"), "en"),
        (None, Some("en;q=0, de;q=0.1"), "de"),
        (None, Some("de ; Q=0.9 , en;q=0.1"), "de"),
        (None, Some("*"), "en"),
        (None, Some("*;q=0.5, de"), "de"),
        (None, Some("d"), "en"),
        (None, Some("deutsch"), "en"),
        (None, Some("de;q=2, de;q=-1, de;q=NaN, de;q=, de;x=1, de;;, ;q=1, ,-,"), "en"),
        (None, Some("de\0;q=1, ../../etc/passwd"), "en"),
    ];
    for (account, accept, expected) in table {
        assert_eq!(templates.choose(account, accept), expected, "{account:?}, {accept:?}");
    }
    let german = load(|mail| mail.default_locale = "DE".into()).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(german.choose(Some("fr"), Some("fr")), "de");
}

#[test]
fn a_language_that_is_not_there_is_our_fault_and_an_unknown_default_is_the_operators() {
    let values = sample(Kind::VerifyEmail);
    assert_eq!(code(built_in().write(Kind::VerifyEmail, "fr", &values).map(|_| ())), Code::Internal);
    let Err(problems) = load(|mail| mail.default_locale = "fr".into()) else { panic!("must be refused") };
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("`mail.default_locale`: there are no templates in `fr`; take one of `de`, `en`"));
}

#[test]
fn an_operator_changes_one_file_and_all_others_stay() {
    let templates = load_with(&[
        ("en/reset_password.subject", "Forgot it again, {{ name }}?\n"),
        (
            "base.html",
            "{% block greeting %}{% endblock %}{% block before %}{% endblock %}<a href={{ link }}>{{ link }}</a>",
        ),
        ("de/layout.html", "{% extends \"base.html\" %}{% block greeting %}Moin {{ name }},{% endblock %}"),
        ("README.md", "What we have changed {{ and why }}"),
    ])
    .unwrap_or_else(|problems| panic!("{problems:?}"));
    let values = sample(Kind::ResetPassword);
    let english = templates.write(Kind::ResetPassword, "en", &values).unwrap();
    assert_eq!(english.subject, "Forgot it again, Ada?");
    assert!(english.text == write(Kind::ResetPassword, &values).text);
    assert!(english.html.starts_with("Hello Ada,<p>Somebody asked to set"), "{}", english.html);
    let german = templates.write(Kind::ResetPassword, "de", &values).unwrap();
    assert!(german.html.starts_with("Moin Ada,<p>Jemand"), "{}", german.html);
}

#[test]
fn an_operator_adds_a_language_with_a_folder() {
    let names: Vec<String> = Kind::ALL.iter().map(|kind| kind.as_str().to_owned()).collect();
    let mut files = vec![("pt-BR/layout.txt".to_owned(), "{% extends \"base.txt\" %}".to_owned())];
    files.push(("pt-BR/layout.html".into(), "{% extends \"base.html\" %}".into()));
    for name in &names {
        files.push((format!("pt-BR/{name}.subject"), "{{ product }}: olá".into()));
        for part in ["txt", "html"] {
            let source = format!("{{% extends \"layout.{part}\" %}}{{% block before %}}Olá{{% endblock %}}");
            files.push((format!("pt-BR/{name}.{part}"), source));
        }
    }
    let as_given: Vec<(&str, &str)> = files.iter().map(|(name, source)| (name.as_str(), source.as_str())).collect();
    let templates = load_with(&as_given).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(templates.locales(), ["de", "en", "pt-BR"]);
    assert_eq!(templates.choose(Some("pt-br-x-old"), None), "pt-BR");
    let written = templates.write(Kind::VerifyEmail, "pt-BR", &sample(Kind::VerifyEmail)).unwrap();
    assert_eq!(written.subject, "Otter Post: olá");
    assert!(written.html.contains("<html lang=\"pt-BR\">") && written.text.contains("Olá"));

    let without_one: Vec<_> = as_given.into_iter().filter(|(name, _)| *name != "pt-BR/account_deleted.txt").collect();
    assert_eq!(problem_with(&without_one), "`mail.templates`: `pt-BR/account_deleted.txt` is missing");
}

#[test]
fn a_template_that_does_not_work_is_named_with_file_and_line_before_the_server_starts() {
    let unclosed = problem_with(&[("de/verify_email.txt", "{{ link }}\n{% if name %}")]);
    assert!(unclosed.contains("`de/verify_email.txt`, line 2: syntax error"), "{unclosed}");
    let unknown = problem_with(&[("en/sign_in_link.html", "{{ link }}\n\n{{ lnik }}")]);
    assert!(unknown.contains("`en/sign_in_link.html`, line 3: undefined value"), "{unknown}");
    let in_a_block = "{% extends \"layout.txt\" %}\n{% block before %}\n{{ nme }}\n{% endblock %}";
    let in_a_block = problem_with(&[("en/reset_password.txt", in_a_block)]);
    assert!(in_a_block.contains("`en/reset_password.txt`, line 3: undefined value"), "{in_a_block}");
    // It would only fail for accounts without a name.
    let rare = problem_with(&[("en/email_changed.txt", "{% if not name %}{{ nobody }}{% endif %}")]);
    assert!(rare.contains("`en/email_changed.txt`, line 1: undefined value"), "{rare}");
    let bad_date = problem_with(&[("en/account_deleted.txt", "{{ delete_at|date }}")]);
    assert!(bad_date.contains("`en/account_deleted.txt`, line 1: invalid operation"), "{bad_date}");
    let bad_format = problem_with(&[("en/account_deleted.txt", "{{ at|date(\"%!\") }}")]);
    assert!(bad_format.contains("`en/account_deleted.txt`, line 1: invalid operation"), "{bad_format}");
    let no_parent = problem_with(&[("en/account_deleted.txt", "{% extends \"nothing.txt\" %}")]);
    assert!(no_parent.contains("`en/account_deleted.txt`") && no_parent.contains("nothing.txt"), "{no_parent}");
    let endless = problem_with(&[("en/account_deleted.txt", "{% include \"account_deleted.txt\" %}")]);
    assert!(endless.contains("en/account_deleted.txt"), "{endless}");
}

#[test]
fn a_template_without_its_link_or_subject_is_refused() {
    let must = |name: &str, what: &str| format!("`mail.templates`: `{name}` must {what}");
    let text = problem_with(&[("en/verify_email.txt", "Click!")]);
    assert_eq!(text, must("en/verify_email.txt", "contain `{{ link }}`"));
    let html = problem_with(&[("de/sign_in_link.html", "<p>{{ code }}</p>")]);
    assert_eq!(html, must("de/sign_in_link.html", "contain `{{ link }}`"));
    let subject = problem_with(&[("en/account_deleted.subject", "{% if name %}{{ name }}{% endif %}\n")]);
    assert_eq!(subject, must("en/account_deleted.subject", "not be empty"));
}

#[test]
fn a_file_that_takes_the_place_of_nothing_is_refused() {
    for name in ["en/verify-email.txt", "verify_email.txt", "en/verify_email.txt.html", "en/base.html", "en/.txt"] {
        let problem = problem_with(&[(name, "{{ link }}")]);
        assert_eq!(problem, format!("`mail.templates`: no template is called `{name}`: remove or rename it"));
    }
    let Err(problems) = load(|mail| mail.templates = "/nowhere/at/all".into()) else { panic!("must be refused") };
    assert!(problems[0].starts_with("`mail.templates`: `/nowhere/at/all`: "), "{problems:?}");
}

#[test]
fn a_failure_to_write_a_mail_tells_nobody_what_it_would_have_said() {
    // It works with every value that is tried before the start.
    let trap = "{{ link }}{% if valid_minutes == 7 %}{{ (link ~ code)|date }}{% endif %}";
    let templates = load_with(&[("en/sign_in_link.txt", trap)]).unwrap_or_else(|problems| panic!("{problems:?}"));
    let values = Values { valid_minutes: Some(7), ..sample(Kind::SignInLink) };
    let Err(error) = templates.write(Kind::SignInLink, "en", &values) else { panic!("must fail") };
    assert_eq!(error.code, Code::Internal);
    let told = format!("{error:?} {error} {:?}", std::error::Error::source(&error));
    assert!(told.contains("`en/sign_in_link.txt`, line 1"), "{told}");
    assert!(!told.contains("hpt_") && !told.contains(&values.code.unwrap()), "{told}");
}

#[test]
fn every_folder_with_built_in_templates_is_a_language() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let folders = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let names: BTreeSet<String> = folders.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(built_in().locales(), Vec::from_iter(&names));
    for name in names {
        let files = folder.join(name).read_dir().unwrap().count();
        assert_eq!(files, 2 + 3 * Kind::ALL.len(), "a layout of both kinds, and three files for each mail");
    }
}

#[test]
fn a_kind_is_found_by_its_name() {
    for kind in Kind::ALL {
        assert_eq!(Kind::parse(kind.as_str()), Some(kind));
    }
    assert_eq!(Kind::parse("Verify_email"), None);
}
