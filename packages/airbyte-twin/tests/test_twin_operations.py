"""Every operation of both APIs is answered, if only with a 501 that names it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from airbyte_twin.operations import FILE, Operation, all_operations
from airbyte_twin.operations.build import TARGET, main, render
from twin_contract import DOCUMENTS, shared_data
from twin_support import CONFIG, PUBLIC, Api, serving

METHODS = ("get", "post", "put", "patch", "delete")
REMEDY = "run `python -m airbyte_twin.operations.build DATA_FOLDER`"


def documented() -> Iterator[Operation]:
    """The operations of both documents, read as YAML."""
    for root, name in DOCUMENTS.items():
        text = (shared_data() / "airbyte" / name).read_text(encoding="utf-8")
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        for path, item in document["paths"].items():
            if root == CONFIG and not path.startswith("/v1/"):
                continue
            whole = root + path.removeprefix("/v1" if root == CONFIG else "")
            for method in METHODS:
                if method in item:
                    yield Operation(method.upper(), whole.rstrip("/"), item[method]["operationId"])


def answered(api: Api, operation: Operation) -> tuple[int, Any]:
    """Status and document of a call of the operation, without a body."""
    path = operation.path
    for name in ("actorType", "jobId"):
        path = path.replace(f"{{{name}}}", "source" if name == "actorType" else "1")
    while "{" in path:
        before, _, after = path.partition("{")
        path = before + str(uuid4()) + after.partition("}")[2]
    answer = api.http.request(operation.method, path)
    return answer.status_code, answer.text


@pytest.fixture(scope="module")
def guarded() -> Iterator[Api]:
    """A twin that has all there is, and a caller that it knows."""
    with serving(auth="client_credentials", edition="cloud") as api:
        credentials = {"client_id": api.twin.client_id, "client_secret": api.twin.client_secret}
        api.http.headers["Authorization"] = f"Bearer {api.post('/applications/token', credentials)['access_token']}"
        yield api


def test_the_list_is_that_of_the_documents(tmp_path: Path) -> None:
    assert TARGET.name == FILE
    assert TARGET.read_text(encoding="utf-8") == render(shared_data()), REMEDY
    assert sorted(map(str, all_operations())) == sorted(map(str, documented())), REMEDY
    assert main([str(shared_data()), str(tmp_path / FILE)]) == 0
    assert (tmp_path / FILE).read_bytes() == TARGET.read_bytes()
    assert main([]) == 1


def test_every_public_operation_is_modelled(guarded: Api) -> None:
    public = [each for each in all_operations() if each.path.startswith(PUBLIC)]
    assert len(public) == 92
    redirect = public.pop(0)
    assert redirect.name == "getDocumentation", "the server has it one level up, and answers 404 here, as recorded"
    for operation in public:
        status, text = answered(guarded, operation)
        assert status not in {405, 501}, f"{operation}: {status} {text}"
        assert "Object not found" not in text, f"{operation}: {status} {text}"


def test_an_operation_that_is_not_modelled_says_so_by_its_name(guarded: Api) -> None:
    internal = [each for each in all_operations() if each.path.startswith(CONFIG + "/")]
    assert len(internal) > 300
    missing = []
    for operation in internal:
        status, text = answered(guarded, operation)
        assert status not in {403, 405}, f"{operation}: {status} {text}"
        assert "Object not found" not in text, f"{operation}: {status} {text}"
        if status == 501:
            assert f"does not model {operation.name} ({operation.method} {operation.path})" in text
            missing.append(operation.name)
    assert "deleteOrganization" in missing


@pytest.mark.parametrize("root", [PUBLIC, CONFIG])
def test_unknown_paths_stay_unknown_and_other_methods_are_refused_without_a_body(api: Api, root: str) -> None:
    assert api.call("GET", f"{root}/nope", 404) == "Object not found."
    known = f"{CONFIG}/organizations/delete" if root == CONFIG else f"{PUBLIC}/sources"
    answer = api.http.request("PUT", known)
    assert (answer.status_code, answer.content, answer.headers.get("content-type")) == (405, b"", None)


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_slash_at_the_end_counts_as_none_in_both_apis(api: Api, slash: str) -> None:
    assert api.http.get(f"{PUBLIC}/organizations{slash}").status_code == 200
    assert api.http.get(f"{CONFIG}/health{slash}").status_code == 200
    answer = api.http.post(f"{CONFIG}/organizations/delete{slash}")
    assert answer.json()["message"].startswith("airbyte-twin does not model deleteOrganization ")
