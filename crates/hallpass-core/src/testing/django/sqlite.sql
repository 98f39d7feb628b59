-- What Django and allauth keep of users, as their migrations make it.
create table auth_user (
    id integer not null primary key autoincrement,
    password varchar(128) not null,
    last_login datetime null,
    is_superuser bool not null,
    username varchar(150) not null unique,
    last_name varchar(150) not null,
    email varchar(254) not null,
    is_staff bool not null,
    is_active bool not null,
    date_joined datetime not null,
    first_name varchar(150) not null
);
create table auth_group (id integer not null primary key autoincrement, name varchar(150) not null unique);
create table auth_user_groups (
    id integer not null primary key autoincrement,
    user_id integer not null references auth_user (id) deferrable initially deferred,
    group_id integer not null references auth_group (id) deferrable initially deferred
);
create unique index auth_user_groups_once on auth_user_groups (user_id, group_id);
create table account_emailaddress (
    id integer not null primary key autoincrement,
    verified bool not null,
    "primary" bool not null,
    user_id integer not null references auth_user (id) deferrable initially deferred,
    email varchar(254) not null
);
create unique index account_emailaddress_once on account_emailaddress (user_id, email);
create unique index account_emailaddress_primary on account_emailaddress (user_id, "primary") where "primary";
create unique index account_emailaddress_verified on account_emailaddress (email) where verified;
