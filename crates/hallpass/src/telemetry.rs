//! The log: one line an event, to stderr, as text or as JSON.
//!
//! Never lets what somebody sent begin a line of its own or move the reader's cursor, whatever a field contains.

use std::io::{self, Write};

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::{
    settings::{Log, LogFormat},
    text::plain,
};

/// Starts the log of this process.
///
/// # Errors
/// If `log.level` cannot be understood.
pub(crate) fn start(log: &Log) -> anyhow::Result<()> {
    let filter = filter(log).map_err(anyhow::Error::msg)?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(OneLine::stderr).with_ansi(false);
    let started = match log.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).try_init(),
    };
    started.map_err(anyhow::Error::from_boxed)
}

/// What is written, read off `log.level`.
///
/// A level alone is about Hallpass itself; libraries say nothing below a warning unless they are named, since none of
/// them knows which of its bytes are a password.
///
/// # Errors
/// A line that says what to write instead.
pub(crate) fn filter(log: &Log) -> Result<EnvFilter, String> {
    let directives: Vec<String> = log
        .level
        .split(',')
        .map(|directive| match directive.trim().rsplit_once('=') {
            None => (format!("hallpass={}", directive.trim()), directive.trim()),
            Some((_, level)) => (directive.trim().to_owned(), level),
        })
        .map(|(directive, level)| level.parse::<LevelFilter>().map(|_| directive))
        .collect::<Result<_, _>>()
        .map_err(|_| "`log.level` cannot be understood: write `info`, or `info` and pairs such as `info,sqlx=debug`")?;
    EnvFilter::try_new(format!("warn,{}", directives.join(",")))
        .map_err(|_| "`log.level` has a pair that cannot be understood: write it like `sqlx=debug`".into())
}

/// Writes each event as one line, with nothing in it that a terminal would obey.
struct OneLine<W>(W);

impl OneLine<io::Stderr> {
    fn stderr() -> Self {
        Self(io::stderr())
    }
}

impl<W: Write> Write for OneLine<W> {
    /// `event` is one whole event: the layer formats it first and writes it in one call.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = plain(text.trim_end_matches('\n')) + "\n";
        self.0.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;
    use crate::text::is_obeyed;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Captured {
        type Writer = OneLine<Captured>;

        fn make_writer(&self) -> Self::Writer {
            OneLine(self.clone())
        }
    }

    const HOSTILE: &str = "x\r\nERROR forged\u{1b}[2K\u{9b}1A\u{202e}\u{2028}\t\u{7f}";

    fn log_hostile_input(format: LogFormat) -> String {
        let captured = Captured::default();
        let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(captured.clone());
        let log = || tracing::info!(debug = ?HOSTILE, display = %HOSTILE, text = HOSTILE, "message {HOSTILE}");
        match format {
            LogFormat::Text => tracing::subscriber::with_default(lines.finish(), log),
            LogFormat::Json => tracing::subscriber::with_default(lines.json().flatten_event(true).finish(), log),
        }
        String::from_utf8(captured.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn input_cannot_forge_or_hide_a_line_of_the_log() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let log = log_hostile_input(format);
            let line = log.strip_suffix('\n').unwrap();
            assert!(!line.chars().any(is_obeyed), "{line:?}");
        }
    }

    #[test]
    fn a_json_line_gives_back_what_was_sent() {
        let line: serde_json::Value = serde_json::from_str(&log_hostile_input(LogFormat::Json)).unwrap();
        assert_eq!(line["display"], HOSTILE);
        assert_eq!(line["text"], HOSTILE);
    }
}
