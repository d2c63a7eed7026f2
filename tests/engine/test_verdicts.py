"""`lotus gate` on real previews: changes of providers and options, which no step of an object shows."""

from pathlib import Path

import pytest

from lotus_infra.commands.review import ReviewRequest, review_losses
from tests.engine.lake import Lake


def losses(lake: Lake, folder: Path, environment: dict[str, str] | None = None) -> tuple[str, list[str]]:
    """The verdict on a preview, and what closes the gate."""
    lake.pulumi.environment |= environment or {}
    file = folder / "preview.json"
    file.write_text(lake.pulumi.preview("--json").ok().stdout, encoding="utf-8")
    review = review_losses(ReviewRequest(file, lake.pulumi.project / "streams"))
    return review.impact.verdict, [f"{loss.object}: {loss.effect}" for loss in review.gate.blocked]


@pytest.mark.parametrize("streaming", ["true", "false"])
def test_another_server_of_airbyte_is_an_exposure_of_its_provider(
    applied: Lake, tmp_path: Path, streaming: str
) -> None:
    asked = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": streaming}
    assert losses(applied, tmp_path, asked) == ("nothing changes", [])

    applied.pulumi.config_set("airbyte:adoptExisting", "never")
    assert losses(applied, tmp_path) == ("look", [])

    applied.pulumi.config_set("airbyte:tokenUrl", "http://127.0.0.1:1/token")
    verdict, [loss] = losses(applied, tmp_path)
    assert verdict == "exposes"
    assert loss.startswith("airbyte provider default")
    assert loss.endswith(": exposes")
