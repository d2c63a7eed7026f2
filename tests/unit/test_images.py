"""Which references to images are for good, and what is said of the others."""

import pytest

from lotus_infra.images import Image, ImageError, is_immutable

DIGEST = "sha256:" + "0123456789abcdef" * 4
COMMIT = "3f9c2a1e5b7d8046912c3f9c2a1e5b7d8046912c"


@pytest.mark.parametrize(
    ("text", "image"),
    [
        (f"ghcr.io/example/lake@{DIGEST}", Image("ghcr.io/example/lake", None, DIGEST)),
        (f"ghcr.io/example/lake:{COMMIT}", Image("ghcr.io/example/lake", COMMIT)),
        (f"ghcr.io/example/lake:main@{DIGEST}", Image("ghcr.io/example/lake", "main", DIGEST)),
        ("localhost:5000/lake:sha-3f9c2a1", Image("localhost:5000/lake", "sha-3f9c2a1")),
        ("docker.io/dagster/dagster-k8s:1.13.14", Image("docker.io/dagster/dagster-k8s", "1.13.14")),
        ("python:3.11.9-slim-bookworm", Image("python", "3.11.9-slim-bookworm")),
    ],
)
def test_a_pinned_reference_is_parsed_and_printed_unchanged(text: str, image: Image) -> None:
    assert Image.parse(text) == image
    assert str(image) == text


@pytest.mark.parametrize(
    "tag", ["v1.2.3", "1.2.3-rc.1", "release-1.13.14", "3f9c2a1", "main-3f9c2a1", "main.3f9c2a1.7"]
)
def test_a_tag_with_a_commit_or_a_full_version_is_immutable(tag: str) -> None:
    assert is_immutable(tag)


@pytest.mark.parametrize(
    "tag",
    ["latest", "main", "master", "dev", "edge", "stable", "prod", "v1", "1", "1.13", "3.11-slim", "3f9c2a", "a" * 41,
     "1.2.x", "release3f9c2a1", "3F9C2A1"],
)  # fmt: skip
def test_a_tag_that_may_be_moved_is_refused_with_the_remedy(tag: str) -> None:
    with pytest.raises(
        ImageError, match=rf'^the tag "{tag}" of the image .* can be moved to another image: give a digest'
    ):
        Image.parse(f"ghcr.io/example/lake:{tag}")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("ghcr.io/example/lake", 'has neither tag nor digest, which means "latest"'),
        ("localhost:5000/lake", "has neither tag nor digest"),
        (f"ghcr.io/example/lake:latest@{DIGEST}", 'the tag "latest"'),
        (f"ghcr.io/example/lake@{DIGEST[:-1]}", "is not sha256: and 64 hexadecimal digits"),
        ("ghcr.io/example/lake@md5:abc", "is not sha256: and 64 hexadecimal digits"),
        ("", '"" is not a reference to an image'),
        ("ghcr.io/Example/lake:1.2.3", "is not a reference to an image"),
        ("https://ghcr.io/example/lake:1.2.3", "is not a reference to an image"),
        ("ghcr.io/example/lake:1.2.3 ", "is not a reference to an image"),
        ("ghcr.io/example/lake:1.2.3\n", "is not a reference to an image"),
        ("ghcr.io/example/:1.2.3", "is not a reference to an image"),
    ],
)
def test_any_other_reference_is_refused(text: str, what: str) -> None:
    with pytest.raises(ImageError, match=what) as refused:
        Image.parse(text)
    assert refused.value.hint
