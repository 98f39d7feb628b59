use proptest::prelude::*;

use super::*;

fn username(typed: &str) -> Result<Username, &'static str> {
    Username::parse(typed).map_err(|error| {
        assert_eq!(error.field, "username");
        error.code
    })
}

fn email(typed: &str) -> Result<Email, &'static str> {
    Email::parse(typed).map_err(|error| {
        assert_eq!(error.field, "email");
        error.code
    })
}

#[test]
fn ordinary_names_of_many_scripts_are_taken_as_they_are() {
    for name in [
        "a",
        "alice",
        "ALICE",
        "Alice.Smith",
        "alice_smith-1+test",
        "x86",
        "7eleven",
        "4ever",
        "Zoë",
        "Łukasz",
        "José",
        "Straße",
        "ÅngstrÖm",
        "şükrü",
        "мария",
        "Вера",
        "Юрий.Гагарин",
        "Ελένη",
        "שרה",
        "محمد",
        "محمد٣",
        "रवि",
        "नमस्ते",
        "ศิริ",
        "தமிழ்",
        "한국어",
        "山田太郎",
        "やまだ",
        "ヤマダ",
        "山田taro",
        "김alice",
        "mıke",
        "İpek",
        "nguyễn",
        "Ａｌｉｃｅ",
        "ﬁnn",
        "x²",
        "a..b",
        "a--b",
    ] {
        assert_eq!(username(name).as_ref().map(Username::as_str), Ok(name), "{name}");
    }
}

