"""Of all tests: none of them asserts a time, so that those by hypothesis do not either; the longest begin first.

Tests by hypothesis draw as many examples as the profile says, or a multiple of that: few by default, many with
`--hypothesis-profile nightly`.
"""

import os
import sys
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

LONGEST: Final = frozenset(
    {
        "test_any_order.py",
        "test_deploy.py",
        "test_image.py",
        "test_nothing_changes.py",
        "test_runs.py",
        "test_sandbox.py",
    }
)
"""Files with the longest tests: begun last, one would leave all processes but its own with nothing to do."""
BY_DAY: Final = "not nightly and not cluster"
"""The expression that pyproject.toml gives."""

# Images for containers often forbid bytecode. Without it, every process that the tests start compiles all that it
# imports: a preview takes 3.1 s of CPU instead of 1.7 s, and collecting the tests 27 s instead of 8 s.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# dlt decides once in a process whether it reports its use to its makers.
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

settings.register_profile("few", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
settings.register_profile("nightly", settings.get_profile("few"), max_examples=1000)
settings.load_profile("few")


def pytest_configure(config: pytest.Config) -> None:
    """Run a test that is named as `file::test`, whatever its marks."""
    named = config.args and all("::" in argument for argument in config.args)
    if named and config.option.markexpr == BY_DAY:
        config.option.markexpr = ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest in front; the rest stays in its order."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
