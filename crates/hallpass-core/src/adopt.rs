//! Taking over a Django project's database in place: its users are our accounts, and it goes on with them as before.
//!
//! `accounts` becomes a view over the user table, with triggers that write through it; our other tables lie beside
//! Django's. No table of Django's is altered. It gets two or three indexes, which go with the view.

use std::collections::BTreeMap;

use crate::{
    Code, Config, Db, Error, Result,
    config::{NameRules, PasswordEncoding},
    store::{
        self,
        adopted::{ADOPTED, Column, FIELDS, OURS, Users},
    },
};

/// Which table it is about, and what nobody but its owner knows.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// `auth_user`, or the table of the project's own user model.
    pub user_table: String,
    /// What a new user gets in columns that Django fills and we know nothing of: the text of a value for each.
    pub defaults: BTreeMap<String, String>,
}

/// What would be done.
#[derive(Debug)]
pub struct Plan {
    /// What a person should know before, a sentence each.
    pub remarks: Vec<String>,
    /// What our own tables are made by, where they are not there yet.
    pub migrations: Vec<String>,
    /// What is done then, all or nothing.
    pub statements: Vec<String>,
    journal: Option<String>,
}

/// Looks at the database, and says what adopting it would do; a second time it makes the view anew.
///
/// # Errors
/// [`Code::ValidationFailed`] with the reason for which this database cannot be adopted; [`Code::Unavailable`].
pub async fn plan(db: &Db, wishes: &Wishes) -> Result<Plan> {
    let tables = db.tables().await?;
    let has = |name: &str| tables.iter().any(|table| table == name);
    let before = if has("meta") { adopted(db).await? } else { None };
    let stands = before.clone().filter(|_| has("hallpass_accounts"));
    if !has("_sqlx_migrations")
        && let Some(table) = OURS.into_iter().find(|table| has(table))
    {
        return Err(refused(format!(
            "There is a table `{table}` already, and ours has that name: on PostgreSQL give ours a schema of their own \
             (`create schema hallpass`, and `?options[search_path]=hallpass,public` at the end of the database's address)"
        )));
    }
    if stands.is_none() && has("accounts") && has("_sqlx_migrations") && db.count("accounts").await? > 0 {
        return Err(refused(
            "This database has accounts of Hallpass already: adopt a database without, or copy the users with `hallpass \
             import django`",
        ));
    }
    if let Some(before) = before.as_ref().filter(|before| before.table != wishes.user_table) {
        return Err(refused(format!("This database was adopted with `{}`: un-adopt it first", before.table)));
    }
    let users = users(db, wishes, before.and_then(|users| users.journal)).await?;
    let mut statements = stands.map_or_else(Vec::new, |users| db.statements_to_step_aside(&users));
    statements.extend(db.statements_to_adopt(&users));
    statements.push(note(&users)?);
    let remarks = remarks(db, &users).await?;
    let migrations = if has("_sqlx_migrations") { Vec::new() } else { db.migrations() };
    Ok(Plan { remarks, migrations, statements, journal: None })
}

/// Says what it would take to leave nothing of ours in the database.
///
/// # Errors
/// [`Code::NotFound`] if it was not adopted; [`Code::Unavailable`].
pub async fn plan_to_undo(db: &Db) -> Result<Plan> {
    let tables = db.tables().await?;
    let has = |name: &str| tables.iter().any(|table| table == name);
    let users = if has("meta") && has("hallpass_accounts") { adopted(db).await? } else { None };
    let Some(users) = users else {
        return Err(Error::new(Code::NotFound, "This database was not adopted: there is nothing to undo"));
    };
    let remarks = vec![
        format!("`{}` stays as it is now, with everybody who signed up meanwhile", users.table),
        "Everybody is signed out of Hallpass; its sessions, keys, audit log and settings of accounts that Django has no \
         column for are gone for good"
            .to_owned(),
    ];
    Ok(Plan { remarks, migrations: Vec::new(), statements: db.statements_to_unadopt(&users), journal: users.journal })
}

/// Does what was planned.
///
/// # Errors
/// [`Code::Unavailable`]; then nothing has happened, but that our empty tables may be there.
pub async fn apply(db: &Db, plan: &Plan) -> Result<()> {
    if !plan.migrations.is_empty() {
        db.migrate().await?;
    }
    db.run_all(&plan.statements).await?;
    if let Some(journal) = &plan.journal
        && let Err(error) = db.set_journal(journal).await
    {
        // What was asked for is done; only the form of the file is another one, which Django reads as well.
        tracing::warn!(%error, "another program has the file open: it keeps its write-ahead log");
    }
    Ok(())
}

/// Whether names and passwords are written as Django reads them, where it does.
pub(crate) async fn check(db: &Db, config: &Config) -> Result<()> {
    let as_django = config.accounts.names == NameRules::Django && config.passwords.encoding == PasswordEncoding::Django;
    if as_django || adopted(db).await?.is_none() {
        return Ok(());
    }
    let detail = "This database is a Django project's: set `accounts.names = \"django\"` and `passwords.encoding = \
        \"django\"`, so that Django can go on reading what is written";
    Err(Error::new(Code::InvalidRequest, detail))
}

