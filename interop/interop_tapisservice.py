#!/usr/bin/env python3
"""The real Python tapisservice as the caller: gets service tokens from a local site and calls a service on behalf of a user.

    interop_tapisservice.py --site http://127.0.0.1:18300 --service http://127.0.0.1:PORT --spec bookmarks.yml

--site serves the Tenants and Tokens APIs for every tenant; --service the paths of the spec (default: the site routes them).
The caller is a service of the primary site (--name, --password, --site-id, --admin-tenant), the request is for --user of --tenant.
--legacy: the service answers 400 for every refusal, as the Python framework does. -v prints every request.
Prints a line per check; exits 1 when one failed.
"""

import argparse
import datetime
import json
import os
import tempfile

ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
ap.add_argument("--site", required=True)
ap.add_argument("--service")
ap.add_argument("--spec", required=True, help="an OpenAPI file")
ap.add_argument("--resource", default="bookmarks", help="the service's name in Tapis, and the name the spec gets in tapipy")
ap.add_argument("--name", default="jobs")
ap.add_argument("--password", default="mock-password")
ap.add_argument("--site-id", default="tacc")
ap.add_argument("--admin-tenant", default="admin")
ap.add_argument("--tenant", default="tacc")
ap.add_argument("--user", default="alice")
ap.add_argument("--legacy", action="store_true")
ap.add_argument("-v", action="store_true")
a = ap.parse_args()

os.environ["NO_PROXY"] = "*"
folder = tempfile.TemporaryDirectory()
for variable, name, content in (
    (
        "TAPIS_CONFIG_PATH",
        "config.json",
        {
            "service_name": a.name,
            "service_password": a.password,
            "service_site_id": a.site_id,
            "service_tenant_id": a.admin_tenant,
            "tenants": ["*"],
            "primary_site_admin_tenant_base_url": a.site.rstrip("/"),
            "python_framework_type": "fastapi",
            "log_level": "CRITICAL",
        },
    ),
    ("TAPIS_CONFIGSCHEMA_PATH", "configschema.json", {"type": "object", "properties": {}}),
):
    os.environ[variable] = os.path.join(folder.name, name)
    with open(os.environ[variable], "w") as f:
        json.dump(content, f)

import requests
import yaml
from checks import CALLS, attempt, check, check_envelope, field, finish, operation, route

with open(a.spec) as f:
    first = next(iter(yaml.safe_load(f)["paths"]))
prefix = "/".join((first if first.startswith("/v3/") else "/v3" + first).split("/")[:3])
route(a.site, a.service, prefix)


def trace(since=0):
    for method, url, headers, body, status in CALLS[since:] if a.v else ():
        auth = "Basic" if "Authorization" in headers else "token" if "X-Tapis-Token" in headers else "-"
        print(
            f"     {status} {method} {url} {auth} tenant={headers.get('X-Tapis-Tenant')} user={headers.get('X-Tapis-User')}",
            (body or b"")[:300],
        )
    return len(CALLS)


# ---------------------------------------------------------------- tenants and tokens
def load():
    from tapisservice.auth import get_service_tapis_client
    from tapisservice.tenants import tenant_cache

    return get_service_tapis_client, tenant_cache


get_service_tapis_client, tenant_cache = attempt("import tapisservice (reads the Tenants API)", load) or finish()
check(
    "tenants were loaded", a.tenant in tenant_cache.tenants and a.admin_tenant in tenant_cache.tenants, list(tenant_cache.tenants)
)
check("the primary site was found", tenant_cache.primary_site is not None and tenant_cache.service_running_at_primary_site)
seen = trace()
t = attempt(
    "get_service_tapis_client() and its tokens",
    lambda: get_service_tapis_client(tenants=tenant_cache, custom_spec_dict={a.resource: "local: " + os.path.abspath(a.spec)}),
)
seen = trace(seen)
if t is None:
    finish()
