//! What mails say: templates in every language, built in or the operator's.
//!
//! Every mail is written once in every language before the server starts: a template that does not work is found by the
//! operator, never by a mail that is lost.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use minijinja::{
    AutoEscape, Environment, ErrorKind, Output, State, UndefinedBehavior, Value, escape_formatter,
    syntax::SyntaxConfig, value::Serde,
};

mod built_in;
mod language;
mod values;

pub(super) use values::one_line;
pub use values::{Kind, Values};

use crate::{Error, Result, config};

/// What the three files of a mail end in.
const ENDINGS: [&str; 3] = [".subject", ".txt", ".html"];

/// A mail in words.
#[derive(Clone)]
pub struct Written {
    /// The subject: one line.
    pub subject: String,
    /// The mail in plain text.
    pub text: String,
    /// The same as an HTML document.
    pub html: String,
    /// The language that it is written in.
    pub locale: String,
}

/// The templates of every mail in every language.
pub struct Templates {
    environment: Environment<'static>,
    locales: Vec<String>,
    default_locale: String,
}

impl Templates {
    /// Takes the built-in templates and those of the operator's folder, and writes every mail with made-up values.
    ///
    /// # Errors
    /// Each template that is missing or does not work, by file and line, and a default language that is not there.
    pub fn load(config: &config::Mail) -> Result<Self, Vec<String>> {
        let mut files: BTreeMap<String, String> = BTreeMap::new();
        for (name, source) in built_in::FILES.iter().copied().flatten() {
            files.insert((*name).into(), (*source).into());
        }
        if !config.templates.is_empty() {
            files.extend(read(Path::new(&config.templates)).map_err(|problem| vec![problem])?);
        }
        let locales: BTreeSet<&str> = files.keys().filter_map(|name| Some(name.split_once('/')?.0)).collect();
        let locales: Vec<String> = locales.into_iter().map(str::to_owned).collect();
        let Some(default_locale) = language::choose(&locales, Some(&config.default_locale), None) else {
            let there = locales.join("`, `");
            return Err(vec![format!(
                "`mail.default_locale`: there are no templates in `{}`; take one of `{there}`, or add a folder of that \
                 name to `mail.templates`",
                config.default_locale
            )]);
        };
        let default_locale = default_locale.to_owned();
        let needed = locales.iter().flat_map(|locale| files_of_language().map(move |file| format!("{locale}/{file}")));
        let missing: Vec<String> = needed
            .filter(|name| !files.contains_key(name))
            .map(|name| format!("`mail.templates`: `{name}` is missing"))
            .collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        let environment = compile(files)?;
        let templates = Self { environment, locales, default_locale };
        let problems = templates.problems(config);
        if problems.is_empty() { Ok(templates) } else { Err(problems) }
    }

    /// The languages that there are, in the order of the alphabet.
    pub fn locales(&self) -> Vec<&str> {
        self.locales.iter().map(String::as_str).collect()
    }

    /// The language for somebody: the account's tag, then what `Accept-Language` prefers, then the default. A tag that is
    /// not there is shortened until it is: `de-AT` gets `de`.
    pub fn choose(&self, account: Option<&str>, accept_language: Option<&str>) -> &str {
        language::choose(&self.locales, account, accept_language).unwrap_or(&self.default_locale)
    }

    /// Writes a mail in one of the [languages](Templates::locales).
    ///
    /// # Errors
    /// [`crate::Code::Internal`] for a language that is not there, or a template that fails on these very values; what is
    /// logged of it names the template and none of the values.
    pub fn write(&self, kind: Kind, locale: &str, values: &Values) -> Result<Written> {
        let told = |error: minijinja::Error| Error::internal(format!("mail template {}", place(&error)));
        self.render(kind, locale, values).map_err(told)
    }

    fn render(&self, kind: Kind, locale: &str, values: &Values) -> Result<Written, minijinja::Error> {
        let context = minijinja::context! { locale, ..Value::from(Serde(values.in_lines())) };
        let render = |part| {
            let name = format!("{locale}/{}.{part}", kind.as_str());
            self.environment.get_template(&name)?.render(&context)
        };
        let subject = values::one_line(&render("subject")?);
        Ok(Written { subject, text: render("txt")?, html: render("html")?, locale: locale.into() })
    }

