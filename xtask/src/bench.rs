//! `cargo xtask bench`: how fast Hallpass is, and what it takes, beside a bare server, bare hashes and other products.
//!
//! It measures released programs from outside, one at a time, on this machine and never on another. What the figures
//! mean is in `docs/reference/performance.md`.

mod chart;
mod figures;
mod growth;
mod hallpass;
mod peers;
mod promises;
mod report;
mod stage;

use std::path::Path;

use anyhow::{Result, bail};
use clap::ValueEnum;

use self::{figures::Figures, report::Machine, stage::Stage};
use crate::{
    packages::{self, Install},
    postgres,
    process::{cargo, root, run as run_command},
    python, sdk,
};

/// What is measured in one turn, alone on the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Turn {
    /// A bare handler that answers the same bytes.
    Limit,
    /// Password hashes without a server.
    Argon2,
    HallpassSqlite,
    HallpassPostgres,
    /// Two servers on one PostgreSQL.
    HallpassTwoNodes,
    DjangoSqlite,
    DjangoPostgres,
    Pocketbase,
    BetterAuth,
    /// Hallpass with up to a million accounts.
    GrowthSqlite,
    GrowthPostgres,
}

impl Turn {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// What has to be on the machine.
    fn needs(self) -> &'static [packages::Need] {
        match self {
            Self::Limit | Self::Argon2 | Self::HallpassSqlite | Self::GrowthSqlite => &[],
            Self::HallpassPostgres | Self::HallpassTwoNodes | Self::GrowthPostgres => &[postgres::NEED],
            Self::DjangoSqlite | Self::Pocketbase => &[python::NEED],
            Self::DjangoPostgres => &[python::NEED, postgres::NEED],
            Self::BetterAuth => &[sdk::NODE, postgres::NEED],
        }
    }

    /// Whether it belongs to a short run: what takes no installation.
    fn is_quick(self) -> bool {
        match self {
            Self::Limit | Self::Argon2 | Self::HallpassSqlite => true,
            Self::HallpassPostgres | Self::HallpassTwoNodes | Self::GrowthSqlite | Self::GrowthPostgres => false,
            Self::DjangoSqlite | Self::DjangoPostgres | Self::Pocketbase | Self::BetterAuth => {
                peers::is_installed(self)
            }
        }
    }

    fn measure(self, stage: &Stage, figures: &mut Figures) -> Result<()> {
        match self {
            Self::Limit => hallpass::limit(stage, figures),
            Self::Argon2 => hallpass::argon2(stage, figures),
            Self::HallpassSqlite => hallpass::one(stage, figures, &self.name(), false),
            Self::HallpassPostgres => hallpass::one(stage, figures, &self.name(), true),
            Self::HallpassTwoNodes => hallpass::two(stage, figures, &self.name()),
            Self::DjangoSqlite | Self::DjangoPostgres | Self::Pocketbase | Self::BetterAuth => {
                peers::measure(stage, figures, self)
            }
            Self::GrowthSqlite => growth::measure(stage, figures, "hallpass-sqlite", false),
            Self::GrowthPostgres => growth::measure(stage, figures, "hallpass-postgres", true),
        }
    }
}

/// Measures, prints the figures, and fails if a request failed or a promise is broken.
pub(crate) fn run(quick: bool, only: Vec<Turn>) -> Result<()> {
    let writes = !quick && only.is_empty();
    let is_chosen = |turn: &Turn| only.contains(turn) || (only.is_empty() && (!quick || turn.is_quick()));
    let turns: Vec<Turn> = Turn::value_variants().iter().copied().filter(is_chosen).collect();
    for turn in &turns {
        packages::provide(turn.needs(), Install::Allowed)?;
    }
    run_command(&mut cargo(["build", "--release", "--locked", "-p", "hallpass", "-p", "hallpass-bench"]))?;

    let stage = Stage::new(quick)?;
    let mut figures = Figures::default();
    figures.set("hallpass", "binary", "mib", stage.size_of_the_program()?);
    for turn in turns {
        eprintln!("\n== {}", turn.name());
        turn.measure(&stage, &mut figures)?;
    }

    let verdicts = promises::verdicts(&figures);
    let tables = report::tables(&figures, &verdicts);
    println!("\n{tables}");
    if writes {
        let machine = Machine::this()?;
        report::write(&root().join("bench/results.json"), &machine, &figures, &verdicts)?;
        std::fs::write(root().join("bench/results.svg"), chart::draw(&figures))?;
        report::put(&root().join("docs/reference/performance.md"), &machine, &tables)?;
    }
    let broken: Vec<String> = verdicts.iter().filter(|verdict| !verdict.is_kept()).map(ToString::to_string).collect();
    if !broken.is_empty() {
        bail!("{}", broken.join("\n"));
    }
    Ok(())
}

/// The size of a file, in MiB.
fn mebibytes(file: &Path) -> Result<f64> {
    let kibibytes = std::fs::metadata(file)?.len() / 1024;
    Ok(f64::from(u32::try_from(kibibytes)?) / 1024.0)
}
