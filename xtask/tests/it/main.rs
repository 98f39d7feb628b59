//! The tool from outside: what it promises about what it leaves behind.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod security_page;

use std::{
    io::Write as _,
    os::unix::process::ExitStatusExt as _,
    process::{Command, Stdio},
};

#[test]
fn what_was_started_is_stopped_and_removed_once_the_tool_is_gone() {
    let folder = tempfile::tempdir().unwrap().keep();
    std::fs::write(folder.join("data"), "of a database").unwrap();
    let mut service = Command::new("sleep").arg("600").spawn().unwrap();
    let mut ended = Command::new("true").spawn().unwrap();
    ended.wait().unwrap();

    let mut guard = Command::new(env!("CARGO_BIN_EXE_xtask")).arg("guard").stdin(Stdio::piped()).spawn().unwrap();
    let mut orders = guard.stdin.take().unwrap();
    writeln!(orders, "remove {}", folder.display()).unwrap();
    writeln!(orders, "stop QUIT {}", service.id()).unwrap();
    writeln!(orders, "stop TERM {}", ended.id()).unwrap();
    writeln!(orders, "ended {}", ended.id()).unwrap();
    // The operating system closes it when the tool dies, whatever it dies of.
    drop(orders);

    const SIGQUIT: i32 = 3;
    assert_eq!(service.wait().unwrap().signal(), Some(SIGQUIT));
    assert!(guard.wait().unwrap().success());
    assert!(!folder.exists());
}
