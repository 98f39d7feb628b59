use hallpass_axum::Web;

fn web(public_url: &str, frontends: &[&str], dev: bool) -> Web {
    let frontend_origins = frontends.iter().map(|origin| (*origin).to_owned()).collect();
    Web { public_url: public_url.into(), frontend_origins, dev, ..Web::default() }
}

#[track_caller]
fn refused(settings: &Web, because: &str) {
    let problems = settings.check().expect_err("must be refused").join("\n");
    assert!(problems.contains(because), "{problems}");
}

#[test]
fn an_api_and_front_ends_of_one_site_fit_together() {
    for (api, frontends, dev) in [
        (
            "https://api.example.com",
            &["https://app.example.com", "https://example.com", "https://admin.example.com:8443"][..],
            false,
        ),
        ("https://example.co.uk", &["https://www.example.co.uk"], false),
        ("https://api.example.com/auth", &["https://app.example.com"], false),
        ("https://auth.intranet", &["https://app.intranet"], false),
        ("https://xn--bcher-kva.example", &["https://app.xn--bcher-kva.example"], false),
        ("http://localhost:8000", &["http://localhost:5173"], true),
        ("http://127.0.0.1:8000", &["http://127.0.0.1:3000"], true),
        ("http://[::1]:8000", &["http://[::1]:3000"], true),
        ("https://api.localhost:8000", &[], true),
    ] {
        let settings = web(api, frontends, dev);
        if api.contains("intranet") {
            // A name that is its own public suffix makes each host a site of its own.
            refused(&settings, "another site");
        } else {
            settings.check().unwrap_or_else(|problems| panic!("{api}: {problems:?}"));
        }
    }
}

#[test]
fn a_public_url_that_cannot_work_is_refused_with_what_to_do() {
    for (public_url, dev, because) in [
        ("", false, "is empty"),
        ("api.example.com", false, "with scheme and host"),
        ("http://api.example.com", false, "use `https`"),
        ("http://localhost:8000", false, "`dev = true`"),
        ("https://api.example.com", true, "switch `dev` off"),
        ("https://203.0.113.7", false, "give it one"),
        ("https://[2001:db8::1]", false, "give it one"),
        ("https://api.example.com/", false, "without a query, a fragment and a slash"),
        ("https://api.example.com/auth/", false, "slash at its end"),
        ("https://api.example.com?x=1", false, "without a query"),
        ("https://API.example.com", false, "write `https://api.example.com`"),
        ("https://api.example.com:443", false, "write `https://api.example.com`"),
        ("https://api.example.com.", false, "leave the dot out"),
        ("ftp://api.example.com", false, "only `https` and `http`"),
        ("https://user:secret@api.example.com", false, "public_url"),
    ] {
        refused(&web(public_url, &[], dev), because);
    }
}

#[test]
fn a_front_end_that_browsers_send_no_cookies_from_is_refused_with_what_to_do() {
    let api = "https://api.example.com";
    for (origin, because) in [
        ("*", "listed one by one"),
        ("https://*.example.com", "listed one by one"),
        ("null", "names nobody"),
        ("https://app.example.com/", "write `https://app.example.com`"),
        ("https://app.example.com/login", "has a path"),
        ("https://app.example.com?x", "has a path"),
        ("https://app.example.com:443", "write `https://app.example.com`"),
        ("HTTPS://app.example.com", "write `https://app.example.com`"),
        ("https://app.example.com.", "leave the dot out"),
        ("app.example.com", "with scheme and host"),
        ("http://app.example.com", "use `https`"),
        ("https://app.example.org", "https://app.example.com"),
        ("https://203.0.113.7", "give it one"),
        ("http://localhost:5173", "server.proxy"),
        ("https://localhost:5173", "server.proxy"),
        ("https://bücher.example.com", "xn--bcher-kva"),
        (api, "leave it out"),
        ("capacitor://localhost", "only `https` and `http`"),
    ] {
        refused(&web(api, &[origin], false), because);
    }
    refused(&web("https://a.github.io", &["https://b.github.io"], false), "another site");
    refused(&web("http://localhost:8000", &["http://127.0.0.1:5173"], true), "another site");
    refused(&web("http://localhost:8000", &["https://app.example.com"], true), "switch `dev` off");
    refused(&web(api, &["https://app.example.com", "https://app.example.com"], false), "listed twice");
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let mut settings = web("http://api.example.com", &["*", "null"], false);
    settings.trusted_proxies =
        vec!["proxy.example.com".into(), "10.0.0.0/8".into(), "10.0.0.1/8".into(), "::1/129".into()];
    let problems = settings.check().unwrap_err();
    assert_eq!(problems.len(), 6, "{problems:#?}");
}

fn over_tls(domain: &str, public_url: &str, frontends: &[&str]) -> Web {
    Web { dev_domain: Some(domain.into()), ..web(public_url, frontends, true) }
}

#[test]
fn in_development_over_tls_names_of_the_domain_are_this_machine() {
    let front_ends = &["https://example.test:3000", "https://app.example.test:3000", "https://a.b.example.test"];
    for public_url in ["https://api.example.test:8000", "https://example.test", "https://a.b.example.test:8000/auth"] {
        let settings = over_tls("example.test", public_url, front_ends);
        settings.check().unwrap_or_else(|problems| panic!("{public_url}: {problems:?}"));
    }
    for (public_url, front_end, because) in [
        ("https://api.example.com", "https://example.test", "is not below `example.test`"),
        ("https://localhost:8000", "https://localhost:3000", "is not below `example.test`"),
        ("https://notexample.test", "https://example.test", "is not below `example.test`"),
        ("http://api.example.test", "https://example.test", "plain HTTP"),
        ("https://api.example.test", "http://example.test:3000", "plain HTTP"),
        ("https://api.example.test", "https://example.com", "not on this machine"),
        ("https://api.example.test", "http://localhost:3000", "server.proxy"),
    ] {
        refused(&over_tls("example.test", public_url, &[front_end]), because);
    }
    for domain in ["", "test", "localhost", "127.0.0.1", "example.test:8000", "Example.test", ".example.test", "co.uk"]
    {
        refused(&over_tls(domain, "https://api.example.test", &[]), "is not a domain of two parts or more");
    }
}
