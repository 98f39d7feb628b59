-- Mails that wait to be sent, secrets that were mailed and work once, and how often one address asks.
-- Times are seconds since 1970 (UTC).

alter table accounts add column locale text;       -- a language tag (BCP 47): in which language mails are written
alter table accounts add column delete_at bigint;  -- when the account goes, unless its owner signs in before

alter table sessions add column amr text not null default 'pwd';   -- how its owner signed in (RFC 8176)

create table tickets (
    hash blob primary key not null,             -- SHA-256 of the secret
    purpose text not null,
    account_id bigint not null,
    bound_to text not null,                     -- a digest of the address and the password that the account had then
    payload text not null,                      -- a JSON object without secrets: what the ticket is for
    code text,                                  -- a MAC of the code that can be typed in the secret's place
    tries_left bigint not null,                 -- how often a code may be tried
    created_at bigint not null,
    expires_at bigint not null
) without rowid;

create unique index tickets_newest_only on tickets (account_id, purpose);
create index tickets_by_expires_at on tickets (expires_at);

create table outbox (
    id blob primary key not null,               -- a UUID version 7
    kind text not null,
    sealed blob,                                -- for whom and about what, under the master key; null once it is done
    created_at bigint not null,
    attempts bigint not null default 0,
    due_at bigint not null,
    claimed_until bigint not null default 0,    -- until then one server is busy with it
    sent_at bigint,
    failed_at bigint,                           -- given up
    last_error text
) without rowid;

create index outbox_by_due_at on outbox (due_at) where sent_at is null and failed_at is null;
create index outbox_by_created_at on outbox (created_at);

create table rates (
    key text primary key not null,              -- a MAC of an address and of what it asks for
    empty_at bigint not null                    -- when it has asked for nothing that still counts
) without rowid;

create index rates_by_empty_at on rates (empty_at);
