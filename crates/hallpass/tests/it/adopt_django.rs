//! Hallpass in front of a Django project that has users: taking it over, working beside Django on the same rows, and
//! leaving again without a trace. What Django made is read here by Django, and what Hallpass makes too.

use std::{collections::BTreeSet, time::Duration};

use hallpass_core::on_both_engines;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::{
    adopt_django::project::{Project, changes},
    program::{PASSWORD, Server},
};

mod project;

const NEW_PASSWORD: &str = "nine herons fold paper boats";

/// The status and the body of an answer.
type Answer = (u16, Value);

async fn ask(server: &Server, method: Method, path: &str, token: Option<&Value>, body: Value) -> Answer {
    let client = Client::builder().timeout(Duration::from_secs(60)).build().unwrap();
    let mut request = client.request(method, format!("{}{path}", server.url));
    if let Some(token) = token {
        request = request.bearer_auth(token.as_str().unwrap());
    }
    if !body.is_null() {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

async fn post(server: &Server, path: &str, body: Value) -> Answer {
    ask(server, Method::POST, path, None, body).await
}

/// What the dialect says of whoever has this access token.
async fn me(server: &Server, access: &Value) -> Answer {
    ask(server, Method::GET, "/api/me/", Some(access), Value::Null).await
}

/// Signs in through the dialect of SimpleJWT.
async fn sign_in(server: &Server, username: &str, password: &str) -> Answer {
    post(server, "/api/token/", json!({ "username": username, "password": password })).await
}

/// The access token of whoever signs in with success.
async fn access(server: &Server, username: &str, password: &str) -> Value {
    let (status, body) = sign_in(server, username, password).await;
    assert_eq!(status, 200, "{username}: {body}");
    body["access"].clone()
}

/// The roles in the answer of our own interface.
async fn roles(server: &Server, username: &str, password: &str) -> Value {
    let (status, body) = post(server, "/api/v1/login", json!({ "username": username, "password": password })).await;
    assert_eq!(status, 200, "{body}");
    body["user"]["roles"].clone()
}

/// Whether Django itself signs this user in, at the project's view of SimpleJWT.
fn django_signs_in(django: &Project, username: &str, password: &str) -> bool {
    let credentials = json!({ "username": username, "password": password });
    let status = django.shell(&format!(
        "from django.test import Client
say(Client().post('/api/token/', {credentials}).status_code)"
    ));
    assert!(status == 200 || status == 401, "{status}");
    status == 200
}

fn adopted(django: &Project, arguments: &[&str]) {
    let ended = django.hallpass(&[&["adopt-django", "--apply"], arguments].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
}

fn given_back(django: &Project) {
    let before = django.dump();
    let plan = django.hallpass(&["unadopt-django"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    assert_eq!(django.dump(), before, "a plan changes nothing");
    let ended = django.hallpass(&["unadopt-django", "--apply"]);
    assert_eq!(ended.code, 0, "{ended:?}");
}

/// Fails unless taking over is refused with a reason that has `reason` in it, and has changed nothing.
fn refused(django: &Project, arguments: &[&str], reason: &str) {
    let before = django.dump();
    for apply in [&[][..], &["--apply"]] {
        let ended = django.hallpass(&[&["adopt-django"], arguments, apply].concat());
        assert_ne!(ended.code, 0, "{ended:?}");
        assert!(ended.stderr.contains(reason), "no {reason:?} in {ended:?}");
        assert_eq!(django.dump(), before);
    }
}

on_both_engines! {
    async fn whoever_django_knows_is_known_here_and_the_other_way_round_and_what_leaves_leaves_no_trace(db) {
        let Some(django) = Project::new(&db, "auth.User").await else { return };
        let given = django.shell(&format!("say(people('{PASSWORD}'))"));
        let before = django.dump();

        let plan = django.hallpass(&["adopt-django"]);
        assert_eq!(plan.code, 0, "{plan:?}");
        for word in ["auth_user", "create view", "create trigger"] {
            assert!(plan.stdout.to_lowercase().contains(word), "no {word:?} in {}", plan.stdout);
        }
        assert_eq!(django.dump(), before, "a plan changes nothing");
        adopted(&django, &[]);
        assert_eq!(changes_of_django(&before, &django.dump()), BTreeSet::new());

        let server = django.serve();
        django_users_are_accounts(&server, &given).await;
        what_django_has_mailed_is_good_once(&server, &django, &given).await;
        an_account_is_a_django_user(&server, &django).await;
        passwords_are_read_by_both(&server, &django).await;
        server.signal("TERM");
        assert_eq!(server.wait(), 0);

        given_back(&django);
        let after = django.dump();
        assert_eq!(after["schema"], before["schema"]);
        assert_eq!(changes(&before, &after), on_purpose());
        assert!(django_signs_in(&django, "ada", PASSWORD));

        // What has left can come back.
        adopted(&django, &[]);
        access(&django.serve(), "ada", PASSWORD).await;
    }
}

/// The rows that differ in the tables that were there before.
fn changes_of_django(before: &Value, after: &Value) -> BTreeSet<String> {
    let tables = before["rows"].as_object().unwrap();
    let mut of_django = after.clone();
    of_django["rows"].as_object_mut().unwrap().retain(|table, _| tables.contains_key(table));
    changes(before, &of_django)
}

/// All that the test below changes in Django's rows, and nothing else may.
fn on_purpose() -> BTreeSet<String> {
    let ours = [
        "auth_user 1: last_login",
        "auth_user 2: last_login",
        "auth_user 3: last_login, password",
        "auth_user 6: last_login, password",
        "auth_user 7: last_login",
        "account_emailaddress 3: verified",
    ];
    // Django's own view writes down each refresh token that it hands out.
    let of_django = (3..=6).map(|id| format!("token_blacklist_outstandingtoken {id}: new"));
    ours.map(str::to_owned).into_iter().chain(of_django).collect()
}

async fn django_users_are_accounts(server: &Server, given: &Value) {
    let ada = access(server, "ada", PASSWORD).await;
    let known = json!({
        "id": 1, "username": "ada", "email": "ada@example.org", "first_name": "Ada", "last_name": "Lovelace"
    });
    assert_eq!(me(server, &ada).await, (200, known));
    // Not `rob`: Django's token is over once its owner has signed in.
    for username in ["eve", "root"] {
        access(server, username, PASSWORD).await;
    }
    for (username, why) in [("ida", "is inactive"), ("una", "has no password"), ("nobody", "is not there")] {
        assert_eq!(sign_in(server, username, PASSWORD).await.0, 401, "{username} {why}");
    }
    let (status, body) = post(server, "/auth/login/", json!({ "username": "ada", "password": PASSWORD })).await;
    assert_eq!((status, &body["user"]["pk"]), (200, &json!(1)), "{body}");
    assert_eq!(roles(server, "ada", PASSWORD).await, json!(["editors", "support"]));
    assert_eq!(roles(server, "eve", PASSWORD).await, json!([]));

    // Signed in at Django before we came, and still signed in.
    let (status, body) = post(server, "/api/token/refresh/", json!({ "refresh": given["refresh"] })).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(me(server, &body["access"]).await.1["username"], "ada");
    let (status, body) = post(server, "/api/token/refresh/", json!({ "refresh": given["refresh_of_inactive"] })).await;
    assert_eq!(status, 401, "{body}");
}

async fn what_django_has_mailed_is_good_once(server: &Server, django: &Project, given: &Value) {
    let verify = async || post(server, "/auth/registration/verify-email/", json!({ "key": given["key"] })).await.0;
    let verified = "say(EmailAddress.objects.get(email='eve@example.org').verified)";
    assert_eq!(django.shell(verified), false);
    assert_eq!(verify().await, 200);
    assert_eq!(django.shell(verified), true);
    assert_eq!(verify().await, 404);

    let reset = async |password: &str| {
        let body = json!({
            "uid": given["uid"], "token": given["token"], "new_password1": password, "new_password2": password
        });
        post(server, "/auth/password/reset/confirm/", body).await
    };
    assert_eq!(reset(NEW_PASSWORD).await.0, 200);
    let (status, body) = reset("a third one that is long enough").await;
    assert_eq!((status, body), (400, json!({ "token": ["Invalid value"] })));
    assert_eq!(sign_in(server, "rob", PASSWORD).await.0, 401);
    access(server, "rob", NEW_PASSWORD).await;
    assert!(django_signs_in(django, "rob", NEW_PASSWORD));
}

async fn an_account_is_a_django_user(server: &Server, django: &Project) {
    let form = json!({
        "username": "new", "email": "new@example.org", "password1": PASSWORD, "password2": PASSWORD
    });
    let (status, body) = post(server, "/auth/registration/", form).await;
    assert_eq!(status, 201, "{body}");
    assert!(django_signs_in(django, "new", PASSWORD));

    let token = access(server, "new", PASSWORD).await;
    assert_eq!(me(server, &token).await.1["first_name"], "");
    django.shell(
        "user = User.objects.get(username='new')
user.first_name = 'Nova'
user.save()
user.groups.add(Group.objects.get(name='support'))",
    );
    assert_eq!(me(server, &token).await.1["first_name"], "Nova");
    assert_eq!(roles(server, "new", PASSWORD).await, json!(["support"]));

    let granted = django.hallpass(&["accounts", "grant-role", "new", "editors"]);
    assert_eq!(granted.code, 0, "{granted:?}");
    let groups = "say(sorted(User.objects.get(username='new').groups.values_list('name', flat=True)))";
    assert_eq!(django.shell(groups), json!(["editors", "support"]));

    django.shell("User.objects.filter(username='new').update(is_active=False)");
    assert_eq!(me(server, &token).await.0, 401);
    assert_eq!(sign_in(server, "new", PASSWORD).await.0, 401);
    django.shell("User.objects.get(username='new').delete()");
    assert_eq!(me(server, &token).await.0, 401);
}

async fn passwords_are_read_by_both(server: &Server, django: &Project) {
    let stored = || django.shell("say(User.objects.get(username='old').password)").as_str().unwrap().to_owned();
    assert!(stored().starts_with("pbkdf2_sha256$150000$"));
    let token = access(server, "old", PASSWORD).await;
    assert!(stored().starts_with("pbkdf2_sha256$1000000$"), "{}", stored());
    assert!(django_signs_in(django, "old", PASSWORD));

    let body = json!({ "old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD });
    let (status, body) = ask(server, Method::POST, "/auth/password/change/", Some(&token), body).await;
    assert_eq!(status, 200, "{body}");
    assert!(django_signs_in(django, "old", NEW_PASSWORD));
    assert!(!django_signs_in(django, "old", PASSWORD));

    // And the other way round.
    django.shell(&format!("user = User.objects.get(username='old'); user.set_password('{PASSWORD}'); user.save()"));
    access(server, "old", PASSWORD).await;
    assert_eq!(sign_in(server, "old", NEW_PASSWORD).await.0, 401);
}

on_both_engines! {
    async fn users_with_a_key_that_is_no_number_are_not_taken_over(db) {
        let Some(django) = Project::new(&db, "people.UuidUser").await else { return };
        refused(&django, &["--user-table", "people_uuiduser"], "people_uuiduser");
    }

    async fn a_table_of_somebody_else_with_a_name_of_ours_is_left_alone(db) {
        let Some(django) = Project::new(&db, "auth.User").await else { return };
        django.shell("connection.cursor().execute('create table sessions (speaker text)')");
        refused(&django, &[], "sessions");
        if db.url.starts_with("postgres") {
            // What the reason says to do.
            django.shell("connection.cursor().execute('create schema hallpass')");
            let before = django.dump();
            let django = django.at("?options[search_path]=hallpass,public");
            django.shell(&format!("User.objects.create_user('ada', password='{PASSWORD}')"));
            adopted(&django, &[]);
            access(&django.serve(), "ada", PASSWORD).await;
            given_back(&django);
            assert_eq!(django.dump()["schema"], before["schema"]);
        }
    }

    async fn a_column_that_has_to_be_filled_is_asked_for_and_filled(db) {
        let Some(django) = Project::new(&db, "people.DepartmentUser").await else { return };
        let table = ["--user-table", "people_departmentuser"];
        refused(&django, &table, "department");
        adopted(&django, &[&table[..], &["--default", "department=sales"]].concat());
        let server = django.serve();
        let form = json!({ "username": "ada", "password1": PASSWORD, "password2": PASSWORD });
        let (status, body) = post(&server, "/auth/registration/", form).await;
        assert_eq!(status, 201, "{body}");
        assert_eq!(django.shell("say(User.objects.get(username='ada').department)"), "sales");
    }

    async fn users_who_are_named_by_their_address_sign_in_by_it(db) {
        let Some(django) = Project::new(&db, "people.EmailUser").await else { return };
        let before = django.dump();
        adopted(&django, &["--user-table", "people_emailuser"]);
        let server = django.serve();
        django.shell(&format!("User.objects.create_user('ada@example.org', '{PASSWORD}', first_name='Ada')"));
        let credentials = json!({ "email": "ada@example.org", "password": PASSWORD });
        let (status, body) = post(&server, "/auth/login/", credentials).await;
        assert_eq!((status, &body["user"]["first_name"]), (200, &json!("Ada")), "{body}");
        drop(server);
        given_back(&django);
        assert_eq!(django.dump()["schema"], before["schema"]);
    }

    async fn a_database_without_users_of_django_is_not_taken_over(db) {
        let Some(django) = Project::new(&db, "auth.User").await else { return };
        refused(&django, &["--user-table", "people"], "people");
        let ended = django.hallpass(&["unadopt-django", "--apply"]);
        assert_ne!(ended.code, 0, "{ended:?}");
    }
}