for admin, pair in t.service_tokens.items():
    c, site = pair["access_token"].claims, tenant_cache.tenants[admin].site_id
    want = {
        "tapis/account_type": "service",
        "tapis/username": a.name,
        "tapis/tenant_id": a.admin_tenant,
        "sub": f"{a.name}@{a.admin_tenant}",
        "tapis/token_type": "access",
        "tapis/target_site": site,
    }
    check(f"token for site {site}: claims", {k: c.get(k) for k in want} == want, c)
    ttl = pair["access_token"].expires_in().total_seconds()
    check(
        f"token for site {site}: lives as long as asked (86400 s), has a refresh token",
        86000 < ttl <= 86400 and pair["refresh_token"].refresh_token.count(".") == 2,
        int(ttl),
    )
    attempt(
        f"token for site {site}: verifies with the public_key of {a.admin_tenant}",
        lambda: t.validate_token(pair["access_token"].access_token),
    )

# ---------------------------------------------------------------- calls on behalf of the user
api = getattr(t, a.resource, None)
op = api and (operation(api, "whoami") or operation(api, "list_" + a.resource, "get_" + a.resource, "hello"))
if not check(f"an operation to call in {a.spec}", bool(op)):
    finish()
obo = {"_x_tapis_tenant": a.tenant, "_x_tapis_user": a.user}


def call(what):
    got = attempt(f"{op.operation_id} {what}", lambda: op(**obo))
    if op.operation_id.lower() == "whoami" and got is not None:
        check(
            "it saw the user",
            field(got, "obo_user", "x_tapis_user", "request_username") == a.user
            and field(got, "obo_tenant", "x_tapis_tenant", "request_tenant_id") == a.tenant,
            got,
        )
        check("it saw the caller", field(got, "username") == a.name and field(got, "account_type") == "service")


call(f"on behalf of {a.user}@{a.tenant}")
seen = trace(seen)
mine = next(n for n in t.service_tokens if tenant_cache.tenants[n].site_id == a.site_id)
old = t.service_tokens[mine]["access_token"]
old.expires_at = datetime.datetime.now(datetime.timezone.utc)
call("with a token about to expire")
check(
    "it was refreshed by PUT /v3/tokens",
    t.service_tokens[mine]["access_token"].access_token != old.access_token
    and any(m == "PUT" and u.endswith("/v3/tokens") and s < 300 for m, u, _, _, s in CALLS[seen:]),
)
seen = trace(seen)

# ---------------------------------------------------------------- refusals
if operation(api, "whoami") or op.operation_id.lower() != "hello":
    url = tenant_cache.tenants[a.tenant].base_url.rstrip("/") + (
        op.path_name if op.path_name.startswith("/v3/") else "/v3" + op.path_name
    )
    good = {
        "X-Tapis-Token": t.service_tokens[mine]["access_token"].access_token,
        "X-Tapis-Tenant": a.tenant,
        "X-Tapis-User": a.user,
    }

    def drop(*names):
        return {k: v for k, v in good.items() if k not in names}

    def status(n):
        return 400 if a.legacy else n

    check_envelope("raw GET with token and both OBO headers", requests.get(url, headers=good), 200, True)
    check_envelope("without OBO headers", requests.get(url, headers=drop("X-Tapis-Tenant", "X-Tapis-User")), status(401), False)
    check_envelope("without X-Tapis-User", requests.get(url, headers=drop("X-Tapis-User")), status(401), False)
    check_envelope("for an unknown tenant", requests.get(url, headers={**good, "X-Tapis-Tenant": "no-such-tenant"}), 400, False)
    for admin, pair in t.service_tokens.items():
        if admin != mine:
            check_envelope(
                f"with a token whose target site is {tenant_cache.tenants[admin].site_id}",
                requests.get(url, headers={**good, "X-Tapis-Token": pair["access_token"].access_token}),
                status(401),
                False,
            )
    trace(seen)
finish()
