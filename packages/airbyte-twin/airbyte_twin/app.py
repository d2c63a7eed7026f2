"""Assemble a twin's web application: routes, middleware, and saving after writes. Airbyte's behaviour is elsewhere."""

import asyncio
from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airbyte_twin import control
from airbyte_twin.auth import Authenticate, token_routes
from airbyte_twin.calls import LogCalls
from airbyte_twin.config import access, declarative, instance, operations, state, web_backend
from airbyte_twin.config import actors as config_actors
from airbyte_twin.config import connections as config_connections
from airbyte_twin.config import definitions as config_definitions
from airbyte_twin.config import jobs as config_jobs
from airbyte_twin.config import tags as config_tags
from airbyte_twin.config import workspaces as config_workspaces
from airbyte_twin.errors import (
    ApiError,
    BareError,
    OpaqueError,
    answer_api_error,
    answer_bare_error,
    answer_http_exception,
    json_response,
)
from airbyte_twin.faults import InjectFaults
from airbyte_twin.operations import CONFIG_ROOT, PUBLIC_ROOT, not_modelled
from airbyte_twin.persistence import Saver
from airbyte_twin.public import (
    actors,
    applications,
    connections,
    definitions,
    embedded,
    groups,
    jobs,
    oauth,
    permissions,
    regions,
    streams,
    tags,
    workspaces,
)
from airbyte_twin.queries import ReadTarget
from airbyte_twin.registry import load_registry
from airbyte_twin.server import TwinServer
from airbyte_twin.settings import TwinSettings
from airbyte_twin.sync.commands import check_commands
from airbyte_twin.sync.run.runner import SyncRunner
from airbyte_twin.twin import Twin

PUBLIC_MODULES = (
    applications, oauth, actors, connections, streams, jobs, workspaces, tags, definitions, permissions, groups,
    regions, embedded,
)  # fmt: skip
CONFIG_MODULES = (
    instance, config_workspaces, config_connections, web_backend, config_jobs, state, config_actors,
    config_definitions, declarative, operations, config_tags, access,
)  # fmt: skip


def build_twin(settings: TwinSettings) -> tuple[Twin, Saver | None]:
    """A twin with its saved state, and its saver; None without a data folder.

    Raises:
        CommandError: A connector's command cannot be run.
        ConnectorFileError: A connector file of the data folder is bad.
        StateFileError: The saved state is bad.
    """
    check_commands(settings.commands)
    folder = settings.data_dir
    twin = Twin(settings, load_registry(folder / "connectors" if folder else None))
    saver = Saver(twin.store, folder) if folder else None
    if saver:
        saver.load()
    twin.populate()
    return twin, saver


def build_app(twin: Twin, saver: Saver | None = None) -> Starlette:
    """The ASGI application of a twin; the caller saves once more at the end."""
    routes: list[BaseRoute] = [
        *token_routes(twin.settings.auth),
        _mount("/_twin", control.ROUTES),
        Route("/api/public", workspaces.documentation, methods=["GET"]),
        _api(PUBLIC_ROOT, [route for module in PUBLIC_MODULES for route in module.ROUTES]),
        _api(CONFIG_ROOT, [route for module in CONFIG_MODULES for route in module.ROUTES]),
    ]
    middleware = [
        Middleware(LogCalls, log=twin.calls),
        Middleware(InjectFaults, faults=twin.faults, end_tokens=twin.tokens.end_all),
        Middleware(Authenticate, twin=twin),
        Middleware(ReadTarget),
    ]
    if saver:
        twin.changed = SaveSoon(saver)
        middleware.append(Middleware(SaveWrites, save=twin.changed))
    handlers = {
        ApiError: answer_api_error,
        BareError: answer_bare_error,
        HTTPException: answer_http_exception,
        Exception: answer_uncaught,
    }
    app = Starlette(routes=routes, middleware=middleware, exception_handlers=handlers)
    app.router.redirect_slashes = False
    app.state.twin = twin
    return app


def run_twin(
    twin: Twin, saver: Saver | None, on_ready: Callable[[], None], is_wanted: Callable[[], bool] = lambda: True
) -> tuple[TwinServer, Callable[[], None]]:
    """The server of a twin, and a function to call after it has ended, which waits for cancelled work."""

    def end_requests() -> None:
        twin.cancellations.end()
        twin.faults.let_go()

    if not twin.settings.run_syncs:
        return TwinServer(build_app(twin, saver), on_ready, end_requests, is_wanted), lambda: None
    runner = twin.runner = SyncRunner(twin)

    def begin() -> None:
        runner.resume()
        on_ready()

    def end() -> None:
        runner.end()
        end_requests()

    return TwinServer(build_app(twin, saver), begin, end, is_wanted), runner.join


def _api(root: str, routes: Sequence[BaseRoute]) -> Mount:
    """An API: what the twin models, and a refusal of the rest."""
    return _mount(root, [*routes, *not_modelled(root, routes)])


def _mount(prefix: str, routes: Sequence[BaseRoute]) -> Mount:
    """Routes below a prefix; an extra slash is an unknown route, not a redirect."""
    return Mount(prefix, app=Router(routes, redirect_slashes=False))


async def answer_uncaught(request: Request, error: Exception) -> Response:
    """The 500 of a defect in the twin; the web framework then raises the exception."""
    Twin.of(request).defects.append(repr(error))
    return json_response(OpaqueError(500).body, 500)


class SaveSoon:
    """Saves at once, or soon after if saving has become slow."""

    def __init__(self, saver: Saver) -> None:
        self._saver = saver
        self._later: asyncio.Task[None] | None = None

    def __call__(self) -> None:
        """Save changes."""
        wait = self._saver.save_if_due()
        if wait and (self._later is None or self._later.done()):
            self._later = asyncio.create_task(self._save_later(wait))

    async def _save_later(self, wait: float) -> None:
        await asyncio.sleep(wait)
        self._saver.save()


class SaveWrites:
    """ASGI middleware that saves the changes of a request before its answer is sent."""

    def __init__(self, app: ASGIApp, save: Callable[[], None]) -> None:
        self._app = app
        self._save = save

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request and save its changes."""

        async def saving(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._save()
            await send(message)

        await self._app(scope, receive, saving)