/// The user table over which `accounts` is a view.
pub(crate) async fn adopted(db: &Db) -> Result<Option<Users>> {
    let mut reader = db.read().await?;
    let noted = store::meta::get(reader.conn(), ADOPTED).await;
    match noted {
        Ok(noted) => noted.map(|noted| serde_json::from_str(&noted).map_err(Error::internal)).transpose(),
        // Before the first migration there is no table to ask.
        Err(sqlx::Error::Database(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What the user table is like, if it is one that we can work on.
async fn users(db: &Db, wishes: &Wishes, journal: Option<String>) -> Result<Users> {
    let table = &wishes.user_table;
    let (users, columns) = look(db, table).await?;
    let named = |name: &str| columns.iter().find(|column| column.name == name);
    if let Some(key) = columns.iter().find(|column| column.is_key && !is_whole(column)) {
        return Err(refused(format!(
            "The primary key of `{table}` is `{}` ({}), and accounts have whole numbers: copy the users with `hallpass \
             import django` instead",
            key.name, key.kind
        )));
    }
    let unknown = |column: &&Column| column.required && !column.is_key && !FIELDS.contains(&column.name.as_str());
    for column in columns.iter().filter(unknown) {
        if !wishes.defaults.contains_key(&column.name) {
            let name = &column.name;
            return Err(refused(format!(
                "`{table}` has a column `{name}` ({}) that a new user needs: say what it gets with `--default \
                 {name}=VALUE`",
                column.kind
            )));
        }
    }
    if let Some(name) = wishes.defaults.keys().find(|name| named(name).is_none() || FIELDS.contains(&name.as_str())) {
        return Err(refused(format!("`--default {name}=…`: `{table}` has no such column, or we fill it ourselves")));
    }
    let journal = match journal {
        Some(journal) => Some(journal),
        None => db.journal().await?,
    };
    let mut defaults = wishes.defaults.clone();
    for (column, value) in &mut defaults {
        // SQLite would keep the word, which is true whatever it says.
        if let (Db::Sqlite { .. }, Some("bool" | "boolean")) = (db, named(column).map(|column| column.kind.as_str())) {
            *value = match value.as_str() {
                "0" | "false" => "0".into(),
                "1" | "true" => "1".into(),
                other => return Err(refused(format!("`--default {column}={other}`: write `true` or `false`"))),
            };
        }
    }
    Ok(Users { defaults, journal, ..users })
}

/// What can be read of the user table, and its columns.
pub(crate) async fn look(db: &Db, table: &str) -> Result<(Users, Vec<Column>)> {
    let columns = db.columns(table).await?;
    if columns.is_empty() {
        let detail = "name the table of the project's user model with `--user-table`";
        return Err(refused(format!("There is no table `{table}`: {detail}")));
    }
    let has = |name: &str| columns.iter().any(|column| column.name == name);
    if !has("password") || !(has("username") || has("email")) {
        return Err(refused(format!("`{table}` is no user table: it needs `password`, and `username` or `email`")));
    }
    let mut keys = columns.iter().filter(|column| column.is_key);
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Err(refused(format!("`{table}` has no primary key of one column")));
    };
    let addresses = db.columns("account_emailaddress").await?;
    let users = Users {
        table: table.to_owned(),
        key: key.name.clone(),
        columns: FIELDS.into_iter().filter(|field| has(field)).map(str::to_owned).collect(),
        defaults: BTreeMap::new(),
        groups: groups_of(db, table).await?,
        addresses: has("email") && addresses.iter().any(|column| column.name == "user_id"),
        email_can_be_null: columns.iter().any(|column| column.name == "email" && !column.required),
        journal: None,
    };
    Ok((users, columns))
}

/// Whether a key can be an account's id.
pub(crate) fn is_whole(key: &Column) -> bool {
    ["integer", "bigint", "smallint"].contains(&key.kind.as_str())
}

/// The table that links users to groups: Django calls it after the user table, and its column after the model.
async fn groups_of(db: &Db, table: &str) -> Result<Option<(String, String)>> {
    let link = format!("{table}_groups");
    if db.columns("auth_group").await?.is_empty() {
        return Ok(None);
    }
    let columns = db.columns(&link).await?;
    let user = columns.into_iter().find(|column| column.name.ends_with("_id") && column.name != "group_id");
    Ok(user.map(|user| (link, user.name)))
}

async fn remarks(db: &Db, users: &Users) -> Result<Vec<String>> {
    let table = &users.table;
    let mut remarks = vec![format!("{} users of `{table}` become accounts; none is changed", db.count(table).await?)];
    let groups = "Roles are Django's groups; a role that is granted makes its group";
    remarks.push(if users.groups.is_some() {
        groups.into()
    } else {
        "Roles are kept beside: no groups were found".into()
    });
    if users.addresses {
        remarks.push("Whether an address is verified is what allauth's `account_emailaddress` says".into());
    }
    for field in users.columns.iter().filter(|field| ["username", "email"].contains(&field.as_str())) {
        match db.look_alikes(table, field).await? {
            0 => {}
            count => remarks.push(format!(
                "{count} values of `{field}` are there in more than one spelling, or more than once: `username` is told \
                 apart as typed; of an `email` the one counts that is verified"
            )),
        }
    }
    let of = |field: &str| if users.columns.iter().any(|column| column == field) { "" } else { "no " };
    remarks.push(format!("Accounts have {}user names and {}addresses", of("username"), of("email")));
    if users.journal.as_deref().is_some_and(|journal| journal != "wal") {
        remarks.push("The file is written with a write-ahead log from then on, which Django does not notice".into());
    }
    remarks.push(
        "Set `accounts.names = \"django\"` and `passwords.encoding = \"django\"`, so that Django reads what is written"
            .into(),
    );
    Ok(remarks)
}

/// The statement that keeps what was adopted.
fn note(users: &Users) -> Result<String> {
    let noted = serde_json::to_string(users).map_err(Error::internal)?.replace('\'', "''");
    Ok(format!(
        "insert into meta (name, value) values ('{ADOPTED}', '{noted}') on conflict (name) do update set value = \
         excluded.value"
    ))
}

pub(crate) fn refused(reason: impl Into<String>) -> Error {
    Error::new(Code::ValidationFailed, reason.into())
}
