//! What both engines' views and triggers say in the same words, but for those in [`Words`].

use super::{FIELDS, Users, literal, quoted, start_of};

/// How an engine says it.
pub(super) struct Words {
    /// Behind what is to be text.
    pub(super) text: &'static str,
    /// Behind what is to be an id.
    pub(super) id: &'static str,
    /// Behind what names are looked for by: it is put in the order of its bytes.
    pub(super) key: &'static str,
    /// The seconds since 1970 of a column.
    pub(super) seconds: fn(&str) -> String,
    /// What Django keeps of such seconds.
    pub(super) moment: fn(&str) -> String,
    /// The names of groups as a JSON array, of what stands behind `from`.
    pub(super) names: fn(&str) -> String,
    /// A password that nobody has, as Django writes it.
    pub(super) unusable: &'static str,
    /// Some letters and digits that nobody can foresee.
    pub(super) random: &'static str,
    /// Between two values that may be null.
    pub(super) differs: &'static str,
}

/// The statement that makes the view.
pub(super) fn view(words: &Words, users: &Users) -> String {
    let key = quoted(&users.key);
    format!("create view accounts as {}", select(words, users, &format!("u.{key}"), &format!("s.id = u.{key}")))
}

/// The users as accounts, with `id` for their ids, and what is beside them joined `on`.
pub(super) fn select(words: &Words, users: &Users, id: &str, on: &str) -> String {
    let key = quoted(&users.key);
    let Words { text, id: as_id, .. } = words;
    let field = |field: &str| match field {
        _ if !users.has(field) => match start_of(field) {
            "null" => format!("s.{field}"),
            start => format!("coalesce(s.{field}, {start})"),
        },
        "username" | "email" => format!("nullif(u.{field}{text}, '')"),
        "password" => {
            format!("case when u.password = '' or u.password like '!%' then null else u.password{text} end")
        }
        "date_joined" => format!("coalesce({}, 0)", (words.seconds)("u.date_joined")),
        "last_login" => (words.seconds)("u.last_login"),
        "first_name" | "last_name" => format!("coalesce(u.{field}{text}, '')"),
        // Whether somebody is something: not, where nothing is said.
        _ => format!("coalesce(u.{field}, false)"),
    };
    let fields = FIELDS.map(|name| format!("    {} as {name}", field(name))).join(",\n");
    let verified = if users.addresses {
        format!(
            "exists (select 1 from account_emailaddress a where a.user_id = u.{key} and lower(a.email) = lower(u.email) \
             and a.verified)"
        )
    } else if users.has("email") {
        "coalesce(s.email_verified and s.email = lower(u.email), false)".into()
    } else {
        "coalesce(s.email_verified, false)".into()
    };
    let roles = match &users.groups {
        Some((link, user)) => (words.names)(&format!(
            "{} m join auth_group g on g.id = m.group_id where m.{} = u.{key}",
            quoted(link),
            quoted(user)
        )),
        None => "coalesce(s.roles, '[]')".into(),
    };
    let lower = |name: &str| match users.has(name) {
        true => format!("nullif(lower(u.{name}{text}), ''){}", words.key),
        false => format!("lower(s.{name}){}", words.key),
    };
    format!(
        "select ({id}){as_id} as id,\n{fields},\n    {} as username_key,\n    {} as email_key,\n    {verified} as \
         email_verified,\n    {roles} as roles,\n    coalesce(s.profile, '{{}}') as profile,\n    coalesce(s.version, 1) as \
         version,\n    s.locale as locale,\n    s.delete_at as delete_at\nfrom {} u left join hallpass_accounts s on \
         {on}\nwhere coalesce(s.delete_at, 0) >= 0",
        lower("username"),
        lower("email"),
        quoted(&users.table)
    )
}

/// The statements that make the indexes for looking a name up, on the expressions of the view. They go with the view
/// whether or not there is such a column, so they are always made.
pub(super) fn indexes(words: &Words, users: &Users) -> [String; 2] {
    [("usernames", "username"), ("emails", "email")].map(|(name, field)| {
        let on = match users.has(field) {
            true => format!("nullif(lower({field}{}), ''){}", words.text, words.key),
            false => quoted(&users.key),
        };
        format!("create index hallpass_{name} on {} (({on}))", quoted(&users.table))
    })
}

