//! The account of whoever is signed in: reading it, and changing its names.

use axum::http::{Method, StatusCode};
use hallpass_core::{
    Code,
    accounts::{self, Changes},
};

use super::{
    super::{
        drf::{Call, Outcome, Refusal, Reply},
        fields::{Fields, NAME, Rules},
    },
    Dialect,
};

const PERSON: Rules = Rules { required: false, blank: true, longest: Some(NAME) };
const TAKEN: &str = "A user with that username already exists.";

pub(super) async fn user(dialect: &Dialect, call: &Call) -> Outcome {
    let caller = dialect.authenticate(call).await?;
    if call.method == Method::GET || call.method == Method::HEAD {
        return Ok(Reply::new(StatusCode::OK, dialect.about(&caller.account)));
    }
    if call.method != Method::PATCH {
        call.takes(&Method::PUT)?;
    }
    let mut fields = Fields::of(call.data().await?.members()?);
    let username = fields.username("username", call.method == Method::PUT);
    let (first_name, last_name) = (fields.text("first_name", PERSON), fields.text("last_name", PERSON));
    fields.check()?;
    let changes = Changes { username, first_name, last_name, ..Changes::default() };
    let changed = accounts::update(dialect.app.hallpass(), &call.ctx, caller.account.id, changes).await;
    let account = changed.map_err(|error| {
        match error.code {
            Code::UsernameTaken => fields.refuse("username", TAKEN),
            Code::ValidationFailed => {
                error.fields.iter().for_each(|wrong| fields.refuse(&wrong.field, wrong.detail.clone()));
            }
            _ => {}
        }
        fields.check().err().unwrap_or_else(|| Refusal::from(error))
    })?;
    Ok(Reply::new(StatusCode::OK, dialect.about(&account)))
}
