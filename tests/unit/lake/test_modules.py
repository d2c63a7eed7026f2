"""The resources of a module, as far as its text shows them; compared with what dlt itself finds when it runs."""

import importlib.util
import sys
from pathlib import Path

import dlt
import pytest

from lotus_infra.lake.modules import read_module

CERTAIN = [
    """
@dlt.resource
def orders():
    yield 1

@dlt.resource(name="Order Lines", primary_key="id")
def lines():
    yield 1

@dlt.source
def erp():
    return orders, lines()
""",
    """
@dlt.source
def erp():
    @dlt.resource
    def inner():
        yield 1

    @dlt.transformer(name="not counted")
    def unused(row):
        yield row

    def helper():
        return "no resource"

    return [inner]
""",
    """
@dlt.source
def erp():
    yield dlt.resource([1], name="a")
    rows = dlt.resource([1], name="b")
    yield rows
""",
    """
from dlt.sources.rest_api import rest_api_resources

@dlt.source
def erp():
    configuration = {
        "client": {"base_url": "http://127.0.0.1/"},
        "resources": ["customers", {"name": "orders", "endpoint": {"path": "orders"}}],
    }
    return rest_api_resources(configuration)
""",
    """
from dlt.sources.rest_api import rest_api_resources

@dlt.source
def erp():
    yield from rest_api_resources({"client": {"base_url": "http://127.0.0.1/"}, "resources": ["customers"]})
""",
]


@pytest.mark.parametrize("text", CERTAIN)
def test_the_names_are_those_that_dlt_finds(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "erp_of_a_test.py"
    file.write_text(f"import dlt\n{text}", encoding="utf-8")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    # dlt looks its functions up by the names of their modules.
    monkeypatch.setitem(sys.modules, file.stem, loaded)
    spec.loader.exec_module(loaded)
    source = loaded.erp()

    module = read_module("erp", file.read_bytes())

    assert isinstance(source, dlt.sources.DltSource)
    assert not module.has_others
    assert module.resources == set(source.resources)


UNCERTAIN = [
    "def erp():\n    return [dlt.resource([1], name=name) for name in ('a', 'b')]",
    "def erp():\n    found = [orders]\n    found.append(lines)\n    return found",
    "def erp():\n    return orders().with_name('b')",
    "def erp(name):\n    return dlt.resource([1], name=name)",
    "def erp():\n    return orders, imported",
    "def erp():\n    a = dlt.resource([1], name='a')\n    a = dlt.resource([1], name='b')\n    return a",
    "def erp():\n    it = {'resources': ['a']}\n    it['resources'].append('b')\n    return rest_api_resources(it)",
    "def erp():\n    configuration = {'resources': ['a', *more]}\n    return rest_api_resources(configuration)",
    "def erp():\n    pass",
    "def erp():\n    return orders() | lines",
]


@pytest.mark.parametrize("text", UNCERTAIN)
def test_a_module_that_may_have_more_is_not_called_complete(text: str) -> None:
    head = (
        "import dlt\nfrom dlt.sources.rest_api import rest_api_resources\n"
        "@dlt.resource\ndef orders(): ...\n@dlt.source\n"
    )

    assert read_module("erp", f"{head}{text}\n".encode()).has_others


@pytest.mark.parametrize("data", [b"\x00", b"\xff\xfe", b"(" * 100_000, b"def erp(:\n"])
def test_what_is_no_python_is_a_mistake(data: bytes) -> None:
    assert read_module("erp", data).mistake
