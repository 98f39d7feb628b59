-- Accounts, sessions, keys and the log of what was taken back.
-- Times are seconds since 1970 (UTC). No table refers to `accounts` by a foreign key: it may be a view over somebody else's table.

create table accounts (
    id integer primary key autoincrement,
    username text,                              -- as typed
    username_key text constraint accounts_username_key unique,   -- NFKC and case-folded: what is unique
    email text,
    email_key text constraint accounts_email_key unique,
    email_verified boolean not null default false,
    first_name text not null default '',
    last_name text not null default '',
    password text,                              -- a PHC string; null: no password sign-in
    is_active boolean not null default true,
    is_staff boolean not null default false,
    is_superuser boolean not null default false,
    roles text not null default '[]',           -- a JSON array of strings, sorted
    profile text not null default '{}',         -- a JSON object
    version bigint not null default 1,          -- grows whenever what tokens say of the account changes
    date_joined bigint not null,
    last_login bigint
);

create table sessions (
    id blob primary key not null,
    account_id bigint not null,
    generation bigint not null,                 -- the newest refresh secret issued
    parent bigint not null,                     -- the last one a client proved to hold; -1: none yet
    first_child bigint not null,                -- the oldest successor of the parent
    rotated_at bigint not null,
    created_at bigint not null,
    last_used_at bigint not null,
    idle_seconds bigint not null,
    idle_end bigint not null,
    absolute_end bigint not null,
    remembered boolean not null,
    ip text,
    user_agent text,
    ended_at bigint,
    end_cause text
) without rowid;

create index sessions_of_account on sessions (account_id) where ended_at is null;
create index sessions_by_absolute_end on sessions (absolute_end);

create table keys (
    kid text primary key not null,
    algorithm text not null,
    state text not null,                        -- next, current, retired, revoked
    sealed blob,                                -- the private key under the master key; null once revoked
    created_at bigint not null,
    current_since bigint,
    retired_at bigint
) without rowid;

create unique index keys_one_next_one_current on keys (state) where state in ('next', 'current');

create table revocations (
    id integer primary key autoincrement,
    created_at bigint not null,
    session_id blob,                            -- either: this session has ended
    account_id bigint,                          -- or: tokens of this account below this version are stale
    below_version bigint,
    cause text not null,
    forget_at bigint not null                   -- no token that it concerns can live longer
);

create index revocations_by_created_at on revocations (created_at);
create index revocations_by_forget_at on revocations (forget_at);

create table meta (
    name text primary key not null,
    value text not null
) without rowid;
