//! What the clients of one load ask for.

use clap::ValueEnum;

use crate::client::Kind;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Requests that need somebody who is signed in, and nothing else.
    Checked,
    /// Requests for the account.
    Me,
    /// Refreshes, each with what the one before brought.
    Refresh,
    /// The same where the server may bring the same secret again for a while.
    RefreshWindow,
    /// Sign-ins to one account each.
    SignIn,
    /// Sign-ups with names that nobody had.
    SignUp,
    /// Of a hundred requests 95 as `checked`, 4 refreshes and a sign-in.
    Mixed,
}

impl Scenario {
    /// What the `step`th request is for.
    pub(crate) fn kind(self, step: usize) -> Kind {
        match self {
            Self::Checked => Kind::Checked,
            Self::Me => Kind::Me,
            Self::Refresh => Kind::Refresh,
            Self::RefreshWindow => Kind::RefreshWithin,
            Self::SignIn => Kind::SignIn,
            Self::SignUp => Kind::SignUp,
            Self::Mixed => match step % 100 {
                0 => Kind::SignIn,
                25 | 45 | 65 | 85 => Kind::Refresh,
                _ => Kind::Checked,
            },
        }
    }

    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_hundred_mixed_requests_four_refresh_and_one_signs_in() {
        let kinds: Vec<Kind> = (7..107).map(|step| Scenario::Mixed.kind(step)).collect();
        let count = |kind| kinds.iter().filter(|other| **other == kind).count();
        assert_eq!((count(Kind::Checked), count(Kind::Refresh), count(Kind::SignIn)), (95, 4, 1));
    }
}
