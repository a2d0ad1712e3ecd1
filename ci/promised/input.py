"""What callers send and administrators write (F22, F23, F25, F26)."""

import json
import random
import socket
import subprocess
import unicodedata

from harness import clean_environment, free_ports

from .stage import SETTINGS, Canary, check, send_request

SEED = 20261122
MUTATIONS = 4000
PLAIN = b'0123456789.-+eE"{}[]:,%/?&=aZ~'
SECRET = "canary-7c1f"
CONFIG_EXIT = 78
LINES_PER_REASON = 20


def f22(stage):
    site = stage.site("f22")
    token = site.token()
    bodies = {
        b'{"name": "canary-7c1f", "stars": "canary-7c1f"}': "/stars",
        b'{"name": ["canary-7c1f"], "stars": 1}': "/name",
        b'{"name": "canary-7c1f"}': "stars",
        b'{"name": "a", "stars": 1e99}': "/stars",
        b'["canary-7c1f"]': "",
        b'"canary-7c1f"': "",
        b'{"name": "canary-7c1f", "stars": 1': "",
        b'{"name": "a", "stars": 99999999999999999999}': "/stars",
        b"canary-7c1f": "",
        b'{"name": "\xff\xfecanary-7c1f", "stars": 1}': "",
        b"[" * 100_000: "",
        b'{"name": "\\ud800canary-7c1f", "stars": 1}': "",
        b"{}": "",
        b'{"name": "a", "name": "canary-7c1f", "stars": 1}': "name",
    }
    for body, place in bodies.items():
        response = post(site, body, token)
        check(
            response.status == 400 and place in response.message and SECRET not in response.message,
            f"{body[:60]!r}: {response.status}, {response.message[:200]}",
        )
    outcome = site.send(mutations(site, token), connections=8)
    check(not any(status >= 500 for status in outcome.statuses), f"changed requests: {outcome}")
    check(site.metric("tapisservice_panics_total") == 0, "there were panics")
    site.end()
    return (
        f"{len(bodies)} malformed bodies: 400 each, with the place and without the value; {MUTATIONS} requests changed at random: {outcome}, "
        "0 of 500 or more"
    )


def post(site, body, token):
    return send_request(
        site.port,
        "POST",
        "/v3/bookmarks/items",
        {"Host": "acme.tapis.test", "X-Tapis-Token": token, "Content-Type": "application/json"},
        body,
    )


def mutations(site, token):
    """Whole requests, with bytes of the body or the head changed, left out and doubled."""
    chance = random.Random(SEED)
    body = b'{"name": "a b", "stars": 5, "more": [1, -2.5e3, null, true, {"x": "\\u00e9"}]}'
    for number in range(MUTATIONS):
        if number % 2:
            yield site.request("/items", token, "POST", body=mutated(chance, body))
        else:
            path = mutated(chance, b"/query?limit=12&x=%41[b]", b"\r\n \t").decode("latin-1")
            host = mutated(chance, b"acme.tapis.test", b"\r\n").decode("latin-1") if number % 8 == 0 else "acme.tapis.test"
            yield site.request(path, token, host=host)


def mutated(chance, text, without=b""):
    text = bytearray(text)
    for _ in range(chance.randint(1, 2)):
        at = chance.randrange(len(text) or 1)
        piece = (
            bytes(chance.choices(range(256), k=1))
            if chance.random() < 0.2
            else bytes(chance.choices(PLAIN, k=chance.randint(0, 3)))
        )
        text[at : at + chance.randint(0, 2)] = bytes(byte for byte in piece if byte not in without)
    return bytes(text) or b"x"


