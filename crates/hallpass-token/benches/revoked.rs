//! What a million sessions that ended cost whoever verifies tokens: memory, and the time of a check. It prints, and it
//! fails if the memory is more than is promised: `cargo bench -p hallpass-token`.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use hallpass_token::{AccountId, Algorithm, Claims, KeySet, Revocation, Revoked, SessionId, SigningKey, Verifier};
use uuid::Uuid;

const NOW: i64 = 1_800_000_000;
const MILLION: u32 = 1_000_000;

/// The bytes that a million live sessions may take, at any moment.
const BOUND: i64 = 64 << 20;

fn main() {
    growing();
    lasting();
    checking();
}

/// The memory of a set that grows to a million, and of what is left of it afterwards.
fn growing() {
    let (revoked, mut memory) = (Revoked::new(), Memory::default());
    println!("{:40} {:>10} {:>10}", "memory, in MiB", "held", "at most");
    for (number, until) in (0..MILLION).zip(1..) {
        // A hundred groups that can be forgotten one after the other.
        memory.of(|| revoked.apply(&ended(number, NOW + i64::from(number % 100))));
        if [100_000, 500_000, 750_000, 900_000, 920_000, MILLION].contains(&until) {
            memory.print(&format!("{until} sessions"));
        }
    }
    assert!(memory.most <= BOUND, "a million sessions take more than {} MiB", mib(BOUND));
    for (from, until) in [(0, 10_000), (10_000, 100_000)] {
        memory.of(|| (from..until).filter(|number| revoked.apply(&outdated(*number, NOW))).count());
        memory.print(&format!("and {until} accounts"));
    }
    for (left, what) in [(50, "half"), (10, "nine of ten"), (0, "all")] {
        memory.most = memory.held;
        memory.of(|| revoked.forget(NOW + 99 - left));
        memory.print(&format!("{what} of it forgotten"));
    }
    println!();
}

/// The memory of a million that are always other ones.
fn lasting() {
    let (revoked, mut memory, mut longest) = (Revoked::new(), Memory::default(), Duration::ZERO);
    for number in 0..20 * MILLION {
        let at = i64::from(number / 20_000);
        if number % 20_000 == 0 {
            let began = Instant::now();
            memory.of(|| revoked.forget(at));
            longest = longest.max(began.elapsed());
        }
        memory.of(|| revoked.apply(&ended(number, at + 50)));
    }
    memory.print("a million, of 20 million in a row");
    assert!(memory.most <= BOUND, "a million sessions take more than {} MiB", mib(BOUND));
    println!("{:40} {longest:10.1?} at most", "forgetting what is over of it");
    println!();
}

/// The time of [`Verifier::verify`]. The cases take turns, and of each the fastest round counts: what else the machine
/// does can only add to it.
fn checking() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let tokens: Vec<String> = (0..1_000).map(|number| key.sign(&claims(number)).unwrap()).collect();
    let verifier = |revocations: u32| {
        let keys = KeySet::new(vec![key.verifying_key()]);
        let verifier = Verifier::new("https://id.example", "https://api.example", 5, keys);
        for number in 0..revocations {
            verifier.revoked().apply(&ended(number, NOW + 400));
        }
        verifier
    };
    // Nanoseconds a token.
    let round = |verifier: &Verifier| {
        let began = Instant::now();
        for token in &tokens {
            black_box(verifier.verify(token, NOW).unwrap());
        }
        began.elapsed().as_secs_f64() * 1e9 / tokens.len() as f64
    };

    let first = (0..20).map(|_| round(&verifier(0))).fold(f64::INFINITY, f64::min);
    let [empty, thousand, million] = [0, 1_000, MILLION].map(verifier);
    let mut fastest = [f64::INFINITY; 3];
    for _ in 0..2_000 {
        for (verifier, fastest) in [&empty, &thousand, &million].into_iter().zip(&mut fastest) {
            *fastest = fastest.min(round(verifier));
        }
    }
    let [nothing, some, many] = fastest;
    println!("{:40} {:>10} {:>10}", "verifying a token", "ns", "ratio");
    let print = |what: &str, time: f64| println!("{what:40} {time:10.0} {:10.2}", time / nothing);
    print("remembered, nothing taken back", nothing);
    print("remembered, 1000 sessions ended", some);
    print("remembered, 1000000 sessions ended", many);
    print("for the first time (ES256)", first);

    // Ten thousand sessions end each second, and what is over is forgotten each second rather than each minute.
    let over = AtomicBool::new(false);
    let mut rounds: Vec<f64> = thread::scope(|threads| {
        threads.spawn(|| {
            for number in MILLION.. {
                million.revoked().apply(&ended(number, NOW));
                if number % 1_000 == 0 {
                    thread::sleep(Duration::from_millis(100));
                }
                if number % 10_000 == 0 {
                    million.revoked().forget(NOW);
                }
                if over.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let rounds = (0..10_000).map(|_| round(&million)).collect();
        over.store(true, Ordering::Relaxed);
        rounds
    });
    rounds.sort_by(f64::total_cmp);
    let mean = rounds.iter().sum::<f64>() / rounds.len() as f64;
    print("remembered, while sessions end: median", *rounds.get(rounds.len() / 2).unwrap());
    print("remembered, while sessions end: mean", mean);
}

/// What was allocated and not given back, in bytes.
#[derive(Default)]
struct Memory {
    held: i64,
    most: i64,
}

impl Memory {
    fn of<T>(&mut self, work: impl FnOnce() -> T) {
        let counted = allocation_counter::measure(|| drop(black_box(work())));
        self.most = self.most.max(self.held + i64::try_from(counted.bytes_max).unwrap());
        self.held += counted.bytes_current;
    }

    fn print(&self, what: &str) {
        println!("{what:40} {:10.1} {:10.1}", mib(self.held), mib(self.most));
    }
}

fn mib(bytes: i64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn ended(number: u32, forget_at: i64) -> Revocation {
    Revocation::Session { session: SessionId(Uuid::from_u128(number.into())), forget_at }
}

fn outdated(number: u32, forget_at: i64) -> Revocation {
    Revocation::Account { account: AccountId(number.into()), below_version: 2, forget_at }
}

fn claims(number: u32) -> Claims {
    Claims {
        iss: "https://id.example".into(),
        sub: AccountId(i64::from(number) + 1),
        aud: vec!["https://api.example".into()],
        client_id: "hallpass".into(),
        exp: NOW + 240,
        nbf: None,
        iat: NOW - 60,
        jti: number.to_string(),
        sid: format!("0198c0de-7a11-7000-8000-{number:012x}").parse().unwrap(),
        auth_time: NOW - 600,
        amr: vec!["pwd".into()],
        roles: vec!["support".into()],
        account_version: 3,
        extra: serde_json::Map::new(),
    }
}
