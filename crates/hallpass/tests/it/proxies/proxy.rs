//! nginx and Caddy as children of the test, each with what the guide says and all that it writes in a folder that goes
//! with the test. Nothing of the machine's own proxies is touched.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::program::Home;

const GUIDE: &str = include_str!("../../../../../docs/guide/revocation.md");

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Nginx,
    Caddy,
}

/// A running proxy, killed with the test.
pub(crate) struct Proxy {
    pub(crate) kind: Kind,
    child: Child,
    address: SocketAddr,
    _home: Home,
}

/// What a proxy answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.text.lines().take_while(|line| !line.is_empty());
        let mut headers = lines.filter_map(|line| line.split_once(": "));
        headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl Kind {
    /// The program, if it is installed.
    fn program(self) -> Option<&'static str> {
        let (names, version): (&[_], _) = match self {
            // Not everybody has the folder of the system's services in `PATH`.
            Self::Nginx => (&["nginx", "/usr/sbin/nginx"], "-v"),
            Self::Caddy => (&["caddy"], "version"),
        };
        let starts =
            |name: &&&str| Command::new(name).arg(version).output().is_ok_and(|output| output.status.success());
        let found = names.iter().find(starts).copied();
        if found.is_none() {
            println!("skipped: {self:?} is not installed; `cargo xtask test` brings it");
        }
        found
    }

    /// The whole of its configuration, around what the guide says.
    fn configuration(self, own: SocketAddr, hallpass: SocketAddr, backend: SocketAddr) -> String {
        let (language, around) = match self {
            Self::Nginx => ("nginx", NGINX),
            Self::Caddy => ("caddyfile", CADDY),
        };
        let mut snippet = block(language);
        let mut replace = |name: &str, address: &str| {
            assert!(snippet.contains(name), "the guide does not say `{name}`: {snippet}");
            snippet = snippet.replace(name, address);
        };
        replace("hallpass:8000", &hallpass.to_string());
        replace("orders:3000", &backend.to_string());
        if self == Self::Caddy {
            replace("orders.example.com", &format!("http://orders.example.com:{}", own.port()));
        }
        around.replace("OWN", &own.to_string()).replace("SNIPPET", &snippet)
    }
}

/// `master_process off`: one process, which ends when it is killed.
const NGINX: &str = "
daemon off;
master_process off;
pid pid;
lock_file lock;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {
        listen OWN;
        SNIPPET
    }
}
";

const CADDY: &str = "
{
	admin off
	default_bind 127.0.0.1
}
SNIPPET
";

/// The one block of the guide in this language.
fn block(language: &str) -> String {
    let blocks: Vec<_> = GUIDE.split(&format!("\n```{language}\n")).skip(1).collect();
    let [block] = blocks.as_slice() else { panic!("the guide has {} blocks of `{language}`", blocks.len()) };
    block.split_once("\n```").unwrap().0.to_owned()
}

impl Proxy {
    /// Starts it between the two; `None` where it is not installed.
    pub(crate) fn start(kind: Kind, hallpass: SocketAddr, backend: SocketAddr) -> Option<Self> {
        let program = kind.program()?;
        // Neither takes port 0, and the port that was free may be taken in between.
        let started = (0..3).find_map(|_| Self::try_start(kind, program, hallpass, backend));
        Some(started.unwrap_or_else(|| panic!("{kind:?} does not start; what it says is above")))
    }

    fn try_start(kind: Kind, program: &str, hallpass: SocketAddr, backend: SocketAddr) -> Option<Self> {
        let home = Home::new();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        home.write("configuration", &kind.configuration(address, hallpass, backend));
        let arguments: &[&str] = match kind {
            Kind::Nginx => &["-e", "stderr", "-p", "./", "-c", "configuration"],
            Kind::Caddy => &["run", "--adapter", "caddyfile", "--config", "configuration"],
        };
        let mut command = Command::new(program);
        command.args(arguments).current_dir(home.path()).stdin(Stdio::null());
        for folder in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            command.env(folder, home.path());
        }
        let mut proxy = Self { kind, child: command.spawn().unwrap(), address, _home: home };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if proxy.child.try_wait().unwrap().is_some() {
                return None;
            }
            assert!(began.elapsed() < PATIENCE, "{kind:?} does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        Some(proxy)
    }

    /// Sends `question`, such as `GET /orders`, with these headers exactly as they are spelled.
    pub(crate) fn ask(&self, question: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut head = format!("{question} HTTP/1.1\r\nHost: orders.example.com\r\n");
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !headers.iter().any(|(name, _)| *name == "Connection") {
            head += "Connection: close\r\n";
        }
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(b"\r\n").unwrap();
        // Who refuses need not read what comes.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let text = String::from_utf8(answer).unwrap();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
        Answer { status: status.unwrap_or_else(|| panic!("{:?} answered {text:?}", self.kind)), text }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