def f23(stage):
    site = stage.site("f23")
    count = 6000
    odd = ["%0a%1b[31mforged", "%0d%0aERROR forged", "%e2%80%a8forged", "%c2%85x", "%00", "caf\xe9", "%7f", "%e2%80%ae"]
    forged, good = site.forged(1000), site.token()
    requests = []
    for number in range(count // 6):
        path = "/" + odd[number % len(odd)]
        requests += [
            site.request(path, forged[number]),
            site.request(path),
            site.request(token="garbage" * (number % 9)),
            site.request(token=good, host=f"nosuch{number}.example"),
            site.request(path, headers="X-Tapis-Tracking-ID: a\tb;c=\xe9\r\n"),
            site.request("/items", forged[number], "POST", body=b"{"),
        ]
    before = len(site.lines(""))
    outcome = site.send(requests, connections=8)
    lines = [json.loads(line) for line in site.lines("")[before:]]
    check(outcome.responses == count and all(400 <= status < 500 for status in outcome.statuses), str(outcome))
    of_requests = [line for line in lines if line.get("request_id")]
    ids = {line["request_id"] for line in of_requests}
    check(len(ids) == len(of_requests), f"{len(of_requests)} lines of {len(ids)} requests")
    by_reason = {}
    for line in of_requests:
        reason = line.get("fields", {}).get("reason", line["message"])
        by_reason[reason] = by_reason.get(reason, 0) + 1
    most = max(by_reason.values())
    check(most <= 2 * LINES_PER_REASON, f"{most} lines for one reason")
    text = site.service.log.read_bytes().decode("utf-8", "backslashreplace")
    raw = sum(unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") and character != "\n" for character in text)
    check(raw == 0, f"{raw} control characters in the log")
    site.end()
    return (
        f"{outcome} in a loop: {len(lines)} log lines, at most 1 per request, at most {most} for one reason "
        f"({LINES_PER_REASON} per minute are allowed) and {len(by_reason)} different ones in all; 0 control characters in the log"
    )


def f25(stage):
    with Canary() as canary:
        site = stage.site("f25", settings={"tenants_refresh_seconds": 1})
        headers = [
            {"jku": canary.url},
            {"x5u": canary.url},
            {"kid": canary.url},
            {"jku": canary.url, "kid": "1"},
            {"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
            {"x5c": [canary.url]},
        ]
        requests = [site.request(token=site.token(header=header, key=key)) for header in headers for key in ("acme", "beta")]
        requests += [
            site.request(token=site.token(key="beta", iss=canary.url)),
            site.request(host=canary.url.removeprefix("http://")),
            site.request("/items", site.token(), "POST", body=json.dumps({"$ref": canary.url, "name": canary.url}).encode()),
            site.request(headers=f"X-Forwarded-Host: 127.0.0.1:{canary.port}\r\nReferer: {canary.url}\r\n"),
        ]
        outcome = site.send(requests)
        check(outcome.responses == len(requests) and max(outcome.statuses) < 500, str(outcome))
        site.mode("redirect", canary.url)
        redirected = site.fetches()
        while site.fetches() < redirected + 2:
            check(site.send(site.good() * 5).only(200), "known tenants while the registry redirects")
        references = refused_reference(stage, canary)
        connections = canary.connections()
        check(connections == 0, f"{connections} connections to the canary")
        site.end()
    return (
        f"{len(requests)} requests that name an address in headers, claims and bodies, 2 redirects of the registry, {references} schema "
        f"with a $ref (exit {CONFIG_EXIT}): 0 connections"
    )


def refused_reference(stage, canary):
    schema = stage.bench.write("f25-schema.json", {"properties": {"own": {"$ref": canary.url}}})
    config = stage.bench.write("f25-config.json", configuration())
    code, stderr = start(stage, {"TAPIS_CONFIG_PATH": str(config), "TAPIS_CONFIGSCHEMA_PATH": str(schema)})
    check(code == CONFIG_EXIT, f"a schema with a $ref: exit {code}, {stderr}")
    return 1


def f26(stage):
    folder = stage.bench.folder / "f26"
    folder.mkdir()
    good = json.dumps(configuration())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        cases = {
            "no JSON": f'{{"service_password": "{SECRET}", ',
            "empty": "",
            "array": f'["{SECRET}"]',
            "no text": b'{"service_password": "\xff"}',
            "duplicate key": good[:-1] + f', "service_password": "{SECRET}"}}',
            "byte order mark": "\ufeff{" + SECRET,
            "variable that is not set": edited(service_password="$env{F26_NOT_SET}"),
            "wrong type": edited(show_traceback=SECRET),
            "object for text": edited(service_password={"value": SECRET}),
            "out of bounds": edited(tenants_refresh_seconds=-7061),
            "no listen address": edited(listen=SECRET),
            "no URL": edited(primary_site_admin_tenant_base_url=SECRET),
            "unknown level": edited(log_level=SECRET),
            "required key missing": edited(service_name=None),
            "port in use": edited(listen=f"127.0.0.1:{taken.getsockname()[1]}"),
            "log file in no folder": edited(log_file="/nowhere/at/all/service.log"),
            "file missing": None,
            "folder for a file": ...,
        }
        for what, text in cases.items():
            code, stderr = start(stage, {"TAPIS_CONFIG_PATH": str(written(folder / what.replace(" ", "-"), text))})
            lines = stderr.splitlines()
            check((code, len(lines)) == (CONFIG_EXIT, 1), f"{what}: exit {code}, {len(lines)} lines: {stderr[:500]}")
            check(SECRET not in stderr and "-7061" not in stderr, f"{what}: the value is printed")
    return f"{len(cases)} bad configurations ({', '.join(cases)}): exit {CONFIG_EXIT} and 1 line each, 0 values printed"


def configuration():
    return {**SETTINGS, "primary_site_admin_tenant_base_url": "http://127.0.0.1:1", "listen": f"127.0.0.1:{free_ports(1)[0]}"}


def edited(**changes):
    return json.dumps({key: value for key, value in {**configuration(), **changes}.items() if value is not None})


def written(path, text):
    if text is ...:
        path.mkdir()
    elif text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def start(stage, variables):
    """A service that does not start: its exit code and what it says on its standard error."""
    done = subprocess.run(
        [stage.binary],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**clean_environment(), **variables},
        cwd=stage.bench.folder,
        timeout=20,
        check=False,
    )
    return done.returncode, done.stderr.decode("utf-8", "replace")
