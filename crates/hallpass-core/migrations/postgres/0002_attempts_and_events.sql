-- What is kept about people who try to sign in, and about what happened to their accounts.
-- Times are seconds since 1970 (UTC).

create table events (
    id uuid primary key not null,               -- a UUID version 7: in the order of what happened
    at bigint not null,
    event text not null,
    account_id bigint,                          -- whom it concerns; null: the server
    session_id uuid,
    ip text,
    user_agent text,
    request_id text not null,
    actor text not null,                        -- anonymous, account and its id, operator
    cause text
);

create index events_of_account on events (account_id, id);
create index events_by_at on events (at);

create table attempts (
    key text primary key not null,              -- a MAC of the account or device, or of a name that nobody has
    failures bigint not null,                   -- in a row; an attempt counts as one until it has succeeded
    blocked_until bigint not null,              -- a block begins at updated_at
    updated_at bigint not null
);

create index attempts_by_updated_at on attempts (updated_at);
