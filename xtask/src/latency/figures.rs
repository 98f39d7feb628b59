//! What many measured times come to: percentiles, and how they are spread.

use std::{fmt::Write as _, time::Duration};

/// The upper ends of the bars, in milliseconds; what is above the last has a bar of its own.
const BARS: [u64; 12] = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 1_100];

/// The longest bar, in characters.
const LONGEST: usize = 50;

/// Measured times, the shortest first.
pub(super) struct Figures(Vec<Duration>);

impl Figures {
    pub(super) fn of(times: impl IntoIterator<Item = Duration>) -> Self {
        let mut times: Vec<Duration> = times.into_iter().collect();
        times.sort_unstable();
        Self(times)
    }

    /// The shortest time that is at least as long as `percent` of all; nothing of nothing.
    pub(super) fn percentile(&self, percent: usize) -> Option<Duration> {
        let rank = (self.0.len() * percent).div_ceil(100);
        self.0.get(rank.checked_sub(1)?).copied()
    }

    /// In one line: `p50 3.1 ms  p90 …`.
    pub(super) fn line(&self) -> String {
        let percentiles = [("p50", 50), ("p90", 90), ("p99", 99), ("max", 100)];
        let shown = percentiles.map(|(name, percent)| {
            let milliseconds = self.percentile(percent).unwrap_or_default().as_secs_f64() * 1_000.0;
            format!("{name} {milliseconds:7.1} ms")
        });
        shown.join("   ")
    }

    /// A line for each bar that is not empty: its upper end, the bar, how many times it stands for.
    pub(super) fn bars(&self) -> String {
        let counts = self.counts();
        let highest = counts.iter().copied().max().unwrap_or_default().max(1);
        let mut lines = String::new();
        let ends = BARS.iter().map(|end| format!("<= {end}")).chain([format!("> {}", BARS.last().unwrap_or(&0))]);
        for (end, count) in ends.zip(counts).filter(|(_, count)| *count > 0) {
            let bar = "#".repeat((count * LONGEST).div_ceil(highest));
            let _ = writeln!(lines, "  {end:>7} ms {bar:<LONGEST$} {count}");
        }
        lines
    }

    /// How many times fall into each bar, and how many are above the last one.
    fn counts(&self) -> Vec<usize> {
        let mut rest = self.0.as_slice();
        let mut counts = Vec::new();
        for end in BARS {
            let (within, above) = rest.split_at(rest.partition_point(|time| *time <= Duration::from_millis(end)));
            counts.push(within.len());
            rest = above;
        }
        counts.push(rest.len());
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(times: impl IntoIterator<Item = u64>) -> Figures {
        Figures::of(times.into_iter().map(Duration::from_millis))
    }

    #[test]
    fn a_percentile_is_the_measured_time_that_so_many_do_not_exceed() {
        let hundred = milliseconds((1..=100).rev());
        for percent in [1, 50, 90, 99, 100] {
            assert_eq!(hundred.percentile(percent), Some(Duration::from_millis(percent as u64)));
        }
        // One slow time of 1000 is above the 99th percentile, eleven are not.
        let slow = |count| milliseconds(std::iter::repeat_n(5, 1_000 - count).chain(std::iter::repeat_n(300, count)));
        assert_eq!(slow(10).percentile(99), Some(Duration::from_millis(5)));
        assert_eq!(slow(11).percentile(99), Some(Duration::from_millis(300)));
        assert_eq!(milliseconds([7]).percentile(50), Some(Duration::from_millis(7)));
        assert_eq!(milliseconds([]).percentile(99), None);
    }

    #[test]
    fn each_time_is_in_one_bar_and_its_end_belongs_to_it() {
        let times = [0, 1, 2, 3, 5, 6, 100, 101, 1_100, 1_101, 60_000];
        assert_eq!(milliseconds(times).counts(), [1, 1, 1, 2, 1, 0, 0, 1, 1, 0, 0, 1, 2]);
        assert_eq!(Figures::of([Duration::from_micros(1)]).counts()[..2], [0, 1]);
    }

    #[test]
    fn the_highest_bar_is_the_longest_and_no_time_is_without_a_bar() {
        let bars = milliseconds(std::iter::repeat_n(4, 1_000).chain([2_000])).bars();
        let lines: Vec<&str> = bars.lines().collect();
        assert_eq!(lines.len(), 2, "{bars}");
        assert!(lines[0].contains(&"#".repeat(LONGEST)) && lines[0].ends_with(" 1000"), "{bars}");
        assert!(lines[1].starts_with("   > 1100 ms # ") && lines[1].ends_with(" 1"), "{bars}");
    }
}
