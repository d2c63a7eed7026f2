"""A small Python language host for the Pulumi engine: `pulumi-language-python` where the official one is missing.

It implements the engine's language protocol, and treats a program as the official host does; docs/language-host.md
lists the differences. Nothing of Lotus is imported here. The program runs in this process, on its main thread, because
the engine starts a fresh host for every operation: a child process would only pay for a second interpreter. It starts
another one before that, which only says what it is: so the host imports the SDK when there is a program to run.
`options.virtualenv` of a Pulumi.yaml is ignored: the environment's own Python already runs the host.

Usage: `language_host.py [flags] ENGINE_ADDRESS`, as the engine calls it. The first line of standard output is the port.
"""

import asyncio
import atexit
import gc
import json
import logging
import os
import queue
import re
import runpy
import shutil
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import metadata
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import grpc
from google.protobuf import empty_pb2
from typing_extensions import override

SDK = ("pulumi", "pulumi.runtime")
"""The packages around the protocol's messages. They are not run before `import_sdk`."""

for _package in SDK:
    _spec = find_spec(_package)
    assert _spec is not None
    sys.modules[_package] = module_from_spec(_spec)

from pulumi.runtime.proto import analyzer_pb2, language_pb2, language_pb2_grpc, plugin_pb2  # noqa: E402

MAX_MESSAGE_BYTES = 400 * 1024 * 1024
OPTIONS = [(f"grpc.max_{way}_message_length", MAX_MESSAGE_BYTES) for way in ("receive", "send")]
NO_CODE = (
    b"# No code is written here. What was imported is in the state: declare it, in code or in the files that the\n"
    b"# program reads, before the next `pulumi up`, which deletes what is not declared.\n"
)
GENERATOR = Path(__file__).resolve().parent / "bin" / "generators" / "pulumi-language-python"
"""The program that writes code with the engine's own generators, where `make sdks` has built it."""
SELDOM = 100_000
"""New objects after which Python looks for garbage; its own default is 700."""
POLICY_PACK = "analyzer"
ANALYZER = "/pulumirpc.Analyzer/"
ENGINE_IS_GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


