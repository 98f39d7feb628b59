//! The committed files that are generated from the program itself.
//!
//! It never edits: a file is what the program prints, or it is out of date.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::process::{built, cargo, command, output, root, run};

/// Each file with the arguments of `hallpass` that print it.
const FILES: [(&str, &[&str]); 4] = [
    ("openapi.json", &["openapi"]),
    ("docs/reference/settings.md", &["reference", "settings"]),
    ("docs/reference/cli.md", &["reference", "cli"]),
    ("docs/reference/errors.md", &["reference", "errors"]),
];

/// Writes every generated file.
pub(crate) fn write() -> Result<()> {
    run(&mut build())?;
    for (file, printed) in generate()? {
        let path = root().join(file);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        if fs::read(&path).ok().as_ref() != Some(&printed) {
            fs::write(&path, printed).with_context(|| format!("`{file}` cannot be written"))?;
            eprintln!("written: {file}");
        }
    }
    Ok(())
}

/// Builds the program and fails if a committed file differs from what it prints.
pub(crate) fn check() -> Result<()> {
    run(&mut build())?;
    let differs = |(file, printed): &(&str, Vec<u8>)| fs::read(root().join(file)).ok().as_ref() != Some(printed);
    let different: Vec<&str> =
        generate()?.iter().filter(|generated| differs(generated)).map(|(file, _)| *file).collect();
    if !different.is_empty() {
        bail!("out of date: {}. Run `cargo xtask generated` and commit what it writes", different.join(", "));
    }
    Ok(())
}

/// Builds everything, the tests too: with the same flags, so that nothing is compiled again for them.
pub(crate) fn build() -> std::process::Command {
    cargo(["build", "--workspace", "--all-features", "--all-targets", "--locked"])
}

fn generate() -> Result<Vec<(&'static str, Vec<u8>)>> {
    let program = built("debug", "hallpass")?;
    FILES.iter().map(|(file, arguments)| Ok((*file, output(command(&program, []).args(*arguments))?))).collect()
}
