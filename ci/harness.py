"""Processes, ports and folders of the suites that run against a built service. Standard library only.

Everything a suite starts belongs to one `Bench`, which ends it by its process id, whatever happens.
"""

import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

START_SECONDS = 60
STOP_SECONDS = 30
TAIL_LINES = 25
# A token is three base64url parts; a configuration of these suites has one password.
SECRETS = re.compile(rb"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}|mock-password")


# Nobody listens there.
DEAD_PROXIES = dict.fromkeys(
    ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:1"
)


class Failure(Exception):
    """A suite did not pass; the text says why."""


class Bench:
    """A temporary folder and the processes that work in it."""

    def __enter__(self):
        # SIGTERM ends a suite like an exception, so that nothing is left running.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tapisservice-ci-"))
        self.running = []
        return self

    def __exit__(self, kind, error, trace):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not interrupt the tidying up
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.stop()
        if isinstance(error, Exception):
            for process in self.running:
                process.show_tail()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name, *command, **options):
        """Starts a program whose output goes to a file, and returns its `Program`."""
        program = Program(name, [str(part) for part in command], self.folder / f"{name}.log", **options)
        self.running.append(program)
        return program

    def service(self, binary, name, settings, ready=True, environment=None, descriptors=None):
        """Starts the service with the settings on a free port, perhaps with few descriptors; returns it with its `url`."""
        port = free_ports(1)[0]
        path = self.write(f"{name}.json", {**settings, "listen": f"127.0.0.1:{port}"})
        limited = ["sh", "-c", f'ulimit -n {descriptors}; exec "$0"'] if descriptors else []
        # Every suite shows by the way that no proxy of the environment is asked for anything.
        environment = {**DEAD_PROXIES, "TAPIS_CONFIG_PATH": str(path), **(environment or {})}
        program = self.start(name, *limited, binary, environment=environment, cwd=self.folder)
        program.port, program.url = port, f"http://127.0.0.1:{port}"
        program.wait_for_port(port)
        if ready:
            program.wait_until_ready(port, settings["base_path"] + "/ready")
        return program

    def stop(self, *programs):
        """Ends programs in the middle of a suite and checks that each ended well."""
        for program in programs:
            program.terminate()
        for program in programs:
            if program.stop() != 0:
                raise Failure(f"{program.name} ended with {program.process.returncode} on SIGTERM")

    def write(self, name, value):
        path = self.folder / name
        path.write_text(json.dumps(value, indent=1))
        return path


class Program:
    """One running process and the file its output goes to."""

    def __init__(self, name, command, log, environment=None, cwd=None):
        self.name, self.log = name, log
        with open(log, "wb") as out:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env={**clean_environment(), **(environment or {})},
            )

    def terminate(self):
        if self.process.poll() is None:
            self.process.terminate()

    def stop(self):
        """Waits for the end, forces it in the end, and returns the exit code."""
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def wait_for_port(self, port):
        self.wait(lambda: connects(port), f"listen on port {port}")

    def wait_until_ready(self, port, path):
        self.wait(lambda: get_status(port, path) == 200, f"answer 200 at {path}")

    def wait(self, condition, what):
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            if self.process.poll() is not None:
                raise Failure(f"{self.name} ended with {self.process.returncode} before it could {what}")
            if time.monotonic() > deadline:
                raise Failure(f"{self.name} did not {what} within {START_SECONDS} s")
            time.sleep(0.05)

    def check_log_for_secrets(self):
        """No log line may hold a token or the service's password (F24)."""
        found = [line for line in self.log.read_bytes().splitlines() if SECRETS.search(line)]
        if found:
            raise Failure(f"{self.name} logged a token or a password, {len(found)} lines (not shown)")

    def show_tail(self):
        lines = self.log.read_bytes().decode("utf-8", "replace").splitlines()[-TAIL_LINES:]
        print(f"--- {self.name}, last {len(lines)} lines", *lines, sep="\n", flush=True)


def run(command, limit, **options):
    """Runs a suite to its end within `limit` seconds, echoes its output and returns (exit code, output)."""
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**clean_environment(), "PYTHONUNBUFFERED": "1", **options.pop("environment", {})},
        **options,
    )
    timer = threading.Timer(limit, process.kill)
    timer.start()
    try:
        lines = []
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
        code = process.wait()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        expired = not timer.is_alive()
        timer.cancel()
    if expired:
        raise Failure(f"{pathlib.Path(command[1]).name} was not finished within {limit} s")
    return code, "".join(lines)


def clean_environment():
    """What programs need of the environment. The rest stays away: a service reads variables as settings, by `TAPIS_<KEY>` and by
    the plain names of its keys, and a proxy has no business between local programs."""
    return {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ
    }


def free_ports(count):
    """Ports nobody listens on now. All are held until the last one is found, so that they differ. They lie below the range from
    which systems take the ports of outgoing connections, so that none of those gets one before it is used."""
    held = []
    while len(held) < count:
        try:
            held.append(socket.create_server(("127.0.0.1", random.randrange(20000, 32000))))
        except OSError:
            continue
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def connects(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def get_status(port, path):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            return int(connection.recv(64).split(b" ")[1])
    except (OSError, IndexError, ValueError):
        return None
