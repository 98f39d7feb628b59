//! Where settings come from, and what a server refuses to start with.

use std::time::Duration;

use serde_json::{Value, json};

use crate::program::{Ended, Home, finish};

/// In every value that could be a secret: no message may repeat it.
const CANARY: &str = "canary";
const KEY: &str = "Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5YWI=";

/// One thing that is wrong: a file, a variable or flags.
#[derive(Default)]
struct Wrong<'a> {
    file: &'a str,
    variable: Option<(&'a str, &'a str)>,
    flags: &'a [&'a str],
}

/// Runs `hallpass serve`, which has to end within five seconds.
fn serve(wrong: &Wrong<'_>) -> Ended {
    let home = Home::new();
    if !wrong.file.is_empty() {
        home.write("hallpass.toml", wrong.file);
    }
    let mut command = home.command(&[&["serve"], wrong.flags].concat());
    command.envs(wrong.variable);
    let ended = finish(command, "", Duration::from_secs(5));
    assert!(!home.file("data/hallpass.db").exists(), "a refused start made a database");
    ended
}

fn file(file: &str) -> Wrong<'_> {
    Wrong { file, flags: &["--dev", "--listen", "127.0.0.1:0"], ..Wrong::default() }
}

fn variable<'a>(name: &'a str, value: &'a str) -> Wrong<'a> {
    Wrong { variable: Some((name, value)), ..file("") }
}

