//! The view and its triggers for SQLite.

use super::{Users, literal, quoted};

pub(super) const TABLES: &str = "select name from sqlite_schema where type in ('table', 'view') order by name";

pub(super) const COLUMNS: &str = "select name, lower(type) as kind, pk > 0 as is_key,
        \"notnull\" and dflt_value is null and pk = 0 as required from pragma_table_info($1)";

/// Our table beside, where there is none.
pub(super) const NOTHING_BESIDE: &str = "select null as id, null as username, null as email, null as email_verified,
    null as first_name, null as last_name, null as is_active, null as is_staff, null as is_superuser, null as date_joined,
    null as last_login, null as roles, null as profile, null as version, null as locale, null as delete_at where false";

/// What goes beside the views and their triggers.
pub(super) const PARTS: [&str; 2] = ["index hallpass_usernames", "index hallpass_emails"];

pub(super) fn statements(users: &Users) -> Vec<String> {
    let mut all = vec![view(users), insert(users), update(users), delete(users)];
    all.extend(users.groups.as_ref().map(|(link, user)| roles(link, user)));
    if users.addresses {
        all.push(OWN_ADDRESS.into());
        all.extend(ADDRESSES.map(str::to_owned));
    }
    // The expressions of the view. Dropped as well where there is no such column, so they are always made.
    let index = |name: &str, field: &str| {
        let on = if users.has(field) { format!("nullif(lower({field}), '')") } else { quoted(&users.key) };
        format!("create index hallpass_{name} on {} ({on})", quoted(&users.table))
    };
    all.extend([index("usernames", "username"), index("emails", "email")]);
    all
}

fn view(users: &Users) -> String {
    let key = quoted(&users.key);
    format!("create view accounts as {}", select(users, &format!("u.{key}"), &format!("s.id = u.{key}")))
}

/// The users as accounts, with `id` for their ids, and what is beside them joined `on`.
pub(super) fn select(users: &Users, id: &str, on: &str) -> String {
    let key = quoted(&users.key);
    let field = |field: &str| match field {
        _ if !users.has(field) => match super::start_of(field) {
            "null" => format!("s.{field}"),
            start => format!("coalesce(s.{field}, {start})"),
        },
        "username" | "email" => format!("nullif(u.{field}, '')"),
        "password" => "case when u.password = '' or u.password like '!%' then null else u.password end".into(),
        "date_joined" => "coalesce(cast(strftime('%s', u.date_joined) as integer), 0)".into(),
        "last_login" => "cast(strftime('%s', u.last_login) as integer)".into(),
        _ => format!("u.{field}"),
    };
    let fields = super::FIELDS.map(|name| format!("    {} as {name}", field(name))).join(",\n");
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
        Some((link, user)) => format!(
            "(select json_group_array(name) from (select g.name from {} m join auth_group g on g.id = m.group_id \
             where m.{} = u.{key} order by g.name))",
            quoted(link),
            quoted(user)
        ),
        None => "coalesce(s.roles, '[]')".into(),
    };
    let key_of = |name: &str| if users.has(name) { format!("lower(u.{name})") } else { format!("lower(s.{name})") };
    format!(
        "select {id} as id,\n{fields},\n    nullif({}, '') as username_key,\n    nullif({}, '') as \
         email_key,\n    {verified} as email_verified,\n    {roles} as roles,\n    coalesce(s.profile, '{{}}') as \
         profile,\n    coalesce(s.version, 1) as version,\n    s.locale as locale,\n    s.delete_at as delete_at\nfrom \
         {} u left join hallpass_accounts s on {on}\nwhere coalesce(s.delete_at, 0) >= 0",
        key_of("username"),
        key_of("email"),
        quoted(&users.table)
    )
}

/// What Django's column gets for ours.
fn written(field: &str) -> String {
    match field {
        "username" => "coalesce(new.username, new.email_key, '')".into(),
        "email" => "coalesce(new.email, '')".into(),
        "password" => "coalesce(new.password, '!' || hex(randomblob(20)))".into(),
        "date_joined" | "last_login" => format!("strftime('%Y-%m-%d %H:%M:%S', new.{field}, 'unixepoch')"),
        _ => format!("new.{field}"),
    }
}

/// What our table gets; of the address it keeps for which one `email_verified` holds.
fn beside(users: &Users) -> (String, String) {
    let mut names: Vec<&str> = users.beside().into_iter().map(|(name, _)| name).collect();
    let mut values: Vec<String> = names.iter().map(|name| format!("new.{name}")).collect();
    if users.has("email") {
        names.push("email");
        values.push("new.email_key".into());
    }
    if users.has("date_joined") {
        names.push("date_joined");
        values.push("0".into());
    }
    (names.join(", "), values.join(", "))
}

/// Refuses a name that somebody else has, which Django itself may allow.
fn refuse_taken(unless: &str) -> String {
    ["username_key", "email_key"]
        .map(|key| {
            let unless = unless.replace("KEY", key);
            format!(
                "  select raise(abort, 'UNIQUE constraint failed: accounts.{key}') where exists (select 1 from accounts \
                 where {key} = new.{key}{unless});\n"
            )
        })
        .concat()
}

