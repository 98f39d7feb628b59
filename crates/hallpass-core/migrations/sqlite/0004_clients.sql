-- Programs that ask about tokens.
-- Times are seconds since 1970 (UTC).

create table clients (
    id text primary key not null,
    name text not null,
    secret blob not null,                       -- SHA-256
    created_at bigint not null
) without rowid;
