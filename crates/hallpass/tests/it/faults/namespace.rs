//! A network namespace with one wire to this machine, which can be cut: packets are lost, and nobody is told.

use std::{
    net::{IpAddr, Ipv4Addr},
    process::Command,
};

/// Gone with the test, also with one that fails.
pub(crate) struct Namespace {
    name: String,
    wire: String,
    /// This machine, as it is seen from inside.
    pub(crate) host: IpAddr,
}

impl Namespace {
    /// None where this is not allowed, or there is no `ip`.
    pub(crate) fn new() -> Option<Self> {
        let id = std::process::id();
        let [_, _, high, low] = (id << 2).to_be_bytes();
        // Two of the addresses that are for tests of networks alone (RFC 2544).
        let [host, inside] = [1, 2].map(|last| Ipv4Addr::new(198, 18, high, low + last));
        let namespace = Self { name: format!("hallpass-{id}"), wire: format!("hp{id}"), host: host.into() };
        let Self { name, wire, .. } = &namespace;
        let made = ip(&format!("netns add {name}"))
            && ip(&format!("link add {wire} type veth peer name wire netns {name}"))
            && ip(&format!("addr add {host}/30 dev {wire}"))
            && ip(&format!("link set {wire} up"))
            && ip(&format!("-n {name} addr add {inside}/30 dev wire"))
            && ip(&format!("-n {name} link set wire up"))
            && ip(&format!("-n {name} link set lo up"));
        if !made {
            println!("skipped: a network namespace takes root and `ip`");
        }
        made.then_some(namespace)
    }

    /// The same command, inside.
    pub(crate) fn wrap(&self, command: &Command) -> Command {
        let mut inside = Command::new("ip");
        inside.args(["netns", "exec", &self.name]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            inside.current_dir(folder);
        }
        inside
    }

    pub(crate) fn cut(&self) {
        assert!(ip(&format!("link set {} down", self.wire)));
    }

    pub(crate) fn heal(&self) {
        assert!(ip(&format!("link set {} up", self.wire)));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The wire goes with the namespace; where that was never made, there may be a wire all the same.
        ip(&format!("netns del {}", self.name));
        ip(&format!("link del {}", self.wire));
    }
}

fn ip(arguments: &str) -> bool {
    Command::new("ip").args(arguments.split(' ')).output().is_ok_and(|ended| ended.status.success())
}