/// What Django's column gets for ours.
fn written(words: &Words, users: &Users, field: &str) -> String {
    match field {
        "username" => "coalesce(new.username, new.email_key, '')".into(),
        // No address: as Django writes it, where the column can be null like this, so that it can be unique.
        "email" if users.email_can_be_null => "new.email".into(),
        "email" => "coalesce(new.email, '')".into(),
        "password" => format!("coalesce(new.password, {})", words.unusable),
        "date_joined" | "last_login" => (words.moment)(&format!("new.{field}")),
        _ => format!("new.{field}"),
    }
}

/// The columns of a new user, and their values.
pub(super) fn inserted(words: &Words, users: &Users) -> (String, String) {
    let fields = users.columns.iter().map(|field| (field.clone(), written(words, users, field)));
    let defaults = users.defaults.iter().map(|(column, value)| (quoted(column), literal(value)));
    let (columns, values): (Vec<_>, Vec<_>) = fields.chain(defaults).unzip();
    (columns.join(", "), values.join(", "))
}

/// What a changed user gets: only what was changed, since ours say less than Django's (of a moment, the seconds).
pub(super) fn changed(words: &Words, users: &Users) -> String {
    let set = users.columns.iter().map(|field| {
        let (differs, value) = (words.differs, written(words, users, field));
        format!("    {field} = case when new.{field} {differs} old.{field} then {value} else {field} end")
    });
    set.collect::<Vec<_>>().join(",\n")
}

/// What a user gets who is gone: Django has other rows that refer to the user, so the row stays and says nothing any more.
pub(super) fn gone(words: &Words, users: &Users) -> String {
    let set = users.columns.iter().filter_map(|field| {
        Some(match field.as_str() {
            // Names that are unique, and that nobody can have taken before.
            "username" => format!("username = 'deleted-' || old.id || '-' || {}", words.random),
            "email" => "email = 'deleted-' || old.id || '@invalid'".to_owned(),
            "first_name" | "last_name" => format!("{field} = ''"),
            "password" => format!("password = {}", words.unusable),
            "is_active" | "is_staff" | "is_superuser" => format!("{field} = false"),
            "last_login" => "last_login = null".to_owned(),
            _ => return None,
        })
    });
    set.collect::<Vec<_>>().join(", ")
}

/// The columns of our table, and what they get; of the address it keeps for which one `email_verified` holds.
pub(super) fn beside(users: &Users) -> (Vec<&'static str>, String) {
    let mut pairs: Vec<(&str, String)> =
        users.beside().into_iter().map(|(name, _)| (name, format!("new.{name}"))).collect();
    if users.has("email") {
        pairs.push(("email", "new.email_key".into()));
    }
    if users.has("date_joined") {
        pairs.push(("date_joined", "0".into()));
    }
    let (names, values): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    (names, values.join(", "))
}

/// Notes what is beside an account, over what was noted before.
pub(super) fn note(users: &Users, id: &str) -> String {
    let (names, values) = beside(users);
    let over: Vec<String> = names.iter().map(|name| format!("{name} = excluded.{name}")).collect();
    format!(
        "  insert into hallpass_accounts (id, {}) values ({id}, {values})\n    on conflict (id) do update set {};\n",
        names.join(", "),
        over.join(", ")
    )
}

/// What is left of somebody who is gone: that it is no account is what a `delete_at` of -1 means.
pub(super) fn forget(users: &Users) -> String {
    let mut text =
        "  insert into hallpass_accounts (id, delete_at, date_joined) values (old.id, -1, 0)\n    on conflict (id) \
        do update set delete_at = -1, username = null, username_key = null, email = null, email_key = null, first_name = '', \
        last_name = '', is_staff = false, is_superuser = false, last_login = null, roles = '[]', profile = '{}', \
        locale = null;\n"
            .to_owned();
    if let Some((link, user)) = &users.groups {
        text.push_str(&format!("  delete from {} where {} = old.id;\n", quoted(link), quoted(user)));
    }
    if users.addresses {
        text.push_str("  delete from account_emailaddress where user_id = old.id;\n");
    }
    text
}