def import_sdk() -> None:
    """Imports the SDK in full.

    What it imports lives as long as the process, which is short: looking for garbage in it, again and again while more
    is imported, would take a seventh of a program's start.
    """
    gc.disable()
    for package in SDK:
        del sys.modules[package]
    import pulumi.runtime  # noqa: PLC0415

    # An import sets a module in its package only when it loads the module, and this one has been loaded before.
    pulumi.runtime.proto = sys.modules["pulumi.runtime.proto"]
    gc.freeze()
    gc.set_threshold(SELDOM)
    gc.enable()


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Answers the engine, and hands each program to the main thread, the only one that may run it."""

    def __init__(self) -> None:
        self.jobs: queue.SimpleQueue[tuple[language_pb2.RunRequest, Future[language_pb2.RunResponse]]]
        self.jobs = queue.SimpleQueue()

    @override
    def Run(self, request: language_pb2.RunRequest, context: grpc.ServicerContext) -> language_pb2.RunResponse:
        """Checks the program's types where its options ask for it, runs it, and waits for its end."""
        if request.attach_debugger:
            return language_pb2.RunResponse(error=NO_DEBUGGER)
        complaint = type_errors(request.info)
        if complaint:
            return language_pb2.RunResponse(error=complaint)
        answer: Future[language_pb2.RunResponse] = Future()
        self.jobs.put((request, answer))
        return answer.result()

    @override
    def Handshake(
        self, request: language_pb2.LanguageHandshakeRequest, context: grpc.ServicerContext
    ) -> language_pb2.LanguageHandshakeResponse:
        """Agrees: there is nothing to negotiate."""
        return language_pb2.LanguageHandshakeResponse()

    @override
    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Acknowledges: the engine's signal, which always follows, ends the process."""
        return empty_pb2.Empty()

    @override
    def GetRequiredPackages(
        self, request: language_pb2.GetRequiredPackagesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        """Names none: the engine finds or downloads a plugin when a program first needs it."""
        return language_pb2.GetRequiredPackagesResponse()

    @override
    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Names the version of the SDK, which the engine logs."""
        return plugin_pb2.PluginInfo(version=metadata.version("pulumi"))

    @override
    def About(self, request: language_pb2.AboutRequest, context: grpc.ServicerContext) -> language_pb2.AboutResponse:
        """Describes the Python that runs programs."""
        return language_pb2.AboutResponse(
            executable=sys.executable,
            version=".".join(map(str, sys.version_info[:3])),
            metadata={"host": "Lotus's stand-in (toolchain/language_host.py)"},
        )

    @override
    def RuntimeOptionsPrompts(
        self, request: language_pb2.RuntimeOptionsRequest, context: grpc.ServicerContext
    ) -> language_pb2.RuntimeOptionsResponse:
        """Asks `pulumi new` for nothing: this host has one environment and one toolchain."""
        return language_pb2.RuntimeOptionsResponse()

    @override
    def Template(
        self, request: language_pb2.TemplateRequest, context: grpc.ServicerContext
    ) -> language_pb2.TemplateResponse:
        """Leaves the files of a new project as its template has them, as the official host does with pip."""
        _needs_pip(request.info, context, "prepares a project")
        return language_pb2.TemplateResponse()

    @override
    def InstallDependencies(
        self, request: language_pb2.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """Installs a plugin's environment. A program's is complete: it is the one that runs this host."""
        if not request.is_plugin:
            said = (
                "The environment is already installed. A provider's plugin is downloaded when a program first needs it."
            )
            yield language_pb2.InstallDependenciesResponse(stdout=f"{said}\n".encode())
            return
        _needs_pip(request.info, context, "installs plugins and policy packs")
        for command in install_commands(request.info):
            done = subprocess.run(
                command,
                cwd=request.info.program_directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
            yield language_pb2.InstallDependenciesResponse(stdout=done.stdout)
            if done.returncode != 0:
                said_by_pip = done.stdout.decode(errors="replace").strip()
                context.abort(grpc.StatusCode.UNKNOWN, f"`{' '.join(command)}` failed:\n{said_by_pip}")

    @override
    def RunPlugin(
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        """Runs a plugin or a policy pack in its environment, until it ends or the engine leaves."""
        if request.attach_debugger:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, NO_DEBUGGER)
        _needs_pip(request.info, context, "runs plugins and policy packs")
        try:
            command = plugin_command(request)
        except PluginError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        environment = activated(os.environ, request) | dict(pair.split("=", 1) for pair in request.env)
        folder = request.pwd or None
        if request.kind == POLICY_PACK:
            with served_pack() as pack:
                yield language_pb2.RunPluginResponse(stdout=f"{pack.port}\n".encode())
                environment |= pack.awaited_configuration(context)
                # A policy pack has always run in its own folder.
                with _started(command, request.info.program_directory, environment, context) as process:
                    yield from pack.attached(process)
            return
        with _started(command, folder, environment, context) as process:
            yield from _responses(process)

    @override
    def GetProgramDependencies(
        self, request: language_pb2.GetProgramDependenciesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        """Lists the distributions of the environment, sorted by name; without the transitive ones if asked to."""
        found = sorted({(_normalized(one.name), one.version) for one in metadata.distributions()})
        needed = set() if request.transitiveDependencies else set(_required())
        dependencies = [
            language_pb2.DependencyInfo(name=name, version=version) for name, version in found if name not in needed
        ]
        return language_pb2.GetProgramDependenciesResponse(dependencies=dependencies)

    @override
    def GenerateProgram(
        self, request: language_pb2.GenerateProgramRequest, context: grpc.ServicerContext
    ) -> language_pb2.GenerateProgramResponse:
        """Lets `pulumi import` end well: it asks for code after the import is done."""
        return language_pb2.GenerateProgramResponse(source={"__main__.py": NO_CODE})

    @override
    def GenerateProject(
        self, request: language_pb2.GenerateProjectRequest, context: grpc.ServicerContext
    ) -> language_pb2.GenerateProjectResponse:
        """Writes a project with the engine's generator, for `pulumi convert`."""
        with generator(context) as written:
            response: language_pb2.GenerateProjectResponse = written.GenerateProject(request)
        return response

    @override
    def GeneratePackage(
        self, request: language_pb2.GeneratePackageRequest, context: grpc.ServicerContext
    ) -> language_pb2.GeneratePackageResponse:
        """Writes an SDK with the engine's generator, for `pulumi package add` and `gen-sdk`."""
        with generator(context) as written:
            response: language_pb2.GeneratePackageResponse = written.GeneratePackage(request)
        return response

    @override
    def Pack(self, request: language_pb2.PackRequest, context: grpc.ServicerContext) -> language_pb2.PackResponse:
        """Refuses: `pulumi package pack-sdk` is not for a program."""
        what = f"run `python -m build --wheel {request.package_directory}`, or install the official Pulumi CLI"
        return context.abort(grpc.StatusCode.UNIMPLEMENTED, f"Lotus's Python host builds no packages: {what}")

    @override
    def Link(self, request: language_pb2.LinkRequest, context: grpc.ServicerContext) -> language_pb2.LinkResponse:
        """Adds the SDKs that `pulumi package add` wrote to requirements.txt, as the official host does with pip."""
        _needs_pip(request.info, context, "links packages")
        file = Path(request.info.root_directory) / "requirements.txt"
        if not file.exists():
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{file} does not exist: make one, and run this again")
        paths = [each.path for each in request.packages]
        listed = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip() not in paths]
        file.write_text("\n".join([*listed, *sorted(paths)]) + "\n", encoding="utf-8")
        imports = "".join(
            f"  import pulumi_{name} as {name}\n"
            for name in (each.package.name.replace("-", "_") for each in request.packages)
        )
        install = f"Install the SDK with `{sys.executable} -m pip install -r requirements.txt`."
        return language_pb2.LinkResponse(import_instructions=f"{install} Then import it with:\n\n{imports}")