#[test]
fn names_that_could_deceive_or_break_something_are_refused() {
    let long = "a".repeat(MAX_LENGTH + 1);
    let zalgo = format!("a{}", "\u{301}\u{302}".repeat(3));
    let refused = [
        ("", "username_empty"),
        // Spaces and line breaks.
        (" ", "username_invalid"),
        (" alice", "username_invalid"),
        ("alice ", "username_invalid"),
        ("al ice", "username_invalid"),
        ("alice\t", "username_invalid"),
        ("alice\n", "username_invalid"),
        ("alice\r\nbcc:x", "username_invalid"),
        ("alice\u{A0}", "username_invalid"),
        ("al\u{2003}ice", "username_invalid"),
        ("al\u{3000}ice", "username_invalid"),
        ("al\u{2028}ice", "username_invalid"),
        ("al\u{1680}ice", "username_invalid"),
        // Control characters.
        ("alice\0", "username_invalid"),
        ("\u{7}alice", "username_invalid"),
        ("al\u{1B}ice", "username_invalid"),
        ("al\u{7F}ice", "username_invalid"),
        ("al\u{85}ice", "username_invalid"),
        // Invisible characters.
        ("al\u{200B}ice", "username_invalid"),
        ("al\u{200C}ice", "username_invalid"),
        ("al\u{200D}ice", "username_invalid"),
        ("al\u{2060}ice", "username_invalid"),
        ("al\u{FEFF}ice", "username_invalid"),
        ("al\u{AD}ice", "username_invalid"),
        ("al\u{34F}ice", "username_invalid"),
        ("al\u{61C}ice", "username_invalid"),
        ("al\u{180E}ice", "username_invalid"),
        ("al\u{FE0F}ice", "username_invalid"),
        ("al\u{E0100}ice", "username_invalid"),
        ("al\u{E0061}ice", "username_invalid"),
        ("al\u{115F}ice", "username_invalid"),
        ("\u{3164}", "username_invalid"),
        ("\u{FFA0}alice", "username_invalid"),
        ("al\u{2064}ice", "username_invalid"),
        // What turns the direction of the text.
        ("al\u{202E}ecila", "username_invalid"),
        ("\u{202A}alice", "username_invalid"),
        ("al\u{2066}ice", "username_invalid"),
        ("alice\u{2069}", "username_invalid"),
        ("alice\u{200E}", "username_invalid"),
        ("\u{200F}alice", "username_invalid"),
        // Private use, unassigned, not characters, replacement.
        ("al\u{E000}ice", "username_invalid"),
        ("al\u{F8FF}ice", "username_invalid"),
        ("al\u{378}ice", "username_invalid"),
        ("al\u{FFFE}ice", "username_invalid"),
        ("al\u{FDD0}ice", "username_invalid"),
        ("al\u{FFFD}ice", "username_invalid"),
        // Addresses, paths, markup, signs, pictures.
        ("alice@example.com", "username_invalid"),
        ("@alice", "username_invalid"),
        ("alice\u{FF20}example.com", "username_invalid"),
        ("alice/../bob", "username_invalid"),
        ("alice\\bob", "username_invalid"),
        ("<b>alice</b>", "username_invalid"),
        ("alice'--", "username_invalid"),
        ("\"alice\"", "username_invalid"),
        ("alice;bob", "username_invalid"),
        ("alice%00", "username_invalid"),
        ("al$ce", "username_invalid"),
        ("al€ce", "username_invalid"),
        ("alice❤", "username_invalid"),
        ("👩‍💻", "username_invalid"),
        ("l’alice", "username_invalid"),
        ("½alice", "username_invalid"),
        ("ⓐlice", "username_invalid"),
        // Signs at the ends.
        (".", "username_invalid"),
        ("_alice", "username_invalid"),
        ("alice_", "username_invalid"),
        ("-alice", "username_invalid"),
        ("alice.", "username_invalid"),
        ("+alice", "username_invalid"),
        // Marks that are piled up, or belong to nothing.
        ("\u{301}alice", "username_invalid"),
        ("a.\u{301}b", "username_invalid"),
        (zalgo.as_str(), "username_invalid"),
        ("a\u{332}\u{332}b", "username_invalid"),
        // What reads like an id.
        ("42", "username_no_letter"),
        ("007", "username_no_letter"),
        ("1.5", "username_no_letter"),
        ("٤٢", "username_no_letter"),
        ("４２", "username_no_letter"),
        // Scripts that are not written together.
        ("pаypal", "username_mixed_scripts"),
        ("аlice", "username_mixed_scripts"),
        ("Αlice", "username_mixed_scripts"),
        ("alіce", "username_mixed_scripts"),
        ("мариa", "username_mixed_scripts"),
        ("alice٣", "username_mixed_scripts"),
        ("aլice", "username_mixed_scripts"),
        ("ελένηa", "username_mixed_scripts"),
        // Too much.
        (long.as_str(), "username_too_long"),
        ("\u{FDFA}\u{FDFA}\u{FDFA}\u{FDFA}\u{FDFA}\u{FDFA}\u{FDFA}\u{FDFA}\u{FDFA}", "username_too_long"),
    ];
    assert!(refused.len() >= 60);
    for (name, code) in refused {
        assert_eq!(username(name), Err(code), "{name:?}");
    }
}

#[test]
fn spellings_of_one_name_have_one_key() {
    for twins in [
        &["alice", "ALICE", "Alice", "ａｌｉｃｅ", "ＡＬＩＣＥ", "𝐚𝐥𝐢𝐜𝐞"][..],
        &["Straße", "STRASSE", "strasse", "STRAẞE"],
        &["caf\u{E9}", "cafe\u{301}", "CAFÉ"],
        &["ﬁnn", "FINN"],
        &["Σίσυφος", "ΣΊΣΥΦΟΣ", "σίσυφοσ"],
        &["\u{212B}ngström", "Ångström", "A\u{30A}NGSTRO\u{308}M"],
        &["\u{212A}elvin", "kelvin"],
        &["ſam", "sam"],
        &["x²", "x2"],
        &["ﾔﾏﾀﾞ", "ヤマダ"],
        &["한국", "\u{1112}\u{1161}\u{11AB}\u{1100}\u{116E}\u{11A8}"],
    ] {
        let keys: Vec<_> = twins.iter().map(|name| username(name).map(|name| name.key().to_owned())).collect();
        assert!(keys.iter().all(|key| key.is_ok() && *key == keys[0]), "{twins:?} {keys:?}");
    }
}

