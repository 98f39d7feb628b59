-- The addresses of an account, where it can have several.

create table addresses (
    id integer primary key autoincrement,          -- stands in mailed keys, and is never given twice
    account_id bigint not null,
    email text not null,
    email_key text not null,                    -- in lower case: all spellings of one address
    verified boolean not null default false,    -- whether the owner has shown to receive mail there
    unique (account_id, email_key)
);

create index addresses_by_email_key on addresses (email_key);
-- An address belongs to whoever has shown to receive its mail: one account.
create unique index addresses_verified on addresses (email_key) where verified;
