//! Signing up, and showing that one receives mail at an address.
//!
//! Whether an address has an account is told to nobody but whoever reads its mail, unless the operator wants it told.

use axum::http::{Method, StatusCode};
use hallpass_core::{
    Code, Error,
    accounts::{self, NewAccount},
    addresses, django, email, login,
    passwords::{self, Owner},
    sessions::{Issued, Remember},
};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use super::{
    super::{
        drf::{self, Call, Outcome, Refusal, Reply},
        fields::{Fields, NEEDED, Rules},
        jwt,
    },
    Dialect,
    passwords::{LONGEST, of_rules, quietly, wrong},
    sessions::LONG_TOKENS,
};

const TAKEN: &str = "A user with that username already exists.";
const REGISTERED: &str = "User is already registered with this e-mail address.";
const MISMATCH: &str = "The two password fields didn't match.";
/// Characters of an address that a user name is made of.
const LONGEST_STEM: usize = 100;

/// What a sign-up form says.
struct Form {
    username: Option<String>,
    email: Option<String>,
    password: SecretString,
}

pub(super) async fn register(dialect: &Dialect, call: &Call) -> Outcome {
    dialect.admit(call)?;
    call.takes(&Method::POST)?;
    let form = match dialect.form(call).await {
        // It may say that a name is taken: whoever asks for many of them runs into the limit of sign-ups.
        Err(refused) if refused.0.status == StatusCode::BAD_REQUEST => {
            login::count_refused_sign_up(dialect.app.hallpass(), &call.ctx).await?;
            return Err(refused);
        }
        form => form?,
    };
    match dialect.sign_up(call, &form).await? {
        Some(issued) => dialect.signed_up(call, &issued).await,
        None => Ok(Reply::new(StatusCode::CREATED, json!({ "detail": "Verification e-mail sent." }))),
    }
}

pub(super) async fn verify_email(dialect: &Dialect, call: &Call) -> Outcome {
    dialect.admit(call)?;
    call.takes(&Method::POST)?;
    let mut fields = Fields::of(call.data().await?.members()?);
    let key = fields.text("key", NEEDED);
    fields.check()?;
    dialect.verify(call, &key.unwrap_or_default()).await?;
    Ok(Reply::new(StatusCode::OK, json!({ "detail": "ok" })))
}

pub(super) async fn resend_email(dialect: &Dialect, call: &Call) -> Outcome {
    dialect.admit(call)?;
    call.takes(&Method::POST)?;
    let mut fields = Fields::of(call.data().await?.members()?);
    let email = fields.email("email", Rules { required: dialect.settings.needs("email"), ..NEEDED });
    fields.check()?;
    if let Some(email) = email {
        let ctx = dialect.mailing(call);
        quietly(email::request_verification(dialect.app.hallpass(), &ctx, &email).await)?;
    }
    Ok(Reply::new(StatusCode::OK, json!({ "detail": "ok" })))
}

