//! How much processor time and memory processes take, as Linux tells in `/proc`.
//!
//! Each process counts with all that it started; a page that several share counts for each.

use std::{collections::HashMap, fs};

use anyhow::{Context as _, Result};

/// Microseconds of one of the ticks in `/proc`: a hundredth of a second on every Linux.
const TICK: u64 = 10_000;

/// Memory, in KiB.
#[derive(Default)]
pub(crate) struct Memory {
    /// What is in memory now.
    pub(crate) resident: u64,
    /// The most that each process ever had, added up.
    pub(crate) peak: u64,
}

/// What the processes and their descendants have taken of the processors so far, in microseconds.
pub(crate) fn processor_time(roots: &[u32]) -> Result<u64> {
    let mut ticks = 0;
    for process in with_descendants(roots)? {
        // Of a process that has just ended its parent knows.
        let Some(stat) = stat(process) else { continue };
        // Fields 14 to 17 of proc(5), of which the list begins with the third: its own time and that of children who
        // have ended.
        ticks += stat.get(11..15).unwrap_or_default().iter().filter_map(|field| field.parse::<u64>().ok()).sum::<u64>();
    }
    Ok(ticks * TICK)
}

/// What the processes and their descendants have in memory.
pub(crate) fn memory(roots: &[u32]) -> Result<Memory> {
    let mut memory = Memory::default();
    for process in with_descendants(roots)? {
        let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) else { continue };
        memory.resident += kibibytes(&status, "VmRSS:");
        memory.peak += kibibytes(&status, "VmHWM:");
    }
    Ok(memory)
}

fn kibibytes(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

fn with_descendants(roots: &[u32]) -> Result<Vec<u32>> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").context("there is no `/proc`")?.flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Some(parent) = stat(process).and_then(|stat| stat.get(1)?.parse().ok()) else { continue };
        children.entry(parent).or_default().push(process);
    }
    let (mut waiting, mut found) = (roots.to_vec(), Vec::new());
    while let Some(process) = waiting.pop() {
        waiting.extend(children.remove(&process).unwrap_or_default());
        found.push(process);
    }
    Ok(found)
}

/// The fields from the third on: the second is the name, in which anything can be.
fn stat(process: u32) -> Option<Vec<String>> {
    let line = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = line.rsplit_once(") ")?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_does_and_holds_is_counted() {
        let own = [std::process::id()];
        let before = processor_time(&own).unwrap();
        let mut number = 1_u64;
        while processor_time(&own).unwrap() < before + 3 * TICK {
            number = std::hint::black_box((1..10_000).fold(number, u64::wrapping_mul));
        }
        let memory = memory(&own).unwrap();
        assert!(memory.resident > 100 && memory.peak >= memory.resident);
    }

    #[test]
    fn a_child_counts_with_its_parent() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let found = with_descendants(&[std::process::id()]).unwrap();
        assert!(found.contains(&child.id()) && found.contains(&std::process::id()));
        assert!(!with_descendants(&[child.id()]).unwrap().contains(&std::process::id()));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
