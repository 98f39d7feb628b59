//! The chart in the README: requests a second of each server, on a scale where each step is ten times the one before.
//!
//! It has a background of its own, so that it can be read on light and dark pages.

use std::fmt::Write as _;

use super::figures::Figures;

/// Scenarios, and what the chart calls them.
const GROUPS: [(&str, &str); 5] = [
    ("checked", "Requests with a token, checked"),
    ("me", "Requests for the account, from the database"),
    ("refresh", "Refreshes; all but PocketBase replace the secret on the disk"),
    ("sign-in", "Sign-ins"),
    ("mixed", "95 % checked, 4 % refreshes, 1 % sign-ins"),
];

/// Servers, what the chart calls them, and their colour.
const BARS: [(&str, &str, &str); 6] = [
    ("hallpass-sqlite", "Hallpass, SQLite", "#0b5cad"),
    ("hallpass-postgres", "Hallpass, PostgreSQL", "#4a90d9"),
    ("pocketbase", "PocketBase (SQLite)", "#8a8f98"),
    ("django-sqlite", "Django, SQLite", "#8a8f98"),
    ("django-postgres", "Django, PostgreSQL", "#8a8f98"),
    ("better-auth", "Better Auth (PostgreSQL)", "#8a8f98"),
];

const WIDTH: f64 = 760.0;
/// Where bars begin, and where the longest ends.
const LEFT: f64 = 210.0;
const RIGHT: f64 = 670.0;
const BAR: f64 = 16.0;
const GROUP: f64 = 34.0;

/// Draws it as SVG.
pub(super) fn draw(figures: &Figures) -> String {
    let (mut body, mut y) = (String::new(), 16.0);
    let longest = GROUPS.iter().flat_map(|(scenario, _)| BARS.map(|(server, ..)| rate(figures, server, scenario)));
    let decades = longest.flatten().fold(10.0, f64::max).log10().ceil();
    for (scenario, title) in GROUPS {
        let bars: Vec<_> = BARS
            .iter()
            .filter_map(|(server, name, color)| Some((rate(figures, server, scenario)?, *name, *color)))
            .collect();
        if bars.is_empty() {
            continue;
        }
        let _ = writeln!(body, r#"<text x="16" y="{}" font-weight="600">{title}</text>"#, y + 14.0);
        y += 24.0;
        for (rate, name, color) in bars {
            // A bar for one a second is as short as can be.
            let width = (rate.max(1.0).log10() / decades * (RIGHT - LEFT)).max(1.0);
            let (text, end) = (y + BAR - 4.0, LEFT + width + 6.0);
            let _ = writeln!(body, r#"<text x="{}" y="{text}" text-anchor="end">{name}</text>"#, LEFT - 8.0);
            let _ = writeln!(
                body,
                r#"<rect x="{LEFT}" y="{y}" width="{width:.1}" height="{}" rx="2" fill="{color}"/>"#,
                BAR - 3.0
            );
            let _ = writeln!(body, r#"<text x="{end:.1}" y="{text}">{}</text>"#, shown(rate));
            y += BAR;
        }
        y += GROUP - 24.0;
    }
    let note = "Requests a second, more is better; each tenfold is one step of the scale.";
    let _ = writeln!(body, r##"<text x="16" y="{}" fill="#57606a">{note}</text>"##, y + 8.0);
    let height = y + 24.0;
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"
  role="img" aria-label="Requests a second of Hallpass and others" font-family="system-ui, sans-serif" font-size="12"
  fill="#1f2328">
<rect x="0.5" y="0.5" width="{}" height="{}" rx="6" fill="#ffffff" stroke="#d0d7de"/>
{body}</svg>
"##,
        WIDTH - 1.0,
        height - 1.0,
    )
}

fn rate(figures: &Figures, server: &str, scenario: &str) -> Option<f64> {
    figures.get(server, scenario, "requests_per_second")
}

fn shown(rate: f64) -> String {
    if rate >= 10_000.0 {
        format!("{:.0}k", rate / 1_000.0)
    } else if rate >= 1_000.0 {
        format!("{:.1}k", rate / 1_000.0)
    } else {
        format!("{rate:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_bar_for_each_rate_and_a_tenfold_rate_is_one_step_longer() {
        let mut figures = Figures::default();
        for (server, rate) in [("hallpass-sqlite", 10_000.0), ("pocketbase", 1_000.0), ("django-sqlite", 100.0)] {
            figures.set(server, "checked", "requests_per_second", rate);
        }
        let chart = draw(&figures);
        let bars = chart.lines().filter(|line| line.starts_with("<rect x=\"210\""));
        let width = |line: &str| line.split("width=\"").nth(1)?.split('"').next()?.parse::<f64>().ok();
        let widths: Vec<f64> = bars.filter_map(width).collect();
        assert_eq!(widths, [460.0, 345.0, 230.0]);
        assert!(chart.contains(">10k<") && chart.contains(">1.0k<") && chart.contains(">100<"), "{chart}");
    }
}
