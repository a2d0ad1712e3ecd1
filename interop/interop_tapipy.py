#!/usr/bin/env python3
"""The real tapipy client, as a user, against a local Tapis site and a service.

    interop_tapipy.py --base-url https://tacc.tapis.test --site http://127.0.0.1:PORT --service http://127.0.0.1:PORT --spec bookmarks.yml

--base-url is the tenant's base_url, exactly as GET /v3/tenants lists it. --site and --service say where requests really go (the
service gets the paths that begin like those of the spec); leave them out when base_url itself answers for both.
Constructs Tapis(base_url, username, password), gets tokens, calls the operations of the spec that exist (hello, whoami; list,
create, get, delete of bookmarks), checks errors and envelopes. Prints a line per check; exits 1 when one failed.
"""

import argparse
import json
import os
import uuid

os.environ["NO_PROXY"] = "*"
import requests
import yaml
from checks import attempt, check, check_envelope, field, finish, operation, route
from tapipy import errors
from tapipy.tapis import Tapis

ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
ap.add_argument("--base-url", required=True)
ap.add_argument("--site")
ap.add_argument("--service")
ap.add_argument("--spec", required=True, help="an OpenAPI file")
ap.add_argument("--resource", default="bookmarks", help="the name that the spec gets in tapipy")
ap.add_argument("--username", default="alice")
ap.add_argument("--password", default="secret")
ap.add_argument("--tenant", help="tenant id; then tapipy need not find it by base_url")
ap.add_argument("--client-id", help="with --client-key: also the refresh grant")
ap.add_argument("--client-key")
ap.add_argument("--body", type=json.loads, help="JSON object for create (default: made from the spec)")
ap.add_argument("--legacy", action="store_true", help="the service answers as the Python framework: 400 for every refusal")
a = ap.parse_args()
with open(a.spec) as f:
    paths = list(yaml.safe_load(f)["paths"])
full = [p if p.startswith("/v3/") else "/v3" + p for p in paths]
prefix = "/".join(full[0].split("/")[:3])
route(a.site, a.service, prefix)
unauthorized = 400 if a.legacy else 401


def sample(schema):
    """A value for a property of the request body."""
    for k in ("example", "default"):
        if schema.get(k) is not None:
            return schema[k]
    if schema.get("enum"):
        return schema["enum"][0]
    if schema.get("format") in ("uri", "url"):
        return "https://example.org/" + uuid.uuid4().hex
    kind = schema.get("type")
    return {
        "integer": schema.get("minimum", 1),
        "number": schema.get("minimum", 1),
        "boolean": True,
        "array": [],
        "object": {},
    }.get(kind[0] if isinstance(kind, list) else kind, "interop-" + uuid.uuid4().hex[:8])


def merged(schema):
    """(properties, required) of a schema and its allOf."""
    properties, required = dict(schema.get("properties", {})), list(schema.get("required", []))
    for part in schema.get("allOf", []):
        p, r = merged(part)
        properties.update(p)
        required += r
    return properties, required


def body_for(op):
    """(body, keyword arguments) for create: tapipy wants properties by name, or request_body when the schema itself has none."""
    schema = op.request_body.get("content", {}).get("application/json", {}).get("schema", {})
    properties, required = merged(schema)
    wanted = required or [n for n, p in properties.items() if not p.get("readOnly")]
    body = a.body or {
        n: "https://example.org/" + uuid.uuid4().hex if n in ("url", "uri") else sample(properties.get(n, {})) for n in wanted
    }
    return body, body if schema.get("properties") else {"request_body": body}


def refused(what, kind, f):
    """f() must raise tapipy's error `kind` with the envelope's message."""
    try:
        got = f()
        check(what, False, f"no error, got {got!r}")
    except errors.BaseTapyException as e:
        check(what, type(e) is kind and isinstance(e.message, str), f"{type(e).__name__}: {e.message}")


# ---------------------------------------------------------------- the client and its tokens
t = attempt(
    "construct Tapis(base_url, username, password)",
    lambda: Tapis(
        base_url=a.base_url,
        username=a.username,
        password=a.password,
        tenant_id=a.tenant,
        client_id=a.client_id,
        client_key=a.client_key,
        custom_spec_dict={a.resource: "local: " + os.path.abspath(a.spec)},
    ),
)
if t is None:
    finish()
check("tapipy found the tenant by base_url", bool(t.tenant_id), t.tenant_id)
attempt("get_tokens()", t.get_tokens)
token = t.get_access_jwt()
if not check("an access token", isinstance(token, str) and token.count(".") == 2):
    finish()