NO_DEBUGGER = "Lotus's Python host attaches no debugger: install the official Pulumi CLI for --attach-debugger"


def type_errors(info: language_pb2.ProgramInfo) -> str:
    """Runs the `typechecker` of a program's options, and returns what it found, or nothing."""
    checker = str(dict(info.options).get("typechecker", ""))
    if not checker:
        return ""
    if checker not in {"mypy", "pyright"}:
        return f"unsupported typechecker option: {checker}"
    command = [sys.executable, "-m", checker, info.program_directory]
    done = subprocess.run(command, capture_output=True, text=True, cwd=info.program_directory, check=False)
    return f"{checker} failed:\n{done.stdout}{done.stderr}" if done.returncode != 0 else ""


class PluginError(Exception):
    """A plugin can't be run; the message has the remedy."""


def _needs_pip(info: language_pb2.ProgramInfo, context: grpc.ServicerContext, does: str) -> None:
    """Refuses a project of another toolchain, rather than treating it as one of pip's."""
    toolchain = dict(info.options).get("toolchain", "pip")
    if toolchain != "pip":
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            f"Lotus's Python host {does} with `toolchain: pip` only, and this one has `toolchain: {toolchain}`: "
            "install the official Pulumi CLI, which brings its own host",
        )


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _required() -> Iterator[str]:
    """Yields the names of the distributions that others of the environment need."""
    for one in metadata.distributions():
        for requirement in one.requires or ():
            name, _, condition = requirement.partition(";")
            if "extra" not in condition:
                yield _normalized(re.match(r"[\w.-]+", name.strip())[0])  # type: ignore[index]


@contextmanager
def generator(context: grpc.ServicerContext) -> Iterator[language_pb2_grpc.LanguageRuntimeStub]:
    """Runs the program with the engine's generators for one call."""
    if not GENERATOR.exists():
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            "Lotus's Python host writes code with the engine's generators, and they are not built: run `make sdks` "
            "once, or install the official Pulumi CLI",
        )
    nothing = subprocess.DEVNULL
    with subprocess.Popen([GENERATOR], stdin=nothing, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}", options=OPTIONS) as channel:
                yield language_pb2_grpc.LanguageRuntimeStub(channel)
        finally:
            process.kill()


def plugin_command(request: language_pb2.RunPluginRequest) -> list[str]:
    """Makes the command that runs a plugin, as the official host does.

    A folder with a `__main__.py` is run as it is, and a policy pack by the SDK's launcher; any other is a package.

    Raises:
        PluginError: its environment is missing, or it is neither.
    """
    folder = Path(request.info.program_directory)
    python = [str(plugin_python(request))]
    if (Path(request.info.root_directory) / "__main__.py").exists():
        if request.kind == POLICY_PACK:
            return [*python, "-u", "-m", "pulumi.policy", *request.args, str(folder)]
        return [*python, str(folder), *request.args]
    description = Path(request.info.root_directory) / "pyproject.toml"
    if not _is_package(description):
        raise PluginError(f"{folder} has neither a __main__.py nor a pyproject.toml with a build system: add one")
    return [*python, "-m", "pulumi.run.plugin", _toml(description)["project"]["name"], *request.args]


