//! The running server under requests that schemathesis makes up from its own description of the interface.
//!
//! What the description promises is what has to be answered: no other status, type or shape, and never a fault of ours.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use crate::program::{Home, PASSWORD, Server, finish};

/// All that schemathesis can check but one: that whatever the description allows is taken. No description can say which
/// passwords are hard enough to guess.
const CHECKS: [&str; 4] = ["--checks", "all", "--exclude-checks", "positive_data_acceptance"];

/// Cases for each operation, and the seconds that each answer may take on a busy machine.
const BOUNDS: [&str; 4] = ["--max-examples", "50", "--max-response-time", "10"];

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(300);

#[test]
fn no_request_gets_an_answer_that_the_description_does_not_promise() {
    let Some(python) = std::env::var_os("HALLPASS_TEST_PYTHON") else {
        println!("skipped: HALLPASS_TEST_PYTHON is not set; `cargo xtask test` sets it");
        return;
    };
    let home = Home::new();
    let mut command = home.command(&["serve", "--dev", "--listen", "127.0.0.1:0"]);
    command.env("HALLPASS_THROTTLE__ENABLED", "false");
    let server = Server::start_with(command);
    home.create_superuser("fuzz");
    // It signs in by itself, and again whenever a case has signed it out.
    home.write(
        "schemathesis.toml",
        &format!(
            "[auth.dynamic.openapi.access_token]\npath = \"/api/v1/login\"\nextract_selector = \"/access_token\"\n\
             payload = {{ username = \"fuzz\", password = \"{PASSWORD}\" }}\n"
        ),
    );

    let mut schemathesis = Command::new(python);
    schemathesis.args(["-m", "schemathesis.cli", "run", "--no-color", "--continue-on-failure"]);
    schemathesis.args(["--seed", "1", "--generation-database", "none"]).args(CHECKS).args(BOUNDS);
    schemathesis.arg(format!("{}/openapi.json", server.url)).current_dir(home.path());
    schemathesis.stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = finish(schemathesis, "", PATIENCE);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    let said = server.said();
    assert!(!said.contains("panicked"), "{said}");
}
