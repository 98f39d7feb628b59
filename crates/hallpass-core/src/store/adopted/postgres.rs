//! The view and its triggers for PostgreSQL.
//!
//! An update through a view finds its rows without waiting for anybody, so the trigger looks again once it has the row:
//! what was changed meanwhile is not overwritten.

use super::{
    Users, quoted,
    view::{self, Words},
};

pub(super) const TABLES: &str = "select relname::text from pg_class where relkind in ('r', 'p', 'v', 'm')
        and relnamespace = (select oid from pg_namespace where nspname = current_schema()) order by 1";

pub(super) const COLUMNS: &str = "select a.attname::text as name, format_type(a.atttypid, a.atttypmod) as kind,
        coalesce(a.attnum = any(i.indkey), false) as is_key,
        a.attnotnull and not a.atthasdef and a.attidentity = '' as required
     from pg_attribute a join pg_class c on c.oid = a.attrelid left join pg_index i on i.indrelid = c.oid and i.indisprimary
     where c.relname = $1 and pg_table_is_visible(c.oid) and a.attnum > 0 and not a.attisdropped order by a.attnum";

/// Our table beside, where there is none.
pub(super) const NOTHING_BESIDE: &str = "select null::bigint as id, null::text as username, null::text as email,
    null::boolean as email_verified, null::text as first_name, null::text as last_name, null::boolean as is_active,
    null::boolean as is_staff, null::boolean as is_superuser, null::bigint as date_joined, null::bigint as last_login,
    null::text as roles, null::text as profile, null::bigint as version, null::text as locale,
    null::bigint as delete_at where false";

/// What goes beside the views and their triggers.
pub(super) const PARTS: [&str; 9] = [
    "function hallpass_accounts_insert()",
    "function hallpass_accounts_update()",
    "function hallpass_accounts_delete()",
    "function hallpass_addresses_insert()",
    "function hallpass_addresses_update()",
    "function hallpass_addresses_delete()",
    "index hallpass_ids",
    "index hallpass_usernames",
    "index hallpass_emails",
];

pub(super) const WORDS: Words = Words {
    text: "::text",
    id: "::bigint",
    key: " collate \"C\"",
    seconds: |column| format!("floor(extract(epoch from {column}))::bigint"),
    moment: |seconds| format!("to_timestamp({seconds})"),
    names: |from| format!("coalesce((select json_agg(g.name order by g.name) from {from})::text, '[]')"),
    unusable: "'!' || replace(gen_random_uuid()::text, '-', '')",
    random: "left(replace(gen_random_uuid()::text, '-', ''), 12)",
    differs: "is distinct from",
};

pub(super) fn statements(users: &Users) -> Vec<String> {
    let mut all = vec![view::view(&WORDS, users), insert(users), update(users), delete(users)];
    if users.addresses {
        all.push(ADDRESSES.into());
        all.extend(ADDRESSES_WRITTEN.map(|(what, body)| function(&format!("addresses_{what}"), "", body)));
    }
    for view in users.aside() {
        all.extend(["insert", "update", "delete"].map(|what| {
            format!(
                "create trigger {view}_{what} instead of {what} on {view} for each row execute function \
                 hallpass_{view}_{what}()"
            )
        }));
    }
    all.push(format!("create index hallpass_ids on {} (({}::bigint))", quoted(&users.table), quoted(&users.key)));
    all.extend(view::indexes(&WORDS, users));
    all
}

/// Refuses a name that somebody else has, which Django itself may allow. Whoever writes the same name waits.
fn refuse_taken(condition: &str) -> String {
    ["username_key", "email_key"]
        .map(|key| {
            format!(
                "  if {} then\n    perform pg_advisory_xact_lock(hashtextextended(new.{key}, 0));\n    if exists (select 1 \
                 from accounts where {key} = new.{key} and id is distinct from new.id) then\n      raise unique_violation \
                 using constraint = 'accounts_{key}', message = 'this {key} is taken';\n    end if;\n  end if;\n",
                condition.replace("KEY", key)
            )
        })
        .concat()
}

fn function(what: &str, declarations: &str, body: &str) -> String {
    format!(
        "create function hallpass_{what}() returns trigger language plpgsql as $hallpass$\n{declarations}\
         begin\n{body}end $hallpass$"
    )
}

fn insert(users: &Users) -> String {
    let (columns, values) = view::inserted(&WORDS, users);
    let mut body = refuse_taken("new.KEY is not null");
    body.push_str(&format!(
        "  insert into {} ({columns}) values ({values}) returning {} into new.id;\n{}",
        quoted(&users.table),
        quoted(&users.key),
        view::note(users, "new.id")
    ));
    if users.addresses {
        body.push_str(
            "  insert into account_emailaddress (user_id, email, verified, \"primary\") select new.id, new.email_key, \
             new.email_verified, true where new.email_key is not null;\n",
        );
    }
    if let Some((link, user)) = &users.groups {
        body.push_str(&join_groups(link, user));
    }
    function("accounts_insert", "", &(body + "  return new;\n"))
}