claims = t.access_token.claims
check(
    "claims",
    claims.get("tapis/username") == a.username
    and claims.get("tapis/tenant_id") == t.tenant_id
    and claims.get("tapis/token_type") == "access"
    and claims.get("tapis/account_type") == "user"
    and claims.get("sub") == f"{a.username}@{t.tenant_id}",
    claims,
)
check("expires_in() is in the future", t.access_token.expires_in().total_seconds() > 5, t.access_token.expires_in())
attempt("access token verifies with the tenant's public_key", lambda: t.validate_token(token))


def refreshable():
    return hasattr(t.refresh_token, "claims") and callable(getattr(t.refresh_token, "expires_in", None))


check("refresh token verifies with the tenant's public_key", refreshable(), getattr(t.refresh_token, "claims", None))
if a.client_id and a.client_key:
    old = token
    attempt("refresh_tokens()", t.refresh_tokens)
    token = t.get_access_jwt()
    check("refresh grant gave a new access token", token != old and refreshable())

# ---------------------------------------------------------------- operations
api = getattr(t, a.resource, None)
if not check(f"tapipy loaded {a.spec}", api is not None):
    finish()
one = a.resource.rstrip("s")
ops = {
    kind: operation(api, *names)
    for kind, names in {
        "hello": ("hello",),
        "whoami": ("whoami",),
        "list": ("list_" + a.resource, "get_" + a.resource, a.resource + "_list", "list"),
        "create": ("create_" + one, one + "_create", "create"),
        "get": ("get_" + one, one + "_get", "get"),
        "delete": ("delete_" + one, one + "_delete", "delete"),
    }.items()
}
print("     operations:", ", ".join(f"{k}={v.operation_id}" for k, v in ops.items() if v))
if ops["hello"]:
    attempt("hello", ops["hello"])
if ops["whoami"]:
    me = attempt("whoami", ops["whoami"])
    check("whoami: username", field(me, "request_username", "username") == a.username, me)


def listing():
    return ops["list"](**({"limit": 1000} if any(p["name"] == "limit" for p in ops["list"].query_parameters) else {}))


if ops["list"]:
    got = attempt("list", listing)
    check("list: a list", isinstance(got, list), type(got).__name__)
if ops["create"]:
    body, kwargs = body_for(ops["create"])
    made = attempt(f"create {body}", lambda: ops["create"](**kwargs))
    by_id = ops["get"] or ops["delete"]
    name = by_id.path_parameters[-1]["name"] if by_id else "id"
    id = field(made, name, "id", one + "_id", "uuid", "name")
    check("create: an id in the result", id is not None, made)
    if ops["get"] and id is not None:
        got = attempt("get", lambda: ops["get"](**{name: id}))
        check("get: what was created", all(getattr(got, k, None) == v for k, v in body.items() if isinstance(v, (str, int))), got)
    if ops["list"] and id is not None:
        check("list: holds it", id in [field(x, name, "id", one + "_id", "uuid", "name") for x in listing()])
    if ops["delete"] and id is not None:
        attempt("delete", lambda: ops["delete"](**{name: id}))
        if ops["get"]:
            refused("get after delete: NotFoundError", errors.NotFoundError, lambda: ops["get"](**{name: id}))

# ---------------------------------------------------------------- refusals and envelopes, on a GET without path parameters
op = ops["whoami"] or ops["list"]
if op:
    kind = errors.BadRequestError if a.legacy else errors.UnauthorizedError
    refused(
        f"{op.operation_id} with a broken token: {kind.__name__}",
        kind,
        lambda: op(_tapis_headers={"X-Tapis-Token": token[:-8] + "AAAAAAAA"}),
    )
    url = a.base_url + (op.path_name if op.path_name.startswith("/v3/") else "/v3" + op.path_name)
    head = {"X-Tapis-Token": token}
    check_envelope("GET", requests.get(url, headers=head), 200, True)
    missing = requests.get(url)
    check_envelope("GET without a token", missing, unauthorized, False)
    if not a.legacy:
        check(
            "GET without a token: WWW-Authenticate",
            missing.headers.get("www-authenticate", "").startswith("TapisJWT"),
            missing.headers.get("www-authenticate"),
        )
    check_envelope(
        "GET with OBO headers and a user token",
        requests.get(url, headers={**head, "X-Tapis-User": "root", "X-Tapis-Tenant": t.tenant_id}),
        unauthorized,
        False,
    )
    if not a.legacy:
        check_envelope("an unknown path", requests.get(a.base_url + prefix + "/no/such/path", headers=head), 404, False)
        check("OPTIONS without a token is not refused", requests.options(url).status_code < 300)
finish()
