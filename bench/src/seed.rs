//! Fills a Hallpass database with accounts, sessions and revocations, as if much had happened there.
//!
//! Nobody can sign in to these accounts. The server must not run meanwhile: it would not hear of the revocations.

use anyhow::{Context as _, Result, bail};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

/// What a server writes for a password; nobody knows this one.
const PASSWORD: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// `sqlite:PATH` or `postgres://…`, with its tables.
    #[arg(long)]
    database: String,
    /// How many more accounts there are then.
    #[arg(long, default_value_t = 0)]
    accounts: u32,
    /// How many more sessions, of accounts in turn.
    #[arg(long, default_value_t = 0)]
    sessions: u32,
    /// How many more sessions that ended one to three minutes ago, as tokens of theirs may still be around.
    #[arg(long, default_value_t = 0)]
    revocations: u32,
}

/// What is said differently to the two engines.
struct Dialect {
    /// The table `numbers`, with 1 to so many as `n`.
    numbers: fn(u32) -> String,
    now: &'static str,
    uuid: &'static str,
}

const SQLITE: Dialect = Dialect {
    numbers: |count| {
        format!("with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < {count})")
    },
    now: "unixepoch()",
    // As the server's own ids, in the order of their making.
    uuid: "unhex(printf('%012x', unixepoch() * 1000 + n / 1000) || hex(randomblob(10)))",
};

const POSTGRES: Dialect = Dialect {
    numbers: |count| format!("with numbers as (select generate_series(1, {count}) as n)"),
    now: "extract(epoch from now())::bigint",
    uuid: "(lpad(to_hex(extract(epoch from now())::bigint * 1000 + n / 1000), 12, '0') \
           || substr(md5(random()::text), 1, 20))::uuid",
};

/// Writes it in one transaction.
pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let database = &arguments.database;
    if database.starts_with("postgres") {
        let mut connection = PgConnection::connect(database).await?;
        let mut transaction = connection.begin().await?;
        for statement in statements(&POSTGRES, &arguments) {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        // What autovacuum would do soon.
        sqlx::query("vacuum analyze").execute(&mut connection).await?;
    } else if database.starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(database).await.context("no such database")?;
        let mut transaction = connection.begin().await?;
        for statement in statements(&SQLITE, &arguments) {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        sqlx::query("analyze").execute(&mut connection).await?;
        sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut connection).await?;
        connection.close().await?;
    } else {
        bail!("`{database}` is neither `sqlite:PATH` nor `postgres://…`");
    }
    Ok(())
}

fn statements(dialect: &Dialect, arguments: &Arguments) -> Vec<String> {
    let Dialect { numbers, now, uuid } = dialect;
    let (accounts, sessions, revocations) = (arguments.accounts, arguments.sessions, arguments.revocations);
    let before = "(select coalesce(max(id), 0) from accounts)";
    let person = "'seeded' || cast(known.id + n as text)";
    let mut statements = Vec::new();
    if accounts > 0 {
        statements.push(format!(
            "{} insert into accounts (username, username_key, email, email_key, password, date_joined) \
             select {person}, {person}, {person} || '@example.com', {person} || '@example.com', '{PASSWORD}', {now} \
             from numbers, (select {before} as id) as known",
            numbers(accounts)
        ));
    }
    if sessions > 0 {
        statements.push(format!(
            "{} insert into sessions (id, account_id, generation, parent, first_child, rotated_at, created_at, \
             last_used_at, idle_seconds, idle_end, absolute_end, remembered, ip, user_agent) \
             select {uuid}, 1 + n % last.id, 1, 0, 1, {now}, {now}, {now}, 604800, {now} + 604800, {now} + 2592000, \
             true, '10.1.2.3', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' \
             from numbers, (select {before} as id) as last",
            numbers(sessions)
        ));
    }
    if revocations > 0 {
        statements.push(format!(
            "{} insert into revocations (created_at, session_id, cause, forget_at) \
             select {now} - 90 - n % 60, {uuid}, 'signed_out', {now} + 3600 from numbers",
            numbers(revocations)
        ));
    }
    statements
}
