//! Where the master key lives: in `HALLPASS_MASTER_KEY`, or in a file that only its owner can read.
//!
//! Never prints a key and never puts one in the place of another: what is there is read, or refused with a reason.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use hallpass_core::MasterKey;

use super::{Problems, Settings, sources::MASTER_KEY_VARIABLE};

/// Whether a command may set up what is not there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    /// Make it.
    Make,
    /// Say that it is missing.
    Refuse,
}

/// The key from the environment, if it is there.
pub(crate) fn from_environment(
    settings: &Settings,
    environment: &[(OsString, OsString)],
) -> Result<Option<MasterKey>, Problems> {
    let Some((_, value)) = environment.iter().find(|(name, _)| name == MASTER_KEY_VARIABLE) else { return Ok(None) };
    let problem = |what: &str| Problems(vec![format!("`{MASTER_KEY_VARIABLE}`: {what}")]);
    let text = value.to_str().map(str::trim).ok_or_else(|| problem("the master key is not base64"))?;
    let key = MasterKey::from_base64(text).map_err(problem)?;
    if settings.database.contains(text) {
        return Err(problem("the master key is also the database password: make one with `openssl rand -base64 32`"));
    }
    Ok(Some(key))
}

/// The key in the file, and the file's path if this call made it.
pub(crate) fn from_file(settings: &Settings, absent: Absent) -> Result<(MasterKey, Option<PathBuf>)> {
    let path = settings.master_key_file();
    match fs::metadata(&path) {
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => {
            bail!("the master key file `{0}` can be read by others: run `chmod 600 {0}`", path.display())
        }
        Ok(_) => Ok((read(&path)?, None)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && absent == Absent::Make => make(&path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!(
            "there is no master key file at `{}`: give its place in `master_key_file`, or the key in `{MASTER_KEY_VARIABLE}`",
            path.display()
        ),
        Err(error) => Err(error).with_context(|| format!("the master key file `{}` cannot be read", path.display())),
    }
}

/// What is wrong with the key that there is, in one line; a key that is not there yet is no problem.
pub(crate) fn problem(settings: &Settings, environment: &[(OsString, OsString)]) -> Option<String> {
    match from_environment(settings, environment) {
        Err(problems) => Some(problems.to_string()),
        Ok(None) if settings.master_key_file().exists() => {
            from_file(settings, Absent::Refuse).err().map(|error| format!("{error:#}"))
        }
        Ok(_) => None,
    }
}

/// Makes a folder, and those above it, that only its owner can look into; leaves one that is there as it is.
pub(crate) fn make_private_folder(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("the folder `{}` cannot be made", path.display()))
}

fn read(path: &Path) -> Result<MasterKey> {
    let text =
        fs::read_to_string(path).with_context(|| format!("the master key file `{}` cannot be read", path.display()))?;
    MasterKey::from_base64(&text).map_err(|what| anyhow::anyhow!("the master key file `{}`: {what}", path.display()))
}

/// Two commands may start at once on a new database: the file appears whole or not at all, and the second reads the
/// first's.
fn make(path: &Path) -> Result<(MasterKey, Option<PathBuf>)> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_private_folder(folder)?;
    }
    let key = MasterKey::generate()?;
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let written = write_new(&draft, key.to_base64().as_bytes()).and_then(|()| fs::hard_link(&draft, path));
    // The draft is there only if writing began; either way nothing of it may stay.
    let _ = fs::remove_file(&draft);
    match written {
        Ok(()) => Ok((key, Some(path.to_owned()))),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok((read(path)?, None)),
        Err(error) => Err(error).with_context(|| format!("the master key file `{}` cannot be written", path.display())),
    }
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.write_all(b"\n")?;
    file.sync_all()
}
