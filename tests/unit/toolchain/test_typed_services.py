"""A service of a big SDK that a component uses is checked by its types: mypy skips all that is not in its list."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
SETTINGS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
FOLLOWED = {
    module.removesuffix(".*")
    for override in SETTINGS["overrides"]
    if override.get("follow_imports") == "normal"
    for module in override["module"]
}


@pytest.mark.parametrize("sdk", ["pulumi_aws", "pulumi_kubernetes"])
def test_every_service_that_a_component_uses_is_looked_into(sdk: str) -> None:
    used = {name for path in (REPOSITORY / "lotus_infra").rglob("*.py") for name in _modules(path, sdk)}
    assert len(used) > 1
    assert used - FOLLOWED == set()


def _modules(path: Path, sdk: str) -> Iterator[str]:
    """The SDK's modules that a file names: `pulumi_aws.s3` of `aws.s3.Bucket`; all but classes are in small letters."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    known = {alias.asname or alias.name: alias.name for node in imports for alias in node.names if alias.name == sdk}
    yield from known.values()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == sdk:
            yield str(node.module)
        elif isinstance(node, ast.Attribute):
            name, _, rest = ast.unparse(node).partition(".")
            if name in known and (found := re.match(r"[a-z0-9_]+(\.v[0-9][a-z0-9]*)?", rest)):
                yield f"{sdk}.{found[0]}"
