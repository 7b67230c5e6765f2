"""Every statement the driver says. Each text is one round trip and may be said again."""

from __future__ import annotations

BEING_DROPPED = -2
"""``datconnlimit`` of a database whose DROP was interrupted; it can only be dropped (pg_database in the
manual).
"""

_FIND = """\
SELECT current_setting('server_version') AS version,
       r.rolname IS NOT NULL AS role, r.rolcanlogin AS can_login, {verifier} AS verifier,
       d.oid IS NOT NULL AS database, d.datallowconn AS open, d.datconnlimit AS connection_limit,
       pg_get_userbyid(d.datdba) AS owner, shobj_description(d.oid, 'pg_database') AS comment,
       d.datacl IS NULL OR EXISTS (
         SELECT FROM aclexplode(d.datacl) WHERE grantee = 0 AND privilege_type = 'CONNECT') AS public,
       CASE WHEN d.datallowconn AND d.datconnlimit <> -2 AND has_database_privilege(d.oid, 'CONNECT')
            THEN (pg_database_size(d.oid) + 1048575) / 1048576 || ' MB' END AS size
  FROM (SELECT $1::text AS name) AS wanted
  LEFT JOIN {roles} r ON r.rolname = wanted.name
  LEFT JOIN pg_database d ON d.datname = wanted.name"""
FIND = _FIND.format(verifier="NULL::text", roles="pg_roles")
FIND_AS_SUPERUSER = _FIND.format(verifier="r.rolpassword", roles="pg_authid")


def create_role(name: str, verifier: str, *, grant: bool) -> str:
    text = f"CREATE ROLE {_name(name)} LOGIN PASSWORD {_text(verifier)}"
    # Who is not superuser must be a member of a role to give it a database.
    return f"{text}; GRANT {_name(name)} TO CURRENT_USER" if grant else text


def alter_role(name: str, verifier: str, *, grant: bool) -> str:
    text = f"ALTER ROLE {_name(name)} LOGIN PASSWORD {_text(verifier)}"
    return f"{text}; GRANT {_name(name)} TO CURRENT_USER" if grant else text


def allow_login(name: str) -> str:
    return f"ALTER ROLE {_name(name)} LOGIN"


def forbid_login(name: str) -> str:
    return f"ALTER ROLE {_name(name)} NOLOGIN"


def create_database(name: str) -> str:
    # template0 because nobody can be connected to it: a session in template1 would make this fail.
    return f"CREATE DATABASE {_name(name)} OWNER {_name(name)} TEMPLATE template0 ALLOW_CONNECTIONS false"


def open_database(name: str, connection_limit: int, comment: str) -> str:
    database = f"DATABASE {_name(name)}"
    return (
        f"REVOKE CONNECT, TEMPORARY ON {database} FROM PUBLIC;"
        f"ALTER {database} OWNER TO {_name(name)};"
        f"COMMENT ON {database} IS {_text(comment) if comment else 'NULL'};"
        f"ALTER {database} ALLOW_CONNECTIONS true CONNECTION LIMIT {connection_limit:d}"
    )


def drop_database(name: str) -> str:
    return f"DROP DATABASE IF EXISTS {_name(name)} WITH (FORCE)"


def drop_role(name: str) -> str:
    return f"DROP ROLE IF EXISTS {_name(name)}"


def create_extension(name: str) -> str:
    return f"CREATE EXTENSION IF NOT EXISTS {_name(name)}"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _text(text: str) -> str:
    escaped = text.replace("'", "''")
    # Backslashes are plain under standard_conforming_strings, which the server may have turned off.
    return "E'" + escaped.replace("\\", "\\\\") + "'" if "\\" in text else f"'{escaped}'"
