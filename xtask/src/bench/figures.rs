//! What was measured: numbers by server, scenario and measure, each the median of its rounds.
//!
//! It never keeps a single round, and never mixes two runs.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

/// The numbers of one scenario by measure.
pub(super) type Measures = BTreeMap<String, f64>;

#[derive(Default)]
pub(super) struct Figures(BTreeMap<String, BTreeMap<String, Measures>>);

impl Figures {
    pub(super) fn get(&self, server: &str, scenario: &str, measure: &str) -> Option<f64> {
        self.0.get(server)?.get(scenario)?.get(measure).copied()
    }

    pub(super) fn set(&mut self, server: &str, scenario: &str, measure: &str, number: f64) {
        let scenarios = self.0.entry(server.to_owned()).or_default();
        scenarios.entry(scenario.to_owned()).or_default().insert(measure.to_owned(), number);
    }

    /// Takes the lines that the bench program has printed; `before` is put before the names of scenarios.
    pub(super) fn take(&mut self, server: &str, before: &str, lines: &[Value]) -> Result<()> {
        for line in lines {
            let scenario = line.get("scenario").and_then(Value::as_str).context("a line names no scenario")?;
            let scenario = format!("{before}{scenario}");
            let rounds = line.get("rounds").and_then(Value::as_array).context("a line has no rounds")?;
            let rounds: Vec<&Map<String, Value>> = rounds.iter().filter_map(Value::as_object).collect();
            for measure in rounds.first().into_iter().flat_map(|round| round.keys()) {
                let numbers = rounds.iter().filter_map(|round| round.get(measure)?.as_f64());
                self.set(server, &scenario, measure, median(numbers).context("no rounds")?);
            }
            let faults = line.get("faults").and_then(Value::as_object).context("a line has no faults")?;
            for (fault, count) in faults {
                eprintln!("{server}, {scenario}: {count} times {fault}");
            }
            self.set(server, &scenario, "faults", total(faults.values().filter_map(Value::as_f64)));
        }
        Ok(())
    }

    /// All servers with their scenarios, in the order of their names.
    pub(super) fn servers(&self) -> impl Iterator<Item = (&String, &BTreeMap<String, Measures>)> {
        self.0.iter()
    }
}

/// The sum, which is 0 of nothing: that of the standard library is -0.
pub(super) fn total(numbers: impl IntoIterator<Item = f64>) -> f64 {
    numbers.into_iter().fold(0.0, |sum, number| sum + number)
}

/// The middle one; of an even number the lower of the two.
pub(super) fn median(numbers: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut numbers: Vec<f64> = numbers.into_iter().collect();
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_median_is_one_of_the_numbers() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0]), Some(1.0));
        assert_eq!(median([]), None);
    }

    #[test]
    fn of_each_measure_the_median_is_kept_and_faults_are_added_up() {
        let mut figures = Figures::default();
        let rounds = [json!({ "p50_us": 5 }), json!({ "p50_us": 9 }), json!({ "p50_us": 1 })];
        let line = json!({ "scenario": "me", "rounds": rounds, "faults": { "500": 2, "401": 1 } });
        figures.take("x", "growth-", &[line]).unwrap();
        assert_eq!(figures.get("x", "growth-me", "p50_us"), Some(5.0));
        assert_eq!(figures.get("x", "growth-me", "faults"), Some(3.0));
    }
}
