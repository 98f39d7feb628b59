//! What a person with a browser finds at the addresses of the dialects, and what `OPTIONS` tells a program there.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use hallpass_core::{on_both_engines, testing::TestDb};
use serde_json::{Value, json};

use crate::{dialects, support::*};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// Addresses with a form.
const FORMS: [&str; 25] = [
    "/drf/auth/",
    "/drf/refresh/",
    "/drf/verify/",
    "/drf/blacklist/",
    "/drf/impersonate/",
    "/drf/users/",
    "/sjwt/token/",
    "/sjwt/token/refresh/",
    "/sjwt/token/verify/",
    "/sjwt/token/blacklist/",
    "/sjwt/sliding/",
    "/sjwt/sliding/refresh/",
    "/cookie/login",
    "/cookie/token",
    "/cookie/logout",
    "/dj/login/",
    "/dj/logout/",
    "/dj/token/verify/",
    "/dj/token/refresh/",
    "/dj/password/change/",
    "/dj/password/reset/",
    "/dj/password/reset/confirm/",
    "/dj/registration/",
    "/dj/registration/verify-email/",
    "/dj/registration/resend-email/",
];
/// Those of them that nobody may use who is not signed in.
const CLOSED: [&str; 3] = ["/drf/blacklist/", "/drf/impersonate/", "/dj/password/change/"];
/// Addresses where an account is read.
const ACCOUNTS: [&str; 4] = ["/drf/me/", "/sjwt/me/", "/cookie/user", "/dj/user/"];

/// What would run or break out if it were not shown as text: between tags, in attributes with and without quotes, in a
/// comment, a style, a script.
const POLYGLOT: &str = "a'\"`--></title></pre><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}&lt;b&gt; \
    &#x22; onfocus=alert(1) x=";

/// An element of a page: its attributes, and the text between it and the next tag.
#[derive(Debug)]
struct Element {
    tag: String,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Element {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

/// The elements of a page in their order, as a browser reads such a page: names in lower case, every attribute in double
/// quotes or without a value. Whatever else there is between `<` and `>` fails.
fn elements(html: &str) -> Vec<Element> {
    let mut all = Vec::new();
    for piece in html.strip_prefix("<!doctype html>").expect("a page of its time").split('<').skip(1) {
        let (tag, mut rest) = piece.split_at(piece.find([' ', '>']).expect("a tag ends"));
        assert!(
            tag.trim_start_matches('/').bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()),
            "{piece}"
        );
        let mut attributes = Vec::new();
        while !rest.starts_with('>') {
            rest = rest.strip_prefix(' ').unwrap_or_else(|| panic!("{piece}"));
            let (name, behind) = rest.split_at(rest.find(['=', ' ', '>']).unwrap());
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') && !name.is_empty(), "{piece}");
            let value = behind.strip_prefix("=\"").and_then(|value| value.split_once('"'));
            attributes.push((name.to_owned(), unescaped(value.map_or("", |(value, _)| value))));
            rest = value.map_or(behind, |(_, behind)| behind);
        }
        all.push(Element { tag: tag.to_owned(), attributes, text: unescaped(&rest[1..]) });
    }
    all
}

fn unescaped(html: &str) -> String {
    let text = ["&lt;", "&gt;", "&quot;", "&#39;"].iter().zip(["<", ">", "\"", "'"]);
    text.fold(html.to_owned(), |text, (entity, character)| text.replace(entity, character)).replace("&amp;", "&")
}

/// The tags of a page and the names of their attributes.
fn shape(page: &[Element]) -> Vec<String> {
    let names =
        |element: &Element| element.attributes.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ");
    page.iter().map(|element| format!("{} {}", element.tag, names(element))).collect()
}

fn first<'p>(page: &'p [Element], tag: &str) -> &'p Element {
    page.iter().find(|element| element.tag == tag).unwrap_or_else(|| panic!("no <{tag}> in {page:#?}"))
}

