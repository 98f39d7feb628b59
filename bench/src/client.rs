//! Somebody with an account and a session on a connection of their own, who asks one thing after the other.
//!
//! Every answer is checked: its status, that its body is there, and that a refresh brought what it should.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use tokio::sync::Semaphore;

use crate::{
    connection::{Answer, Body, Connection},
    target::{Call, Person, Session, Wire},
};

/// How many sign up or in at a time before anything is measured: servers send away whoever would wait too long.
static HASHING: Semaphore = Semaphore::const_new(4);

/// What a client can ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Checked,
    Me,
    Refresh,
    /// A refresh that may bring the same secret again.
    RefreshWithin,
    SignIn,
    SignUp,
}

/// When an answer was there, and what was wrong with it.
pub(crate) struct Asked {
    pub(crate) answered: Instant,
    pub(crate) fault: Option<String>,
}

pub(crate) struct Client {
    wire: &'static dyn Wire,
    connection: Connection,
    person: Person,
    session: Session,
    checked: Option<Proven>,
    me: Option<Proven>,
    signed_up: u64,
}

/// A request of which we know what its good answer looks like.
struct Proven {
    call: Call,
    /// Bytes of the body.
    length: usize,
}

impl Client {
    /// Signs somebody up and in.
    pub(crate) async fn new(wire: &'static dyn Wire, address: &str, person: Person) -> Result<Self> {
        let mut connection = Connection::to(address);
        let session = sign_up_and_in(wire, &mut connection, &person).await?;
        Ok(Self { wire, connection, person, session, checked: None, me: None, signed_up: 0 })
    }

    /// One that only shows a token, which the server does not look at.
    pub(crate) fn with_token(wire: &'static dyn Wire, address: &str, token: &str) -> Self {
        let session = Session { token: token.to_owned(), refresh: String::new(), account: String::new() };
        let checked = Some(Proven { call: wire.checked(&session), length: 0 });
        let person = Person { name: String::new() };
        Self { wire, connection: Connection::to(address), person, session, checked, me: None, signed_up: 0 }
    }

    /// Takes a new session, and sees to it that requests with it are answered well and others are not.
    pub(crate) async fn sign_in_again(&mut self) -> Result<()> {
        if self.person.name.is_empty() {
            return Ok(());
        }
        self.session = sign_in(self.wire, &mut self.connection, &self.person).await?;
        self.checked = Some(self.prove(self.wire.checked(&self.session)).await?);
        self.me = Some(self.prove(self.wire.me(&self.session)).await?);
        let mut forged = self.session.clone();
        // Somewhere in the middle: the last character of base64 may not count.
        let middle = forged.token.len() / 2;
        let other = if forged.token.get(middle..=middle) == Some("A") { "B" } else { "A" };
        forged.token.replace_range(middle..=middle, other);
        for call in [self.wire.checked(&forged), self.wire.me(&forged)] {
            let answer = self.connection.ask(call.request(), Body::Kept).await?;
            ensure!(!self.is_good(&call, &answer), "the server takes a forged token");
        }
        Ok(())
    }

    /// Makes one more session, and uses its token once.
    pub(crate) async fn one_more_session(&mut self) -> Result<()> {
        let session = sign_in(self.wire, &mut self.connection, &self.person).await?;
        self.prove(self.wire.checked(&session)).await.map(drop)
    }

    /// Asks and waits for the answer.
    pub(crate) async fn ask(&mut self, kind: Kind) -> Asked {
        let (fault, answered) = match self.answer(kind).await {
            Ok((answer, answered)) => (self.take(kind, &answer).err(), answered),
            Err(error) => {
                // Whoever cannot connect would ask again at once.
                tokio::time::sleep(Duration::from_millis(10)).await;
                (Some(error), Instant::now())
            }
        };
        Asked { answered, fault: fault.map(|error| format!("{kind:?}: {error:#}")) }
    }

    async fn answer(&mut self, kind: Kind) -> Result<(Answer, Instant)> {
        let (request, expected, body, shortest) = match kind {
            Kind::Checked | Kind::Me => {
                let proven = if kind == Kind::Checked { &self.checked } else { &self.me };
                let Some(proven) = proven else { bail!("nobody is signed in") };
                (proven.call.request(), proven.call.expected, Body::Drained, proven.length / 2)
            }
            Kind::Refresh | Kind::RefreshWithin => {
                let call = self.wire.refresh(&self.session);
                (call.request(), call.expected, Body::Kept, 0)
            }
            Kind::SignIn => {
                let call = self.wire.sign_in(&self.person);
                (call.request(), call.expected, Body::Kept, 0)
            }
            Kind::SignUp => {
                self.signed_up += 1;
                let call = self.wire.sign_up(&Person { name: format!("{}n{}", self.person.name, self.signed_up) });
                (call.request(), call.expected, Body::Drained, 0)
            }
        };
        let answer = self.connection.ask(request, body).await?;
        let answered = Instant::now();
        ensure!(answer.status == expected, "{}", answer.status);
        ensure!(answer.length >= shortest, "the answer is too short");
        Ok((answer, answered))
    }

    /// Reads what an answer brings.
    fn take(&mut self, kind: Kind, answer: &Answer) -> Result<()> {
        match kind {
            Kind::Refresh | Kind::RefreshWithin => {
                let next = self.wire.refreshed(answer, &self.session)?;
                if kind == Kind::Refresh && self.wire.rotates() {
                    ensure!(next.refresh != self.session.refresh, "the same secret again");
                }
                self.go_on_with(next);
            }
            Kind::SignIn => self.go_on_with(self.wire.session(answer)?),
            Kind::Checked | Kind::Me | Kind::SignUp => {}
        }
        Ok(())
    }

    /// Uses the tokens of `session` from here on: the ones before may be over.
    fn go_on_with(&mut self, session: Session) {
        self.session = session;
        if let Some(checked) = &mut self.checked {
            checked.call = self.wire.checked(&self.session);
        }
        if let Some(me) = &mut self.me {
            me.call = self.wire.me(&self.session);
        }
    }

    async fn prove(&mut self, call: Call) -> Result<Proven> {
        let answer = self.connection.ask(call.request(), Body::Kept).await?;
        ensure!(
            self.is_good(&call, &answer),
            "a good token is answered with {} {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
        Ok(Proven { call, length: answer.length })
    }

    /// Whether an answer speaks of this person.
    fn is_good(&self, call: &Call, answer: &Answer) -> bool {
        let body = String::from_utf8_lossy(&answer.body);
        answer.status == call.expected && (body.contains(&self.person.name) || body.contains(&self.session.account))
    }
}

/// Makes an account and a session.
pub(crate) async fn sign_up_and_in(
    wire: &'static dyn Wire,
    connection: &mut Connection,
    person: &Person,
) -> Result<Session> {
    good(connection, &wire.sign_up(person)).await?;
    sign_in(wire, connection, person).await
}

async fn sign_in(wire: &'static dyn Wire, connection: &mut Connection, person: &Person) -> Result<Session> {
    wire.session(&good(connection, &wire.sign_in(person)).await?)
}

async fn good(connection: &mut Connection, call: &Call) -> Result<Answer> {
    let _turn = HASHING.acquire().await?;
    let answer = connection.ask(call.request(), Body::Kept).await?;
    let said = || String::from_utf8_lossy(&answer.body).into_owned();
    ensure!(answer.status == call.expected, "answered with {} {}", answer.status, said());
    Ok(answer)
}
