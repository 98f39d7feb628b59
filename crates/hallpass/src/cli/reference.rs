//! `hallpass reference`: the pages of the reference as Markdown, read off the types and the command line itself.
//!
//! Holds no fact of its own: whatever is wrong here is wrong in the code that it describes.

use anyhow::Result;
use clap::{Arg, Args, Command, ValueEnum};
use hallpass_core::Code;

use super::print;
use crate::settings::known::{Key, Kind, keys};

/// Print a page of the reference as Markdown
#[derive(Debug, Args)]
pub(crate) struct Reference {
    /// Which page
    page: Page,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Page {
    /// Every setting
    Settings,
    /// Every command
    Cli,
    /// Every error code
    Errors,
}

impl Reference {
    pub(crate) fn run(&self, command: Command) -> Result<()> {
        let page = match self.page {
            Page::Settings => settings(),
            Page::Cli => commands(command),
            Page::Errors => errors(),
        };
        print(page.trim_end())
    }
}

fn settings() -> String {
    let mut page = String::from(
        "# Settings\n\n\
         Sources, the later wins: the defaults below, the file (`--config FILE`, else `./hallpass.toml` if it is there), the \
         environment, the flags `--database`, `--data-dir`, `--listen`, `--dev`, `--dev-tls` and `--domain`. Lists in the environment have commas \
         between their entries. A name that is not on this page is an error in the file and in the environment. \
         `hallpass config show` prints what a server would use, `hallpass config check` says what is wrong with it.\n\n\
         Two more variables are not settings: `HALLPASS_MASTER_KEY` takes the place of the master key file, and variables \
         that begin with `HALLPASS_TEST_` or `HALLPASS_SHARED` belong to the project's own tests.\n",
    );
    let mut section = None;
    for key in keys() {
        let of = key.path.split_last().map(|(_, sections)| sections.join(".")).unwrap_or_default();
        if section.as_ref() != Some(&of) {
            page +=
                &if of.is_empty() { "\n## At the top of the file\n".to_owned() } else { format!("\n## `[{of}]`\n") };
            section = Some(of);
        }
        page += &setting(&key);
    }
    page
}

fn setting(key: &Key) -> String {
    let kind = match &key.kind {
        // In the file this is a section of its own.
        Kind::Names(_) => format!("{}, as `[{}]`", key.kind.words(), key.name()),
        kind => kind.words(),
    };
    let environment = match &key.kind {
        Kind::Sections => format!("none; `{}` is refused", key.variable()),
        _ => format!("`{}`", key.variable()),
    };
    format!(
        "\n### `{}`\n\n{}\n\n- Value: {kind}\n- Default: `{}`\n- Environment: {environment}\n",
        key.name(),
        key.description,
        key.default,
    )
}

fn errors() -> String {
    let mut page = String::from(
        "# Errors\n\n\
         Every failure of the HTTP interface is an `application/problem+json` document (RFC 9457) whose `code` is one of \
         these. A code is never renamed.\n\n\
         | Code | Status | Title | When |\n|---|---|---|---|\n",
    );
    for code in Code::ALL {
        let status = hallpass_axum::status(*code).as_u16();
        page += &format!("| `{}` | {status} | {} | {} |\n", code.as_str(), code.title(), cell(code.meaning()));
    }
    page
}

fn commands(mut command: Command) -> String {
    // Only a built command has its global flags in its subcommands.
    command.build();
    let mut page = String::from("# Command line\n");
    describe(&command, "", &mut page);
    page
}

fn describe(command: &Command, parents: &str, page: &mut String) {
    let name = format!("{parents}{}", command.get_name());
    *page += &format!("\n## `{name}`\n\n{}\n", text(command.get_long_about().or(command.get_about())));
    let arguments: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set() && (parents.is_empty() || !argument.is_global_set()))
        .filter(|argument| !["help", "version"].contains(&argument.get_id().as_str()))
        .collect();
    if !arguments.is_empty() {
        *page += "\n| Argument | |\n|---|---|\n";
        for argument in arguments {
            *page += &format!(
                "| `{}` | {} |\n",
                signature(argument),
                cell(&text(argument.get_long_help().or(argument.get_help())))
            );
        }
    }
    if let Some(after) = command.get_after_long_help().or(command.get_after_help()) {
        *page += &format!("\n```text\n{}\n```\n", after.to_string().trim_end());
    }
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help") {
        describe(inner, &format!("{name} "), page);
    }
}

fn signature(argument: &Arg) -> String {
    let values: Vec<String> = match argument.get_action() {
        action if action.takes_values() => {
            argument.get_value_names().unwrap_or_default().iter().map(|name| format!("<{name}>")).collect()
        }
        _ => Vec::new(),
    };
    let flag = argument.get_long().map(|long| format!("--{long}"));
    flag.into_iter().chain(values).collect::<Vec<_>>().join(" ")
}

fn text(styled: Option<&clap::builder::StyledStr>) -> String {
    styled.map(ToString::to_string).unwrap_or_default()
}

/// Text that stays in its cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ")
}
