"""Sends the requests of a plan one after the other, each followed by another one on the same connection, unless the response said that
it closes. By `requests`, where there is one, and `http.client`; or by bare sockets, which send the body after the response.

    pooled_client.py pool|socket PORT PLAN

Prints a line for each response, `STATUS closes|stays`, then `followed STATUS`, and for each request that was lost `lost WHICH WHY`.
"""

import http.client
import itertools
import socket
import sys

try:
    import requests
except ImportError:
    requests = None

TIMEOUT_SECONDS = 30
CHUNK = 8000


def main(kind, port, plan):
    senders = [Bare(port)] if kind == "socket" else [HttpClient(port)] + ([Session(port)] if requests else [])
    with open(plan) as lines:
        requests_of_the_plan = [line.rstrip("\n").split("\t") for line in lines]
    for sender, line in zip(itertools.cycle(senders), requests_of_the_plan):
        case = Case(*line)
        try:
            status, closes = sender.refused(case)
            print(status, "closes" if closes else "stays")
        except (OSError, http.client.HTTPException, EOFError) as error:
            print(f"lost refused {case.method} {case.path} {case.size} {case.framing}: {error!r}")
            sender.renew()
            continue
        try:
            print("followed", sender.follow_up(case))
        except (OSError, http.client.HTTPException, EOFError) as error:
            print(f"lost follow-up of {case.method} {case.path} {case.size} {case.framing}: {error!r}")
            sender.renew()


class Case:
    def __init__(self, method, path, token, size, framing, follow_method, follow_path, follow_token, follow_body):
        self.method, self.path, self.body, self.framing = method, path, b"x" * int(size), framing
        self.headers, self.size = headers(token), size
        self.follow = follow_method, follow_path, headers(follow_token), follow_body.encode()

    def chunks(self):
        return (self.body[start : start + CHUNK] for start in range(0, len(self.body), CHUNK))


def headers(token):
    return {"Content-Type": "application/json", **({"X-Tapis-Token": token} if token else {})}


class HttpClient:
    """Opens a connection anew only when a response said that it closes."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)

    def renew(self):
        self.connection.close()

    def refused(self, case):
        chunked = "chunked" in case.framing
        extra = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(len(case.body))}
        self.connection.request(
            case.method, case.path, case.chunks() if chunked else case.body, {**case.headers, **extra}, encode_chunked=chunked
        )
        return self.read()

    def follow_up(self, case):
        method, path, fields, body = case.follow
        self.connection.request(method, path, body or None, fields)
        return self.read()[0]

    def read(self):
        response = self.connection.getresponse()
        response.read()
        return response.status, response.will_close


class Session:
    """A pool that repeats nothing."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"
        self.renew()

    def renew(self):
        self.session = requests.Session()
        self.session.trust_env = False

    def refused(self, case):
        body = case.chunks() if "chunked" in case.framing else case.body
        return self.read(case.method, case.path, case.headers, body)

    def follow_up(self, case):
        return self.read(*case.follow)[0]

    def read(self, method, path, fields, body):
        response = self.session.request(
            method, self.url + path, headers=fields, data=body or None, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
        return response.status_code, response.headers.get("connection") == "close"


class Bare:
    """Sends the body when the response is there, as far as that can be, or with the head; asks with `Expect` as the plan says."""

    def __init__(self, port):
        self.port, self.connection, self.rest = port, None, b""

    def renew(self):
        if self.connection:
            self.connection.close()
        self.connection, self.rest = None, b""

    def refused(self, case):
        chunked, expect = "chunked" in case.framing, "expect" in case.framing
        body = (
            case.body
            if not chunked
            else b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in case.chunks()) + b"0\r\n\r\n"
        )
        fields = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": len(case.body)}
        if expect:
            fields["Expect"] = "100-continue"
        late = expect or (not chunked and "late" in case.framing)
        self.send(head(case.method, case.path, {**case.headers, **fields}) + (b"" if late else body))
        status, closes = self.read(case.method)
        if status == 100:
            self.send(body)
            status, closes = self.read(case.method)
        elif late and not closes:
            self.send(body)
        if closes:
            self.check_end()
        return status, closes

    def follow_up(self, case):
        method, path, fields, body = case.follow
        self.send(head(method, path, {**fields, "Content-Length": len(body)}) + body)
        status, closes = self.read(method)
        if closes:
            self.renew()
        return status

    def send(self, data):
        self.connection = self.connection or socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_SECONDS)
        self.connection.sendall(data)

    def read(self, method):
        while b"\r\n\r\n" not in self.rest:
            self.more()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        head = head.lower()
        status = int(head.split(b" ")[1])
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        while len(self.rest) < length and method != "HEAD":
            self.more()
        self.rest = self.rest[0 if method == "HEAD" else length :]
        return status, b"\r\nconnection: close" in head

    def check_end(self):
        """What said that it closes ends, and not by a reset."""
        while self.connection.recv(4096):
            pass
        self.renew()

    def more(self):
        part = self.connection.recv(65536)
        if not part:
            raise EOFError("the connection ended")
        self.rest += part


def head(method, path, fields):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in fields.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