#[test]
fn names_that_only_look_alike_have_keys_of_their_own() {
    for (one, other) in [
        ("mike", "mıke"),
        ("mike", "mİke"),
        ("mike", "míke"),
        ("alice", "a1ice"),
        ("sara", "ѕаrа"),
        ("вера", "bepa"),
        ("a.b", "ab"),
        ("a-b", "a_b"),
        ("strase", "straße"),
        ("zoe", "zoë"),
    ] {
        let (one, other) = (username(one), username(other));
        let same = matches!((&one, &other), (Ok(one), Ok(other)) if one.key() == other.key());
        assert!(!same && one.is_ok(), "{one:?} {other:?}");
    }
}

#[test]
fn the_longest_user_name_has_150_characters_however_they_are_composed() {
    assert!(username(&"é".repeat(MAX_LENGTH)).is_ok());
    assert_eq!(username(&"e\u{301}".repeat(MAX_LENGTH)).unwrap().as_str(), "é".repeat(MAX_LENGTH));
    assert_eq!(username(&"é".repeat(MAX_LENGTH + 1)), Err("username_too_long"));
    assert_eq!(username(&"ﬁ".repeat(MAX_LENGTH)), Err("username_too_long"));
    assert_eq!(username(&"a".repeat(10 << 20)), Err("username_too_long"));
}

