"""A small Python language host for the Pulumi engine: `pulumi-language-python` where the official one is missing.

It implements the engine's language protocol, and treats a program as the official host does. Nothing of Lotus is
imported here. The program runs in this process, on its main thread, because the engine starts a
fresh host for every operation: a child process would only pay for a second interpreter. `options.virtualenv` of a
Pulumi.yaml is ignored: the environment's own Python already runs the host.

Usage: `language_host.py [flags] ENGINE_ADDRESS`, as the engine calls it. The first line of standard output is the port.
"""

import asyncio
import atexit
import logging
import os
import queue
import runpy
import signal
import subprocess
import sys
import threading
import tomllib
import traceback
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import IO

import grpc
import pulumi
from google.protobuf import empty_pb2
from pulumi import runtime
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc
from pulumi.runtime.settings import reset_options
from typing_extensions import override

MAX_MESSAGE_BYTES = 400 * 1024 * 1024
NO_CODE = (
    b"# No code is written here. What was imported is in the state: declare it, in code or in the files that the\n"
    b"# program reads, before the next `pulumi up`, which deletes what is not declared.\n"
)
ENGINE_IS_GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


class LanguageHost(LanguageServer):
    """Answers the engine, and hands each program to the main thread, the only one that may run it."""

    def __init__(self) -> None:
        super().__init__(lambda: None)
        self.jobs: queue.SimpleQueue[tuple[language_pb2.RunRequest, Future[language_pb2.RunResponse]]]
        self.jobs = queue.SimpleQueue()

    @override
    def Run(self, request: language_pb2.RunRequest, context: grpc.ServicerContext) -> language_pb2.RunResponse:
        """Waits for the program's end."""
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
    def InstallDependencies(
        self, request: language_pb2.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """Installs a plugin's environment. A program's is complete: it is the one that runs this host."""
        if not request.is_plugin:
            yield language_pb2.InstallDependenciesResponse(stdout=b"The environment is already installed.\n")
            return
        if dict(request.info.options).get("toolchain", "pip") != "pip":
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "this host installs plugins with `toolchain: pip` only")
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
                said = done.stdout.decode(errors="replace").strip()
                context.abort(grpc.StatusCode.UNKNOWN, f"`{' '.join(command)}` failed:\n{said}")

    @override
    def RunPlugin(
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        """Runs a plugin of its source's `__main__.py`, in its environment, until it ends or the engine leaves."""
        python = plugin_environment(request.info) / "bin" / "python"
        process = subprocess.Popen(
            [python, request.info.program_directory, *request.args],
            cwd=request.pwd or None,
            env=os.environ | dict(pair.split("=", 1) for pair in request.env),
            stdin=subprocess.PIPE,  # Closes with this process, which tells the plugin that the engine is gone.
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        context.add_callback(process.kill)
        for is_error, text in _output(process):
            if is_error:
                yield language_pb2.RunPluginResponse(stderr=text)
            else:
                yield language_pb2.RunPluginResponse(stdout=text)
        yield language_pb2.RunPluginResponse(exitcode=process.wait())

    @override
    def GetProgramDependencies(
        self, request: language_pb2.GetProgramDependenciesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        """Lists every distribution of the environment, sorted by name."""
        found = sorted({(one.name, one.version) for one in metadata.distributions()})
        dependencies = [language_pb2.DependencyInfo(name=name, version=version) for name, version in found]
        return language_pb2.GetProgramDependenciesResponse(dependencies=dependencies)

    @override
    def GenerateProgram(
        self, request: language_pb2.GenerateProgramRequest, context: grpc.ServicerContext
    ) -> language_pb2.GenerateProgramResponse:
        """Lets `pulumi import` end well: it asks for code after the import is done."""
        return language_pb2.GenerateProgramResponse(source={"__main__.py": NO_CODE})


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
    description = folder / "pyproject.toml"
    if description.exists() and "build-system" in tomllib.loads(description.read_text(encoding="utf-8")):
        yield [*install, str(folder)]


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
    reset_options(
        project=request.project,
        stack=request.stack,
        root_directory=request.info.root_directory,
        parallel=request.parallel,
        engine_address=engine_address,
        monitor_address=request.monitor_address,
        preview=request.dryRun,
        organization=request.organization or "organization",
    )
    runtime.set_all_config(dict(request.config), list(request.configSecretKeys))
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
        loop.run_until_complete(runtime.run_in_stack(lambda: _run_main(main)))
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
    return language_pb2.RunResponse(error=f"Program exited with non-zero exit code: {status}")


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
    path = Path(name)
    return path in _MACHINERY or path.parent == _ASYNCIO


_MACHINERY = {Path(__file__), Path(runpy.__file__), Path(runtime.stack.__file__)}
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
    options = [(f"grpc.max_{way}_message_length", MAX_MESSAGE_BYTES) for way in ("receive", "send")]
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=options)
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
    _end_with_the_engine()
    serve(sys.argv[-1])
