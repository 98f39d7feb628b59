//! nginx and Caddy, for the tests that put one in front of a back end.
//!
//! It never installs them. Debian's packages would start each as a service on port 80, at once and whenever the machine
//! starts; so where they are missing the packages are only unpacked, under `target/`.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    packages::{Install, as_root},
    process::{command, kept, run, succeeds},
};

/// Each, with what shows that it starts. The package has the same name.
const PROXIES: [(&str, &str); 2] = [("nginx", "-v"), ("caddy", "version")];

/// Sees to it that both are there, and returns the `PATH` by which they are found.
pub(crate) fn provide(install: Install) -> Result<OsString> {
    let folder = kept("proxies");
    let path = path(&folder)?;
    let missing: Vec<_> = PROXIES.iter().filter(|proxy| !starts(proxy, &path)).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Ok(path);
    }
    if install == Install::Refused {
        bail!("missing: {}. Install it; as a service it need not run", missing.join(" and "));
    }
    unpack(&missing, &folder).with_context(|| format!("missing: {}", missing.join(" and ")))?;
    match PROXIES.iter().find(|proxy| !starts(proxy, &path)) {
        Some((name, _)) => {
            bail!("`{name}` does not start from `{}`: install it by the system's means", folder.display())
        }
        None => Ok(path),
    }
}

fn starts((name, argument): &(&str, &str), path: &OsString) -> bool {
    succeeds(command(name, [argument]).env("PATH", path))
}

/// What is installed comes first.
fn path(folder: &Path) -> Result<OsString> {
    let own = env::var_os("PATH").unwrap_or_default();
    let also = [PathBuf::from("/usr/sbin"), folder.join("usr/sbin"), folder.join("usr/bin")];
    Ok(env::join_paths(env::split_paths(&own).chain(also))?)
}

fn unpack(packages: &[&str], folder: &Path) -> Result<()> {
    if !succeeds(&mut command("apt-get", ["--version"])) {
        bail!("this system has no `apt-get`: install it by its own means");
    }
    fs::create_dir_all(folder).with_context(|| format!("`{}` cannot be made", folder.display()))?;
    let mut download = command("apt-get", ["download"]);
    download.args(packages).current_dir(folder);
    // As for what is installed: the lists may be missing or old.
    if run(&mut download).is_err()
        && let Some(mut update) = as_root(["apt-get", "update"])
    {
        run(&mut update)?;
        run(&mut download)?;
    }
    for file in fs::read_dir(folder)? {
        let file = file?.path();
        if file.extension().is_some_and(|extension| extension == "deb") {
            run(command("dpkg-deb", ["--extract"]).args([&file, folder]))?;
            fs::remove_file(&file)?;
        }
    }
    Ok(())
}
