-- What those who administer look at: how much happened, and accounts by the beginning of their names.
-- Times are seconds since 1970 (UTC).

create table statistics (
    hour bigint not null,                       -- when it begins
    kind text not null,                         -- of what
    number bigint not null,                     -- how many
    primary key (hour, kind)
);

-- Whoever takes a superuser away has to find another one.
create index accounts_superusers on accounts (id) where is_superuser;

-- In the order of their bytes, so that the index finds all keys that begin alike; SQLite has no other order.
alter table accounts
    alter column username_key type text collate "C",
    alter column email_key type text collate "C";
