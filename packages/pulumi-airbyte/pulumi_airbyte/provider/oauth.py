"""Credentials of OAuth: the application that users of a workspace or an organization consent to, for one connector.

Airbyte takes them and never shows them, so the state alone says what they are. Their id is their place in the API.
"""

import re
from typing import Final

from pulumi_airbyte.client import AirbyteError
from pulumi_airbyte.client.access import CLOUD_ONLY, REMOVE_ADVICE
from pulumi_airbyte.client.errors import Forbidden, NotFound
from pulumi_airbyte.provider.adoption import RefusedError
from pulumi_airbyte.provider.gone import exists
from pulumi_airbyte.provider.properties import Properties, has_secret, reveal, secret, secret_texts, unwrap
from pulumi_airbyte.provider.reconcile import all_secret
from pulumi_airbyte.provider.refusals import refused_texts
from pulumi_airbyte.provider.resource import (
    Checked,
    Checking,
    Differences,
    Failure,
    Live,
    Made,
    ResourceType,
    table_failures,
)
from pulumi_airbyte.provider.run_record import entry_of
from pulumi_airbyte.provider.secrecy import MASK_ADVICE, masks, without_nulls
from pulumi_airbyte.provider.tables import OAUTH_INPUTS, OAUTH_OUTPUTS
from pulumi_airbyte.provider.target import Known, Target, name_of
from pulumi_airbyte.values import render_path

OWNERS: Final = {"workspaceId": "workspaces", "organizationId": "organizations"}
_ID: Final = re.compile(r"(workspaces|organizations)/([0-9a-f-]{36})/(source|destination)/([^/]+)")
NO_ID: Final = (
    "is no id of OAuth credentials: write workspaces/<id>/source/<type>, or organizations/…, or …/destination/…, "
    "with the id in lower case"
)