    /// Writes everything once.
    fn problems(&self, config: &config::Mail) -> Vec<String> {
        let mut problems = BTreeSet::new();
        let links = if config.links.is_empty() { "https://example.com" } else { &config.links };
        for locale in &self.locales {
            for kind in Kind::ALL {
                let values = Values::sample(kind, &config.product_name, links, 1_800_000_000);
                let link = values.link.clone().unwrap_or_default();
                for values in [values.clone().sparse(), values] {
                    match self.render(kind, locale, &values) {
                        Ok(written) => {
                            let name = format!("{locale}/{}", kind.as_str());
                            let lacks = |part, what| format!("`mail.templates`: `{name}.{part}` must {what}");
                            if written.subject.is_empty() {
                                problems.insert(lacks("subject", "not be empty"));
                            }
                            if !written.text.contains(&link) {
                                problems.insert(lacks("txt", "contain `{{ link }}`"));
                            }
                            if !written.html.contains(&*escaped(&link)) {
                                problems.insert(lacks("html", "contain `{{ link }}`"));
                            }
                        }
                        Err(error) => _ = problems.insert(problem(&error)),
                    }
                }
            }
        }
        problems.into_iter().collect()
    }
}

/// The operator's files, by their names below the folder. What takes the place of nothing was not meant to do nothing.
fn read(folder: &Path) -> Result<BTreeMap<String, String>, String> {
    let failed = |error: std::io::Error| format!("`mail.templates`: `{}`: {error}", folder.display());
    let mut files = BTreeMap::new();
    let mut folders = vec![String::new()];
    while let Some(below) = folders.pop() {
        for entry in folder.join(&below).read_dir().map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let is_template = ENDINGS.iter().any(|ending| name.ends_with(ending));
            if path.is_dir() && below.is_empty() && language::is_tag(name) {
                folders.push(format!("{name}/"));
            } else if is_template {
                let name = format!("{below}{name}");
                let is_known = match name.split_once('/') {
                    None => matches!(&*name, "base.html" | "base.txt"),
                    Some((_, file)) => files_of_language().any(|known| known == file),
                };
                if !is_known {
                    return Err(format!("`mail.templates`: no template is called `{name}`: remove or rename it"));
                }
                files.insert(name, std::fs::read_to_string(&path).map_err(failed)?);
            }
        }
    }
    Ok(files)
}

/// The files that a language consists of.
fn files_of_language() -> impl Iterator<Item = String> {
    let mails = Kind::ALL.into_iter().flat_map(|kind| ENDINGS.map(|ending| format!("{}{ending}", kind.as_str())));
    ["layout.html", "layout.txt"].map(str::to_owned).into_iter().chain(mails)
}

fn compile(files: BTreeMap<String, String>) -> Result<Environment<'static>, Vec<String>> {
    let mut environment = Environment::new();
    // What it shows of a failure would include the values: links that work.
    environment.set_debug(false);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(print);
    environment.add_filter("date", date);
    // A name is a file of the same language, but for those that belong to all.
    environment.set_path_join_callback(|name, parent| match parent.split_once('/') {
        Some((locale, _)) if !name.starts_with("base.") => Cow::Owned(format!("{locale}/{name}")),
        _ => Cow::Borrowed(name),
    });
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(|error| vec![problem(&error)])?);
    let add = |(name, source)| environment.add_template_owned::<String, String>(name, source).err();
    let problems: Vec<String> = files.into_iter().filter_map(add).map(|error| problem(&error)).collect();
    if problems.is_empty() { Ok(environment) } else { Err(problems) }
}

/// Writes a value: nothing for one that is not there, and escaped in HTML.
fn print(out: &mut Output, state: &mut State, value: &Value) -> Result<(), minijinja::Error> {
    match value.as_str() {
        _ if value.is_none() => Ok(()),
        Some(text) if *state.auto_escape() == AutoEscape::Html && !value.is_safe() => {
            Ok(out.write_str(&escaped(text))?)
        }
        _ => escape_formatter(out, state, value),
    }
}

/// A text as HTML, in elements and in attributes. The library's own way also hides every `/`, as spam does with its links.
fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    Cow::Owned(text.replace('"', "&quot;").replace('\'', "&#39;"))
}

/// The filter `date`: a moment in UTC, by default as 2026-11-30, else in a format of `strftime`.
fn date(seconds: i64, format: Option<&str>) -> Result<String, minijinja::Error> {
    let wrong = |error: jiff::Error| minijinja::Error::new(ErrorKind::InvalidOperation, error.to_string());
    let moment = jiff::Timestamp::from_second(seconds).map_err(wrong)?;
    jiff::fmt::strtime::format(format.unwrap_or("%Y-%m-%d"), moment).map_err(wrong)
}

/// What the operator has to mend.
fn problem(error: &minijinja::Error) -> String {
    let error = innermost(error);
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("`mail.templates`: {}{detail}", place(error))
}

/// Where and in which way a template fails.
fn place(error: &minijinja::Error) -> String {
    let error = innermost(error);
    format!("`{}`, line {}: {}", error.name().unwrap_or("?"), error.line().unwrap_or(0), error.kind())
}

/// A block that fails is reported by the template that it is a block of; what failed is behind that.
fn innermost(error: &minijinja::Error) -> &minijinja::Error {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref());
    source.map_or(error, innermost)
}
