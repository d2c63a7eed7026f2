"""Steps of airbyte-mcp: its tools, called as an agent's MCP client does."""

import asyncio
import os
from typing import Any

from airbyte_mcp import client, config
from airbyte_mcp.server import mcp
from worker import serve


def tools(twin: dict[str, Any]) -> Any:
    """Names of all tools."""
    return sorted(tool.name for tool in asyncio.run(mcp.list_tools()))


def tool(twin: dict[str, Any], method: str, params: dict[str, Any]) -> Any:
    """The text that a tool answers."""
    os.environ["AIRBYTE_API_URL"] = twin["public_url"]
    if twin["auth"] != "client_credentials":
        os.environ["AIRBYTE_ACCESS_TOKEN"] = "unused"  # it always sends one; a server without authentication ignores it
    else:
        os.environ.pop("AIRBYTE_ACCESS_TOKEN", None)
        os.environ["AIRBYTE_CLIENT_ID"], os.environ["AIRBYTE_CLIENT_SECRET"] = twin["client_id"], twin["client_secret"]
    config.get_settings.cache_clear()
    client._client = None  # as in a new process
    answer = asyncio.run(mcp.call_tool(method, {"params": params}))
    blocks = answer[0] if isinstance(answer, tuple) else answer
    return "\n".join(getattr(block, "text", "") for block in blocks)


if __name__ == "__main__":
    serve({"tools": tools, "tool": tool})