fn flags<'a>(flags: &'a [&'a str]) -> Wrong<'a> {
    Wrong { flags, ..Wrong::default() }
}

#[test]
fn a_server_refuses_each_weak_or_wrong_setting_within_five_seconds_and_says_what_to_do() {
    let public = &["--listen", "0.0.0.0:0"];
    let cases: &[(Wrong<'_>, &str)] = &[
        // secrets
        (variable("HALLPASS_MASTER_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), "openssl rand"),
        (variable("HALLPASS_MASTER_KEY", "Y2FuYXJ5"), "32 bytes"),
        (variable("HALLPASS_MASTER_KEY", "canary, not base64"), "base64"),
        // floors
        (file("[passwords]\nmemory_kib = 1024"), "memory_kib"),
        (file("[passwords]\nmin_length = 4"), "min_length"),
        (file("[tokens]\nlifetime = 3601"), "tokens.lifetime"),
        (file("[tokens]\nleeway = 61"), "tokens.leeway"),
        (file("[tokens]\nalgorithm = \"none\""), "`tokens.algorithm` in `hallpass.toml` cannot be understood"),
        (file("[sessions]\nidle = 0"), "sessions"),
        // the web
        (file("frontend_origins = [\"*\"]"), "frontend_origins"),
        (file("frontend_origins = [\"null\"]"), "frontend_origins"),
        (flags(&[]), "`public_url` is not set"),
        (Wrong { file: "public_url = \"http://login.example.org\"", ..Wrong::default() }, "https"),
        (flags(&["--dev", "--listen", "0.0.0.0:0"]), "`dev` is for this machine only"),
        (flags(&["--dev", "--listen", "192.0.2.7:0"]), "`dev` is for this machine only"),
        (flags(&["--dev-tls", "--listen", "0.0.0.0:0"]), "`dev` is for this machine only"),
        (flags(&["--dev-tls", "--domain", "test"]), "not a domain of two parts"),
        (flags(&["--dev-tls", "--domain", "Example.test"]), "not a domain of two parts"),
        (flags(&["--dev", "--domain", "other.test"]), "`dev_domain` has no effect without `dev_tls`"),
        (
            Wrong { file: "public_url = \"https://api.other.test\"", flags: &["--dev-tls"], ..Wrong::default() },
            "not below `example.test`",
        ),
        (
            Wrong {
                file: "frontend_origins = [\"http://app.example.test:3000\"]",
                flags: &["--dev-tls"],
                ..Wrong::default()
            },
            "is plain HTTP",
        ),
        (
            Wrong {
                file: "public_url = \"https://login.example.org\"\n[throttle]\nenabled = false",
                flags: public,
                ..Wrong::default()
            },
            "throttle.enabled",
        ),
        (file("[network]\ntrusted_proxies = [\"everybody\"]"), "trusted_proxies"),
        // names
        (file("databse = \"sqlite:canary\""), "`databse` in `hallpass.toml`; the nearest known one is `database`"),
        (file("[passwords]\nmin_lenght = 12"), "the nearest known one is `passwords.min_length`"),
        (file("[token]\nlifetime = 60"), "the nearest known one is `tokens."),
        (variable("HALLPASS_PUBLIC_ULR", CANARY), "the nearest known one is `HALLPASS_PUBLIC_URL`"),
        (variable("HALLPASS_TOKENS_LIFETIME", "60"), "the nearest known one is `HALLPASS_TOKENS__LIFETIME`"),
        // Not the one that Kubernetes sets, which is an address.
        (variable("HALLPASS_PORT", "8000"), "unknown environment variable `HALLPASS_PORT`"),
        (variable("HALLPASS_HALLPASS_DEV", "true"), "the nearest known one is"),
        (variable("HALLPASS_listen", "127.0.0.1:1"), "the nearest known one is `HALLPASS_LISTEN`"),
        // kinds
        (file("[tokens]\nlifetime = \"canary\""), "`tokens.lifetime` in `hallpass.toml` must be a whole number"),
        (file("[passwords]\nmin_score = 300"), "`passwords.min_score` in `hallpass.toml` is out of range"),
        (file("database = [\"postgres://canary@localhost\"]"), "`database` in `hallpass.toml` must be text"),
        (file("database = \"mysql://canary:canary@localhost\""), "`database` must begin with"),
        (file("tokens = \"canary\""), "`tokens` in `hallpass.toml` is a section"),
        (file("frontend_origins = \"https://canary\""), "must be a list of texts"),
        (Wrong { file: "dev = true\nlisten = \"localhost\"", ..Wrong::default() }, "write it like `127.0.0.1:8000`"),
        (file("[accounts]\nemail = \"canary\""), "must be one of `required`, `optional`, `off`"),
        (file("[accounts.profile]\nshoe_size = \"canary\""), "`accounts.profile.shoe_size` in `hallpass.toml`"),
        (variable("HALLPASS_TOKENS__LIFETIME", CANARY), "`HALLPASS_TOKENS__LIFETIME` must be a whole number"),
        (variable("HALLPASS_THROTTLE__ENABLED", CANARY), "`HALLPASS_THROTTLE__ENABLED` must be `true` or `false`"),
        (variable("HALLPASS_LOG__LEVEL", "verbose"), "`log.level`"),
        // mail
        (file("[mail]\ntransport = \"pigeon\""), "must be one of `off`, `smtp`, `file`, `mailbox`"),
        (
            Wrong {
                file: "public_url = \"https://login.example.org\"\n[mail]\ntransport = \"mailbox\"",
                ..Wrong::default()
            },
            "`mail.transport = \"mailbox\"` shows every mail",
        ),
        (
            Wrong {
                file: "public_url = \"https://login.example.org\"\n[accounts]\nemail = \"required\"\nverify_email = \"required\"",
                ..Wrong::default()
            },
            "needs mail: set `mail.transport`",
        ),
        (
            Wrong {
                file: "public_url = \"https://login.example.org\"\n[mail]\nlinks = \"http://app.example.org\"",
                ..Wrong::default()
            },
            "`mail.links` must begin with `https://`",
        ),
        (file("[mail]\nlinks = \"https://app.example.org/\""), "`mail.links`"),
        (file("[mail]\nsmtp_port = 70000"), "`mail.smtp_port` in `hallpass.toml` is out of range"),
        (file("[mail]\nsmtp_password = [\"canary:canary\"]"), "`mail.smtp_password` in `hallpass.toml` must be text"),
        (file("[mail]\ntransport = \"smtp\"\nfrom = \"no-reply@example.org\""), "`mail.smtp_host`"),
        (file("[mail]\ntransport = \"smtp\"\nsmtp_host = \"mail.example.org\""), "`mail.from`"),
        (file("[mail]\ntemplates = \"not there\""), "`mail.templates`"),
        (file("[accounts]\ndeletion_grace_days = -1"), "`accounts.deletion_grace_days`"),
        // the bell
        (file("[revocation]\nbell = \"gong\""), "must be one of `notify`, `redis`, `off`"),
        (file("[revocation]\nbell = \"redis\""), "needs an address: set `revocation.redis`"),
        (file("[revocation]\nredis = \"redis://:canary@localhost\""), "`revocation.redis` has no effect"),
        (
            file("[revocation]\nbell = \"redis\"\nredis = \"http://:canary@localhost\""),
            "`revocation.redis` cannot be understood",
        ),
        (
            file("[revocation]\nbell = \"redis\"\nredis = \"redis://:canary@local host\""),
            "`revocation.redis` cannot be understood",
        ),
        (
            file("[revocation]\nbell = \"redis\"\nredis = \"rediss://:canary@localhost#insecure\""),
            "`revocation.redis` cannot be understood",
        ),
        // the file itself
        (file("dev = true\ndatabase = \"postgres://hallpass:canary@localhost"), "is not TOML at line 2"),
        (flags(&["--dev", "--config", "elsewhere.toml"]), "`elsewhere.toml` cannot be read"),
    ];
    for (wrong, message) in cases {
        println!("expected: {message}");
        let ended = serve(wrong);
        ended.failed(1, message);
        assert_eq!(ended.stderr.lines().count(), 1, "one clear line: {ended:?}");
        assert!(ended.stderr.starts_with("error: "), "{ended:?}");
        assert!(
            !ended.stderr.contains("canary:") && !ended.stderr.contains(":canary"),
            "a secret is echoed: {ended:?}"
        );
    }
}

#[test]
fn a_master_key_that_is_also_the_database_password_is_refused() {
    let home = Home::new();
    let mut command = home.command(&["serve", "--dev", "--listen", "127.0.0.1:0"]);
    let key = KEY.trim_end_matches('=');
    command
        .env("HALLPASS_MASTER_KEY", KEY)
        .env("HALLPASS_DATABASE", format!("postgres://hallpass:{KEY}@127.0.0.1:1/x"));
    let ended = finish(command, "", Duration::from_secs(5));
    ended.failed(1, "also the database password");
    assert!(!ended.stderr.contains(key), "{ended:?}");
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let home = Home::new();
    home.write("hallpass.toml", "listen = \"0.0.0.0:8000\"\n[tokens]\nlifetime = 9999\n[throttle]\nenabled = false");
    let ended = home.run(&["config", "check"]);
    for message in ["`public_url`", "`tokens.lifetime`", "`throttle.enabled"] {
        ended.failed(1, message);
    }
    assert_eq!(ended.stderr.lines().count(), 3, "{ended:?}");

    home.write("hallpass.toml", "colour = \"blue\"\nlisten = 8000\n[tokens]\nlifetme = 60");
    let ended = home.run(&["config", "check"]);
    for message in ["`colour`", "`listen`", "`tokens.lifetme`"] {
        ended.failed(1, message);
    }
}

#[test]
fn later_sources_win_over_earlier_ones() {
    let home = Home::new();
    let shown = |flags: &[&str], variables: &[(&str, &str)]| {
        let mut command = home.command(&[&["config", "show", "--json"], flags].concat());
        command.envs(variables.iter().copied());
        finish(command, "", Duration::from_secs(60)).json()
    };
    let listen = |shown: Value| shown["listen"].clone();
    assert_eq!(listen(shown(&[], &[])), "127.0.0.1:8000");
    home.write("hallpass.toml", "listen = \"127.0.0.1:8001\"");
    home.write("other.toml", "listen = \"127.0.0.1:8002\"");
    assert_eq!(listen(shown(&[], &[])), "127.0.0.1:8001");
    assert_eq!(listen(shown(&["--config", "other.toml"], &[])), "127.0.0.1:8002");
    let variable = [("HALLPASS_LISTEN", "127.0.0.1:8003")];
    assert_eq!(listen(shown(&["--config", "other.toml"], &variable)), "127.0.0.1:8003");
    assert_eq!(listen(shown(&["--listen", "127.0.0.1:8004"], &variable)), "127.0.0.1:8004");
}

#[test]
fn the_environment_takes_every_kind_of_value() {
    let home = Home::new();
    let mut command = home.command(&["config", "show", "--json"]);
    command.envs([
        ("HALLPASS_FRONTEND_ORIGINS", "https://app.example.org, https://www.example.org,"),
        ("HALLPASS_PASSWORDS__MIN_LENGTH", "20"),
        ("HALLPASS_ACCOUNTS__SIGN_UP", "false"),
        ("HALLPASS_ACCOUNTS__EMAIL", "required"),
        ("HALLPASS_ACCOUNTS__PROFILE__NICKNAME", "string"),
        ("HALLPASS_TOKENS__CLAIMS__NICK", "profile.nickname"),
        ("HALLPASS_DATA_DIR", "elsewhere"),
        // Not settings, and no error.
        ("HALLPASS_MASTER_KEY", KEY),
        ("HALLPASS_TEST_POSTGRES", "anything"),
        ("HALLPASS_SHARED", "anything"),
        ("HALLPASS_SERVICE_HOST", "10.0.0.1"),
        ("HALLPASS_PORT", "tcp://10.0.0.1:80"),
        ("HALLPASS_PORT_80_TCP_ADDR", "10.0.0.1"),
    ]);
    let shown = finish(command, "", Duration::from_secs(60)).json();
    assert_eq!(shown["frontend_origins"], json!(["https://app.example.org", "https://www.example.org"]));
    assert_eq!(shown["passwords"]["min_length"], 20);
    assert_eq!(shown["accounts"]["sign_up"], false);
    assert_eq!(shown["accounts"]["email"], "required");
    assert_eq!(shown["accounts"]["profile"], json!({ "nickname": "string" }));
    assert_eq!(shown["tokens"]["claims"], json!({ "nick": "profile.nickname" }));
    assert_eq!(shown["data_dir"], "elsewhere");
}

#[test]
fn what_config_show_prints_is_a_settings_file_that_says_the_same() {
    let home = Home::new();
    home.write(
        "first.toml",
        "frontend_origins = [\"http://localhost:5173\"]\n[accounts.profile]\nnickname = \"string\"",
    );
    let shown = home.run(&["config", "show", "--config", "first.toml"]);
    home.write("second.toml", &shown.stdout);
    assert_eq!(home.run(&["config", "show", "--config", "second.toml"]).stdout, shown.stdout);
    let checked = home.run(&["config", "check", "--config", "second.toml", "--dev"]);
    assert_eq!((checked.code, checked.stdout.as_str()), (0, ""), "{checked:?}");
}

#[test]
fn config_show_hides_the_password_of_the_mail_server() {
    let home = Home::new();
    home.write("hallpass.toml", "[mail]\nsmtp_username = \"hallpass\"\nsmtp_password = \"canary of the file\"");
    for variable in [None, Some(("HALLPASS_MAIL__SMTP_PASSWORD", "canary of the environment"))] {
        for arguments in [&["config", "show"][..], &["config", "show", "--json"]] {
            let mut command = home.command(arguments);
            command.envs(variable);
            let shown = finish(command, "", Duration::from_secs(60));
            assert!(shown.code == 0 && shown.stdout.contains("***"), "{shown:?}");
            assert!(!shown.stdout.contains("canary"), "{shown:?}");
        }
    }
}

#[test]
fn config_show_hides_the_address_of_redis_which_may_hold_a_password() {
    let home = Home::new();
    home.write("hallpass.toml", "[revocation]\nbell = \"redis\"\nredis = \"redis://:canary@redis.example.org\"");
    for arguments in [&["config", "show"][..], &["config", "show", "--json"]] {
        let shown = home.run(arguments);
        assert!(shown.code == 0 && shown.stdout.contains("***"), "{shown:?}");
        assert!(!shown.stdout.contains("canary"), "{shown:?}");
    }
    let checked = home.run(&["config", "check", "--dev"]);
    assert!(checked.code == 0 && !checked.stderr.contains("canary"), "{checked:?}");
}

#[test]
fn config_check_names_every_template_that_cannot_be_used() {
    let home = Home::new();
    home.write("hallpass.toml", "dev = true\n[mail]\ntemplates = \"templates\"");
    std::fs::create_dir_all(home.file("templates/en")).unwrap();
    home.write("templates/en/reset_password.txt", "{{ linc }}");
    home.write("templates/en/verify_email.html", "{{ linc }}");
    let ended = home.run(&["config", "check"]);
    for file in ["en/reset_password.txt", "en/verify_email.html"] {
        ended.failed(1, file);
    }
    assert_eq!(ended.stderr.lines().count(), 2, "{ended:?}");
    home.write("templates/en/verify_email.html", "{% if %}");
    home.run(&["config", "check"]).failed(1, "`en/verify_email.html`, line 1");
}

#[test]
fn config_show_hides_the_password_of_the_database() {
    let home = Home::new();
    for database in [
        "postgres://hallpass:canary@db.example.org/hallpass",
        "postgres://hallpass@db.example.org/hallpass?sslmode=require&password=canary",
        "postgres://canary@[broken",
    ] {
        for arguments in [&["config", "show"][..], &["config", "show", "--json"]] {
            let mut command = home.command(arguments);
            command.env("HALLPASS_DATABASE", database).env("HALLPASS_MASTER_KEY", KEY);
            let shown = finish(command, "", Duration::from_secs(60));
            assert_eq!(shown.code, 0);
            assert!(!shown.stdout.contains("canary") && !shown.stdout.contains(KEY), "{shown:?}");
        }
    }
}

#[test]
fn a_dialect_that_cannot_be_served_is_named_with_what_to_do() {
    for (sections, expected) in [
        ("kind = \"simple-jwt\"", "unknown variant `simple-jwt`"),
        ("kind = \"simplejwt\"\nsigning_kee = \"k\"", "unknown field `signing_kee`"),
        ("kind = \"simplejwt\"", "`dialects.signing_key_file` is not set"),
        ("kind = \"drf-jwt\"\nsecret_key_file = \"nowhere\"", "`nowhere` cannot be read"),
        ("kind = \"drf-jwt\"\nsecret_key_file = \"hallpass.toml\"\npath = \"api\"", "must begin with `/`"),
        ("kind = \"dj-rest-auth\"", "`dialects.secret_key_file` is not set"),
        ("kind = \"dj-rest-auth\"\naccess_cookie = \"a; b\"", "`dialects.access_cookie` must have letters"),
        ("kind = \"dj-rest-auth\"\naccess_cookie = \"a\"\nrefresh_cookie = \"a\"", "a name of its own"),
        ("kind = \"dj-rest-auth\"\nreset_link = \"/reset/{uid}\"", "`dialects.reset_link` needs `{token}`"),
    ] {
        serve(&file(&format!("[[dialects]]\n{sections}\n"))).failed(1, expected);
    }
}