def plugin_python(request: language_pb2.RunPluginRequest) -> Path:
    """Finds the Python that runs a plugin.

    That of its virtual environment; a policy pack that names none has the `python3` on PATH.

    Raises:
        PluginError: there is none.
    """
    if not _has_environment(request):
        found = shutil.which("python3") or shutil.which("python")
        if found is None:
            raise PluginError("no python3 is on PATH: install one, or give the policy pack a `virtualenv`")
        return Path(found)
    environment = plugin_environment(request.info)
    if not (environment / "bin" / "python").exists():
        what = "policy pack" if request.kind == POLICY_PACK else "plugin"
        folder = request.info.program_directory
        raise PluginError(
            f"the {what}'s virtual environment {environment} is missing: run `pulumi install` in {folder}"
        )
    return environment / "bin" / "python"


def _has_environment(request: language_pb2.RunPluginRequest) -> bool:
    return request.kind != POLICY_PACK or "virtualenv" in dict(request.info.options)


def activated(environment: Mapping[str, str], request: language_pb2.RunPluginRequest) -> dict[str, str]:
    """Returns the environment's variables as they are in a plugin's virtual environment, where it has one."""
    if not _has_environment(request):
        return dict(environment)
    folder = plugin_environment(request.info)
    kept = {name: value for name, value in environment.items() if name != "PYTHONHOME"}
    path = os.pathsep.join([str(folder / "bin"), kept.get("PATH", os.defpath)])
    return kept | {"PATH": path, "VIRTUAL_ENV": str(folder)}


class PolicyPack(grpc.GenericRpcHandler):
    """Stands before a policy pack, and forwards calls to it.

    A pack reads the stack's configuration from its environment, and the engine sends it in a call to the pack. So this
    answers the first calls itself, and starts the pack when it has the configuration.

    Attributes:
        port: where it listens on loopback.
    """

    def __init__(self) -> None:
        self.port = 0
        self._configuration: Future[analyzer_pb2.AnalyzerStackConfigureRequest | None] = Future()
        self._channel: Future[grpc.Channel] = Future()

    @override
    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        """Finds the handler of a method; its requests and answers stay bytes."""
        method = handler_call_details.method
        if not method.startswith(ANALYZER):
            return None
        own = {"Handshake": self._shake_hands, "ConfigureStack": self._configure}
        answer = own.get(method.removeprefix(ANALYZER))

        def handle(request: bytes, context: grpc.ServicerContext) -> bytes:
            return self._forwarded(method, request, context) if answer is None else answer(request)

        return grpc.unary_unary_rpc_method_handler(handle)

    def _shake_hands(self, _request: bytes) -> bytes:
        return analyzer_pb2.AnalyzerHandshakeResponse().SerializeToString()

    def _configure(self, request: bytes) -> bytes:
        self._settle(analyzer_pb2.AnalyzerStackConfigureRequest.FromString(request))
        return analyzer_pb2.AnalyzerStackConfigureResponse().SerializeToString()

    def _settle(self, configuration: analyzer_pb2.AnalyzerStackConfigureRequest | None) -> None:
        with suppress(InvalidStateError):
            self._configuration.set_result(configuration)

    def _forwarded(self, method: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        self._settle(None)  # `pulumi policy publish` has no stack.
        try:
            call = _raw_call(self._channel.result(), method)
            answer = call(request)
        except grpc.RpcError as error:
            context.abort(error.code(), error.details() or "")
        except PluginError as error:
            context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        return answer

    def awaited_configuration(self, context: grpc.ServicerContext) -> dict[str, str]:
        """Waits for the engine's configuration, and returns the variables by which a pack reads it."""
        context.add_callback(lambda: self._settle(None))
        stack = self._configuration.result()
        if stack is None:
            return {}
        variables = {
            "PULUMI_ORGANIZATION": stack.organization,
            "PULUMI_PROJECT": stack.project,
            "PULUMI_STACK": stack.stack,
            "PULUMI_DRY_RUN": "true" if stack.dry_run else "false",
            "PULUMI_CONFIG": json.dumps(dict(stack.config)),
        }
        return {name: value for name, value in variables.items() if value}

    def attached(self, process: subprocess.Popen[bytes]) -> Iterator[language_pb2.RunPluginResponse]:
        """Connects to the pack, which prints its port as a line, and yields the rest of its output."""
        unread = b""
        for response in _responses(process):
            if self._channel.done() or response.WhichOneof("output") == "stderr":
                yield response
                continue
            *lines, unread = (unread + response.stdout).split(b"\n")
            for line in lines:
                if line.isdigit() and not self._channel.done():
                    self._connect(int(line))
                else:  # The pack may print before it serves.
                    yield language_pb2.RunPluginResponse(stdout=line + b"\n")
            if response.WhichOneof("output") == "exitcode":
                self._channel.set_exception(PluginError("the policy pack ended before it was ready; see its output"))
                yield response

    def _connect(self, port: int) -> None:
        channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=OPTIONS)
        stack = self._configuration.result()
        if stack is not None:
            with suppress(grpc.RpcError):  # Older packs have no such method, and have the variables.
                _raw_call(channel, f"{ANALYZER}ConfigureStack")(stack.SerializeToString(), wait_for_ready=True)
        self._channel.set_result(channel)


