"""A recording engine: it collects what a program declares, and creates nothing."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc, set_all_config
from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.stack import run_pulumi_func


@dataclass(frozen=True)
class Declared:
    """One resource as the program declares it."""

    type: str
    name: str
    inputs: dict[str, Any]


class Recorder(mocks.Mocks):
    """Answers like the plugins, with ids made of names."""

    def __init__(self) -> None:
        self.declared: list[Declared] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        inputs = {key: rpc.unwrap_rpc_secret(value) for key, value in args.inputs.items()}
        self.declared.append(Declared(args.typ, args.name, inputs))
        if args.typ.startswith("aws:"):
            return f"{args.name}-id", {**inputs, "secret": f"secret-of-{args.name}"}
        if args.typ.startswith(("kubernetes:", "pulumi:providers:")):
            return f"{args.name}-id", inputs
        kind = args.typ.split(":")[-1].lower()
        identity = f"{kind}-{args.name}"
        names = "definitionId" if kind.endswith("definition") else f"{kind}Id"
        return identity, {
            names: identity,
            "createdAt": 0,
            **{key: inputs[key] for key in ("name", "color") if key in inputs},
        }

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise AssertionError(f"the program asked the server: {args.token}")


class RecordingMonitor(mocks.MockMonitor):
    """Records whole requests: the mocks' arguments have no parents, protection and dependencies."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self.requests: dict[tuple[str, str], Any] = {}
        self.exports: dict[str, Any] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802, the protocol names it
        self.requests[request.type, request.name] = request
        try:
            return super().RegisterResource(request)  # type: ignore[no-untyped-call]
        finally:
            _close_threads_loop()


def _close_threads_loop() -> None:
    """The mock monitor opens an event loop in every worker thread that calls it, and leaves it open."""
    if threading.current_thread() is not threading.main_thread():
        with contextlib.suppress(RuntimeError):
            asyncio.get_event_loop().close()
            asyncio.set_event_loop(None)


class Hooks:
    """Records the hooks that a program registers; the SDK would start a server for them."""

    def __init__(self) -> None:
        self.on_error: dict[str, pulumi.ErrorHook] = {}
        self.others: dict[str, pulumi.ResourceHook] = {}

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None:
        self.others[hook.name] = hook

    def register_error_hook(self, hook: pulumi.ErrorHook) -> None:
        self.on_error[hook.name] = hook


@dataclass(frozen=True)
class Graph:
    """The declarations of one run."""

    resources: list[Declared]
    requests: dict[tuple[str, str], Any]
    exports: dict[str, Any] = field(default_factory=dict)
    hooks: Hooks = field(default_factory=Hooks)

    def named(self, type_: str, name: str) -> Declared:
        [found] = [item for item in self.resources if item.type.endswith(f":{type_}") and item.name == name]
        return found

    def request(self, type_: str, name: str) -> Any:
        [found] = [item for (typ, nam), item in self.requests.items() if typ.endswith(f":{type_}") and nam == name]
        return found


def drained(program: Callable[[], Awaitable[None]], config: dict[str, str], secrets: list[str]) -> Graph:
    """Run a program to its end: absence can only be asserted after every registration."""
    recorder = Recorder()
    monitor = RecordingMonitor(recorder)
    exports: dict[str, Any] = {}
    hooks = Hooks()

    async def run() -> None:
        SETTINGS.rpc_manager.clear()
        SETTINGS.outputs.clear()
        mocks.set_mocks(recorder, project="lotus", stack="test", preview=False, monitor=monitor)
        set_all_config(config, secrets)
        SETTINGS.callbacks = hooks
        await run_pulumi_func(program)
        stack = pulumi.runtime.get_root_resource()
        assert stack is not None
        for name, value in getattr(stack, "outputs", {}).items():
            exports[name] = await pulumi.Output.from_input(value).future()

    asyncio.run(run())
    return Graph(recorder.declared, monitor.requests, exports, hooks)
