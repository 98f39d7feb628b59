//! What the settings of mail become for the core, and what is wrong with them.
//!
//! Sends nothing, and never repeats the password of the mail server.

use hallpass_core::{
    config::{Mail, Transport},
    mail::{Mailer, Templates},
};

use super::Settings;

impl Settings {
    /// Links lead to `public_url` unless the settings say otherwise, and development needs no mail server.
    pub(super) fn mail(&self, public_url: &str) -> Mail {
        let links = if self.mail.links.is_empty() { public_url } else { &self.mail.links };
        let transport = match self.mail.transport {
            Transport::Off if self.dev => Transport::Mailbox,
            transport => transport,
        };
        Mail { transport, links: links.to_owned(), ..self.mail.clone() }
    }

    /// What a server must not start with; `mail` is what the core is told.
    pub(super) fn mail_problems(&self, mail: &Mail) -> Vec<String> {
        let mut problems = Vec::new();
        if mail.transport == Transport::Mailbox && !self.dev {
            problems.push(
                "`mail.transport = \"mailbox\"` shows every mail, with links that work, to whoever asks: set up `smtp`, \
                 or start with `--dev` on your own machine"
                    .into(),
            );
        }
        if self.mail.links.starts_with("http://") && !self.dev {
            problems.push("`mail.links` must begin with `https://`: what follows in a link is secret".into());
        }
        problems.extend(Templates::load(mail).err().into_iter().flatten());
        problems.extend(Mailer::open(mail).err().into_iter().flatten());
        problems
    }
}