class OauthCredentialsType(ResourceType):
    """`airbyte:index/oauthCredentials:OauthCredentials`."""

    token = "airbyte:index/oauthCredentials:OauthCredentials"
    summary = (
        "The OAuth application of one's own that users consent to, instead of Airbyte's, for one connector in a "
        "workspace (Cloud) or an organization. Airbyte never shows them: an edit made there is not seen, and a create "
        "overwrites what is there."
    )
    identity = (*OWNERS, "actorType", "name")
    inputs = OAUTH_INPUTS
    outputs = OAUTH_OUTPUTS

    def check(self, inputs: Properties, checking: Checking) -> Checked:
        """Mark the configuration as secret; refuse masks, and two owners or none."""
        given = _in_lower_case(without_nulls(inputs))
        failures = table_failures(self.inputs, given)
        owners = [given[name] for name in OWNERS if name in given]
        if len(owners) != 1 or unwrap(owners[0]) == "":
            failures.append(Failure("workspaceId", "give either workspaceId or organizationId: one of them has these"))
        if not checking.importing:
            failures += refused_texts(given)
            paths = map(render_path, masks(given.get("configuration"), ("configuration",)))
            failures += [Failure(path, MASK_ADVICE) for path in sorted(paths)]
        if failures:
            return Checked(given, failures)
        hidden: Properties = {"configuration": all_secret(unwrap(given.get("configuration")))}
        self.airbyte.redactor.learn(secret_texts(hidden))
        return Checked({**given, **hidden}, [])

    def tree(self, inputs: Properties) -> Properties:
        """Inputs without nulls."""
        return without_nulls(inputs)

    def identified(self, inputs: Properties) -> tuple[str, ...] | None:
        """The id."""
        known = all(isinstance(unwrap(inputs.get(name, "")), str) for name in self.identity)
        return (_id_of(inputs),) if known and any(name in inputs for name in OWNERS) else None

    def require_id(self, object_id: str) -> None:
        """Refuse an id that is no place of credentials."""
        if not _ID.fullmatch(object_id):
            raise ValueError(f"{object_id!r} {NO_ID}")

    def foresee(self, inputs: Properties, target: Target) -> Properties:
        """Refuse a server without such credentials, and two resources for one place."""
        self._require_cloud(inputs)
        if self.identified(inputs) is None:
            return {}
        self._reserve(inputs, target)
        return {"credentialsId": _id_of(inputs)}

    def create(self, inputs: Properties, target: Target) -> Made:
        """PUT, which overwrites what is there."""
        self._reserve(inputs, target)
        made = _id_of(inputs)
        self._put(inputs)
        self._take(made, target)
        return Made(made, {"credentialsId": made})

    def read(self, known: Known, target: Target) -> Live | None:
        """The inputs of the state: the server shows none. They are gone if their workspace is."""
        inputs = known.inputs or _inputs_of(known.id)
        workspace_id = unwrap(inputs.get("workspaceId"))
        if isinstance(workspace_id, str):
            listed = ("workspaces", "workspaceId", workspace_id, "")
            found = exists(self.airbyte, lambda: self.server.inventory.workspaces.get(workspace_id, ""), listed)
            if found is None:
                return None
        return Live(inputs, {"credentialsId": known.id})

    def update(self, known: Known, new: Properties, target: Target) -> Properties:
        """PUT."""
        self._put(new)
        return {"credentialsId": known.id}

    def delete(self, known: Known, target: Target) -> None:
        """DELETE. Those of a deleted workspace are gone."""
        inputs = known.inputs or _inputs_of(known.id)
        kind, name = (str(unwrap(inputs.get(key))) for key in ("actorType", "name"))
        try:
            self.airbyte.delete_oauth_credentials(_owner(inputs), kind, name)
        except (NotFound, Forbidden):
            if self.read(known, target) is not None:
                raise

    def explain(self, known: Known, new: Properties, found: Differences) -> str:
        """Say of imported ones that they are overwritten."""
        imported = unwrap(known.inputs.get("configuration")) == {}
        return "imported without their values, which Airbyte never shows: the program's are written" if imported else ""

    def _put(self, inputs: Properties) -> None:
        body = {key: reveal(inputs[key]) for key in ("actorType", "name", "configuration")}
        self.airbyte.redactor.learn(secret_texts(inputs))
        self.airbyte.put_oauth_credentials(_owner(inputs), body)

    def _require_cloud(self, inputs: Properties) -> None:
        """Refuse a self-managed server in a preview already, if it says that it is one."""
        if "workspaceId" not in inputs or not self.airbyte.has_config_api:
            return
        try:
            edition = self.airbyte.instance("OAuth credentials need").edition
        except AirbyteError:
            return
        if edition == "community":
            raise AirbyteError(CLOUD_ONLY, REMOVE_ADVICE)

    def _reserve(self, inputs: Properties, target: Target) -> None:
        """Refuse a second resource of one place in a run."""
        entry = entry_of(self.token, (self.airbyte.address, _id_of(inputs)))
        owner = self.server.run.record.reserve(entry, target.urn)
        if owner != target.urn:
            raise _taken(_id_of(inputs), owner)

    def _take(self, object_id: str, target: Target) -> None:
        """Record that this resource has the credentials now. Only theirs of all ids comes back after a delete."""
        record = self.server.run.record
        holder = record.take(object_id, target.urn, "adopted")
        if holder.standing == "deleted":
            record.restore(object_id)
            holder = record.take(object_id, target.urn, "adopted")
        if holder.urn != target.urn:
            raise _taken(object_id, holder.urn)


def _taken(object_id: str, owner: str) -> RefusedError:
    return RefusedError(
        f'The program has the OAuth credentials {object_id} already, as resource "{name_of(owner)}" ({owner}).',
        "Delete one of the two from the program.",
    )


def _in_lower_case(inputs: Properties) -> Properties:
    """Inputs with the owner's id as Airbyte writes it: the id of the credentials contains it.

    Airbyte reads both cases. As another id, the same place would be deleted after its replacement was written.
    """
    lowered: Properties = {}
    for name in OWNERS:
        given = inputs.get(name)
        plain = unwrap(given)
        if isinstance(plain, str):
            lowered[name] = secret(plain.lower()) if has_secret(given) else plain.lower()
    return inputs | lowered


def _owner(inputs: Properties) -> str:
    """The path of the workspace or the organization."""
    [name] = [name for name in OWNERS if name in inputs]
    return f"{OWNERS[name]}/{unwrap(inputs[name])}"


def _id_of(inputs: Properties) -> str:
    return "/".join([_owner(inputs), *(str(unwrap(inputs.get(key))) for key in ("actorType", "name"))])


def _inputs_of(object_id: str) -> Properties:
    """The inputs of an import, without the values."""
    found = _ID.fullmatch(object_id)
    if found is None:
        raise ValueError(f"{object_id!r} {NO_ID}")
    owner = next(name for name, path in OWNERS.items() if path == found[1])
    return {owner: found[2], "actorType": found[3], "name": found[4], "configuration": {}}
