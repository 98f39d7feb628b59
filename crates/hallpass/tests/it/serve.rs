//! A running server: how it starts, what it leaves on disk, how commands reach it and how it stops.

use std::{
    io::Write,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
    time::Duration,
};

use hallpass_core::testing::TestDb;
use reqwest::{Client, StatusCode, header::HeaderValue};
use serde_json::{Value, json};

use crate::program::{Home, PASSWORD, Server, finish, within_five_seconds};

/// What a person who is signed in holds.
struct SignedIn {
    access: String,
    refresh: String,
}

fn client() -> Client {
    Client::builder().timeout(Duration::from_secs(20)).build().unwrap()
}

async fn post(server: &Server, path: &str, body: Value) -> (StatusCode, Value) {
    let answer = client().post(format!("{}{path}", server.url)).json(&body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

async fn get(server: &Server, path: &str, access: &str) -> (StatusCode, Value) {
    let answer = client().get(format!("{}{path}", server.url)).bearer_auth(access).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

async fn sign_in(server: &Server, username: &str) -> SignedIn {
    let (status, body) = post(server, "/api/v1/login", json!({ "username": username, "password": PASSWORD })).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    SignedIn { access: text("access_token"), refresh: text("refresh_token") }
}

#[tokio::test]
async fn in_development_the_usual_front_ends_may_call_and_no_others() {
    let home = Home::new();
    let server = Server::start(&home);
    let allowed = async |origin: &str| {
        let ask = client().get(format!("{}/api/v1/me", server.url)).header("Origin", origin);
        ask.send().await.unwrap().headers().get("access-control-allow-origin").cloned()
    };
    for origin in ["http://localhost:3000", "http://localhost:5173"] {
        assert_eq!(allowed(origin).await, Some(HeaderValue::from_static(origin)));
    }
    assert_eq!(allowed("http://localhost:4000").await, None);
}

#[tokio::test]
async fn a_server_on_port_0_answers_and_stops_in_good_order_when_asked() {
    for signal in ["TERM", "INT"] {
        let home = Home::new();
        let server = Server::start(&home);
        for path in ["/healthz", "/readyz"] {
            let answer = client().get(format!("{}{path}", server.url)).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
        }
        server.signal(signal);
        assert_eq!(server.wait(), 0, "SIG{signal}");
    }
}

#[tokio::test]
async fn a_second_signal_does_not_wait_for_open_requests() {
    let home = Home::new();
    let server = Server::start(&home);
    let mut open = std::net::TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    let head =
        "POST /api/v1/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    open.write_all(head.as_bytes()).unwrap();
    // The server has begun with this request once it answers one that came later.
    assert_eq!(client().get(format!("{}/healthz", server.url)).send().await.unwrap().status(), StatusCode::OK);

    server.signal("TERM");
    within_five_seconds("the first signal", async || server.said().contains("stopping")).await;
    server.signal("TERM");
    assert_eq!(server.wait(), 1);
}

#[test]
fn the_three_commands_of_the_banner_work_when_they_are_pasted_in_order() {
    let home = Home::new();
    for start in ["the first start", "a second start, which finds the account of the first"] {
        paste_banner(&Server::start(&home), start);
    }
}

#[test]
fn the_three_commands_of_the_banner_work_where_accounts_have_no_user_name() {
    let home = Home::new();
    home.write("hallpass.toml", "[accounts]\nusername = \"off\"\nemail = \"required\"");
    paste_banner(&Server::start(&home), "without user names");
}

#[tokio::test]
async fn in_development_mails_are_shown_and_the_links_in_them_lead_to_us_whatever_host_a_client_names() {
    let home = Home::new();
    home.write("hallpass.toml", "[accounts]\nemail = \"required\"\nverify_email = \"required\"");
    let server = Server::start(&home);
    assert!(server.said().contains("/dev/mail "), "{}", server.said());
    let ada = json!({ "username": "ada", "email": "ada@example.org", "password": PASSWORD });
    // Where a client says that it has come to is nothing that a link is made of.
    let mut sign_up = client().post(format!("{}/api/v1/signup", server.url)).json(&ada).header("host", "evil.example");
    for name in ["x-forwarded-host", "forwarded", "x-forwarded-prefix", "x-original-url"] {
        sign_up = sign_up.header(name, "host=evil.example");
    }
    assert_eq!(sign_up.send().await.unwrap().status(), StatusCode::ACCEPTED);
    assert_eq!(post(&server, "/api/v1/login", ada.clone()).await.1["code"], "email_not_verified");

    let mut mails = Value::Null;
    within_five_seconds("the mail", async || {
        let shown = client().get(format!("{}/dev/mail.json", server.url)).send().await.unwrap();
        mails = shown.json().await.unwrap();
        !mails[0].is_null()
    })
    .await;
    assert_eq!(mails[0]["to"], "ada@example.org");
    assert!(!mails.to_string().contains("evil"), "{mails}");
    let link = format!("{}/verify#token=", server.url.replace("127.0.0.1", "localhost"));
    let (_, token) = mails[0]["text"].as_str().unwrap().split_once(&link).unwrap();
    let token = token.split_whitespace().next().unwrap();
    let verify = client().post(format!("{}/api/v1/verify-email", server.url)).json(&json!({ "token": token }));
    assert_eq!(verify.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    sign_in(&server, "ada").await;
    // A command does not have to be told that the server is one for development.
    assert_eq!(home.json(&["accounts", "show", "ada", "--json"])["email_verified"], true);
}

#[test]
fn a_server_without_mail_says_that_nobody_can_recover_a_password() {
    let warns = |settings: &str, flags: &[&str]| {
        let home = Home::new();
        home.write("hallpass.toml", settings);
        let server = Server::start_with(home.command(&[&["serve", "--listen", "127.0.0.1:0"], flags].concat()));
        server.said().contains("nobody who forgets a password")
    };
    let public = "public_url = \"https://login.example.org\"\n";
    assert!(warns(public, &[]));
    assert!(!warns(&format!("{public}[accounts]\nemail = \"off\""), &[]));
    assert!(!warns(&format!("{public}[mail]\ntransport = \"file\"\nfrom = \"no-reply@example.org\""), &[]));
    assert!(!warns("", &["--dev"]));
}

/// Pastes what the banner says to try into one shell.
pub(crate) fn paste_banner(server: &Server, start: &str) {
    let said = server.said();
    let commands: Vec<&str> = said.lines().map(str::trim).filter(|line| line.contains("curl ")).collect();
    assert_eq!(commands.len(), 3, "{said}");
    // One shell, as when a person pastes them; a mark between them tells the answers apart.
    let mut shell = Command::new("sh");
    shell.args(["-c", &commands.join("\necho; echo ----\n")]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = finish(shell, "", Duration::from_secs(60));
    let read = |answer| serde_json::from_str(answer).unwrap_or_else(|_| panic!("{start}: {ended:?}"));
    let answers: Vec<Value> = ended.stdout.split("----").map(read).collect();
    let [signed_in, me, refreshed] = answers.as_slice() else { panic!("{start}: {ended:?}") };
    assert!(signed_in["access_token"].is_string(), "{start}: {signed_in}");
    assert_eq!(me["id"], signed_in["user"]["id"], "{start}: {me}");
    assert!(refreshed["access_token"].is_string(), "{start}: {refreshed}");
}

#[tokio::test]
async fn a_deactivation_at_the_command_line_ends_the_sessions_of_a_running_server() {
    let home = Home::new();
    home.create_superuser("ada");
    let server = Server::start(&home);
    let ada = sign_in(&server, "ada").await;
    assert_eq!(get(&server, "/api/v1/me", &ada.access).await.0, StatusCode::OK);

    home.json(&["accounts", "deactivate", "ada", "--json"]);
    within_five_seconds("the end of the session", async || {
        get(&server, "/api/v1/me", &ada.access).await.0 == StatusCode::UNAUTHORIZED
    })
    .await;
    let (status, body) = post(&server, "/api/v1/refresh", json!({ "refresh_token": ada.refresh })).await;
    assert_eq!((status, &body["code"]), (StatusCode::UNAUTHORIZED, &json!("session_ended")), "{body}");
    assert_eq!(body["cause"], "deactivated");
    let (status, _) = post(&server, "/api/v1/login", json!({ "username": "ada", "password": PASSWORD })).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);

    home.json(&["accounts", "activate", "ada", "--json"]);
    sign_in(&server, "ada").await;
}

#[tokio::test]
async fn a_role_given_at_the_command_line_makes_tokens_stale_and_signs_nobody_out() {
    let home = Home::new();
    home.create_superuser("ada");
    let server = Server::start(&home);
    let ada = sign_in(&server, "ada").await;

    home.json(&["accounts", "grant-role", "ada", "editor", "--json"]);
    within_five_seconds("the new role", async || {
        get(&server, "/api/v1/session", &ada.access).await.1["code"] == "token_stale"
    })
    .await;
    let (status, body) = post(&server, "/api/v1/refresh", json!({ "refresh_token": ada.refresh })).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(body["user"]["roles"], json!(["editor"]));
}

#[tokio::test]
async fn a_key_revoked_at_the_command_line_is_dead_on_a_running_server() {
    let home = Home::new();
    home.create_superuser("ada");
    let server = Server::start(&home);
    let ada = sign_in(&server, "ada").await;
    let keys = home.json(&["keys", "list", "--json"]);
    let current = keys.as_array().unwrap().iter().find(|key| key["state"] == "current").unwrap();

    home.json(&["keys", "revoke", current["kid"].as_str().unwrap(), "--json"]);
    within_five_seconds("the revocation of the key", async || {
        get(&server, "/api/v1/me", &ada.access).await.1["code"] == "token_invalid"
    })
    .await;
    let (status, body) = post(&server, "/api/v1/refresh", json!({ "refresh_token": ada.refresh })).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let access = body["access_token"].as_str().unwrap();
    assert_eq!(get(&server, "/api/v1/me", access).await.0, StatusCode::OK);
}

#[tokio::test]
async fn nobody_but_the_owner_can_read_what_the_server_keeps() {
    let home = Home::new();
    home.create_superuser("ada");
    let server = Server::start(&home);
    sign_in(&server, "ada").await;
    let mode = |name: &str| std::fs::metadata(home.file(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("data"), 0o700);
    let mut names: Vec<_> =
        std::fs::read_dir(home.file("data")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["hallpass.db", "hallpass.db-shm", "hallpass.db-wal", "master.key"]);
    for name in names {
        assert_eq!(mode(&format!("data/{}", name.to_str().unwrap())), 0o600, "{name:?}");
    }
}

#[test]
fn a_master_key_that_others_can_read_is_refused() {
    let home = Home::new();
    home.create_superuser("ada");
    let file = home.file("data/master.key");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let key = std::fs::read_to_string(&file).unwrap();
    for arguments in [&["serve", "--dev", "--listen", "127.0.0.1:0"][..], &["keys", "list"]] {
        let ended = home.run(arguments);
        ended.failed(1, "chmod 600 data/master.key");
        assert!(!ended.stderr.contains(key.trim()), "{ended:?}");
    }
}

#[test]
fn a_lost_master_key_is_not_replaced() {
    let home = Home::new();
    home.create_superuser("ada");
    let key = std::fs::read_to_string(home.file("data/master.key")).unwrap();
    std::fs::remove_file(home.file("data/master.key")).unwrap();

    home.run(&["serve", "--dev", "--listen", "127.0.0.1:0"]).failed(1, "another master key");
    assert!(!home.file("data/master.key").exists(), "a key that does not belong here was left behind");

    let mut command = home.command(&["accounts", "show", "ada", "--json"]);
    command.env("HALLPASS_MASTER_KEY", key.trim());
    assert_eq!(finish(command, "", Duration::from_secs(60)).json()["username"], "ada");
    assert!(!home.file("data/master.key").exists(), "a key from the environment was written down");
}

#[test]
fn an_address_that_is_taken_is_named_with_what_to_do() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let held = std::net::TcpListener::bind(taken).unwrap();
    let ended = home.run(&["serve", "--dev", "--listen", &taken.to_string()]);
    drop(held);
    ended.failed(1, &format!("cannot listen on `{taken}`: another program listens there"));
    assert!(!home.file("data").exists(), "a start that failed made a database");
}

#[tokio::test]
async fn the_json_log_is_one_object_a_line_and_holds_no_secret() {
    let home = Home::new();
    home.create_superuser("ada");
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("HALLPASS_PUBLIC_URL", "https://login.example.org");
    command.env("HALLPASS_LOG__FORMAT", "json").env("HALLPASS_LOG__LEVEL", "trace");
    let server = Server::start_with(command);
    let ada = sign_in(&server, "ada").await;
    let hostile = HeaderValue::from_bytes("x\u{9b}2K\u{202e}\"}\tforged".as_bytes()).unwrap();
    for path in ["/api/v1/me", "/nowhere\u{202e}%0d%0aforged"] {
        let request =
            client().get(format!("{}{path}", server.url)).bearer_auth(&ada.access).header("user-agent", &hostile);
        request.send().await.unwrap();
    }
    let wrong = json!({ "username": "ada\nforged", "password": format!("{PASSWORD}\nforged") });
    let login = client().post(format!("{}/api/v1/login", server.url)).json(&wrong).header("user-agent", &hostile);
    assert_eq!(login.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    within_five_seconds("the line of the sign-in", async || server.said().contains("sign_in_failed")).await;

    let said = server.said();
    for line in said.lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(event["level"].is_string() && event["timestamp"].is_string(), "{line}");
    }
    assert!(!said.contains(['\u{9b}', '\u{202e}']), "{said}");
    for secret in [PASSWORD, &ada.access, &ada.refresh] {
        assert!(!said.contains(secret), "a secret is in the log: {said}");
    }
}

/// The server that `HALLPASS_TEST_POSTGRES` names is there for all tests: nothing here may change its own database.
#[test]
fn a_postgresql_database_is_brought_up_to_date_by_the_operator_and_not_by_a_server() {
    let Some(database) = std::env::var_os("HALLPASS_TEST_POSTGRES") else {
        println!("skipped: HALLPASS_TEST_POSTGRES is not set; `cargo xtask test` sets it");
        return;
    };
    let home = Home::new();
    let run = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("HALLPASS_DATABASE", &database).env("HALLPASS_PUBLIC_URL", "https://login.example.org");
        finish(command, "", Duration::from_secs(60))
    };
    run(&["serve", "--listen", "127.0.0.1:0"]).failed(1, "run `hallpass migrate`");
    assert_ne!(run(&["migrate", "--dry-run", "--json"]).json(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_reaches_a_server_through_postgresql() {
    let Some(database) = TestDb::postgres().await else { return };
    let home = Home::new();
    let command = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("HALLPASS_DATABASE", &database.url);
        command
    };
    let run = |arguments: &[&str], input: &str| finish(command(arguments), input, Duration::from_secs(60)).json();
    run(&["createsuperuser", "--username", "ada", "--password-stdin", "--json"], PASSWORD);
    let server = Server::start_with(command(&["serve", "--dev", "--listen", "127.0.0.1:0"]));
    let ada = sign_in(&server, "ada").await;
    assert_eq!(get(&server, "/api/v1/me", &ada.access).await.0, StatusCode::OK);

    run(&["accounts", "deactivate", "ada", "--json"], "");
    within_five_seconds("the end of the session", async || {
        get(&server, "/api/v1/me", &ada.access).await.0 == StatusCode::UNAUTHORIZED
    })
    .await;
}
