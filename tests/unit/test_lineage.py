"""The nodes and edges of the lineage, and the coordinates of its drawing."""

from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_infra.dbt.project import Model, ModelConfig, Project, StreamRef
from lotus_infra.lake.lake import Lake
from lotus_infra.lake.loader import load_lake
from lotus_infra.lineage import Lineage, Node, lineage_of, mermaid
from lotus_infra.lineage_svg import BOX_HEIGHT, CHARACTER, Layout, layout, svg
from tests.support.lakes import Document, clean_files, destination, source, stream, write
from tests.support.tables import tables_lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Two sources: `shop` with orders and customers that are not selected, `books` with orders."""
    files = clean_files() | {
        "shop/customers.json": stream(stream="customers", selected=False),
        "books/_source.json": source(name="Books"),
        "books/orders.json": stream(),
    }
    return load_lake(write(tmp_path, files)).lake


def model(name: str, *refs: str, of: tuple[str, str] | None = None) -> Model:
    arrivals = (StreamRef(of, 1),) if of is not None else ()
    return Model(name, f"models/{name}.sql", ModelConfig(), arrivals, refs=refs)


def project(*models: Model) -> Project:
    return Project(Path("dbt"), models, (), (), ())


MODELS = (
    model("int_shop__orders", of=("shop", "orders")),
    model("int_shop__order_lines", of=("shop", "orders")),
    model("fct_sales", "int_shop__orders", "int_shop__order_lines"),
    model("dim_buyers", "fct_sales", "int_shop__orders"),
    model("fct_books", "int_books__orders"),
)


def test_edges_go_from_source_to_stream_to_files_to_models_to_marts(lake: Lake) -> None:
    assert set(lineage_of(lake, project(*MODELS), "shop").edges) == {
        ("source:shop", "stream:shop/orders"),
        ("stream:shop/orders", "prefix:shop/orders"),
        ("prefix:shop/orders", "model:int_shop__orders"),
        ("prefix:shop/orders", "model:int_shop__order_lines"),
        ("model:int_shop__orders", "model:fct_sales"),
        ("model:int_shop__order_lines", "model:fct_sales"),
        ("model:fct_sales", "model:dim_buyers"),
        ("model:int_shop__orders", "model:dim_buyers"),
    }


def test_a_mart_downstream_of_a_mart_is_one_column_further_right(lake: Lake) -> None:
    columns = {node.label: node.column for node in lineage_of(lake, project(*MODELS)).nodes if node.kind == "mart"}

    assert columns == {"fct_sales": 4, "fct_books": 4, "dim_buyers": 5}


def test_a_missing_model_is_drawn_as_missing_with_its_marts(lake: Lake) -> None:
    lineage = lineage_of(lake, project(*MODELS), "books")

    assert [node.label for node in lineage.nodes if node.missing] == ["int_books__orders (missing)"]
    assert ("model:int_books__orders", "model:fct_books") in lineage.edges
    assert 'class="box missing"' in svg(lineage)
    assert '"int_books__orders (missing)"]:::missing' in mermaid(lineage)


def test_without_a_dbt_project_the_lineage_ends_at_the_files(lake: Lake) -> None:
    assert {node.kind for node in lineage_of(lake, None).nodes} == {"source", "stream", "prefix"}


def test_streams_that_are_not_selected_are_left_out(lake: Lake) -> None:
    assert "stream:shop/customers" not in {node.key for node in lineage_of(lake, None).nodes}


@pytest.fixture
def big(tmp_path: Path) -> Lake:
    """Forty-three connections of nine sources into three destinations; two of each source share a stream."""
    files = clean_files()
    wide = {f"_destinations/{name}.json": destination(name=name.title()) for name in ("archive", "s3")}
    silent: Document = {"test_destination": {"test_destination_type": "SILENT"}}
    files |= wide | {"_destinations/bank.json": {"connector": "destination-dev-null", "configuration": silent}}
    for number in range(9):
        keys = [f"c{key}" for key in range(5 if number < 7 else 4)]
        connections = {
            key: {
                "destination": ("s3", "archive", "bank")[index % 3],
                "prefix": f"{key} <&\"'>#%%{{",
                "streams": ["shared", key] if index < 2 else [key],
            }
            for index, key in enumerate(keys)
        }
        body = {key: value for key, value in source(name=f"Crm {number}").items() if key != "destination"}
        files[f"crm{number}/_source.json"] = body | {"connections": connections}
        for key in (*keys, "shared"):
            files[f"crm{number}/{key}.json"] = stream(stream=f"{key} 表 \u202e 🎉 %%{{init}}", namespace='a"b')
    return load_lake(write(tmp_path, {name: text for name, text in files.items() if not name.startswith("shop/")})).lake


def test_forty_three_connections_to_three_destinations_are_drawn_without_touching_each_other(big: Lake) -> None:
    models = [model(f"int_crm0__{name}", of=("crm0", name)) for name in ("shared", "c0", "c1", "c2")]
    lineage = lineage_of(big, project(*models, model("fct_all", *(each.name for each in models))))

    assert sum(node.kind == "source" for node in lineage.nodes) == 43
    assert {node.label.partition(":")[0] for node in lineage.nodes if node.column == 2} == {"S3", "Archive", "Bank"}
    assert sum(node.kind == "stream" for node in lineage.nodes) == 43 + 2 * 9
    read = {tail for tail, head in lineage.edges if head == "model:int_crm0__shared"}
    assert read == {"prefix:crm0/c0/shared"}
    assert not any(tail == "prefix:crm0/c2/c2" for tail, _ in lineage.edges)
    assert_apart(layout(lineage))


def test_odd_prefixes_are_one_text_in_both_drawings(big: Lake) -> None:
    lineage = lineage_of(big, None, "crm0/c2")

    [place] = [node for node in lineage.nodes if node.kind == "table"]
    assert place.label == "Bank: crm0.c2 <&\"'>#%%{c2 表 \u202e 🎉 %%{init}"
    assert [node.label for node in lineage.nodes if node.kind == "source"] == ["crm0/c2"]
    texts = [element.text for element in ET.fromstring(svg(lineage)).iter("{http://www.w3.org/2000/svg}text")]
    assert place.label.replace("\u202e", "\\u202e") in texts
    assert "written to" in texts
    for line in mermaid(lineage).splitlines()[1:4]:
        assert not set(line.split('"')[1]) & set("<>%{}&`")


def test_a_paused_connection_says_so_and_a_long_name_is_shortened(tmp_path: Path) -> None:
    long = "x" * 500
    files = clean_files() | {"shop/_source.json": source(status="inactive"), "shop/orders.json": stream(stream=long)}

    labels = {node.kind: node.label for node in lineage_of(load_lake(write(tmp_path, files)).lake, None).nodes}

    assert labels["source"] == "shop (paused)"
    assert labels["prefix"].startswith("raw/shop/xxx")
    assert labels["prefix"].endswith("xxx/")
    assert len(labels["prefix"]) < 101


def test_models_that_refer_to_each_other_do_not_hang_it(lake: Lake) -> None:
    lineage = lineage_of(lake, project(model("a", "b"), model("b", "a")))

    assert {"model:a", "model:b"} <= {node.key for node in lineage.nodes}


def test_names_are_escaped() -> None:
    odd = Lineage((Node("model:<&\"'>", "mart", '<&"#>', 4), Node("model:_____", "mart", "b", 4)), ())

    texts = [element.text for element in ET.fromstring(svg(odd)).iter("{http://www.w3.org/2000/svg}text")]
    assert '<&"#>' in texts
    assert mermaid(odd).splitlines()[1:] == [
        '    model______[["#60;#38;#34;#35;#62;"]]',
        '    model_______2[["b"]]',
    ]


@pytest.mark.parametrize(("label", "columns"), [("表と顧客", 8), ("a\u202eb", 8), ("🎉", 2), ("ab", 2)])
def test_a_box_is_as_wide_as_its_text_is_shown(label: str, columns: int) -> None:
    [box] = layout(Lineage((Node("model:x", "model", label, 3),), ())).boxes

    assert box.width == columns * CHARACTER + 20


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1) | st.just("%%{init: {}}%%"))
def test_any_label_is_one_text_in_both_drawings(label: str) -> None:
    lineage = Lineage((Node("model:x", "model", label, 3, f"models/{label}.sql"),), ())
    head, node, *rest = mermaid(lineage).split("\n")
    assert (head, rest) == ("flowchart LR", [""])
    assert node.startswith('    model_x["')
    assert node.endswith('"]')
    inside = node.removeprefix('    model_x["').removesuffix('"]')
    assert not set(inside) & set('"<>&`%{}[]|\\*_~') - {"_"}
    ET.fromstring(svg(lineage))


@st.composite
def lineages(draw: st.DrawFn) -> Lineage:
    """Streams with models, and marts that read any models and marts before them."""
    nodes, edges, models = [], [], []
    for number in range(draw(st.integers(0, 4))):
        nodes.append(Node(f"source:{number}", "source", f"s{number}", 0))
        for index in range(draw(st.integers(1, 4))):
            name = f"{number}/{index}"
            nodes += [Node(f"stream:{name}", "stream", name, 1), Node(f"prefix:{name}", "prefix", name, 2)]
            edges += [(f"source:{number}", f"stream:{name}"), (f"stream:{name}", f"prefix:{name}")]
            for copy in range(draw(st.integers(0, 2))):
                models.append(Node(f"model:{name}/{copy}", "model", "m" * draw(st.integers(1, 30)), 3))
                edges.append((f"prefix:{name}", models[-1].key))
    made = list(models)
    for number in range(draw(st.integers(0, 8))):
        inputs = draw(st.lists(st.sampled_from(made), unique=True, max_size=4)) if made else []
        column = max([3, *(node.column for node in inputs)]) + 1
        made.append(Node(f"model:mart{number}", "mart", f"mart{number}", column))
        edges += [(node.key, made[-1].key) for node in inputs]
    return Lineage((*nodes, *made), tuple(edges))


@given(lineages())
def test_no_two_boxes_touch_no_edge_runs_through_a_box_and_all_is_inside(lineage: Lineage) -> None:
    placed = layout(lineage)

    assert len(placed.boxes) == len(lineage.nodes)
    for box in placed.boxes:
        assert len(box.node.label) * 7.3 <= box.width
    assert_apart(placed)


def assert_apart(placed: Layout) -> None:
    for one, other in combinations(placed.boxes, 2):
        apart = abs(one.y - other.y) >= BOX_HEIGHT + 4 or one.x >= other.x + other.width or other.x >= one.x + one.width
        assert apart, (one, other)
    for box in placed.boxes:
        assert 0 < box.x < box.x + box.width < placed.width
        assert 0 < box.y - BOX_HEIGHT / 2 < box.y + BOX_HEIGHT / 2 < placed.height
    assert crossed(placed) == []


def crossed(placed: Layout) -> list[str]:
    """Boxes that an edge runs through where it crosses a column on a straight line."""
    found = []
    for edge in placed.edges:
        for (x, y), (end, _) in zip(edge[1:-1:2], edge[2:-1:2], strict=True):
            found += [
                box.node.key
                for box in placed.boxes
                if box.x <= end and x <= box.x + box.width and abs(box.y - y) <= BOX_HEIGHT / 2
            ]
    return found


def reading(name: str, stream_name: tuple[str, str]) -> Model:
    return Model(name, f"models/{name}.sql", ModelConfig(), sources=(StreamRef(stream_name, 1),))


def test_a_table_in_postgres_goes_on_to_its_models_and_marts(tmp_path: Path) -> None:
    crm = load_lake(tables_lake(tmp_path)).lake
    models = (
        reading("int_crm__contacts", ("crm", "contacts")),
        model("dim_contacts", "int_crm__contacts"),
    )
    lineage = lineage_of(crm, project(*models))

    assert lineage.edges == (
        ("source:crm", "stream:crm/contacts"),
        ("stream:crm/contacts", "prefix:crm/contacts"),
        ("prefix:crm/contacts", "model:int_crm__contacts"),
        ("model:int_crm__contacts", "model:dim_contacts"),
    )
    assert [(node.kind, node.label, node.column) for node in lineage.nodes] == [
        ("source", "crm", 0),
        ("stream", "contacts", 1),
        ("table", "crm.Contacts", 2),
        ("model", "int_crm__contacts", 3),
        ("mart", "dim_contacts", 4),
    ]


def test_a_table_in_postgres_without_a_model_has_one_missing(tmp_path: Path) -> None:
    lineage = lineage_of(load_lake(tables_lake(tmp_path)).lake, project())

    assert [node.label for node in lineage.nodes if node.missing] == ["int_crm__contacts (missing)"]


def test_a_table_of_a_warehouse_that_models_can_not_read_ends_there(tmp_path: Path) -> None:
    lineage = lineage_of(load_lake(tables_lake(tmp_path, connector="destination-snowflake")).lake, project())

    assert [(node.kind, node.label) for node in lineage.nodes][-1] == ("table", "CRM.CONTACTS")
    assert [head for _, head in lineage.edges] == ["stream:crm/contacts", "prefix:crm/contacts"]


def test_a_source_that_dlt_reads_shows_its_engine_and_goes_on_to_the_files(tmp_path: Path) -> None:
    erp: Document = {"engine": "dlt", "configuration": {}, "destination": "s3", "status": "inactive"}
    files = clean_files() | {"erp/_source.json": erp, "erp/orders.json": stream()}
    lineage = lineage_of(load_lake(write(tmp_path, files)).lake, project(*MODELS), "erp")

    assert [(node.kind, node.label) for node in lineage.nodes] == [
        ("source", "erp (dlt) (paused)"),
        ("stream", "orders"),
        ("prefix", "raw/erp/orders/"),
        ("model", "int_erp__orders (missing)"),
    ]
