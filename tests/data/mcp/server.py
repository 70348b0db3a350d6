"""A server of the Model Context Protocol over stdio, by the protocol's own library."""

import os

from mcp.server.mcpserver import Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError

server = MCPServer("calculator")


@server.tool()
def add(a: int, b: int) -> str:
    """Adds two numbers."""
    return str(a + b)


@server.tool(name="Secret-Word")
def secret() -> str:
    """Says a word that its environment has."""
    return os.environ["WORD"]


@server.tool()
def plot() -> Image:
    """Draws."""
    return Image(data=b"\x89PNG picture", format="png")


@server.tool()
def die() -> str:
    """Ends the server."""
    os._exit(1)


@server.tool()
def divide(a: int, b: int) -> str:
    """Divides, if it can."""
    if b == 0:
        raise ToolError("Nobody divides by zero.")
    return str(a // b)


if __name__ == "__main__":
    server.run("stdio")
