-- Where status lists speak of which tokens.
-- Times are seconds since 1970 (UTC).

create table status_indexes (
    id integer primary key autoincrement,          -- never given twice, also after rows are gone
    session_id blob not null,
    account_id bigint not null,
    account_version bigint not null,            -- of the tokens of this session with this version
    expires_at bigint not null                  -- no token that it concerns lives longer
);

create unique index status_indexes_of_session on status_indexes (session_id, account_version);
create index status_indexes_of_account on status_indexes (account_id);
create index status_indexes_by_expires_at on status_indexes (expires_at);
