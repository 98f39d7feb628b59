//! The figures as tables for people, and as JSON for programs.
//!
//! No figure is ever typed into a document: a run puts its tables between two marks.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{
    figures::{Figures, Measures},
    promises::{Bound, Verdict},
};
use crate::process::{command, output};

const BEGIN: &str = "<!-- figures: begin (`cargo xtask bench` writes what is between these two lines) -->";
const END: &str = "<!-- figures: end -->";

/// The measures in the table of a server.
const COLUMNS: [&str; 8] =
    ["requests_per_second", "p50_us", "p99_us", "p999_us", "max_us", "server_cpu_us", "database_cpu_us", "faults"];

/// Where and on what a run was.
pub(super) struct Machine {
    processor: String,
    cores: usize,
    memory: String,
    kernel: String,
    date: String,
    revision: String,
}

impl Machine {
    pub(super) fn this() -> Result<Self> {
        let line = |file: &str, name: &str| -> Result<String> {
            let text = fs::read_to_string(file)?;
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            Ok(line.split_once(':').map_or("unknown", |(_, value)| value.trim()).to_owned())
        };
        let said = |words: [&str; 3]| -> Result<String> {
            let [program, first, second] = words;
            let said = output(command(program, [first]).args(Some(second).filter(|word| !word.is_empty())))?;
            Ok(String::from_utf8(said)?.trim().to_owned())
        };
        Ok(Self {
            processor: line("/proc/cpuinfo", "model name")?,
            cores: std::thread::available_parallelism()?.get(),
            memory: line("/proc/meminfo", "MemTotal")?,
            kernel: said(["uname", "-sr", ""])?,
            date: said(["date", "-u", "+%F"])?,
            revision: said(["git", "rev-parse", "HEAD"])?,
        })
    }
}

/// Writes all figures of a run.
pub(super) fn write(file: &Path, machine: &Machine, figures: &Figures, verdicts: &[Verdict]) -> Result<()> {
    let verdict = |verdict: &Verdict| {
        let (bound, value) = match verdict.bound {
            Bound::AtLeast(value) => ("at_least", value),
            Bound::AtMost(value) => ("at_most", value),
        };
        json!({ "what": verdict.what, "value": rounded(verdict.value), bound: value, "kept": verdict.is_kept() })
    };
    let mut servers = serde_json::Map::new();
    for (server, scenarios) in figures.servers() {
        let of = |measures: &Measures| -> Value {
            measures.iter().map(|(measure, number)| (measure.clone(), json!(rounded(*number)))).collect()
        };
        servers.insert(server.clone(), scenarios.iter().map(|(scenario, it)| (scenario.clone(), of(it))).collect());
    }
    let run = json!({
        "machine": {
            "processor": machine.processor,
            "cores": machine.cores,
            "memory": machine.memory,
            "kernel": machine.kernel,
        },
        "date": machine.date,
        "revision": machine.revision,
        "promises": verdicts.iter().map(verdict).collect::<Vec<_>>(),
        "servers": servers,
    });
    fs::write(file, format!("{run:#}\n")).with_context(|| format!("`{}` cannot be written", file.display()))
}

/// Puts the tables into a document.
pub(super) fn put(file: &Path, machine: &Machine, tables: &str) -> Result<()> {
    let document = fs::read_to_string(file).with_context(|| format!("`{}` cannot be read", file.display()))?;
    let missing = || format!("`{}` has no place for figures", file.display());
    let (before, rest) = document.split_once(BEGIN).with_context(missing)?;
    let (_, after) = rest.split_once(END).with_context(missing)?;
    let Machine { processor, cores, memory, kernel, date, .. } = machine;
    let on = format!("Measured on {date}: {processor}, {cores} cores, {memory} of memory, {kernel}.");
    Ok(fs::write(file, format!("{before}{BEGIN}\n\n{on}\n\n{tables}\n{END}{after}"))?)
}

