"""Stand-ins for the base images, for machines that reach no image registry: made with `debootstrap` and `docker import`.

They are made for tests only. The build image has this machine's Rust and the crates of Cargo.lock, so that a build in it needs
no network; the PostgreSQL image understands POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB as the official one does.
"""

import pathlib
import shutil
import subprocess

from harness import Failure

SUITE = "bookworm"
DEBOOTSTRAP_SECONDS = 900

POSTGRES_ENTRYPOINT = r"""#!/bin/sh
# What of the official image's entry point the tests need.
set -eu
data=/var/lib/postgresql/data
bin=$(echo /usr/lib/postgresql/*/bin)
as_postgres() { setpriv --reuid postgres --regid postgres --init-groups "$@"; }
install -d -o postgres -g postgres -m 700 "$data" /var/run/postgresql
if [ ! -s "$data/PG_VERSION" ]; then
    install -o postgres -m 600 /dev/null /tmp/password
    printf '%s\n' "$POSTGRES_PASSWORD" > /tmp/password
    as_postgres "$bin/initdb" -D "$data" --username="$POSTGRES_USER" --pwfile=/tmp/password \
        --auth=scram-sha-256 --auth-local=trust --encoding=UTF8 >/dev/null
    rm /tmp/password
    echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
    if [ "$POSTGRES_DB" != postgres ]; then
        echo "CREATE DATABASE \"$POSTGRES_DB\"" | as_postgres "$bin/postgres" --single -D "$data" postgres >/dev/null
    fi
fi
# SIGTERM means to PostgreSQL "when all clients have gone", SIGINT "now". An imported image cannot name its stop signal.
setpriv --reuid postgres --regid postgres --init-groups "$bin/postgres" -D "$data" -c listen_addresses='*' &
server=$!
trap 'kill -INT "$server"' TERM INT
wait "$server" || wait "$server"
"""


class StandIns:
    """Makes the images; `names` is what is there to be removed."""

    def __init__(self, folder, repository, prefix):
        self.folder, self.repository, self.prefix = folder, repository, prefix
        self.names = []

    def runtime(self):
        root = self._debian("runtime")
        return self._import("runtime", root)

    def build(self):
        root = self._debian("build", "gcc", "libc6-dev", "ca-certificates")
        sysroot = pathlib.Path(_output("rustc", "--print", "sysroot", cwd=self.repository))
        shutil.copytree(sysroot, root / "usr/local/rust", symlinks=True, ignore=shutil.ignore_patterns("share", "src"))
        for program in ("cargo", "rustc"):
            (root / "usr/local/bin" / program).symlink_to(f"/usr/local/rust/bin/{program}")
        _run("cargo", "vendor", "--quiet", "--locked", root / "usr/local/vendor", cwd=self.repository)
        home = root / "usr/local/cargo"
        home.mkdir()
        (home / "config.toml").write_text(
            '[source.crates-io]\nreplace-with = "vendored"\n\n[source.vendored]\ndirectory = "/usr/local/vendor"\n'
        )
        return self._import("build", root, "ENV CARGO_HOME=/usr/local/cargo")

    def postgres(self):
        root = self._debian("postgres", "postgresql")
        (programs,) = (root / "usr/lib/postgresql").glob("*/bin")
        (root / "usr/local/bin/pg_isready").symlink_to("/" / programs.relative_to(root) / "pg_isready")
        entrypoint = root / "usr/local/bin/entrypoint"
        entrypoint.write_text(POSTGRES_ENTRYPOINT)
        entrypoint.chmod(0o755)
        return self._import(
            "postgres", root, 'ENTRYPOINT ["/usr/local/bin/entrypoint"]', "VOLUME /var/lib/postgresql/data", "EXPOSE 5432"
        )

    def _debian(self, name, *packages):
        """A file system with Debian's essential packages and these."""
        root, log = self.folder / name, self.folder / f"debootstrap-{name}.log"
        include = [f"--include={','.join(packages)}"] if packages else []
        with open(log, "wb") as out:
            result = subprocess.run(
                ["debootstrap", "--variant=minbase", *include, SUITE, root],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                timeout=DEBOOTSTRAP_SECONDS,
            )
        if result.returncode != 0:
            lines = log.read_text("utf-8", "replace").splitlines()[-10:]
            raise Failure("\n".join([f"debootstrap made no {name} image:", *lines]))
        for archive in (root / "var/cache/apt/archives").glob("*.deb"):
            archive.unlink()
        return root

    def _import(self, name, root, *changes):
        """Makes an image of a file system, which is gone afterwards."""
        image = f"{self.prefix}-{name}"
        options = [part for change in changes for part in ("--change", change)]
        with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as tar:
            subprocess.run(["docker", "import", *options, "-", image], stdin=tar.stdout, stdout=subprocess.DEVNULL, check=True)
        if tar.returncode != 0:
            raise Failure(f"tar ended with {tar.returncode}")
        self.names.append(image)
        shutil.rmtree(root)
        return image


def _run(*command, **options):
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True, **options)


def _output(*command, **options):
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True, **options
    ).stdout.strip()