/// The page that links lead to which the project itself has mailed. Opening it changes nothing; its button does.
pub(super) async fn confirm_page(dialect: &Dialect, call: &Call) -> Outcome {
    let mut done = false;
    if call.method != Method::GET && call.method != Method::HEAD {
        dialect.admit(call)?;
        call.takes(&Method::POST)?;
        let key = call.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        match dialect.verify(call, key).await {
            Ok(()) => done = true,
            Err(Refusal(reply)) if reply.status == StatusCode::NOT_FOUND => {
                return Ok(page(StatusCode::NOT_FOUND, dialect.app.policy().prefix(), OVER));
            }
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(page(StatusCode::OK, dialect.app.policy().prefix(), if done { DONE } else { ASK }))
}

const ASK: &str = "<p>This confirms that you receive mail at the address at which you got the link.</p>\n\
    <form method=\"post\"><button>Confirm</button></form>";
const DONE: &str = "<p>Your address is confirmed. You can close this page.</p>";
const OVER: &str = "<p>This link was used, is too old, or was replaced by a newer one: ask for another mail.</p>";

fn page(status: StatusCode, prefix: &str, says: &str) -> Reply {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>Confirm your address</title>\n\
         <link rel=\"stylesheet\" href=\"{prefix}/assets/hallpass.css\">\n<link rel=\"icon\" href=\"data:,\">\n</head>\n<body>\n<main class=\"index\">\n\
         <h1>Confirm your address</h1>\n{says}\n</main>\n</body>\n</html>\n"
    );
    Reply::page(status, html)
}

impl Dialect {
    /// The form, if there is nothing wrong with it that can be told without making the account.
    async fn form(&self, call: &Call) -> Result<Form, Refusal> {
        let hallpass = self.app.hallpass();
        let mut fields = Fields::of(call.data().await?.members()?);
        let username = fields.username("username", self.settings.needs("username"));
        if let Some(name) = &username
            && accounts::named_in_any_case(hallpass, name).await?.is_some()
        {
            fields.refuse("username", TAKEN);
        }
        let email = fields.email("email", Rules { required: self.settings.needs("email"), ..NEEDED });
        if let Some(email) = email.as_deref().filter(|_| self.settings.insecure_tell_known_addresses)
            && addresses::is_verified(hallpass, email).await?
        {
            fields.refuse("email", REGISTERED);
        }
        let limited = Rules { longest: Some(LONGEST), ..NEEDED };
        let (password, again) = (fields.text("password1", limited), fields.text("password2", NEEDED));
        let same = password == again;
        let password = password.map(SecretString::from);
        if let Some(password) = &password {
            let nobody = Owner::default();
            let wrong = passwords::validate(hallpass, &self.settings.validators, password, nobody).await?;
            fields.refuse_all("password1", wrong);
        }
        fields.check()?;
        if !same {
            return Err(Refusal::whole(MISMATCH));
        }
        let password = password.unwrap_or_default();
        let owner = Owner {
            username: username.clone().unwrap_or_default(),
            email: email.clone().unwrap_or_default(),
            ..Owner::default()
        };
        let wrong = passwords::validate(hallpass, &self.settings.validators, &password, owner).await?;
        if !wrong.is_empty() {
            return Err(self::wrong("non_field_errors", wrong));
        }
        Ok(Form { username, email, password })
    }

    /// Makes the account; a user name that was left out is made of the address. Nobody is signed in if the address has to
    /// be verified first.
    async fn sign_up(&self, call: &Call, form: &Form) -> Result<Option<Issued>, Refusal> {
        let ctx = self.mailing(call);
        for _ in 0..TRIES {
            let username = match &form.username {
                Some(username) => username.clone(),
                None => self.free_name(form.email.as_deref()).await?,
            };
            let new = NewAccount {
                username: Some(username),
                email: form.email.clone(),
                password: Some(form.password.clone()),
                list_address: self.settings.allauth,
                ..NewAccount::default()
            };
            match login::sign_up(self.app.hallpass(), &ctx, new, Remember::Yes).await {
                Err(error) if error.code == Code::UsernameTaken && form.username.is_none() => {}
                done => return done.map_err(of_sign_up),
            }
        }
        Err(Refusal::whole("Unable to make a user name: choose one."))
    }

    /// A user name that nobody has, after an address, as `allauth` makes them.
    async fn free_name(&self, email: Option<&str>) -> Result<String, Refusal> {
        let local = email.and_then(|email| email.split('@').next()).unwrap_or_default();
        let plain = |c: &char| c.is_alphanumeric() || "._+-".contains(*c);
        let stem: String = local.to_lowercase().chars().filter(plain).take(LONGEST_STEM).collect();
        let stem = if stem.is_empty() { "user".to_owned() } else { stem };
        if accounts::named_in_any_case(self.app.hallpass(), &stem).await?.is_none() {
            return Ok(stem);
        }
        Ok(format!("{stem}{}", number(jwt::new_jti()?)))
    }

    /// What somebody is told who has signed up and is signed in: both tokens, in the body, whatever is in cookies else.
    async fn signed_up(&self, call: &Call, issued: &Issued) -> Outcome {
        let body = if self.settings.jwt {
            let pair = self.tokens.pair(issued, call.ctx.now).await?;
            let body = json!({ "access": pair.access, "refresh": pair.refresh, "user": self.about(&issued.account) });
            self.called(body, &LONG_TOKENS)
        } else {
            self.key(issued.session)
        };
        let mut reply = Reply::new(StatusCode::CREATED, body);
        self.keep_session(call, &mut reply, issued.session)?;
        Ok(reply)
    }

    async fn verify(&self, call: &Call, key: &str) -> Result<(), Refusal> {
        let verified = django::verify_email(self.app.hallpass(), &call.ctx, self.secret.text(), key).await;
        verified.map_err(|error| match error.code {
            Code::LinkInvalid => Refusal::detail(StatusCode::NOT_FOUND, "Not found."),
            _ => error.into(),
        })
    }
}

/// Names that are tried before a person has to choose one.
const TRIES: usize = 5;

/// Digits behind a user name that somebody has.
fn number(random: Uuid) -> u128 {
    random.as_u128() % 1_000_000
}

fn of_sign_up(error: Error) -> Refusal {
    match error.code {
        Code::UsernameTaken => wrong("username", [TAKEN]),
        Code::EmailTaken => wrong("email", [REGISTERED]),
        Code::SignUpClosed => Refusal::detail(StatusCode::FORBIDDEN, drf::FORBIDDEN),
        Code::ValidationFailed => match error.fields.first().map(|wrong| &*wrong.field) {
            Some("password") | None => of_rules("password1", &error),
            Some(field) => of_rules(field, &error),
        },
        _ => error.into(),
    }
}
