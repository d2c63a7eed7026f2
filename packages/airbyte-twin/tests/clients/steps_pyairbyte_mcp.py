"""Steps of the MCP server that comes with PyAirbyte: its tools for an Airbyte, called as an agent calls them."""

import asyncio
import os
from typing import Any

os.environ["AIRBYTE_CLOUD_MCP_SAFE_MODE"] = "0"  # read at import: with it, only objects of the session can be deleted

from airbyte._util import api_util
from airbyte.mcp import cloud
from airbyte.mcp.server import app
from fastmcp import Client
from worker import serve

api_util.JOB_WAIT_INTERVAL_SECS = 0.01


def tools(twin: dict[str, Any]) -> Any:
    """Names of all tools of its module of Airbyte."""
    return sorted(tool.name for tool in asyncio.run(listed()) if hasattr(cloud, tool.name))


async def listed() -> Any:
    """All tools of the server."""
    async with Client(app) as client:
        return await client.list_tools()


def tool(twin: dict[str, Any], method: str, params: dict[str, Any]) -> Any:
    """What a tool answers."""
    os.environ["AIRBYTE_CLOUD_API_URL"] = twin["public_url"]
    os.environ["AIRBYTE_CLOUD_WORKSPACE_ID"] = twin["workspace_id"]
    os.environ["AIRBYTE_CLOUD_BEARER_TOKEN"] = twin["token"]
    return asyncio.run(called(method, params))


async def called(method: str, params: dict[str, Any]) -> Any:
    """What a tool answers: its document, or its text."""
    async with Client(app) as client:
        answer = await client.call_tool(method, params)
        if answer.structured_content is not None:
            return answer.structured_content
        return "\n".join(block.text for block in answer.content if hasattr(block, "text"))


if __name__ == "__main__":
    serve({"tools": tools, "tool": tool})