#[test]
fn addresses_are_kept_as_their_owners_write_them_but_for_the_domain() {
    for (typed, shown, key) in [
        ("alice@example.com", "alice@example.com", "alice@example.com"),
        ("Alice.Smith+tag@Example.COM", "Alice.Smith+tag@example.com", "alice.smith+tag@example.com"),
        ("o'brien_{x}@mail.example.co.uk", "o'brien_{x}@mail.example.co.uk", "o'brien_{x}@mail.example.co.uk"),
        ("a@bücher.example", "a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
        ("a@BÜCHER.example", "a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
        ("a@bu\u{308}cher.example", "a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
        ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
        ("a@straße.example", "a@xn--strae-oqa.example", "a@xn--strae-oqa.example"),
        ("a@почта.рф", "a@xn--80a1acny.xn--p1ai", "a@xn--80a1acny.xn--p1ai"),
        ("a@1and1.example", "a@1and1.example", "a@1and1.example"),
    ] {
        let email = email(typed).unwrap_or_else(|code| panic!("{typed}: {code}"));
        assert_eq!((email.as_str(), email.key()), (shown, key), "{typed}");
    }
}

#[test]
fn addresses_to_which_no_mail_could_be_sent_are_refused() {
    for typed in [
        "alice",
        "@",
        "alice@",
        "@example.com",
        "alice@example",
        "alice@@example.com",
        "a@b@example.com",
        " alice@example.com",
        "alice@example.com ",
        "alice @example.com",
        "alice@ example.com",
        "alice@example.com\n",
        "alice\r\n@example.com",
        "alice\0@example.com",
        ".alice@example.com",
        "alice.@example.com",
        "al..ice@example.com",
        "\"al ice\"@example.com",
        "alice(x)@example.com",
        "Alice <alice@example.com>",
        "alice@[127.0.0.1]",
        "alice@127.0.0.1",
        "alice@[IPv6:::1]",
        "alice@[::1]",
        "alice@0x7f.1",
        "alice@example.com.",
        "alice@.example.com",
        "alice@example..com",
        "alice@-example.com",
        "alice@example-.com",
        "alice@exa_mple.com",
        "alice@example.com/x",
        "alice@example.com:25",
        "alice@example.com?x",
        "alice@example.com#x",
        "alice@exa%6Dple.com",
        "alice@example.com,bob@example.com",
        "mıke@example.com",
        "ſam@example.com",
        "alíce@example.com",
        "a@exam\u{AD}ple.com",
        "a@exam\u{200B}ple.com",
        "a@ｅｘａｍｐｌｅ.com",
        "a@example。com",
        "a@ⓔxample.com",
        "a@xn--.com",
        "a@xn--a.com",
        "a@xn--example-.com",
        "a@xn--EXAMPLE-.com",
        "a@xn--ls8h\u{301}.example",
    ] {
        assert_eq!(email(typed).map(|email| email.key().to_owned()), Err("email_invalid"), "{typed:?}");
    }
    assert_eq!(email(""), Err("email_empty"));
}

#[test]
fn a_domain_that_imitates_another_is_refused_in_either_form() {
    for typed in [
        "a@аррӏе.com",
        "a@xn--80ak6aa92e.com",
        "a@pаypal.com",
        "a@xn--pypal-4ve.com",
        "a@ехаmple.com",
        "a@mıke.example",
        "a@gооgle.example",
    ] {
        assert_eq!(email(typed).map(|email| email.key().to_owned()), Err("email_confusable"), "{typed}");
    }
}

#[test]
fn an_address_has_at_most_254_characters_and_64_before_the_at() {
    let local = "l".repeat(64);
    let label = "d".repeat(61);
    let longest = format!("{local}@{label}.{label}.{label}.{}", "e".repeat(3));
    assert_eq!(longest.len(), 254);
    assert!(email(&longest).is_ok());
    assert_eq!(email(&format!("{longest}e")), Err("email_too_long"));
    assert_eq!(email(&format!("l{local}@example.com")), Err("email_too_long"));
    assert_eq!(email(&format!("{}@example.com", "l".repeat(10 << 20))), Err("email_too_long"));
}

#[test]
fn a_persons_name_is_any_line_of_text() {
    for name in ["", "Mary", "O’Brien-Smith Jr.", "María José", "محمد", "نيما\u{200C}ی", "山田 太郎", "X Æ A-12", "🙂"]
    {
        assert_eq!(person_name("first_name", name).as_deref(), Ok(name));
    }
    assert_eq!(person_name("first_name", "Jose\u{301}").as_deref(), Ok("José"));
    assert!(person_name("first_name", &"é".repeat(MAX_LENGTH)).is_ok());
    let error = person_name("last_name", &"é".repeat(MAX_LENGTH + 1)).unwrap_err();
    assert_eq!((&*error.field, error.code), ("last_name", "name_too_long"));
}

#[test]
fn a_persons_name_has_nothing_that_breaks_lines_or_turns_text_around() {
    for name in [
        "Mary\n",
        "Mary\r\nBcc: x",
        "Mary\0",
        "Ma\u{1B}[31mry",
        "Mary\u{202E}",
        "\u{2066}Mary",
        "Mary\u{2028}",
        "Mary\u{2029}",
        "Ma\u{E000}ry",
        "Ma\u{85}ry",
        "Ma\u{FFFF}ry",
    ] {
        let error = person_name("last_name", name).unwrap_err();
        assert_eq!((&*error.field, error.code), ("last_name", "name_invalid"), "{name:?}");
    }
}

proptest! {
    #[test]
    fn a_name_that_is_taken_is_taken_again_in_its_own_shown_form(typed in "\\PC{1,12}") {
        if let Ok(name) = username(&typed) {
            let again = username(name.as_str());
            prop_assert_eq!(again.as_ref(), Ok(&name));
            prop_assert_eq!(username_key(name.key()), name.key(), "the key of a key is the key");
            prop_assert!(!name.key().contains('@'));
            prop_assert!(name.key().parse::<i64>().is_err());
        }
    }

    #[test]
    fn upper_and_lower_case_are_one_name(typed in "[a-zA-Zäöüßéñçřžøåæœа-яΑ-Ωά-ώ]{1,12}") {
        if let Ok(name) = username(&typed) {
            for other in [typed.to_uppercase(), typed.to_lowercase()] {
                let other = username(&other);
                prop_assert_eq!(other.as_ref().map(Username::key), Ok(name.key()));
            }
        }
    }

    #[test]
    fn any_text_is_an_address_or_is_refused_and_an_address_is_plain_ascii(typed in "[a-z.@ü\\PC]{1,20}") {
        if let Ok(email) = email(&typed) {
            prop_assert!(email.as_str().is_ascii());
            let again = Email::parse(email.as_str());
            prop_assert_eq!(again.as_ref(), Ok(&email));
        }
    }
}
