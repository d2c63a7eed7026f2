"""Of all tests: none of them asserts a time, so that those by hypothesis do not either; the longest begin first.

Tests by hypothesis draw as many examples as the profile says, or a multiple of that: few by default, many with
`--hypothesis-profile nightly`.
"""

from typing import Final

import pytest
from hypothesis import HealthCheck, settings

LONGEST: Final = frozenset({"test_any_order.py", "test_image.py", "test_nothing_changes.py", "test_sandbox.py"})
"""Files with a test of a minute or more: begun last, it would leave all processes but one with nothing to do."""

settings.register_profile("few", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
settings.register_profile("nightly", settings.get_profile("few"), max_examples=1000)
settings.load_profile("few")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest in front; the rest stays in its order."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