/// The tables in Markdown.
pub(super) fn tables(figures: &Figures, verdicts: &[Verdict]) -> String {
    let mut text = String::from("### Promises\n\n| what | measured | bound | |\n|---|---:|---|---|\n");
    for verdict in verdicts {
        let kept = if verdict.is_kept() { "kept" } else { "**broken**" };
        let _ = writeln!(text, "| {} | {} | {} | {kept} |", verdict.what, number(verdict.value), verdict.bound);
    }
    let head = "scenario | requests a second | p50 | p99 | p99.9 | longest | processor | database | failed";
    for (server, scenarios) in figures.servers() {
        let loads: Vec<_> = scenarios.iter().filter(|(_, measures)| measures.contains_key("p50_us")).collect();
        if !loads.is_empty() {
            let _ = writeln!(text, "\n### `{server}`\n\n| {head} |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|");
        }
        for (scenario, measures) in loads {
            let numbers = COLUMNS.map(|measure| measures.get(measure).map_or_else(String::new, |it| number(*it)));
            let _ = writeln!(text, "| {scenario} | {} |", numbers.join(" | "));
        }
    }
    text.push_str(&of_others(figures));
    text
}

/// What is no load: memory, starts, sizes, hashes.
fn of_others(figures: &Figures) -> String {
    let mut text = String::new();
    let mut units = BTreeSet::new();
    for (server, scenarios) in figures.servers() {
        for (scenario, measures) in scenarios.iter().filter(|(_, measures)| !measures.contains_key("p50_us")) {
            for (measure, value) in measures {
                units.insert(measure.clone());
                let _ =
                    writeln!(text, "| `{server}` | {scenario} | {} | {} |", measure.replace('_', " "), number(*value));
            }
        }
    }
    if units.is_empty() {
        return text;
    }
    format!("\n### Memory, starts and hashes\n\n| of | when | measure | |\n|---|---|---|---:|\n{text}")
}

/// With as many digits as mean something.
fn number(number: f64) -> String {
    let digits = if number >= 100.0 || number.fract() == 0.0 {
        0
    } else if number >= 10.0 {
        1
    } else {
        2
    };
    let plain = format!("{number:.digits$}");
    let (whole, rest) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

fn rounded(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_with_the_digits_that_mean_something() {
        let shown = [0.0, 0.456, 12.34, 100.6, 1_234.5, 1_234_567.0].map(number);
        assert_eq!(shown, ["0", "0.46", "12.3", "101", "1,234", "1,234,567"]);
    }

    #[test]
    fn the_tables_go_between_the_marks_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("page.md");
        fs::write(&file, format!("before\n{BEGIN}\nold\n{END}\nafter\n")).unwrap();
        let machine = Machine::this().unwrap();
        put(&file, &machine, "new\n").unwrap();
        let page = fs::read_to_string(&file).unwrap();
        assert!(page.starts_with("before\n") && page.ends_with("\nafter\n"), "{page}");
        assert!(page.contains("\nnew\n") && !page.contains("old"), "{page}");
    }

    #[test]
    fn a_table_has_a_line_for_each_scenario_and_each_promise() {
        let mut figures = Figures::default();
        let round = json!({ "requests_per_second": 1234.5, "p50_us": 7 });
        figures.take("x", "", &[json!({ "scenario": "me", "rounds": [round], "faults": {} })]).unwrap();
        figures.set("x", "idle", "resident_mib", 20.0);
        let verdict = Verdict { what: "a promise", value: 3.0, bound: Bound::AtMost(2.0) };
        let tables = tables(&figures, &[verdict]);
        for line in [
            "| a promise | 3 | at most 2 | **broken** |",
            "| me | 1,234 | 7 |  |  |  |  |  | 0 |",
            "| `x` | idle | resident mib | 20 |",
        ] {
            assert!(tables.contains(line), "{tables}");
        }
    }
}
