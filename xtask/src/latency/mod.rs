//! `cargo xtask revocation-latency`: for how long a back end still lets somebody in after a sign-out was answered.
//!
//! It measures the released programs from outside, under load and side by side on this machine, and never looks into
//! them. What the figures mean is in `docs/reference/revocation.md`.

mod figures;
mod load;
mod sign_outs;
mod stage;

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Result, bail};

use self::{figures::Figures, load::Load, sign_outs::Lasted, stage::Stage};
use crate::{
    guard::Guard,
    packages::{self, Install},
    postgres,
    process::{cargo, run as run_command},
    python, redis, sdk, servers,
};

/// How the servers hear of each other's sign-outs.
struct Mode {
    name: &'static str,
    /// The setting `revocation.bell`.
    bell: &'static str,
    /// What 99 of 100 times must not exceed.
    bound: Duration,
    /// Between two questions of whoever waits to be refused.
    pause: Duration,
}

const MODES: [Mode; 3] = [
    Mode {
        name: "PostgreSQL rings",
        bell: "notify",
        bound: Duration::from_millis(100),
        pause: Duration::from_millis(10),
    },
    Mode { name: "Redis rings", bell: "redis", bound: Duration::from_millis(100), pause: Duration::from_millis(10) },
    Mode {
        name: "nothing rings, and every server looks each second",
        bell: "off",
        bound: Duration::from_millis(1_100),
        pause: Duration::from_millis(40),
    },
];

/// Measures each way with so many sign-outs, prints the figures, and fails if a bound is broken.
pub(crate) fn run(sessions: usize) -> Result<()> {
    packages::provide(&[postgres::NEED, redis::NEED, python::NEED, sdk::NODE], Install::Allowed)?;
    let python = python::environment()?;
    run_command(&mut cargo(["build", "--release", "--locked", "-p", "hallpass", "-p", "resource-server"]))?;
    servers::install_node(&mut Guard::start()?)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let mut broken = Vec::new();
    for mode in &MODES {
        eprintln!("\n{}: signing in {sessions} times", mode.name);
        // What one way needs is gone before the next begins.
        let mut guard = Guard::start()?;
        broken.extend(runtime.block_on(measure(&mut guard, &python, mode, sessions))?);
    }
    if !broken.is_empty() {
        bail!("{}", broken.join("\n"));
    }
    Ok(())
}

/// Measures one way and prints its figures. Returns a sentence for each promise that is not kept.
async fn measure(guard: &mut Guard, python: &Path, mode: &Mode, sessions: usize) -> Result<Vec<String>> {
    let stage = Arc::new(Stage::build(guard, python, mode).await?);
    let staying = stage.sign_up().await?;
    let leaving = stage.sign_in(sessions).await?;

    let load = Load::begin(&stage, &staying);
    let lasted = sign_outs::end(&stage, leaving, mode).await?;
    let tally = load.end().await?;

    let mut broken = Vec::new();
    println!("\n== {}: {sessions} sign-outs", mode.name);
    for (place, back_end) in stage.back_ends.iter().enumerate() {
        let here: Vec<&Lasted> = lasted.iter().filter(|lasted| lasted.back_end == place).collect();
        let all = Figures::of(here.iter().filter_map(|lasted| lasted.time));
        let elsewhere = here.iter().filter(|lasted| lasted.elsewhere);
        let elsewhere = Figures::of(elsewhere.filter_map(|lasted| lasted.time));
        println!("\n{}, which follows server {}", back_end.name, back_end.follows + 1);
        print!("{}", all.bars());
        println!("  all               {}", all.line());
        println!("  the other server  {}", elsewhere.line());
        let never = here.iter().filter(|lasted| lasted.time.is_none()).count();
        if never > 0 {
            broken.push(format!("{}: `{}` never refused {never} sessions that had ended", mode.name, back_end.name));
        }
        if all.percentile(99).is_none_or(|time| time > mode.bound) {
            let (name, bound) = (back_end.name, mode.bound.as_millis());
            broken.push(format!("{}: the 99th percentile of `{name}` is above {bound} ms", mode.name));
        }
    }
    println!("\nbeside them {} requests and refreshes of people who stay, {} refused", tally.asked, tally.wrong.len());
    if let Some(first) = tally.wrong.first() {
        let count = tally.wrong.len();
        broken.push(format!("{}: {count} good requests were not answered with 200, the first {first}", mode.name));
    }
    Ok(broken)
}
