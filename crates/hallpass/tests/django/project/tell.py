"""What a test asks of the project and cannot say in a line: users with all that goes with them, and the database as a
whole.
"""

import json

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.contrib.auth.models import Group
from django.db import connection
from rest_framework_simplejwt.tokens import RefreshToken

User = get_user_model()

# Everything that a schema can have in it, each as kind, name and definition.
POSTGRES = """
select 'schema', nspname, '' from pg_namespace where {ours}
union all select 'extension', extname, '' from pg_extension
union all select 'event trigger', evtname, evtevent from pg_event_trigger
union all select 'relation', relname, concat_ws(' ', relkind, relpersistence, reloptions, relrowsecurity)
    from pg_class join pg_namespace n on n.oid = relnamespace where {ours}
union all select 'column', relname || '.' || attname, concat_ws(' ', format_type(atttypid, atttypmod), attnotnull,
    attidentity, attgenerated, pg_get_expr(adbin, adrelid))
    from pg_attribute join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace
    left join pg_attrdef on adrelid = attrelid and adnum = attnum where attnum > 0 and not attisdropped and {ours}
union all select 'constraint', conname, pg_get_constraintdef(o.oid)
    from pg_constraint o join pg_namespace n on n.oid = connamespace where {ours}
union all select 'index', indexname, indexdef from pg_indexes n where {ours_by_name}
union all select 'view', viewname, definition from pg_views n where {ours_by_name}
union all select 'rule', rulename, definition from pg_rules n where {ours_by_name}
union all select 'trigger', tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
union all select 'function', proname, p.oid::regprocedure::text
    from pg_proc p join pg_namespace n on n.oid = pronamespace where {ours}
union all select 'type', typname, typtype::text
    from pg_type join pg_namespace n on n.oid = typnamespace where {ours} and typtype in ('e', 'd', 'r')
order by 1, 2, 3
""".format(
    ours="nspname !~ '^pg_' and nspname <> 'information_schema'",
    ours_by_name="n.schemaname !~ '^pg_' and n.schemaname <> 'information_schema'",
)
SQLITE = """
select type, name, coalesce(sql, tbl_name) from sqlite_schema
union all select 'file', 'journal', journal_mode from pragma_journal_mode
order by 1, 2, 3
"""

# The text that tells apart all that a column can hold.
AS_STORED = {"sqlite": "quote({})", "postgresql": "{}::text"}


def say(value: object) -> None:
    """The answer to the test: JSON on a line of its own."""
    print(json.dumps(value, default=str))


def database() -> dict[str, object]:
    """The whole schema as lines, and by table and key the rows, each column as text."""
    with connection.cursor() as cursor:
        cursor.execute(SQLITE if connection.vendor == "sqlite" else POSTGRES)
        schema = [" ".join(line) for line in cursor.fetchall()]
        tables = {}
        for table in connection.introspection.table_names(cursor):
            key = connection.introspection.get_primary_key_columns(cursor, table)
            names = [column.name for column in connection.introspection.get_table_description(cursor, table)]
            stored = ", ".join(AS_STORED[connection.vendor].format(connection.ops.quote_name(name)) for name in names)
            cursor.execute(f"select {stored} from {connection.ops.quote_name(table)}")
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            tables[table] = {" ".join(map(str, (row[name] for name in key or names))): row for row in rows}
    return {"schema": schema, "rows": tables}


def people(password: str) -> dict[str, object]:
    """Users as a project has them after some years, and what Django has sent or given to some of them."""
    editors, support = (Group.objects.create(name=name) for name in ("editors", "support"))

    # Once for all of them, since it takes most of a second.
    hashed = make_password(password)

    def user(name: str, **fields: object) -> object:
        return User.objects.create(**{"username": name, "email": f"{name}@example.org", "password": hashed} | fields)

    ada = user("ada", first_name="Ada", last_name="Lovelace", is_staff=True)
    ada.groups.add(editors, support)
    EmailAddress.objects.create(user=ada, email="ada@example.org", primary=True, verified=True)
    EmailAddress.objects.create(user=ada, email="countess@example.org")
    eve = user("eve")
    unverified = EmailAddress.objects.create(user=eve, email="eve@example.org", primary=True)
    rob = user("rob")
    user("ida", is_active=False)
    user("una", password=make_password(None))
    # From a Django of some years ago, and so weak that whoever signs such a user in makes it anew.
    user("old", password=PBKDF2PasswordHasher().encode(password, "thesaltofanoldproject0", iterations=150_000))
    user("root", is_staff=True, is_superuser=True)
    return {
        "refresh": str(RefreshToken.for_user(ada)),
        "refresh_of_inactive": str(RefreshToken.for_user(User.objects.get(username="ida"))),
        "uid": user_pk_to_url_str(rob),
        "token": default_token_generator.make_token(rob),
        "key": EmailConfirmationHMAC(unverified).key,
    }
