"""`/applications`: a community server has one, and can neither create nor delete any."""

from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.bodies import ApplicationCreate
from airbyte_twin.body import read_body
from airbyte_twin.documents import JsonObject
from airbyte_twin.errors import OpaqueError, ProblemError, json_response
from airbyte_twin.records import Application
from airbyte_twin.settings import Edition
from airbyte_twin.twin import Twin


def application_view(application: Application) -> JsonObject:
    """An ApplicationRead."""
    return {
        "id": application.id,
        "name": application.name,
        "clientId": application.client_id,
        "clientSecret": application.client_secret,
        "createdAt": application.created_at,
    }


def named_application(request: Request) -> Application:
    """The application that a path names.

    Raises:
        ProblemError: 404, whatever the edition.
    """
    return known_application(Twin.of(request), request.path_params["application_id"])


def known_application(twin: Twin, application_id: str) -> Application:
    """An application.

    Raises:
        ProblemError: 404, whatever the edition.
    """
    found = twin.store.applications.get(application_id)
    if found is None:
        detail = "The application with the provided id was not found."
        raise ProblemError(404, "resource-not-found", detail=detail, config=OpaqueError(404))
    return found


def create_application(twin: Twin, name: str) -> Application:
    """Create an application.

    Raises:
        OpaqueError: 500 on a community server.
    """
    refuse_on_community(twin)
    return twin.store.applications.put(
        Application(
            id=str(uuid4()),
            name=name,
            client_id=str(uuid4()),
            client_secret=uuid4().hex,
            created_at=twin.clock.seconds(),
        )
    )


def delete_application(twin: Twin, application: Application) -> None:
    """Forget an application.

    Raises:
        OpaqueError: 500 on a community server.
    """
    refuse_on_community(twin)
    twin.store.applications.drop(application.id)


def refuse_on_community(twin: Twin) -> None:
    """The server's own exception there is uncaught (ApplicationServiceMicronautImpl).

    Raises:
        OpaqueError: 500.
    """
    if twin.settings.edition is Edition.COMMUNITY:
        raise OpaqueError(500)


async def list_applications(request: Request) -> Response:
    """GET all applications."""
    return json_response({"applications": [application_view(each) for each in Twin.of(request).store.applications]})


async def create(request: Request) -> Response:
    """POST an application."""
    twin, body = Twin.of(request), await read_body(request, ApplicationCreate)
    return json_response(application_view(create_application(twin, body.name)))


async def get(request: Request) -> Response:
    """GET an application."""
    return json_response(application_view(named_application(request)))


async def delete(request: Request) -> Response:
    """DELETE answers 200 with the deleted object."""
    application = named_application(request)
    delete_application(Twin.of(request), application)
    return json_response(application_view(application))


ROUTES = [
    Route("/applications", list_applications, methods=["GET"]),
    Route("/applications", create, methods=["POST"]),
    Route("/applications/{application_id}", get, methods=["GET"]),
    Route("/applications/{application_id}", delete, methods=["DELETE"]),
]