/// Puts an account into the groups that its roles name, which are made if there are none.
fn join_groups(link: &str, user: &str) -> String {
    let (link, user) = (quoted(link), quoted(user));
    format!(
        "  insert into auth_group (name) select role from json_array_elements_text(new.roles::json) role\n    on conflict \
         (name) do nothing;\n  insert into {link} ({user}, group_id) select new.id, g.id from auth_group g where g.name in \
         (select json_array_elements_text(new.roles::json))\n    on conflict ({user}, group_id) do nothing;\n"
    )
}

fn update(users: &Users) -> String {
    let row = |row: &str| users.columns.iter().map(|field| format!("{row}.{field}")).collect::<Vec<_>>().join(", ");
    let (table, key) = (quoted(&users.table), quoted(&users.key));
    let mut body = format!(
        "  perform 1 from {table} where {key} = old.id for update;\n  select * into now_is from accounts where id = \
         old.id;\n  if not found then return null; end if;\n  if (now_is.password, now_is.is_active, now_is.version, \
         now_is.delete_at) is distinct from (old.password, old.is_active, old.version, old.delete_at) then\n    -- \
         Somebody was faster: whoever only holds the row gets it as it is, whoever changes it looks again.\n    if new is \
         not distinct from old then return now_is; end if;\n    return null;\n  end if;\n"
    );
    body.push_str(&refuse_taken("new.KEY is not null and new.KEY is distinct from old.KEY"));
    body.push_str(&format!(
        "  if ({}) is distinct from ({}) then\n    update {table} set\n{}\n    where {key} = old.id;\n  end if;\n",
        row("new"),
        row("old"),
        view::changed(&WORDS, users)
    ));
    body.push_str(&view::note(users, "old.id"));
    if let Some((link, user)) = &users.groups {
        body.push_str(&format!(
            "  if new.roles is distinct from old.roles then\n  delete from {} where {} = old.id and group_id not in \
             (select id from auth_group where name in (select json_array_elements_text(new.roles::json)));\n{}  end if;\n",
            quoted(link),
            quoted(user),
            join_groups(link, user)
        ));
    }
    if users.addresses {
        body.push_str(OWN_ADDRESS);
    }
    function("accounts_update", "declare now_is accounts%rowtype;\n", &(body + "  return new;\n"))
}

/// The address of an account is the primary one.
const OWN_ADDRESS: &str =
    "  if (new.email_key, new.email_verified) is distinct from (old.email_key, old.email_verified) then
    update account_emailaddress set \"primary\" = false
    where user_id = old.id and lower(email) is distinct from new.email_key;
    insert into account_emailaddress (user_id, email, verified, \"primary\") select old.id, new.email_key, false, true
    where new.email_key is not null and not exists (select 1 from account_emailaddress where user_id = old.id and
      lower(email) = new.email_key);
    update account_emailaddress set verified = new.email_verified, \"primary\" = true
    where user_id = old.id and lower(email) = new.email_key;
  end if;
";

fn delete(users: &Users) -> String {
    let (table, key) = (quoted(&users.table), quoted(&users.key));
    let body = format!(
        "  perform 1 from {table} where {key} = old.id for update;\n  if (select delete_at from accounts where id = \
         old.id) is distinct from old.delete_at then return null; end if;\n  update {table} set {} where {key} = \
         old.id;\n{}  return old;\n",
        view::gone(&WORDS, users),
        view::forget(users)
    );
    function("accounts_delete", "", &body)
}

/// The list of addresses, which has an account's own one already.
const ADDRESSES: &str = "create view addresses as select id::bigint as id, user_id::bigint as account_id,
    email::text as email, lower(email::text) as email_key, verified from account_emailaddress";

const ADDRESSES_WRITTEN: [(&str, &str); 3] = [
    (
        "insert",
        "  insert into account_emailaddress (user_id, email, verified, \"primary\")
  select new.account_id, new.email_key, coalesce(new.verified, false), false
  where not exists (select 1 from addresses where account_id = new.account_id and email_key = new.email_key);
  return new;
",
    ),
    (
        "update",
        "  update account_emailaddress set verified = new.verified where id = old.id;
  return new;
",
    ),
    (
        "delete",
        "  delete from account_emailaddress where id = old.id;
  return old;
",
    ),
];

pub(super) const LISTED: &str = "select user_id::bigint as account_id, email::text as email,
        lower(email::text) as email_key, verified
     from account_emailaddress where user_id > $1 and user_id <= $2 order by id";

pub(super) const COUNT_ON: &str =
    "select setval(pg_get_serial_sequence('accounts', 'id'), greatest((select max(id) from accounts), 1))";
