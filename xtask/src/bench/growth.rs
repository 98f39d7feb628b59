//! Hallpass with more and more accounts and sessions in its database, and with many revocations in its memory.
//!
//! The accounts that sign in are made through the interface; only the crowd beside them is written by SQL.

use anyhow::Result;

use super::{
    figures::Figures,
    hallpass::{NO_WINDOW, serve, settled, take_memory},
    stage::{Place, Stage, path, printed},
};

/// How many accounts, and as many sessions.
pub(super) const SIZES: [u32; 3] = [1_000, 100_000, 1_000_000];

/// How many sessions ended lately.
const REVOCATIONS: u32 = 1_000_000;

pub(super) fn measure(stage: &Stage, figures: &mut Figures, name: &str, postgres: bool) -> Result<()> {
    let place = Place::new(postgres)?;
    settled(&place, &[])?.migrate()?;
    let mut there = 0;
    for size in SIZES {
        let more = (size - there).to_string();
        seed(stage, &place, &["--accounts", &more, "--sessions", &more])?;
        there = size;
        load(stage, figures, name, &place, &format!("{size}-accounts "))?;
    }
    seed(stage, &place, &["--revocations", &REVOCATIONS.to_string()])?;
    load(stage, figures, name, &place, &format!("{REVOCATIONS}-revocations "))
}

fn load(stage: &Stage, figures: &mut Figures, name: &str, place: &Place, before: &str) -> Result<()> {
    eprintln!("{before}");
    let (running, start) = serve(stage, place, &settled(place, &NO_WINDOW)?)?;
    figures.set(name, &format!("{before}start"), "milliseconds", start.as_secs_f64() * 1_000.0);
    take_memory(figures, name, &format!("{before}idle"), &running.measure(stage, "memory", &[])?)?;
    figures.take(name, before, &running.load(stage, &["checked", "me", "refresh"])?)?;
    figures.take(name, before, &running.load_hashing(stage, &["sign-in"])?)
}

fn seed(stage: &Stage, place: &Place, what: &[&str]) -> Result<()> {
    let sqlite = format!("sqlite:{}", path(&place.folder.join("data/hallpass.db")));
    let database = place.postgres.as_deref().unwrap_or(&sqlite);
    printed(stage.bench(&["seed", "--database", database]).args(what)).map(drop)
}
