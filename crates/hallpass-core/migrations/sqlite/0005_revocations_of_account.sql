-- What the log says of one account.

-- Introspection looks each token's account up, however many sessions ended lately.
create index revocations_of_account on revocations (account_id) where account_id is not null;
