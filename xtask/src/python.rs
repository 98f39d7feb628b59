//! A Python environment with the packages that tests drive the server with.
//!
//! It never changes the machine's own Python: everything is under `target/`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::{
    packages::Need,
    process::{command, kept, root, run, succeeds},
};

/// Python itself, and what brings it.
pub(crate) const NEED: Need = Need {
    name: "Python 3 with `venv`",
    present: || succeeds(&mut command("python3", ["-c", "import venv, ensurepip"])),
    packages: &["python3", "python3-venv"],
};

/// The environment's `python`; makes it if there is none or if the list of packages has changed.
pub(crate) fn environment() -> Result<PathBuf> {
    environment_of(&root().join("xtask/python-requirements.txt"), "venv")
}

/// That of another list of packages, kept under a name of its own.
pub(crate) fn environment_of(requirements: &Path, name: &str) -> Result<PathBuf> {
    let wanted = fs::read(requirements).with_context(|| format!("`{}` cannot be read", requirements.display()))?;
    let folder = kept(name);
    let python = folder.join("bin/python");
    // Written last, so that an environment that was left half made is made again.
    let stamp = folder.join("made-from.txt");
    if fs::read(&stamp).is_ok_and(|made_from| made_from == wanted) && succeeds(&mut command(&python, ["--version"])) {
        return Ok(python);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("`{}` cannot be removed", folder.display()))?;
    }
    run(command("python3", ["-m", "venv"]).arg(&folder))?;
    run(command(&python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(requirements))?;
    fs::write(&stamp, wanted).with_context(|| format!("`{}` cannot be written", stamp.display()))?;
    Ok(python)
}
