"""Machines in network namespaces of their own, on one bridge, for whoever is alone in one already. Who is: `__main__.py`."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field

APART = ["unshare", "--map-root-user", "--net"]
"""Begins a program in a network of its own; no rights are needed where the system allows that."""

HERE = "10.77.0.254"
"""Where people are."""


def possible() -> bool:
    """Whether this system lets its users have networks."""
    if any(shutil.which(program) is None for program in ("unshare", "nsenter", "ip")):
        return False
    tried = [*APART, "sh", "-c", "ip link add name bridge type bridge && unshare --net true"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


def _do(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


@dataclass
class Network:
    """So many machines and a bridge."""

    count: int
    _holders: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        _do("ip", "link", "set", "lo", "up")
        _do("ip", "link", "add", "name", "bridge", "type", "bridge")
        _do("ip", "address", "add", f"{HERE}/24", "dev", "bridge")
        _do("ip", "link", "set", "bridge", "up")
        for number in range(self.count):
            self._join(number)

    def _join(self, number: int) -> None:
        """A namespace lives as long as somebody is in it."""
        holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep infinity"], stdout=subprocess.PIPE)
        assert holder.stdout is not None
        holder.stdout.readline()
        self._holders.append(holder)
        _do("ip", "link", "add", "name", f"to-{number}", "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
        _do("ip", "link", "set", f"to-{number}", "master", "bridge", "up")
        for words in (
            ("link", "set", "lo", "up"),
            ("address", "add", f"{self.address(number)}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
        ):
            _do(*self.on(number), "ip", *words)

    @staticmethod
    def address(number: int) -> str:
        """Where a machine is."""
        return f"10.77.0.{number + 1}"

    def on(self, number: int) -> list[str]:
        """What begins a program there."""
        return ["nsenter", "--target", str(self._holders[number].pid), "--net"]

    def cable(self, number: int, state: str) -> None:
        """Plugs a machine in ("up") or out ("down"); nobody is told."""
        _do("ip", "link", "set", f"to-{number}", state)

    def close(self) -> None:
        """All of it goes with those who hold it."""
        for holder in self._holders:
            holder.kill()
            holder.wait()
            assert holder.stdout is not None
            holder.stdout.close()
