//! Finding accounts: by the beginning of a name or address, by id, and by what they are.

use hallpass_token::AccountId;
use serde::Serialize;
use serde_json::Value;

use super::{Admin, Page, checked_limit, cursor};
use crate::{
    Hallpass, Result,
    accounts::{self, Account},
    names::{self, Email},
    store::{
        self,
        search::{Range, Wanted},
    },
};

/// Characters of the longest text that can begin a name.
const LONGEST: usize = 254;
/// Names that begin alike, from which on going through all accounts is faster than looking each of them up.
const MANY: i64 = 1000;

/// What is looked for; `None` is everything.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Search {
    /// What a user name or an address begins with, in any spelling; or a whole id.
    pub text: Option<String>,
    /// Accounts of which this is true.
    pub status: Option<Status>,
    /// Accounts whose owner has, or has not, shown to receive mail at their address.
    pub verified: Option<bool>,
    /// Accounts with this role.
    pub role: Option<String>,
    /// Accounts with this standing.
    pub level: Option<Standing>,
    /// Which come first.
    pub order: Order,
}

/// Declares a word that somebody chooses in a request, once for each of its three uses.
macro_rules! choice {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])+ $variant:ident => $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        pub enum $name { $($(#[$doc])+ $variant,)+ }

        impl $name {
            /// Every choice.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The choice of this name.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|choice| choice.as_str() == word)
            }
        }
    };
}

choice! {
    /// What is to become of an account.
    Status {
        /// Its owner may sign in.
        Active => "active",
        /// Its owner may not.
        Deactivated => "deactivated",
        /// Its owner wants it to be deleted.
        Deletion => "deletion",
    }
}

choice! {
    /// What somebody is to the operator.
    Standing {
        /// `is_staff`.
        Staff => "staff",
        /// `is_superuser`.
        Superuser => "superuser",
    }
}

choice! {
    /// In which order accounts come.
    #[derive(Default)]
    Order {
        /// The account that was made last.
        #[default]
        Newest => "newest",
        /// The account that was made first.
        Oldest => "oldest",
    }
}

/// The account with this id.
///
/// # Errors
/// [`crate::Code::NotFound`], [`crate::Code::Unavailable`].
pub async fn account(hallpass: &Hallpass, _: &Admin, id: AccountId) -> Result<Account> {
    accounts::get(hallpass, id).await
}

/// A page of the accounts that are looked for: `limit` of them, from 1 to 100.
///
/// # Errors
/// [`crate::Code::InvalidRequest`] for a limit that is none, and for a cursor that is not of this list;
/// [`crate::Code::Unavailable`].
pub async fn search(
    hallpass: &Hallpass,
    _: &Admin,
    search: Search,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Account>> {
    let limit = checked_limit(limit)?;
    let list = ("accounts", &search);
    let place = cursor::read(hallpass, &list, cursor)?.map(i64::from_be_bytes);
    let Some(wanted) = wanted(&search) else { return Ok(Page { items: Vec::new(), next: None }) };
    let mut reader = hallpass.0.db.read().await?;
    let few = wanted.username.0.is_some() && store::search::few(reader.conn(), &wanted, MANY).await?;
    let (conn, most) = (reader.conn(), i64::try_from(limit).unwrap_or(0) + 1);
    let rows = match (search.order, few) {
        (Order::Newest, true) => store::search::newest_of_few(conn, &wanted, place.unwrap_or(i64::MAX), most).await?,
        (Order::Newest, false) => store::search::newest_of_many(conn, &wanted, place.unwrap_or(i64::MAX), most).await?,
        (Order::Oldest, true) => store::search::oldest_of_few(conn, &wanted, place.unwrap_or(i64::MIN), most).await?,
        (Order::Oldest, false) => store::search::oldest_of_many(conn, &wanted, place.unwrap_or(i64::MIN), most).await?,
    };
    let found = rows.into_iter().map(Account::try_from).collect::<Result<Vec<_>>>()?;
    cursor::page(hallpass, &list, limit, found, |account| account.id.0.to_be_bytes())
}

/// What the database is asked for; `None` if no account can be like that.
fn wanted(search: &Search) -> Option<Wanted> {
    let can_be = |text: &&str| !text.contains('\0') && text.chars().nth(LONGEST).is_none();
    let text = search.text.as_deref().map(str::trim).unwrap_or_default();
    let text = Some(text).filter(can_be)?;
    let role = match search.role.as_deref() {
        Some(role) => Some(Value::from(Some(role).filter(can_be)?).to_string()),
        None => None,
    };
    let email = Email::parse(text).map_or_else(|_| text.to_lowercase(), |email| email.key().to_owned());
    Some(Wanted {
        username: beginning_with(text, names::username_key(text)),
        username_in_ascii: beginning_with(text, text.to_ascii_lowercase()),
        email: beginning_with(text, email),
        id: text.parse::<AccountId>().ok().map(|id| id.0),
        active: search.status.and_then(|status| match status {
            Status::Active => Some(true),
            Status::Deactivated => Some(false),
            Status::Deletion => None,
        }),
        verified: search.verified,
        staff: search.level.filter(|level| *level == Standing::Staff).map(|_| true),
        superuser: search.level.filter(|level| *level == Standing::Superuser).map(|_| true),
        to_be_deleted: search.status.map(|status| status == Status::Deletion),
        role,
    })
}

/// From the lowest key that begins so up to the highest: no name has the last of all characters in it. Nothing is asked
/// without a text, and what is left of one that has only characters that count for nothing begins no name.
fn beginning_with(text: &str, key: String) -> Range {
    if text.is_empty() {
        return (None, None);
    }
    let end = if key.is_empty() { String::new() } else { format!("{key}{}", char::MAX) };
    (Some(key), Some(end))
}
