"""The pages of the recipes: they name every file and every secret."""

import re
from typing import Final

from lotus_infra.config.settings import SECRET_KEYS
from tests.docs.pages import page
from tests.engine.harness import REPOSITORY

ROTATE: Final = "docs/how-to/rotate-a-credential.md"
SET_UP: Final = "docs/how-to/set-up-ci.md"
PRODUCTION: Final = "docs/how-to/set-up-production.md"


def text(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def test_every_fixed_secret_of_a_stack_is_on_the_page_of_rotations() -> None:
    said = {code for _, code in page(ROTATE).inline}
    wanted = {f"{namespace}:{key}" for namespace, keys in SECRET_KEYS.items() for key in keys}
    assert sorted(wanted - said) == []


def test_every_credential_of_ci_is_on_the_page_of_rotations() -> None:
    used = set[str]()
    for file in (REPOSITORY / ".github" / "workflows").glob("*.yml"):
        used |= set(re.findall(r"secrets\.(\w+)", file.read_text(encoding="utf-8")))
    assert used == {"KUBECONFIG", "PULUMI_CONFIG_PASSPHRASE"}
    assert [name for name in used if f"`{name}`" not in text(ROTATE)] == []


def test_every_row_of_the_table_of_rotations_leads_to_a_procedure() -> None:
    rows = [line for line in text(ROTATE).splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 15
    assert [row for row in rows if "](#" not in row and "revoke the old one" not in row] == []


def test_every_recipe_is_used_by_a_page() -> None:
    commands = "\n".join(block.text for name in (SET_UP, PRODUCTION) for block in page(name).blocks if block.is_shell)
    for file in (REPOSITORY / "docs" / "recipes").rglob("*.*"):
        name = re.sub(r"^(preview|production)(?=[-.].*json)", "$name", file.name)
        assert name in commands, file
