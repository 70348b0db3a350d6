"""Servers that speak TLS alone and know the users that docs/redis.md names: what they are told, and what their clients are."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

DOCUMENTED = Path(__file__).parents[1] / "docs/redis.md"


def rights(user: str, password: str, prefix: str = "hobnob") -> list[str]:
    """What a user may do, as documented: the words behind its name; its keys have this prefix."""
    [line] = [line for line in DOCUMENTED.read_text(encoding="utf-8").splitlines() if line.startswith(f"ACL SETUSER {user} ")]
    return [word.replace("PASSWORD", password).replace("~hobnob:", f"~{prefix}:") for word in line.split()[3:]]


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
