-- What those who administer look at: how much happened, and accounts by the beginning of their names.
-- Times are seconds since 1970 (UTC).

create table statistics (
    hour bigint not null,                       -- when it begins
    kind text not null,                         -- of what
    number bigint not null,                     -- how many
    primary key (hour, kind)
) without rowid;

-- Whoever takes a superuser away has to find another one.
create index accounts_superusers on accounts (id) where is_superuser;
