//! A Hallpass over a fresh database, with a clock that the test moves.

use std::sync::atomic::{AtomicI64, Ordering};

use hallpass_core::{
    Actor, Code, Config, Ctx, Hallpass, MasterKey, Result, SessionId,
    accounts::{self, Account, NewAccount, Standing},
    admin::{self, Admin},
    config::Transport,
    login::{self, Identifier},
    mail::{self, Letter},
    sessions::{self, Issued, Remember},
    testing::TestDb,
};
use hallpass_token::{Claims, TokenError};

pub(crate) const PASSWORD: &str = "seven quiet otters dream";
pub(crate) const OTHER_PASSWORD: &str = "nine loud herons wake up";
pub(crate) const START: i64 = 1_790_000_000;

pub(crate) struct House {
    pub(crate) hallpass: Hallpass,
    pub(crate) database: TestDb,
    pub(crate) master: String,
    now: AtomicI64,
}

impl House {
    pub(crate) async fn new(database: TestDb) -> Self {
        Self::with(database, |_| ()).await
    }

    pub(crate) async fn with(database: TestDb, settings: impl FnOnce(&mut Config)) -> Self {
        let master = MasterKey::generate().unwrap();
        let hallpass = Hallpass::open(database.db.clone(), &master, config(settings), START).await.unwrap();
        Self { hallpass, database, master: master.to_base64().to_string(), now: AtomicI64::new(START) }
    }

    /// Another process on the same database, with the same settings.
    pub(crate) async fn neighbour(&self) -> Hallpass {
        let db = hallpass_core::Db::open(&self.database.url).await.unwrap();
        let master = MasterKey::from_base64(&self.master).unwrap();
        Hallpass::open(db, &master, self.hallpass.config().clone(), self.now()).await.unwrap()
    }

    pub(crate) fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn ctx(&self) -> Ctx {
        Ctx {
            now: self.now(),
            actor: Actor::Anonymous,
            ip: None,
            user_agent: None,
            languages: None,
            links: None,
            request_id: "test".into(),
        }
    }

    pub(crate) async fn create(&self, username: &str) -> Account {
        accounts::create(&self.hallpass, &self.ctx(), person(username), Standing::default()).await.unwrap()
    }

    pub(crate) async fn sign_in(&self, username: &str) -> Issued {
        self.try_sign_in(username, PASSWORD).await.unwrap()
    }

    pub(crate) async fn try_sign_in(&self, username: &str, password: &str) -> Result<Issued> {
        self.try_sign_in_on(None, username, password).await
    }

    /// Signs in from a device that shows `device`.
    pub(crate) async fn try_sign_in_on(&self, device: Option<&str>, username: &str, password: &str) -> Result<Issued> {
        sign_in_at(&self.hallpass, &self.ctx(), username, password, device).await
    }

    pub(crate) async fn refresh(&self, secret: &str) -> Result<Issued> {
        sessions::refresh(&self.hallpass, &self.ctx(), secret).await
    }

    pub(crate) fn verify(&self, issued: &Issued) -> Result<std::sync::Arc<Claims>, TokenError> {
        self.hallpass.verifier().verify(&issued.access_token, self.now())
    }

    /// Sends what is due, and returns every mail that this server ever sent, the oldest first.
    pub(crate) async fn mails(&self) -> Vec<Letter> {
        while mail::deliver(&self.hallpass, &self.ctx()).await.unwrap() {}
        self.hallpass.mailer().mailbox().unwrap().into_iter().rev().collect()
    }

    /// The secret in the link of the last mail, after a look at which mail that is.
    pub(crate) async fn mailed(&self, to: &str, page: &str) -> String {
        let mails = self.mails().await;
        let last = mails.last().unwrap();
        assert_eq!(last.to, to, "{}", last.written.text);
        token(last, page)
    }

    /// A call of somebody who is signed in.
    pub(crate) fn ctx_of(&self, account: &Account) -> Ctx {
        Ctx { actor: Actor::Account(account.id, SessionId(uuid::Uuid::nil())), ..self.ctx() }
    }

    /// Creates a superuser, and lets them in.
    pub(crate) async fn superuser(&self, username: &str) -> (Account, Ctx, Admin) {
        self.admin(username, Standing { is_superuser: true, ..Standing::default() }).await
    }

    /// Creates somebody of the helpdesk, and lets them in.
    pub(crate) async fn helper(&self, username: &str) -> (Account, Ctx, Admin) {
        self.admin(username, Standing { roles: vec![admin::HELPDESK.into()], ..Standing::default() }).await
    }

    async fn admin(&self, username: &str, standing: Standing) -> (Account, Ctx, Admin) {
        let account = accounts::create(&self.hallpass, &self.ctx(), person(username), standing).await.unwrap();
        let ctx = self.ctx_of(&account);
        let admin = admin::authorize(&self.hallpass, &ctx).await.unwrap();
        (account, ctx, admin)
    }

    /// Creates an account with an address that its owner has verified.
    pub(crate) async fn create_at(&self, username: &str, email: &str) -> Account {
        let standing = Standing { email_verified: true, ..Standing::default() };
        accounts::create(&self.hallpass, &self.ctx(), person_at(username, email), standing).await.unwrap()
    }

    pub(crate) async fn live(&self, account: &Account) -> Vec<SessionId> {
        let list = sessions::list(&self.hallpass, &self.ctx(), account.id).await.unwrap();
        list.into_iter().map(|session| session.id).collect()
    }
}

/// Signs in at one of several servers.
pub(crate) async fn sign_in_at(
    server: &Hallpass,
    ctx: &Ctx,
    username: &str,
    password: &str,
    device: Option<&str>,
) -> Result<Issued> {
    let who = Identifier { username: Some(username.into()), email: None, exact: false };
    login::sign_in(server, ctx, who, password.to_owned().into(), Remember::No, device).await
}

pub(crate) fn config(settings: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::for_issuer("https://api.example.com");
    config.mail.transport = Transport::Mailbox;
    settings(&mut config);
    config
}

pub(crate) fn person(username: &str) -> NewAccount {
    NewAccount { username: Some(username.into()), password: Some(PASSWORD.to_owned().into()), ..NewAccount::default() }
}

pub(crate) fn person_at(username: &str, email: &str) -> NewAccount {
    NewAccount { email: Some(email.into()), ..person(username) }
}

/// The secret in the link to one of our pages.
pub(crate) fn token(mail: &Letter, page: &str) -> String {
    let link = format!("https://api.example.com/{page}#token=");
    let (_, rest) = mail.written.text.split_once(&link).unwrap_or_else(|| panic!("{page}: {}", mail.written.text));
    rest.split_whitespace().next().unwrap().to_owned()
}

pub(crate) fn code<T: std::fmt::Debug>(result: Result<T>) -> Code {
    result.unwrap_err().code
}
