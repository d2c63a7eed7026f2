"""How the steps of a Dockerfile run without Docker, on small ones of our own."""

from pathlib import Path

import pytest

from toolchain.image_steps import StepError, build


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A folder to build from: two files, of which one is let through."""
    folder = tmp_path / "context"
    (folder / "src").mkdir(parents=True)
    (folder / "src/seen.txt").write_text("seen\n", encoding="utf-8")
    (folder / "src/hidden.txt").write_text("hidden\n", encoding="utf-8")
    (folder / ".dockerignore").write_text("*\n!src\n# a comment\nsrc/hidden.txt\n", encoding="utf-8")
    return folder


def write(context: Path, *lines: str) -> Path:
    dockerfile = context / "Dockerfile"
    dockerfile.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return dockerfile


def test_a_later_stage_has_what_it_copies_and_nothing_else(context: Path, tmp_path: Path) -> None:
    dockerfile = write(
        context,
        "FROM one:1.2.3 AS first",
        "ARG WORD=none",
        "WORKDIR /app",
        "COPY src src",
        "ENV PLACE=/app/src",
        'RUN echo "${WORD}" > "${PLACE}/word.txt" && touch /app/other.txt',
        "FROM one:1.2.3",
        "WORKDIR /app",
        "COPY --from=first /app/src kept",
        "RUN useradd me && touch never.txt",
        "USER 1:1",
        'LABEL word="it is ${WORD}"',
        'CMD ["cat", "kept/word.txt"]',
    )
    root = tmp_path / "root"
    root.mkdir()

    built = build(context, dockerfile, root, {"WORD": "given"})

    assert sorted(path.name for path in (root / "app").rglob("*") if path.is_file()) == ["seen.txt", "word.txt"]
    assert (root / "app/kept/word.txt").read_text(encoding="utf-8") == "given\n"
    assert built.command == ("cat", "kept/word.txt")
    assert built.folder == root / "app"
    assert built.labels == {"word": "it is "}
    assert set(built.environment) == {"PATH"}
    assert built.left_out == ["FROM one:1.2.3", "FROM one:1.2.3", "RUN useradd me && touch never.txt", "USER 1:1"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("RUN echo why && false", r"RUN echo why && false ended with 1:\nwhy"),
        ("COPY src/hidden.txt .", "COPY src/hidden.txt: .dockerignore lets nothing of it through"),
        ("COPY elsewhere .", "lets nothing"),
        ("ONBUILD RUN true", "ONBUILD is not known here"),
    ],
)
def test_a_step_that_can_not_be_done_is_told(line: str, told: str, context: Path, tmp_path: Path) -> None:
    dockerfile = write(context, "FROM one:1.2.3", "WORKDIR /app", line)
    root = tmp_path / "root"
    root.mkdir()

    with pytest.raises(StepError, match=told):
        build(context, dockerfile, root, {})


def test_a_step_sees_no_variable_of_this_machine(
    context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOTUS_LANDING", "s3://somewhere")
    dockerfile = write(context, "FROM one:1.2.3", "WORKDIR /app", 'RUN test -z "${LOTUS_LANDING}" && test -z "${HOME}"')
    root = tmp_path / "root"
    root.mkdir()

    build(context, dockerfile, root, {})
