//! A process that stops what was started for the tests, however the tool itself ends: well, by Ctrl-C or by kill -9.
//!
//! It learns of that end by its standard input, which closes with the tool, so it needs no signal handler. It never
//! stops a process that it was not told of.

use std::{
    io::{BufRead as _, Write as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use crate::process::{self, shown};

/// How long something that was told to stop may take before it is killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// The tool's end of the guard; dropping it stops everything, the latest first.
pub(crate) struct Guard {
    process: Child,
    orders: Option<ChildStdin>,
    services: Vec<Child>,
}

impl Guard {
    /// Starts the guard, in a process group of its own so that Ctrl-C does not reach it.
    pub(crate) fn start() -> Result<Self> {
        let mut command = Command::new(std::env::current_exe().context("the tool's own path is unknown")?);
        command.arg("guard").stdin(Stdio::piped()).process_group(0);
        let mut process = command.spawn().context("the guard cannot be started")?;
        let orders = process.stdin.take();
        Ok(Self { process, orders, services: Vec::new() })
    }

    /// Has this folder removed in the end.
    pub(crate) fn remove_at_the_end(&mut self, folder: &Path) -> Result<()> {
        self.order(&format!("remove {}", folder.display()))
    }

    /// Starts a service that runs until the end, when it gets `signal` (`TERM`, `QUIT`, …). Ctrl-C does not reach it.
    pub(crate) fn serve(&mut self, command: &mut Command, signal: &str) -> Result<()> {
        command.stdin(Stdio::null()).process_group(0);
        let child = command.spawn().with_context(|| format!("`{}` cannot be started", shown(command)))?;
        self.order(&format!("stop {signal} {}", child.id()))?;
        self.services.push(child);
        Ok(())
    }

    /// The ids of the services, the earliest first.
    pub(crate) fn processes(&self) -> Vec<u32> {
        self.services.iter().map(Child::id).collect()
    }

    /// Runs a command to its end, as [`process::run`] does; if the tool dies meanwhile, the command is stopped.
    pub(crate) fn run(&mut self, command: &mut Command) -> Result<()> {
        eprintln!("$ {}", shown(command));
        let mut child = command.spawn().with_context(|| format!("`{}` cannot be started", shown(command)))?;
        self.order(&format!("stop TERM {}", child.id()))?;
        let status = child.wait()?;
        self.order(&format!("ended {}", child.id()))?;
        if !status.success() {
            bail!("`{}` failed ({status})", shown(command));
        }
        Ok(())
    }

    fn order(&mut self, line: &str) -> Result<()> {
        let orders = self.orders.as_mut().context("the guard has no standard input")?;
        writeln!(orders, "{line}").context("the guard has died")
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.orders.take());
        for service in self.services.iter_mut().rev() {
            // Without this the dead would look alive to the guard, which would then wait for them.
            let _ = service.wait();
        }
        let _ = self.process.wait();
    }
}

/// The guard's own side: notes what to stop until standard input closes, then stops it.
pub(crate) fn wait_and_stop() -> Result<()> {
    let (mut processes, mut folders) = (Vec::new(), Vec::new());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ') {
            Some(("stop", order)) => processes.push(order.split_once(' ').map(owned).context("`stop SIGNAL PROCESS`")?),
            Some(("ended", ended)) => processes.retain(|(_, process)| process != ended),
            Some(("remove", folder)) => folders.push(folder.to_owned()),
            _ => bail!("the guard does not know the order `{line}`"),
        }
    }
    for (signal, process) in processes.iter().rev() {
        stop(signal, process);
    }
    for folder in folders {
        std::fs::remove_dir_all(&folder).with_context(|| format!("`{folder}` cannot be removed"))?;
    }
    Ok(())
}

fn stop(signal: &str, process: &str) {
    send(signal, process);
    let asked = Instant::now();
    while send("0", process) {
        if asked.elapsed() > PATIENCE {
            send("KILL", process);
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a signal; `false` if there is no such process. The shell's own `kill` is on every system.
fn send(signal: &str, process: &str) -> bool {
    process::succeeds(&mut process::command("sh", ["-c", "kill -s \"$0\" \"$1\"", signal, process]))
}

fn owned((signal, process): (&str, &str)) -> (String, String) {
    (signal.to_owned(), process.to_owned())
}
