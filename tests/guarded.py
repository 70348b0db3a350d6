"""Servers and Sentinels that speak TLS alone and know the users that docs/redis.md names: what they are told, and how they are reached."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

DOCUMENTED = Path(__file__).parents[1] / "docs/redis.md"


def rights(user: str, password: str, prefix: str = "hobnob") -> list[str]:
    """What a user may do, as documented: the words behind its name; its keys have this prefix."""
    [line] = [line for line in DOCUMENTED.read_text(encoding="utf-8").splitlines() if line.startswith(f"ACL SETUSER {user} ")]
    return [
        word.replace("PASSWORD", password).replace("~hobnob:", f"~{prefix}:").replace("&hobnob:", f"&{prefix}:")
        for word in line.split()[3:]
    ]


@dataclass(frozen=True, slots=True)
class Certificate:
    """One that vouches for itself, made by openssl in a folder; for these addresses."""

    folder: Path

    @classmethod
    def made(cls, folder: Path, *addresses: str) -> Certificate:
        """A new one, for a day."""
        names = ",".join(f"IP:{address}" for address in ("127.0.0.1", *addresses))
        subject = ["-subj", "/CN=localhost", "-addext", f"subjectAltName={names}"]
        files = ["-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"]
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        subprocess.run(["openssl", "req", "-x509", *curve, "-nodes", "-days", "1", *files, *subject], check=True, capture_output=True)
        return cls(folder)

    @property
    def query(self) -> str:
        """What an address says of it, behind its `?`."""
        return f"ssl_ca_certs={self.folder}/cert.pem"

    def serving(self, port: int) -> dict[str, str]:
        """What a server is told, so that it listens at this port, and at none without TLS."""
        files = {"tls-cert-file": f"{self.folder}/cert.pem", "tls-key-file": f"{self.folder}/key.pem"}
        return {"port": "0", "tls-port": f"{port}", **files, "tls-ca-cert-file": f"{self.folder}/cert.pem", "tls-auth-clients": "no"}


def options(told: dict[str, str]) -> list[str]:
    """As arguments."""
    return [word for name, value in told.items() for word in (f"--{name}", value)]


@dataclass(frozen=True, slots=True)
class Guarded:
    """A primary, its replicas and their Sentinels, with one certificate, a password for the servers' users and one for the Sentinels'."""

    certificate: Certificate
    word: str
    watchword: str
    prefix: str = "hobnob"

    def server(self, host: str, port: int, told: dict[str, str], *more: str, of: tuple[str, int] | None = None) -> str:
        """The configuration of a server, a replica `of` another; `told` and the lines of `more` besides."""
        follows = {} if of is None else {"replicaof": f"{of[0]} {of[1]}"}
        among = {"tls-replication": "yes", "masteruser": "replica", "masterauth": self.word, "repl-diskless-sync-delay": "0"}
        users = [self._user(name, self.word) for name in ("hobnob", "replica", "sentinel")]
        return _lines(self.certificate.serving(port) | {"bind": host, "save": '""'} | among | told | follows, *more, *users)

    def sentinel(self, host: str, port: int, primary: tuple[str, int], quorum: int, patience: int) -> str:
        """The configuration of a Sentinel, which takes a primary for dead after so many ms, when so many of them do."""
        watching = {"sentinel monitor main": f"{primary[0]} {primary[1]} {quorum}", "sentinel failover-timeout main": "3000"}
        known = {"sentinel auth-user main": "sentinel", "sentinel auth-pass main": self.word}
        others = {"sentinel sentinel-user": "peer", "sentinel sentinel-pass": self.watchword}
        patient = {"sentinel down-after-milliseconds main": f"{patience}"}
        users = [self._user(name, self.watchword) for name in ("asking", "peer")]
        told = self.certificate.serving(port) | {"bind": host, "tls-replication": "yes"} | watching | patient | known | others
        return _lines(told, f"user default on >{self.watchword} ~* &* +@all", *users)

    def _user(self, name: str, password: str) -> str:
        return f"user {name} {' '.join(rights(name, password, self.prefix))}"

    def url(self, *sentinels: tuple[str, int]) -> str:
        """How Hobnob is told of all these."""
        known = f"sentinel_username=asking&sentinel_password={self.watchword}&{self.certificate.query}"
        return f"rediss+sentinel://hobnob:{self.word}@{','.join(f'{host}:{port}' for host, port in sentinels)}/main/0?{known}"


def _lines(told: dict[str, str], *more: str) -> str:
    return "".join(f"{line}\n" for line in (*(f"{name} {value}" for name, value in told.items()), *more))
