"""`/regions` and `/dataplanes`: where jobs run; they need a license.

The server answers both lists as bare arrays, though the API's document declares an object.
"""

from typing import TypeVar
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.bodies import DataplaneCreate, DataplanePatch, RegionCreate, RegionPatch
from airbyte_twin.body import read_body
from airbyte_twin.database import missing_row
from airbyte_twin.errors import OpaqueError, json_response, unexpected
from airbyte_twin.public.views import dataplane_view, region_view
from airbyte_twin.queries import converted_id, read_ids, required_id
from airbyte_twin.records import DEFAULT_ID, Dataplane, Region
from airbyte_twin.store import Table
from airbyte_twin.twin import Twin

FEATURE = "feature-self-managed-regions"
Row = TypeVar("Row", Region, Dataplane)


def licensed(request: Request, table: Table[Row], name: str) -> Row:
    """The region or dataplane that a path names, deleted ones included.

    Raises:
        ApiError: 500, there is none; 403 without a license; 400, the path names none.
    """
    found = table.get(converted_id(request, f"{name}Id", request.path_params[f"{name}_id"]))
    if found is None:
        raise OpaqueError(500)
    Twin.of(request).check_entitled(FEATURE)
    return found


def licensed_region(request: Request) -> Region:
    """See `licensed`."""
    return licensed(request, Twin.of(request).store.regions, "region")


def licensed_dataplane(request: Request) -> Dataplane:
    """See `licensed`."""
    return licensed(request, Twin.of(request).store.dataplanes, "dataplane")


async def list_regions(request: Request) -> Response:
    """GET the default regions and those of an organization, the last changed first."""
    twin, organization_id = Twin.of(request), required_id(request, "organizationId")
    twin.check_entitled(FEATURE)
    owners = {DEFAULT_ID, organization_id}
    rows = [each for each in twin.store.regions if each.organization_id in owners and not each.deleted]
    return json_response([region_view(each) for each in sorted(rows, key=lambda row: -row.updated_at)])


async def create(request: Request) -> Response:
    """POST a region."""
    twin, body = Twin.of(request), await read_body(request, RegionCreate)
    twin.check_entitled(FEATURE)
    now, organization_id = twin.clock.seconds(), str(body.organization_id)
    if twin.store.organizations.get(organization_id) is None:
        raise missing_row("dataplane_group", "organization", organization_id)
    region = Region(
        id=str(uuid4()),
        name=body.name,
        organization_id=organization_id,
        enabled=body.enabled is not False,
        created_at=now,
        updated_at=now,
    )
    return json_response(region_view(saved_region(twin, region)))


def saved_region(twin: Twin, region: Region) -> Region:
    """Store a region, unless it takes the name of a default one.

    Raises:
        ProblemError: 500.
    """
    defaults = (each for each in twin.store.regions if each.organization_id == DEFAULT_ID and not each.deleted)
    if region.organization_id != DEFAULT_ID and region.name in {each.name for each in defaults}:
        raise unexpected(
            "Dataplane group name conflicts with a default group name. "
            f"dataplaneGroup.id={region.id} dataplaneGroup.name={region.name}"
        )
    return twin.store.regions.put(region)


async def get(request: Request) -> Response:
    """GET a region, a deleted one too."""
    return json_response(region_view(licensed_region(request)))


async def patch(request: Request) -> Response:
    """PATCH name and state."""
    twin, body = Twin.of(request), await read_body(request, RegionPatch)
    changes = {**body.model_dump(exclude_none=True), "updated_at": twin.clock.seconds()}
    return json_response(region_view(saved_region(twin, licensed_region(request).model_copy(update=changes))))


async def delete(request: Request) -> Response:
    """DELETE a region and its dataplanes; answers 200 with the region."""
    twin, region = Twin.of(request), licensed_region(request)
    gone = {"deleted": True, "updated_at": twin.clock.seconds()}
    for dataplane in [each for each in twin.store.dataplanes if each.region_id == region.id]:
        twin.store.dataplanes.put(dataplane.model_copy(update=gone))
    return json_response(region_view(saved_region(twin, region.model_copy(update=gone))))


async def list_dataplanes(request: Request) -> Response:
    """GET all dataplanes, or those of some regions; needs no license."""
    twin, wanted = Twin.of(request), read_ids(request, "regionIds")
    if any(twin.store.regions.get(region_id) is None for region_id in wanted):
        raise OpaqueError(500)
    rows = [each for each in twin.store.dataplanes if not each.deleted and (not wanted or each.region_id in wanted)]
    return json_response([dataplane_view(each) for each in rows])


async def create_dataplane(request: Request) -> Response:
    """POST a dataplane; answers with the credentials of its service account, this once."""
    twin, body = Twin.of(request), await read_body(request, DataplaneCreate)
    region_id, now = str(body.region_id), twin.clock.seconds()
    if twin.store.regions.get(region_id) is None:
        raise OpaqueError(500)
    twin.check_entitled(FEATURE)
    dataplane = twin.store.dataplanes.put(
        Dataplane(
            id=str(uuid4()),
            name=body.name,
            region_id=region_id,
            enabled=body.enabled is not False,
            created_at=now,
            updated_at=now,
        )
    )
    account = {"clientId": str(uuid4()), "clientSecret": uuid4().hex}
    return json_response({"regionId": region_id, "dataplaneId": dataplane.id, **account})


async def get_dataplane(request: Request) -> Response:
    """GET a dataplane, a deleted one too."""
    return json_response(dataplane_view(licensed_dataplane(request)))


async def patch_dataplane(request: Request) -> Response:
    """PATCH name and state."""
    twin, body = Twin.of(request), await read_body(request, DataplanePatch)
    changes = {**body.model_dump(exclude_none=True), "updated_at": twin.clock.seconds()}
    changed = licensed_dataplane(request).model_copy(update=changes)
    return json_response(dataplane_view(twin.store.dataplanes.put(changed)))


async def delete_dataplane(request: Request) -> Response:
    """DELETE a dataplane; answers 200 with it."""
    twin, dataplane = Twin.of(request), licensed_dataplane(request)
    gone = {"deleted": True, "updated_at": twin.clock.seconds()}
    return json_response(dataplane_view(twin.store.dataplanes.put(dataplane.model_copy(update=gone))))


ROUTES = [
    Route("/regions", list_regions, methods=["GET"]),
    Route("/regions", create, methods=["POST"]),
    Route("/regions/{region_id}", get, methods=["GET"]),
    Route("/regions/{region_id}", patch, methods=["PATCH"]),
    Route("/regions/{region_id}", delete, methods=["DELETE"]),
    Route("/dataplanes", list_dataplanes, methods=["GET"]),
    Route("/dataplanes", create_dataplane, methods=["POST"]),
    Route("/dataplanes/{dataplane_id}", get_dataplane, methods=["GET"]),
    Route("/dataplanes/{dataplane_id}", patch_dataplane, methods=["PATCH"]),
    Route("/dataplanes/{dataplane_id}", delete_dataplane, methods=["DELETE"]),
]
