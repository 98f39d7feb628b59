"""Models of users other than Django's own; `USER_MODEL` names the one that a database is made with."""