fn input<'p>(page: &'p [Element], name: &str) -> &'p Element {
    let mut inputs = page.iter().filter(|element| element.tag == "input");
    inputs.find(|input| input.attribute("name") == Some(name)).unwrap_or_else(|| panic!("no input {name} in {page:#?}"))
}

/// The JSON that a page shows.
fn shown(page: &[Element]) -> Value {
    serde_json::from_str(&first(page, "pre").text).unwrap()
}

async fn open(app: &TestApp, path: &str) -> Answer {
    Call::get(path).header("accept", BROWSER).header("sec-fetch-site", "none").send(app).await
}

/// Sends a form as a browser does from a page of `origin`.
fn submit(path: &str, origin: &str, members: &Value) -> Call {
    let site = if origin == API { "same-origin" } else { "cross-site" };
    let call = Call::post(path).header("accept", BROWSER).header("origin", origin).header("sec-fetch-site", site);
    call.header("host", "api.example.com").form(members)
}

fn credentials(password: &str) -> Value {
    json!({ "username": "ada", "password": password })
}

async fn app(db: TestDb) -> TestApp {
    let app = dialects::app(db).await;
    app.sign_up("ada").await;
    app
}

on_both_engines! {
    async fn whoever_opens_the_address_of_a_form_finds_it_with_a_label_at_every_input(db) {
        let app = app(db).await;
        let token = Call::post("/drf/auth/").json(&credentials(PASSWORD)).send(&app).await.json();
        let authorization = format!("JWT {}", token["token"].as_str().unwrap());
        for path in CLOSED {
            let barred = open(&app, path).await;
            assert_eq!(barred.status, StatusCode::UNAUTHORIZED);
            assert!(elements(&barred.text()).iter().all(|element| element.tag != "form"), "nothing to fill in");
        }
        for path in FORMS.into_iter().filter(|path| *path == "/drf/blacklist/" || !CLOSED.contains(path)) {
            let answer = Call::get(path).header("accept", BROWSER).header("authorization", &authorization);
            let answer = answer.send(&app).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
            assert!(answer.header("allow").unwrap().contains("POST"));
            assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
            let page = elements(&answer.text());
            assert_eq!(first(&page, "html").attribute("lang"), Some("en"));
            assert!(!first(&page, "h1").text.is_empty());
            assert!(page.iter().all(|element| element.tag != "pre"), "nothing was answered yet: {page:#?}");
            let form = first(&page, "form");
            assert_eq!((form.attribute("method"), form.attribute("action")), (Some("post"), None), "to this address");
            let token = input(&page, "csrfmiddlewaretoken").attribute("value").map(str::to_owned);
            assert_eq!(token, answer.cookie("csrftoken"));
            let labels: BTreeSet<_> = page.iter().filter_map(|element| element.attribute("for")).collect();
            let fields = page.iter().filter(|field| field.tag == "input" && field.attribute("type") != Some("hidden"));
            let fields: BTreeSet<_> = fields.map(|field| field.attribute("id").unwrap()).collect();
            assert_eq!(labels, fields, "{path}");
            // What a program is told is what a person can fill in.
            let told = Call::new(Method::OPTIONS, path).header("authorization", &authorization).send(&app).await.json();
            let told = told["actions"]["POST"].as_object().cloned().unwrap_or_default();
            for (name, field) in told.iter().filter(|(_, field)| field["read_only"] == false) {
                let required = input(&page, name).attribute("required").is_some();
                assert_eq!(field["required"], required, "{path} {name}");
            }
            let style = first(&page, "link").attribute("href").unwrap();
            assert_eq!(Call::get(style).send(&app).await.header("content-type"), Some("text/css; charset=utf-8"));
        }
    }

    async fn the_form_signs_in_and_shows_what_programs_get(db) {
        let app = app(db).await;
        for (path, status, member, me, scheme) in [
            ("/drf/auth/", 201, "token", "/drf/me/", "JWT"), ("/sjwt/token/", 200, "access", "/sjwt/me/", "Bearer"),
            ("/sjwt/sliding/", 200, "token", "/sjwt/me/", "Bearer"),
            ("/cookie/login", 200, "access_token", "/cookie/user", "any"),
            ("/dj/login/", 200, "access", "/dj/user/", "Bearer"),
        ] {
            let answer = submit(path, API, &credentials(PASSWORD)).send(&app).await;
            assert_eq!(answer.status.as_u16(), status, "{path} {}", answer.text());
            let page = elements(&answer.text());
            assert!(first(&page, "title").text.starts_with(&answer.status.to_string()[..3]), "{page:#?}");
            let token = shown(&page)[member].as_str().unwrap().to_owned();
            assert!(!answer.text().contains(PASSWORD));
            let me = || Call::get(me).header("authorization", &format!("{scheme} {token}"));
            let account = me().header("accept", "text/html").send(&app).await;
            let as_json = me().send(&app).await.json();
            assert_eq!(shown(&elements(&account.text())), as_json);
            assert!(as_json.to_string().contains("ada"), "{as_json}");
        }
    }

    async fn a_form_that_is_wrong_comes_back_with_what_is_wrong_at_its_field_and_without_the_password(db) {
        let app = app(db).await;
        let password = "a secret that is not repeated";
        let new = json!({ "username": "no blanks please", "email": "nowhere", "password": password });
        let answer = submit("/drf/users/", API, &new).send(&app).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        let page = elements(&answer.text());
        for name in ["username", "email"] {
            let field = input(&page, name);
            assert_eq!((field.attribute("aria-invalid"), field.attribute("value")), (Some("true"), new[name].as_str()));
            let sentence = page.iter().find(|element| element.attribute("id") == field.attribute("aria-describedby"));
            assert_eq!(Some(sentence.unwrap().text.as_str()), shown(&page)[name][0].as_str());
        }
        let field = input(&page, "password");
        assert_eq!((field.attribute("aria-invalid"), field.attribute("value")), (None, Some("")));
        assert!(!answer.text().contains(password));

        // What is wrong with the whole stands above the form.
        let refused = submit("/drf/auth/", API, &credentials("a wrong password")).send(&app).await;
        let page = elements(&refused.text());
        let sentence = shown(&page)["non_field_errors"][0].as_str().unwrap().to_owned();
        assert!(page.iter().any(|element| element.tag == "p" && element.text == sentence), "{page:#?}");
        assert!(refused.cookie("jwt").is_none());
    }

    async fn nothing_that_somebody_wrote_becomes_a_part_of_a_page(db) {
        let app = app(db).await;
        let plain = |text: &str| json!({ "username": text, "email": text, "password": PASSWORD });
        for path in [
            "/drf/auth/", "/drf/users/", "/drf/impersonate/", "/sjwt/token/", "/cookie/login", "/dj/login/",
            "/dj/registration/",
        ] {
            // The same failure with something harmless: names with a blank are as wrong as this one.
            let [harmless, hostile] = ["no blanks please", POLYGLOT].map(|text| submit(path, API, &plain(text)));
            let (harmless, hostile) = (harmless.send(&app).await, hostile.send(&app).await);
            assert_eq!(harmless.status, hostile.status, "{path}");
            let (harmless, hostile) = (elements(&harmless.text()), elements(&hostile.text()));
            assert_eq!(shape(&harmless), shape(&hostile), "{path}");
            if hostile.iter().any(|element| element.attribute("name") == Some("username")) {
                assert_eq!(input(&hostile, "username").attribute("value"), Some(POLYGLOT));
            }
        }
        // An address of somebody's own making.
        let encoded: String = POLYGLOT.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for address in [
            "/open/'onfocus='alert(1)", "/open/&lt;b&gt;", &format!("/open/{encoded}"), &format!("/open/?{encoded}={encoded}"),
        ] {
            let page = elements(&open(&app, address).await.text());
            assert_eq!(shape(&page), shape(&elements(&open(&app, "/drf/auth/").await.text())), "{address}");
            assert_eq!(first(&page, "code").text, address.split('?').next().unwrap());
        }
        // A name that was given elsewhere.
        let device = app.log_in("ada").await;
        let changed = device.change_me(&json!({ "first_name": POLYGLOT })).await;
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
        let token = Call::post("/sjwt/token/").json(&credentials(PASSWORD)).send(&app).await.json();
        let me = Call::get("/sjwt/me/").bearer(token["access"].as_str().unwrap()).header("accept", BROWSER);
        let page = elements(&me.send(&app).await.text());
        assert_eq!(shown(&page)["first_name"], POLYGLOT);
    }

    async fn the_form_of_a_foreign_page_signs_nobody_in(db) {
        let app = app(db).await;
        for path in FORMS.into_iter().filter(|path| !path.ends_with("/token") && !path.ends_with("logout")) {
            for origin in ["https://evil.example", "null", "https://api.example.com.evil.example"] {
                let parts = "--x\r\ncontent-disposition: form-data; name=\"username\"\r\n\r\nada\r\n--x--\r\n";
                let form = submit(path, origin, &credentials(PASSWORD));
                for call in [
                    form.clone(), form.clone().body("multipart/form-data; boundary=x", parts),
                    form.body("text/plain", r#"{"username":"ada"}"#),
                ] {
                    let refused = call.send(&app).await;
                    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path} {origin}");
                    assert!(shown(&elements(&refused.text()))["detail"].as_str().unwrap().starts_with("CSRF Failed: "));
                    let cookies = refused.set_cookies();
                    assert!(cookies.iter().all(|cookie| cookie.starts_with("csrftoken=")), "{cookies:?}");
                }
            }
        }
        // A browser that hides the origin still says that it is another site.
        let hidden = Call::post("/drf/auth/").header("sec-fetch-site", "cross-site").form(&credentials(PASSWORD));
        assert_eq!(hidden.send(&app).await.status, StatusCode::FORBIDDEN);
        for origin in [API, FRONT_END] {
            let welcome = submit("/drf/auth/", origin, &credentials(PASSWORD)).send(&app).await;
            assert!(welcome.status == StatusCode::CREATED && welcome.cookie("jwt").is_some(), "{origin}");
        }
    }

    async fn a_page_carries_the_token_that_its_form_needs(db) {
        let app = app(db).await;
        let login = submit("/cookie/login", API, &credentials(PASSWORD)).send(&app).await;
        let names: Vec<_> = login.set_cookies().into_iter().filter_map(|cookie| cookie.split('=').next()).collect();
        assert_eq!(names, ["refreshtoken", "csrftoken"], "each once");
        let (refresh, csrf) = (login.cookie("refreshtoken").unwrap(), login.cookie("csrftoken").unwrap());
        assert_eq!(input(&elements(&login.text()), "csrfmiddlewaretoken").attribute("value"), Some(csrf.as_str()));
        let cookies = format!("refreshtoken={refresh}; csrftoken={csrf}");
        let page = Call::get("/cookie/token").header("accept", BROWSER).header("cookie", &cookies).send(&app).await;
        assert_eq!(page.cookie("csrftoken"), Some(csrf), "the browser's own goes on");
        let token = input(&elements(&page.text()), "csrfmiddlewaretoken").attribute("value").unwrap().to_owned();
        let send = async |token: &str| {
            let form = json!({ "csrfmiddlewaretoken": token });
            submit("/cookie/token", API, &form).header("cookie", &cookies).send(&app).await
        };
        let done = send(&token).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text());
        assert!(shown(&elements(&done.text()))["access_token"].is_string());
        assert_eq!(send(&"a".repeat(32)).await.status, StatusCode::FORBIDDEN);
    }

    async fn no_page_of_a_dialect_runs_loads_or_keeps_anything(db) {
        let app = app(db).await;
        for path in FORMS.into_iter().chain(ACCOUNTS) {
            for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
                let answer = Call::new(method.clone(), path).header("accept", BROWSER).send(&app).await;
                assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{method} {path}");
                for (name, value) in [
                    ("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"), ("cache-control", "no-store"),
                    ("cross-origin-opener-policy", "same-origin"), ("referrer-policy", "same-origin"),
                    (
                        "content-security-policy",
                        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; \
                            frame-ancestors 'none'",
                    ),
                ] {
                    assert_eq!(answer.header(name), Some(value), "{method} {path}");
                }
                if method == Method::HEAD {
                    assert!(answer.body.is_empty());
                    continue;
                }
                // Django has its own for a form without its token, with a line before it.
                let text = answer.text();
                let djangos = text.starts_with("\n<!doctype html>") && text.contains("CSRF verification failed");
                let vary: Vec<_> = answer.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
                let expected = if djangos { "Accept, origin" } else { "Accept, Cookie, origin" };
                assert_eq!(vary.join(", "), expected, "{method} {path}");
                let text = text.trim_start();
                for element in elements(text) {
                    let forbidden = ["script", "style", "iframe", "object", "img", "base"];
                    assert!(!forbidden.contains(&element.tag.as_str()), "{text}");
                    let mut names = element.attributes.iter().map(|(name, _)| name);
                    assert!(names.all(|name| !name.starts_with("on") && name != "style"), "{text}");
                }
            }
        }
    }

    async fn options_tells_who_may_ask_what_is_demanded(db) {
        let app = app(db).await;
        let ask = |path: &str| Call::new(Method::OPTIONS, path);
        let obtain = ask("/drf/auth/").send(&app).await;
        assert_eq!((obtain.status, obtain.header("allow")), (StatusCode::OK, Some("POST, OPTIONS")));
        let told = obtain.json();
        assert_eq!(told["renders"], json!(["application/json", "text/html"]));
        assert_eq!(told["actions"]["POST"]["password"], json!({
            "type": "string", "required": true, "read_only": false, "label": "Password"
        }));
        // Whoever is not signed in learns nothing of what is behind that.
        for path in ["/drf/me/", "/drf/blacklist/", "/drf/impersonate/", "/sjwt/me/", "/cookie/user", "/dj/user/"] {
            let refused = ask(path).send(&app).await;
            assert!(refused.status.is_client_error() && refused.json().get("name").is_none(), "{path}");
        }
        let token = Call::post("/drf/auth/").json(&credentials(PASSWORD)).send(&app).await.json();
        let authorization = format!("JWT {}", token["token"].as_str().unwrap());
        let me = ask("/drf/me/").header("authorization", &authorization).send(&app).await.json();
        assert_eq!((&me["name"], me.get("actions")), (&json!("Current User"), None));
        assert_eq!(ask("/drf/impersonate/").header("authorization", &authorization).send(&app).await.status, 403);
        // What is told to be required is what an empty request lacks.
        for path in FORMS {
            let told = ask(path).header("authorization", &authorization).send(&app).await.json();
            let Value::Object(fields) = &told["actions"]["POST"] else { continue };
            let required = fields.iter().filter(|(_, field)| field["required"] == true);
            let told: BTreeSet<_> = required.map(|(name, _)| name).collect();
            let empty = Call::post(path).header("authorization", &authorization).json(&json!({}));
            let refused = empty.send(&app).await.json();
            let lacking: BTreeSet<_> = refused.as_object().unwrap().keys().filter(|name| told.contains(name)).collect();
            assert_eq!(told, lacking, "{path} {refused}");
        }
    }

    async fn programs_get_json_from_every_address(db) {
        let app = app(db).await;
        for accept in ["*/*", "application/json", "application/json, text/plain, */*", "text/html, application/json"] {
            for path in FORMS.into_iter().chain(ACCOUNTS) {
                let answer = Call::get(path).header("accept", accept).send(&app).await;
                assert_eq!(answer.header("content-type"), Some("application/json"), "{path} {accept}");
                assert!(answer.cookie("csrftoken").is_none() && answer.json()["detail"].is_string());
            }
        }
    }
}
