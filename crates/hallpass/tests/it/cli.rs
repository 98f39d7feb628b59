//! Every command, by what it prints, what it changes and how it ends.

use std::time::Duration;

use serde_json::{Value, json};

use crate::program::{Home, PASSWORD, finish};

#[test]
fn help_names_every_command_and_every_exit_code() {
    let help = Home::new().run(&["--help"]);
    assert_eq!(help.code, 0);
    for word in
        ["serve", "migrate", "createsuperuser", "accounts", "audit", "keys", "sessions", "mail", "config", "openapi"]
    {
        assert!(help.stdout.contains(&format!("\n  {word} ")), "no {word:?} in {}", help.stdout);
    }
    for code in 0..=5 {
        assert!(help.stdout.contains(&format!("\n  {code}  ")), "no exit code {code} in {}", help.stdout);
    }
}

#[test]
fn wrong_use_ends_with_2_and_touches_nothing() {
    let home = Home::new();
    for arguments in [
        &[][..],
        &["fly"],
        &["accounts"],
        &["accounts", "show"],
        &["accounts", "list", "--limit", "0"],
        &["audit", "--limit", "1001"],
        &["audit", "--event", "no_such_event"],
        &["audit", "--since", "yesterday"],
        &["audit", "--before", "1"],
        &["serve", "--listen", "8000"],
        &["sessions", "end-all"],
        &["mail"],
        &["mail", "test"],
        &["mail", "preview", "--html"],
        // A password as an argument would be on everybody's screen: there is no such flag.
        &["createsuperuser", "--password", PASSWORD],
        &["createsuperuser", "--username", "ada", "--password-stdin"],
        &["createsuperuser", "--username", "ada"],
    ] {
        let ended = home.run(arguments);
        assert_eq!(ended.code, 2, "{arguments:?}: {ended:?}");
        assert_eq!(ended.stdout, "", "{arguments:?}");
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn createsuperuser_makes_the_first_account_and_says_so() {
    let home = Home::new();
    let made = home.create_superuser("ada");
    assert_eq!(made["username"], "ada");
    assert_eq!((&made["is_superuser"], &made["is_staff"]), (&json!(true), &json!(true)));

    let talk = home.run_with_input(&["createsuperuser", "--username", "grace", "--password-stdin"], PASSWORD);
    assert_eq!((talk.code, talk.stdout.as_str()), (0, ""));
    assert!(talk.stderr.contains("created `grace`"), "{talk:?}");
}

#[test]
fn what_a_rule_refuses_ends_with_4_and_one_line_for_each_value() {
    let home = Home::new();
    home.create_superuser("ada");
    let create = |arguments: &[&str], password: &str| {
        home.run_with_input(&[&["accounts", "create", "--password-stdin"], arguments].concat(), password)
    };
    create(&["--username", "ADA"], PASSWORD).failed(4, "user name");
    create(&["--username", "bob"], "short").failed(4, "error: password: ");
    create(&["--username", "bob", "--role", "no spaces"], PASSWORD).failed(4, "error: role: ");
    let both = create(&["--username", "b\u{202e}b", "--email", "nobody"], PASSWORD);
    both.failed(4, "error: username: ");
    both.failed(4, "error: email: ");
    assert_eq!(both.stderr.lines().count(), 2, "{both:?}");
    assert_eq!(home.json(&["accounts", "list", "--json"]).as_array().unwrap().len(), 1);
}

#[test]
fn an_account_is_found_by_id_name_and_address() {
    let home = Home::new();
    home.create_superuser("root");
    let arguments =
        ["accounts", "create", "--username", "Ada", "--email", "ada@example.org", "--no-password", "--json"];
    let made = home.json(&arguments);
    for who in [made["id"].to_string().as_str(), "ada", "ADA@example.org"] {
        assert_eq!(home.json(&["accounts", "show", who, "--json"]), made, "{who}");
    }
    let shown = home.run(&["accounts", "show", "ada"]);
    assert!(shown.stdout.contains("ada@example.org"), "{shown:?}");
}

#[test]
fn an_address_that_the_operator_vouches_for_is_verified() {
    let home = Home::new();
    let make = |command: &[&str], name: &str, address: &[&str]| {
        let arguments = [command, &["--username", name, "--password-stdin", "--json"], address].concat();
        home.run_with_input(&arguments, PASSWORD).json()["email_verified"].clone()
    };
    let vouched = &["accounts", "create", "--email-verified"];
    assert_eq!(make(&["createsuperuser"], "root", &["--email", "root@example.org"]), true);
    assert_eq!(make(vouched, "ada", &["--email", "ada@example.org"]), true);
    assert_eq!(make(&["accounts", "create"], "bob", &["--email", "bob@example.org"]), false);
    assert_eq!(make(vouched, "eve", &[]), false);
    let shown = home.json(&["accounts", "show", "ada", "--json"]);
    assert_eq!((&shown["locale"], &shown["delete_at"]), (&Value::Null, &Value::Null));
}

#[test]
fn every_change_of_an_account_is_seen_by_the_next_command() {
    let home = Home::new();
    home.create_superuser("ada");
    let show = || home.json(&["accounts", "show", "ada", "--json"]);
    let change = |arguments: &[&str]| {
        let answered = home.json(&[&["accounts"], arguments, &["--json"]].concat());
        assert_eq!(answered, show(), "{arguments:?}");
        answered
    };
    assert_eq!(change(&["deactivate", "ada"])["is_active"], false);
    assert_eq!(change(&["activate", "ada"])["is_active"], true);
    assert_eq!(change(&["grant-role", "ada", "editor"])["roles"], json!(["editor"]));
    assert_eq!(change(&["revoke-role", "ada", "editor"])["roles"], json!([]));
    let set = home
        .run_with_input(&["accounts", "set-password", "ada", "--password-stdin"], "nine quiet foxes weigh marble\n");
    assert_eq!((set.code, set.stdout.as_str()), (0, ""), "{set:?}");
    assert!(set.stderr.contains("`ada`"), "{set:?}");
}

#[test]
fn what_is_not_there_ends_with_3() {
    let home = Home::new();
    home.create_superuser("ada");
    for arguments in [
        &["accounts", "show", "nobody"][..],
        &["accounts", "show", "77"],
        &["accounts", "deactivate", "nobody"],
        &["accounts", "activate", "nobody"],
        &["accounts", "grant-role", "nobody", "editor"],
        &["accounts", "revoke-role", "ada", "editor"],
        &["keys", "revoke", "no-such-key"],
        &["audit", "--account", "nobody"],
    ] {
        home.run(arguments).failed(3, "error: ");
    }
    home.run_with_input(&["accounts", "set-password", "nobody", "--password-stdin"], PASSWORD).failed(3, "error: ");
}

#[test]
fn the_list_goes_on_where_it_was_left() {
    let home = Home::new();
    for name in ["ada", "grace", "edsger"] {
        home.create_superuser(name);
    }
    let names = |list: Value| list.as_array().unwrap().iter().map(|one| one["username"].clone()).collect::<Vec<_>>();
    let first = home.json(&["accounts", "list", "--limit", "2", "--json"]);
    let after = first[1]["id"].to_string();
    assert_eq!(names(first), ["ada", "grace"]);
    assert_eq!(names(home.json(&["accounts", "list", "--after", &after, "--json"])), ["edsger"]);
    let table = home.run(&["accounts", "list", "--limit", "2"]);
    assert!(table.stdout.lines().nth(2).unwrap().contains("grace"), "{table:?}");
    assert!(table.stderr.contains(&format!("--after {after}")), "{table:?}");
}

#[test]
fn a_rotated_key_signs_and_a_revoked_one_is_gone() {
    let home = Home::new();
    home.create_superuser("ada");
    let in_state = |keys: &Value, state: &str| {
        let found = keys.as_array().unwrap().iter().find(|key| key["state"] == state).cloned();
        found.map(|key| key["kid"].as_str().unwrap().to_owned())
    };
    let before = home.json(&["keys", "list", "--json"]);
    let (old, next) = (in_state(&before, "current").unwrap(), in_state(&before, "next").unwrap());

    let rotated = home.json(&["keys", "rotate", "--json"]);
    assert_eq!(in_state(&rotated, "current").as_ref(), Some(&next));
    assert_eq!(in_state(&rotated, "retired").as_ref(), Some(&old));

    let revoked = home.json(&["keys", "revoke", &next, "--json"]);
    assert_ne!(in_state(&revoked, "current").unwrap(), next);
    assert!(
        home.run(&["keys", "list"]).stdout.contains("CURRENT")
            || home.run(&["keys", "list"]).stdout.contains("current")
    );
}

#[test]
fn audit_shows_what_was_done_to_whom_and_finds_it_by_account_kind_and_time() {
    let home = Home::new();
    let ada = home.create_superuser("ada")["id"].clone();
    home.create_superuser("bob");
    home.json(&["accounts", "grant-role", "ada", "editor", "--json"]);
    home.json(&["keys", "rotate", "--json"]);
    let show = |arguments: &[&str]| {
        let list = home.json(&[&["audit", "--json"], arguments].concat());
        list.as_array().unwrap().clone()
    };
    let names = |arguments: &[&str]| -> Vec<String> {
        show(arguments).iter().map(|entry| entry["event"].as_str().unwrap().to_owned()).collect()
    };
    let mut all = names(&[]);
    all.sort();
    assert_eq!(all, ["account_created", "account_created", "key_rotated", "role_granted"]);
    let granted = &show(&["--event", "role_granted"])[0];
    assert_eq!((&granted["account"], &granted["actor"]), (&ada, &json!("operator")));
    assert_eq!((&granted["cause"], &granted["session"]), (&json!("editor"), &Value::Null));
    assert_eq!(names(&["--account", "ADA", "--event", "account_created"]), ["account_created"]);
    assert_eq!(names(&["--account", "bob", "--since", "1h"]), ["account_created"]);
    assert_eq!(names(&["--since", "2999-01-01"]), [""; 0]);

    let first = home.run(&["audit", "--limit", "1"]);
    let [newest, rest @ ..] = &show(&[])[..] else { panic!("nothing was recorded") };
    let lines: Vec<&str> = first.stdout.lines().collect();
    assert!(lines.len() == 2 && lines[1].contains(newest["event"].as_str().unwrap()), "{first:?}");
    let before = newest["id"].as_str().unwrap();
    assert!(first.stderr.contains(&format!("--before {before}")), "{first:?}");
    assert_eq!(show(&["--before", before]), rest);
}

#[test]
fn migrate_says_what_it_would_do_and_then_does_it_once() {
    let home = Home::new();
    home.run(&["migrate", "--dry-run"]).failed(5, "no database");
    let applied = home.json(&["migrate", "--json"]);
    assert!(!applied.as_array().unwrap().is_empty());
    assert_eq!(home.json(&["migrate", "--dry-run", "--json"]), json!([]));
    let again = home.run(&["migrate"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, ""));
    assert!(again.stderr.contains("up to date"), "{again:?}");
}

#[test]
fn commands_that_only_look_make_no_database() {
    let home = Home::new();
    for arguments in [
        &["accounts", "list"][..],
        &["accounts", "show", "ada"],
        &["audit"],
        &["keys", "list"],
        &["keys", "rotate"],
        &["mail", "queue"],
        &["mail", "retry"],
    ] {
        home.run(arguments).failed(5, "no database");
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_database_that_does_not_answer_ends_with_5_and_keeps_its_password() {
    let home = Home::new();
    let database = "postgres://hallpass:canary-of-the-database@127.0.0.1:1/hallpass";
    for arguments in [&["accounts", "list"][..], &["migrate"], &["serve", "--dev", "--listen", "127.0.0.1:0"]] {
        let mut command = home.command(&[arguments, &["--database", database]].concat());
        command.env("HALLPASS_MASTER_KEY", "aGFsbHBhc3MgdGVzdCBrZXksIDMyIGJ5dGVzIGxvbmc=");
        let ended = finish(command, "", Duration::from_secs(10));
        ended.failed(5, "error: ");
        assert!(!ended.stderr.contains("canary"), "{ended:?}");
    }
}

#[test]
fn openapi_prints_the_document_without_any_settings() {
    let home = Home::new();
    home.write("hallpass.toml", "this is = not [ settings");
    let document = home.json(&["openapi"]);
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    assert!(document["paths"]["/api/v1/login"].is_object());
}

#[test]
fn the_reference_describes_every_setting_command_and_error() {
    let home = Home::new();
    let settings = home.run(&["reference", "settings"]).stdout;
    let shown = home.json(&["config", "show", "--json"]);
    for (name, value) in shown.as_object().unwrap() {
        let heading = if value.is_object() { format!("\n## `[{name}]`\n") } else { format!("\n### `{name}`\n") };
        assert!(settings.contains(&heading), "no {heading:?}");
        assert!(settings.contains(&format!("`HALLPASS_{}", name.to_uppercase())), "no variable for {name}");
    }
    let commands = home.run(&["reference", "cli"]).stdout;
    for name in ["serve", "migrate", "createsuperuser", "accounts grant-role", "keys rotate", "config check"] {
        assert!(commands.contains(&format!("\n## `hallpass {name}`\n")), "no {name}");
    }
    let errors = home.run(&["reference", "errors"]).stdout;
    assert!(errors.contains("| `username_taken` | 409 |"), "{errors}");
}