def _raw_call(channel: grpc.Channel, method: str) -> "grpc.UnaryUnaryMultiCallable[bytes, bytes]":
    return channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)


@contextmanager
def served_pack() -> Iterator[PolicyPack]:
    """Serves for a policy pack on loopback."""
    pack = PolicyPack()
    server = grpc.server(ThreadPoolExecutor(max_workers=16), handlers=[pack], options=OPTIONS)
    pack.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield pack
    finally:
        server.stop(None)


def plugin_environment(info: language_pb2.ProgramInfo) -> Path:
    """Finds a plugin's virtual environment: the `virtualenv` of its PulumiPlugin.yaml, else `venv`."""
    return Path(info.root_directory) / str(dict(info.options).get("virtualenv", "venv"))


def install_commands(info: language_pb2.ProgramInfo) -> Iterator[list[str]]:
    """Lists the commands that make a plugin's environment: the official host's, where its toolchain is pip."""
    environment, folder = plugin_environment(info), Path(info.program_directory)
    python = environment / "bin" / "python"
    if not python.exists():
        yield [sys.executable, "-m", "venv", str(environment)]
    install = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
    if (folder / "requirements.txt").exists():
        yield [*install, "-r", "requirements.txt"]
    if _is_package(folder / "pyproject.toml"):
        yield [*install, str(folder)]


def _is_package(description: Path) -> bool:
    return description.exists() and "build-system" in _toml(description)


