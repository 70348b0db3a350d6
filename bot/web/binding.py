"""The socket on which the pages are served, before their library is loaded: a router begins with it. Serving them: `app.py`."""

from __future__ import annotations

import errno
import ipaddress
import socket

from bot.config import Config
from bot.errors import ConfigError


def bind(config: Config) -> socket.socket:
    """The socket to serve on, before anything else is started; ConfigError when the port is taken or the address is not ours."""
    host, port = config.web.host, config.web.port
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ConfigError(_explained(error, host, port)) from error


def _explained(error: OSError, host: str, port: int) -> str:
    where = f"web.host {host}, web.port {port}"
    if error.errno == errno.EADDRINUSE:
        return f"{where}: another program listens there already, perhaps another Hobnob. Stop it, or choose another web.port (0 takes any)."
    if error.errno == errno.EACCES:
        return f"{where}: this user may not listen there. Choose a web.port from 1024 on."
    return f"{where}: cannot listen there: {error.strerror or error}. web.host is 127.0.0.1, or an address of this machine."


def url(bound: socket.socket) -> str:
    """Where a browser on this machine finds the pages."""
    host, port = bound.getsockname()[:2]
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
