use hallpass_core::on_both_engines;

use crate::support::*;

on_both_engines! {
    async fn the_pages_load_nothing_from_elsewhere_and_hold_no_script_of_their_own(db) {
        let app = TestApp::new(db).await;
        for path in ["/", "/docs", "/dev/mail"] {
            let answer = Call::get(path).send(&app).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
            let page = answer.text();
            for forbidden in ["http://", "https://", "//cdn", "<script>", "onclick", "onload", "style=", "javascript:"]
            {
                assert!(!page.contains(forbidden), "{path}: {forbidden}");
            }
            for link in page
                .split("href=\"")
                .chain(page.split("src=\""))
                .filter_map(|rest| rest.split('"').next())
                .filter(|link| link.contains('/') && !link.contains('<'))
            {
                let from = format!("http://a.example{path}").parse::<url::Url>().unwrap();
                let link = from.join(link).unwrap();
                assert_eq!(Call::get(link.path()).send(&app).await.status, 200, "{path}: {link}");
            }
        }
        let script = Call::get("/assets/docs.js").send(&app).await;
        assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
        for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!script.text().contains(forbidden), "{forbidden}");
        }
    }
}
