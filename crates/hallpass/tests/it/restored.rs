//! A database that was restored from a backup: what ended since then lives again, the server says so, and one command ends
//! it. The ways to make a backup are those of `docs/guide/backup.md`.

use std::{path::Path, process::Command, time::Duration};

use hallpass_core::testing::TestDb;
use reqwest::StatusCode;
use serde_json::json;

use crate::{
    kill::{Api, Device},
    program::{Home, Server, finish, within_five_seconds},
};

/// A server whose every refresh rotates.
fn start(home: &Home, database: &str) -> Server {
    let mut command = home.command(&["serve", "--dev", "--listen", "127.0.0.1:0"]);
    command.env("HALLPASS_DATABASE", database).env("HALLPASS_PUBLIC_URL", "http://localhost:8000");
    command.env("HALLPASS_SESSIONS__REPLAY_WINDOW", "0");
    Server::start_with(command)
}

async fn refresh(api: &Api, device: &Device) -> Device {
    api.refresh(device).await.unwrap().issued(StatusCode::OK)
}

/// Uses a server before and after a backup, which `back_up` makes and `restore` brings back.
async fn survives(home: &Home, database: &str, back_up: impl FnOnce(), restore: impl FnOnce()) {
    let password = "seven otters juggle brass lanterns";
    let server = start(home, database);
    let api = Api::new(&server.url);
    let [ada, eve, mut bob] = {
        let mut people = Vec::new();
        for name in ["ada", "eve", "bob"] {
            people.push(api.sign_up(name, password).await.unwrap().issued(StatusCode::CREATED));
        }
        people.try_into().unwrap()
    };
    back_up();
    assert_eq!(api.sign_out(&ada).await.unwrap().status, StatusCode::NO_CONTENT);
    bob = refresh(&api, &refresh(&api, &bob).await).await;
    server.signal("TERM");
    assert_eq!(server.wait(), 0);
    restore();

    let server = start(home, database);
    let api = Api::new(&server.url);
    assert_eq!(api.session(&ada).await.unwrap().status, StatusCode::OK, "what ended lives again");
    let warnings = || server.said().matches("older copy").count();
    assert_eq!(warnings(), 0);
    bob = refresh(&api, &bob).await;
    within_five_seconds("the warning", async || warnings() == 1).await;

    let run = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("HALLPASS_DATABASE", database);
        finish(command, "", Duration::from_secs(60))
    };
    run(&["sessions", "end-all"]).failed(2, "--yes");
    assert_eq!(api.session(&eve).await.unwrap().status, StatusCode::OK);
    assert_eq!(run(&["sessions", "end-all", "--yes", "--json"]).json(), json!({ "ended": 3 }));
    assert_eq!(run(&["sessions", "end-all", "--yes", "--json"]).json(), json!({ "ended": 0 }));
    for device in [&ada, &eve, &bob] {
        within_five_seconds("the end of every session", async || {
            api.session(device).await.unwrap().body["code"] == "session_ended"
        })
        .await;
        assert_eq!(api.refresh(device).await.unwrap().body["cause"], "ended_by_admin");
    }
    let events = run(&["audit", "--event", "session_ended", "--json"]).json();
    assert_eq!(events.as_array().unwrap().len(), 3, "{events}");
    // Whoever signs in now is signed in.
    let back = api.sign_in("ada", password).await.unwrap().issued(StatusCode::OK);
    assert_eq!(api.session(&back).await.unwrap().status, StatusCode::OK);
}

fn shell(folder: &Path, command: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-ec", command]).current_dir(folder);
    shell.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let ended = finish(shell, "", Duration::from_secs(60));
    assert_eq!(ended.code, 0, "{command}: {ended:?}");
}

fn has(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok();
    if !there {
        println!("skipped: there is no `{program}`");
    }
    there
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_backup_of_sqlite_is_restored_one_command_ends_what_lives_again() {
    if !has("sqlite3") {
        return;
    }
    let home = Home::new();
    let back_up = || shell(home.path(), "sqlite3 data/hallpass.db \"vacuum into 'backup.db'\"");
    let restore = || {
        shell(
            home.path(),
            "rm -f data/hallpass.db-wal data/hallpass.db-shm; install -m 600 backup.db data/hallpass.db",
        );
    };
    survives(&home, "sqlite:data/hallpass.db", back_up, restore).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_backup_of_postgresql_is_restored_one_command_ends_what_lives_again() {
    let Some(database) = TestDb::postgres().await else { return };
    if !has("pg_dump") || !has("pg_restore") {
        return;
    }
    let home = Home::new();
    let url = &database.url;
    let back_up = || shell(home.path(), &format!("pg_dump --format=custom --file=backup.dump '{url}'"));
    let restore =
        || shell(home.path(), &format!("pg_restore --clean --if-exists --no-owner --dbname='{url}' backup.dump"));
    survives(&home, url, back_up, restore).await;
}
