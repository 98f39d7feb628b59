//! What several operations about mail take: an address to write to, or the secret of a link.
//!
//! Whoever asks for a mail never learns from the answer whether there is somebody who gets it.

use utoipa::ToSchema;

use crate::json::{FromMembers, Members};

/// To which account's address a mail is to go.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read member by member")]
pub(super) struct RequestMail {
    #[schema(max_length = 254, format = "email")]
    email: String,
}

/// What is read of it.
pub(crate) struct Address(pub(super) String);

impl FromMembers for Address {
    fn from_members(members: &mut Members) -> Self {
        Self(members.needed("email"))
    }
}

/// What a mail brought.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read member by member")]
pub(super) struct RedeemLink {
    /// What stands behind `#token=` in the link.
    token: String,
}

/// What is read of it.
pub(crate) struct Link(pub(super) String);

impl FromMembers for Link {
    fn from_members(members: &mut Members) -> Self {
        Self(members.needed("token"))
    }
}
