"""Checks of names and addresses that a deploy of Dagster needs."""

from collections.abc import Iterator
from pathlib import Path

from lotus_infra.clients.network import addresses_of, ask_address, ask_chart_repository
from lotus_infra.commands.doctor.context import StackContext
from lotus_infra.commands.doctor.results import CheckResult, broken, ok, warning
from lotus_infra.config.dagster import Chart
from lotus_infra.errors import DOCS, LotusError
from lotus_infra.helm.chart_schema import remote_schemas


def network(case: StackContext) -> Iterator[CheckResult]:
    """Whether the UI's host has an address, and the chart can be fetched."""
    try:
        settings = case.project.dagster(case.stack)
    except LotusError:
        return  # `cluster` reports it.
    if settings is None:
        return
    if settings.ingress is not None:
        yield _host(settings.ingress.host)
    yield _chart(case.project.folder, settings.chart)
    yield from _schemas(case.project.folder, settings.chart)


def _host(host: str) -> CheckResult:
    try:
        found = addresses_of(host)
    except LotusError as error:
        # Not broken: DNS may be updated by a controller that reads the ingress.
        return warning("network", error.message, "add a DNS record that points to the ingress controller")
    return ok("network", f"{host} is {', '.join(found)}")


def _chart(project: Path, chart: Chart) -> CheckResult:
    if chart.path is not None:
        if (project / chart.path).exists():
            return ok("network", f"the chart is {chart.path}")
        return broken("network", f"there is no chart {chart.path}", "correct lotus:dagster.chart.path")
    try:
        ask_chart_repository(chart.repository)
    except LotusError as error:
        remedy = "allow this machine to reach it, or set lotus:dagster.chart.path to a folder or package with the chart"
        return broken("network", f"the chart's repository can't be used: {error.message}", remedy)
    return ok("network", f"the chart's repository {chart.repository} answers")


def _schemas(project: Path, chart: Chart) -> Iterator[CheckResult]:
    """Whether Helm can read the schemas on other servers to which the chart refers."""
    for address in remote_schemas(None if chart.path is None else project / chart.path):
        try:
            ask_address(address)
        except LotusError as error:
            remedy = f"allow this machine to reach it, or use a chart without it: {DOCS}/how-to/deploy-dagster.md"
            yield broken("network", f"Helm can't read a schema of the chart: {error.message}", remedy)
        else:
            yield ok("network", f"the chart's schema {address} answers")