fn insert(users: &Users) -> String {
    let (columns, values): (Vec<String>, Vec<String>) = users
        .columns
        .iter()
        .map(|field| (field.clone(), written(field)))
        .chain(users.defaults.iter().map(|(column, value)| (quoted(column), literal(value))))
        .unzip();
    let (names, own) = beside(users);
    let mut text = format!(
        "create trigger accounts_insert instead of insert on accounts begin\n{}  insert into {} ({}) values ({});\n  \
         insert into hallpass_accounts (id, {names}) values (last_insert_rowid(), {own});\n",
        refuse_taken(""),
        quoted(&users.table),
        columns.join(", "),
        values.join(", ")
    );
    let made = "(select max(id) from hallpass_accounts)";
    if users.addresses {
        text.push_str(&format!(
            "  insert into account_emailaddress (user_id, email, verified, \"primary\") select {made}, new.email_key, \
             new.email_verified, true where new.email_key is not null;\n"
        ));
    }
    if let Some((link, user)) = &users.groups {
        text.push_str(&join_groups(link, user, made));
    }
    text + "end"
}

/// Puts an account into the groups that its roles name, which are made if there are none.
fn join_groups(link: &str, user: &str, id: &str) -> String {
    let (link, user) = (quoted(link), quoted(user));
    format!(
        "  insert into auth_group (name) select value from json_each(new.roles) where value not in (select name from \
         auth_group);\n  insert into {link} ({user}, group_id) select {id}, g.id from auth_group g where g.name in \
         (select value from json_each(new.roles)) and not exists (select 1 from {link} m where m.{user} = {id} and \
         m.group_id = g.id);\n"
    )
}

fn update(users: &Users) -> String {
    let set: Vec<String> = users
        .columns
        .iter()
        .map(|field| {
            format!("    {field} = case when new.{field} is not old.{field} then {} else {field} end", written(field))
        })
        .collect();
    let (names, values) = beside(users);
    let own: Vec<String> = names.split(", ").map(|name| format!("{name} = excluded.{name}")).collect();
    format!(
        "create trigger accounts_update instead of update on accounts begin\n{}  update {} set\n{}\n  where {} = \
         old.id;\n  insert into hallpass_accounts (id, {names}) values (old.id, {values})\n  on conflict (id) do \
         update set {};\nend",
        refuse_taken(" and id <> old.id and new.KEY is not old.KEY"),
        quoted(&users.table),
        set.join(",\n"),
        quoted(&users.key),
        own.join(", ")
    )
}

fn roles(link: &str, user: &str) -> String {
    let (quoted_link, quoted_user) = (quoted(link), quoted(user));
    format!(
        "create trigger accounts_roles instead of update on accounts when new.roles is not old.roles begin\n  delete \
         from {quoted_link} where {quoted_user} = old.id and group_id not in (select id from auth_group where name in \
         (select value from json_each(new.roles)));\n{}end",
        join_groups(link, user, "old.id")
    )
}

/// The address of an account is the primary one.
const OWN_ADDRESS: &str = "create trigger accounts_email instead of update on accounts
when new.email_key is not old.email_key or new.email_verified is not old.email_verified begin
  update account_emailaddress set \"primary\" = false where user_id = old.id and lower(email) is not new.email_key;
  insert into account_emailaddress (user_id, email, verified, \"primary\") select old.id, new.email_key, false, true
  where new.email_key is not null and not exists (select 1 from account_emailaddress where user_id = old.id and
    lower(email) = new.email_key);
  update account_emailaddress set verified = new.email_verified, \"primary\" = true
  where user_id = old.id and lower(email) = new.email_key;
end";

/// Somebody who is gone: Django has other rows that refer to the user, so the row stays and says nothing any more. That it
/// is no account is what a `delete_at` of -1 means.
fn delete(users: &Users) -> String {
    let set: Vec<String> = users
        .columns
        .iter()
        .filter_map(|field| {
            Some(match field.as_str() {
                "username" => "username = 'deleted-' || old.id".to_owned(),
                "email" if users.has("username") => "email = ''".to_owned(),
                "email" => "email = 'deleted-' || old.id || '@invalid'".to_owned(),
                "first_name" | "last_name" => format!("{field} = ''"),
                "password" => "password = '!' || hex(randomblob(20))".to_owned(),
                "is_active" | "is_staff" | "is_superuser" => format!("{field} = false"),
                "last_login" => "last_login = null".to_owned(),
                _ => return None,
            })
        })
        .collect();
    let mut text = format!(
        "create trigger accounts_delete instead of delete on accounts begin\n  update {} set {} where {} = old.id;\n  \
         insert into hallpass_accounts (id, delete_at, date_joined) values (old.id, -1, 0)\n    on conflict (id) do update \
         set delete_at = -1, email = null, profile = '{{}}', locale = null;\n",
        quoted(&users.table),
        set.join(", "),
        quoted(&users.key)
    );
    if let Some((link, user)) = &users.groups {
        text.push_str(&format!("  delete from {} where {} = old.id;\n", quoted(link), quoted(user)));
    }
    if users.addresses {
        text.push_str("  delete from account_emailaddress where user_id = old.id;\n");
    }
    text + "end"
}

/// The list of addresses, which has an account's own one already.
const ADDRESSES: [&str; 4] = [
    "create view addresses as select id, user_id as account_id, email, lower(email) as email_key, verified
from account_emailaddress",
    "create trigger addresses_insert instead of insert on addresses begin
  insert into account_emailaddress (user_id, email, verified, \"primary\")
  select new.account_id, new.email_key, coalesce(new.verified, false), false
  where not exists (select 1 from addresses where account_id = new.account_id and email_key = new.email_key);
end",
    "create trigger addresses_update instead of update on addresses begin
  update account_emailaddress set verified = new.verified where id = old.id;
end",
    "create trigger addresses_delete instead of delete on addresses begin
  delete from account_emailaddress where id = old.id;
end",
];

pub(super) const LISTED: &str = "select user_id as account_id, email, lower(email) as email_key, verified
     from account_emailaddress where user_id > $1 and user_id <= $2 order by id";