def _toml(file: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415, the start of a program does without

    return tomllib.loads(file.read_text(encoding="utf-8"))


@contextmanager
def _started(
    command: list[str], folder: str | None, environment: dict[str, str], context: grpc.ServicerContext
) -> Iterator[subprocess.Popen[bytes]]:
    """Starts a plugin, and ends it when the engine leaves."""
    pipe = subprocess.PIPE  # Standard input closes with this process, which tells the plugin that the engine is gone.
    with subprocess.Popen(command, cwd=folder, env=environment, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        if not context.add_callback(process.kill):
            process.kill()
        try:
            yield process
        finally:
            process.kill()


def _responses(process: subprocess.Popen[bytes]) -> Iterator[language_pb2.RunPluginResponse]:
    for is_error, text in _output(process):
        if is_error:
            yield language_pb2.RunPluginResponse(stderr=text)
        else:
            yield language_pb2.RunPluginResponse(stdout=text)
    yield language_pb2.RunPluginResponse(exitcode=process.wait())


def _output(process: subprocess.Popen[bytes]) -> Iterator[tuple[bool, bytes]]:
    """Yields what a process writes, and whether to standard error, until it has closed both of its outputs."""
    chunks: queue.SimpleQueue[tuple[bool, bytes]] = queue.SimpleQueue()

    def read(stream: IO[bytes] | None, is_error: bool) -> None:  # noqa: FBT001, which of two streams it is.
        assert stream is not None
        while chunk := os.read(stream.fileno(), 65536):
            chunks.put((is_error, chunk))
        chunks.put((is_error, b""))

    for stream, is_error in ((process.stdout, False), (process.stderr, True)):
        threading.Thread(target=read, args=(stream, is_error), daemon=True).start()
    still_open = 2
    while still_open:
        is_error, chunk = chunks.get()
        if chunk:
            yield is_error, chunk
        else:
            still_open -= 1


def run_program(request: language_pb2.RunRequest, engine_address: str) -> language_pb2.RunResponse:
    """Run one program to its end, and report its errors to the engine's log.

    Returns:
        An empty response on success, `bail` when the error has been shown already, `error` with a text otherwise.
    """
    import_sdk()
    import pulumi  # noqa: PLC0415

    pulumi.runtime.settings.reset_options(
        project=request.project,
        stack=request.stack,
        root_directory=request.info.root_directory,
        parallel=request.parallel,
        engine_address=engine_address,
        monitor_address=request.monitor_address,
        preview=request.dryRun,
        organization=request.organization or "organization",
    )
    pulumi.runtime.set_all_config(dict(request.config), list(request.configSecretKeys))
    try:
        _run_in_loop(request)
    except SystemExit as error:
        return _exit_response(error)
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return language_pb2.RunResponse(bail=True)
    except grpc.RpcError as error:
        if error.code() not in ENGINE_IS_GONE:
            pulumi.log.error(f"Program failed with an unhandled exception:\n{user_traceback(error)}")
        return language_pb2.RunResponse(bail=True)
    except BaseException as error:  # noqa: BLE001, whatever a user's program raises is its error to read, not ours.
        pulumi.log.error(f"Program failed with an unhandled exception:\n{user_traceback(error)}")
        return language_pb2.RunResponse(bail=True)
    return language_pb2.RunResponse()


def _run_in_loop(request: language_pb2.RunRequest) -> None:
    import pulumi  # noqa: PLC0415

    directory = Path(request.info.program_directory or request.pwd)
    program = (directory / (request.info.entry_point or ".")).resolve()
    main = program / "__main__.py" if program.is_dir() else program
    if not main.is_file():
        raise pulumi.RunError(f"unable to find main python program `{main.name}` in `{main.parent}`")
    os.chdir(request.pwd or directory)
    sys.path.insert(0, str(main.parent))
    sys.argv = [str(main), *request.args]
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=max(request.parallel, 1) * 4)
    loop.set_default_executor(executor)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _run_main(main)))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        executor.shutdown(wait=False, cancel_futures=True)
        sys.stdout.flush()
        sys.stderr.flush()


def _run_main(main: Path) -> None:
    runpy.run_path(str(main), run_name="__main__")


def _exit_response(error: SystemExit) -> language_pb2.RunResponse:
    if error.code is None or error.code == 0:
        return language_pb2.RunResponse()
    if not isinstance(error.code, int):
        print(error.code, file=sys.stderr, flush=True)
    status = error.code if isinstance(error.code, int) else 1
    return language_pb2.RunResponse(error=f"program exited with non-zero exit code: {status}")


def user_traceback(error: BaseException) -> str:
    """Formats an error from the first frame of the user's own code on, as if no host had called it."""
    frame = error.__traceback__
    while frame is not None and _is_machinery(frame):
        frame = frame.tb_next
    return "".join(traceback.format_exception(error.with_traceback(frame)))


def _is_machinery(frame: TracebackType) -> bool:
    name = frame.tb_frame.f_code.co_filename
    if name.startswith("<frozen "):
        return True
    path, stack = Path(name), sys.modules["pulumi.runtime.stack"].__file__
    return path in {Path(__file__), Path(runpy.__file__), Path(str(stack))} or path.parent == _ASYNCIO


_ASYNCIO = Path(asyncio.__file__).parent


def _end_with_the_engine() -> None:
    """Ends this process when the engine does, even if it was killed: it holds the other end of standard input."""
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def wait() -> None:
        while os.read(lifeline, 1024):
            pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def serve(engine_address: str) -> None:
    """Serves until the engine's signal; prints the port first."""
    # The default action ends the process at once, whatever its threads are doing: no traceback, and no five seconds
    # of waiting in the engine for a host that has not noticed.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # A failed program leaves futures that are never awaited, by the SDK's design; asyncio would report each of them.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=OPTIONS)
    host = LanguageHost()
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    while True:
        request, answer = host.jobs.get()
        response = run_program(request, engine_address)
        # The signal that ends this process skips exit handlers, and the program may have registered some.
        atexit._run_exitfuncs()  # noqa: SLF001, the public way to run them is to end the interpreter.
        answer.set_result(response)


if __name__ == "__main__":
    sys.path.pop(0)  # This folder: a program's `import github` is not for its modules.
    _end_with_the_engine()
    serve(sys.argv[-1])
