"""A registry whose responses are as large as the service allows, and made to cost as much as they can."""

import gzip
import http.server
import json
import threading

# The most that the service reads of one response, after decompression.
MAX_RESPONSE_BYTES = 8 * 1024 * 1024
RECORD_BYTES = 64 * 1024


def filled(record):
    """A list of one record, over and over, as large as a response may be."""
    count = (MAX_RESPONSE_BYTES - 64) // (len(record) + 1)
    return ",".join([record] * count), count


def bad(count, size=0):
    """Records of tenants that have no base URL."""
    return ",".join(
        json.dumps({"tenant_id": f"bad{number:06}", "site_id": "tacc", "more": "x" * size}) for number in range(count)
    ), count


def branching():
    """Records within all bounds that would be as large as can be as trees."""
    inner = ",".join(['{"a":{}}'] * ((RECORD_BYTES - 200) // 9))
    count = MAX_RESPONSE_BYTES // RECORD_BYTES - 2
    return ",".join(
        f'{{"tenant_id":"tree{number}","site_id":"tacc","base_url":"https://tree{number}.test","more":[{inner}]}}'
        for number in range(count)
    ), count


# What the registry sends, and whether the response is refused as a whole. Records of the good tenants are at the beginning of each.
RESPONSES = {
    "0": (lambda: filled("0"), True),
    "{}": (lambda: filled("{}"), True),
    '{"a":{}}': (lambda: filled('{"a":{}}'), True),
    "bad records": (lambda: bad(120_000), True),
    "bad records within bounds": (lambda: bad(9_900, 700), False),
    "trees within bounds": (branching, False),
}


class Registry:
    """Serves the good records until it is told to serve others, too; both lists alike where that costs more."""

    def __init__(self, sites, tenants):
        self.good = {"/v3/sites": sites, "/v3/tenants": tenants}
        self.calm()
        self.fetches = 0
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):  # pylint: disable=invalid-name
                body = registry.bodies[self.path]
                registry.fetches += self.path == "/v3/tenants"
                self.send_response(200)
                for name, value in (
                    ("Content-Type", "application/json"),
                    ("Content-Encoding", "gzip"),
                    ("Content-Length", len(body)),
                ):
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def calm(self):
        self.bodies = {path: self.pack(json.dumps(records)[1:-1]) for path, records in self.good.items()}

    def serve(self, records):
        """The good tenants and these records; the sites stay."""
        good = json.dumps(self.good["/v3/tenants"])[1:-1]
        text = f"{good},{records}"
        # What is beyond the limit would hide what is within it.
        if len(text) > MAX_RESPONSE_BYTES - 32:
            text = text[: text.rindex(",", 0, MAX_RESPONSE_BYTES - 32)]
        self.bodies = {**self.bodies, "/v3/tenants": self.pack(text)}
        return len(text)

    @staticmethod
    def pack(records):
        return gzip.compress(f'{{"result":[{records}]}}'.encode(), 6)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
