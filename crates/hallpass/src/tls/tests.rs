use std::os::unix::fs::PermissionsExt;

use super::*;

const DOMAIN: &str = "example.test";
const NOW: i64 = 1_790_000_000;
const DAY: i64 = 86_400;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn open(&self, domain: &str, hosts: &[&str], now: i64) -> DevTls {
        let hosts: Vec<_> = hosts.iter().map(ToString::to_string).collect();
        open(self.0.path(), domain, &hosts, now).unwrap()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    /// Whether whoever trusts the authority takes the certificate for `name` at `now`.
    fn vouches_for(&self, name: &str, now: i64) -> bool {
        let file = |name: &str| self.read(name);
        let authority = Pair { certificate: file(AUTHORITY), key: file(AUTHORITY_KEY) };
        let pair = Pair { certificate: file(CERTIFICATE), key: file(KEY) };
        let now = u64::try_from(now).unwrap() - DAYS_LEFT * super::DAY;
        check(&authority, &pair, &[name.to_owned()], now).is_ok()
    }
}

#[test]
fn a_certificate_is_for_the_domain_and_this_machine_and_for_397_days() {
    let folder = Folder::new();
    assert!(folder.open(DOMAIN, &["auth.dev.example.test"], NOW).is_new);
    for name in
        ["example.test", "api.example.test", "auth.dev.example.test", "localhost", "app.localhost", "127.0.0.1", "::1"]
    {
        assert!(folder.vouches_for(name, NOW), "{name}");
        assert!(folder.vouches_for(name, NOW + 396 * DAY), "{name}");
        assert!(!folder.vouches_for(name, NOW + 397 * DAY), "{name}");
        assert!(!folder.vouches_for(name, NOW - DAY), "{name}");
    }
    for name in ["example.com", "other.dev.example.test", "127.0.0.2", "test"] {
        assert!(!folder.vouches_for(name, NOW), "{name}");
    }
}

#[test]
fn the_authority_vouches_for_no_other_name_even_where_it_signs() {
    let folder = Folder::new();
    folder.open(DOMAIN, &[], NOW);
    let authority = read(folder.0.path(), AUTHORITY, AUTHORITY_KEY).unwrap();
    let now = u64::try_from(NOW).unwrap();
    let signs = |name: &str| sign(&authority, DOMAIN, &[name.to_owned()], now);
    for name in ["example.test", "deep.below.example.test", "localhost", "127.9.9.9"] {
        assert!(signs(name).is_ok(), "{name}");
    }
    for name in ["example.com", "notexample.test", "bank.example", "10.0.0.1", "2001:db8::1"] {
        let refused = format!("{:#}", signs(name).err().unwrap());
        assert!(refused.contains("NameConstraintViolation"), "{name}: {refused}");
    }
}

#[test]
fn a_second_start_changes_nothing() {
    let folder = Folder::new();
    assert!(folder.open(DOMAIN, &[], NOW).is_new);
    let files = [AUTHORITY, AUTHORITY_KEY, CERTIFICATE, KEY];
    let before = files.map(|name| folder.read(name));
    assert!(!folder.open(DOMAIN, &["api.example.test"], NOW + 300 * DAY).is_new);
    assert_eq!(files.map(|name| folder.read(name)), before);
}

#[test]
fn a_certificate_is_renewed_by_the_same_authority_when_it_is_about_to_end_or_lacks_a_name_or_its_key() {
    let folder = Folder::new();
    folder.open(DOMAIN, &[], NOW);
    let authority = folder.read(AUTHORITY);
    let mut certificate = folder.read(CERTIFICATE);
    let mut renewed = |hosts: &[&str], now: i64| {
        let is_new = folder.open(DOMAIN, hosts, now).is_new;
        let before = std::mem::replace(&mut certificate, folder.read(CERTIFICATE));
        assert!(!is_new && folder.read(AUTHORITY) == authority, "the authority was replaced");
        before != certificate
    };
    assert!(!renewed(&[], NOW + 366 * DAY));
    assert!(renewed(&[], NOW + 368 * DAY));
    assert!(renewed(&["a.b.example.test"], NOW + 368 * DAY));
    assert!(!renewed(&["a.b.example.test"], NOW + 368 * DAY));
    fs::write(folder.0.path().join(KEY), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert!(renewed(&[], NOW + 368 * DAY));
    fs::remove_file(folder.0.path().join(CERTIFICATE)).unwrap();
    fs::write(folder.0.path().join(CERTIFICATE), "rubbish").unwrap();
    assert!(renewed(&[], NOW + 368 * DAY));
}

#[test]
fn another_domain_takes_another_authority() {
    let folder = Folder::new();
    folder.open(DOMAIN, &[], NOW);
    let authority = folder.read(AUTHORITY);
    assert!(folder.open("other.test", &[], NOW).is_new);
    assert_ne!(folder.read(AUTHORITY), authority);
    assert!(folder.vouches_for("api.other.test", NOW) && !folder.vouches_for("api.example.test", NOW));
}

#[test]
fn the_keys_are_for_their_owner_alone() {
    let folder = Folder::new();
    folder.open(DOMAIN, &[], NOW);
    for name in [AUTHORITY_KEY, KEY] {
        let metadata = fs::metadata(folder.0.path().join(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
    assert_eq!(fs::read_dir(folder.0.path()).unwrap().count(), 4, "drafts were left behind");
}
