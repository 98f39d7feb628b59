//! The view and its triggers for SQLite.

use super::{
    Users, quoted,
    view::{self, Words},
};

pub(super) const TABLES: &str = "select name from sqlite_schema where type in ('table', 'view') order by name";

pub(super) const COLUMNS: &str = "select name, lower(type) as kind, pk > 0 as is_key,
        \"notnull\" and dflt_value is null and pk = 0 as required from pragma_table_info($1)";

/// Our table beside, where there is none.
pub(super) const NOTHING_BESIDE: &str = "select null as id, null as username, null as email, null as email_verified,
    null as first_name, null as last_name, null as is_active, null as is_staff, null as is_superuser, null as date_joined,
    null as last_login, null as roles, null as profile, null as version, null as locale, null as delete_at where false";

/// What goes beside the views and their triggers.
pub(super) const PARTS: [&str; 2] = ["index hallpass_usernames", "index hallpass_emails"];

pub(super) const WORDS: Words = Words {
    text: "",
    id: "",
    key: "",
    seconds: |column| format!("cast(strftime('%s', {column}) as integer)"),
    moment: |seconds| format!("strftime('%Y-%m-%d %H:%M:%S', {seconds}, 'unixepoch')"),
    names: |from| format!("(select json_group_array(name) from (select g.name from {from} order by g.name))"),
    unusable: "'!' || hex(randomblob(20))",
    random: "lower(hex(randomblob(6)))",
    differs: "is not",
};

pub(super) fn statements(users: &Users) -> Vec<String> {
    let mut all = vec![view::view(&WORDS, users), insert(users), update(users), delete(users)];
    all.extend(users.groups.as_ref().map(|(link, user)| roles(link, user)));
    if users.addresses {
        all.push(OWN_ADDRESS.into());
        all.extend(ADDRESSES.map(str::to_owned));
    }
    all.extend(view::indexes(&WORDS, users));
    all
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
    let (columns, values) = view::inserted(&WORDS, users);
    let mut text = format!(
        "create trigger accounts_insert instead of insert on accounts begin\n{}  insert into {} ({columns}) values \
         ({values});\n{}",
        refuse_taken(""),
        quoted(&users.table),
        view::note(users, "last_insert_rowid()"),
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
    format!(
        "create trigger accounts_update instead of update on accounts begin\n{}  update {} set\n{}\n  where {} = \
         old.id;\n{}end",
        refuse_taken(" and id <> old.id and new.KEY is not old.KEY"),
        quoted(&users.table),
        view::changed(&WORDS, users),
        quoted(&users.key),
        view::note(users, "old.id")
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

fn delete(users: &Users) -> String {
    format!(
        "create trigger accounts_delete instead of delete on accounts begin\n  update {} set {} where {} = old.id;\n{}end",
        quoted(&users.table),
        view::gone(&WORDS, users),
        quoted(&users.key),
        view::forget(users)
    )
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
