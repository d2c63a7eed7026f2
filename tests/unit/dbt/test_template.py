"""From a model's Jinja to SQL of the same lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_infra.dbt.template import STAND_IN, read_template


def test_arrivals_and_refs_are_tables_and_latest_is_a_query() -> None:
    template = read_template(
        "{{ config(tags=['a__b']) }}\nwith x as (select 1 from {{ arrivals('a', 'b') }} join {{ ref('c') }})\n"
        "{{ latest('x', key=['i', 'j'], cursor='t') }}\n"
    )

    assert template.sql == (f"\nwith x as (select 1 from {STAND_IN}1 join {STAND_IN}2)\nfrom x\n")
    assert [(call.name, call.line, dict(call.arguments)) for call in template.calls] == [
        ("config", 1, {"tags": ["a__b"]}),
        ("arrivals", 2, {"source_name": "a", "stream": "b"}),
        ("ref", 2, {"model": "c"}),
        ("latest", 3, {"rows": "x", "key": ["i", "j"], "cursor": "t"}),
    ]
    assert template.unknown == ()


def test_a_ref_may_name_a_package_first() -> None:
    (call,) = read_template("{{ ref('package', 'model') }}").calls

    assert call.text("model") == "model"


def test_a_call_over_several_lines_leaves_as_many() -> None:
    template = read_template("a\n{{\n  config(\n    unique_key='id'\n  )\n}}\n{# a\nremark #}\n{{ ref('x') }}")

    assert template.sql.count("\n") == 8
    assert [(call.name, call.line) for call in template.calls] == [("config", 2), ("ref", 9)]


def test_what_is_computed_in_a_config_is_left_out_and_the_rest_is_read() -> None:
    (call,) = read_template("{{ config(tags=['t'], pre_hook=hook(), enabled=true, post_hook='{{ x }}') }}").calls

    assert dict(call.arguments) == {"tags": ["t"], "enabled": True, "post_hook": "{{ x }}"}


@pytest.mark.parametrize(
    "tag",
    [
        "{{ this }}",
        "{{ var('x') }}",
        "{{ arrivals(source, 'b') }}",
        "{{ latest('x', key='id') }}",
        "{{ a ~ b }}",
        "{{ 'x' | upper }}",
        "{{ dbt_utils.star(ref('x')) }}",
        "{{ }}",
    ],
)
def test_anything_else_is_unknown_and_stands_as_a_name(tag: str) -> None:
    template = read_template(f"select\n{tag}")

    assert template.sql == f"select\n{STAND_IN}0"
    assert template.unknown == ((2, tag),)
    assert not template.has_statements


def test_statements_are_noted_as_such() -> None:
    template = read_template("{%- if x %}\na\n{% endif -%}")

    assert template.has_statements
    assert template.unknown == ((1, "{%- if x %}"), (3, "{% endif -%}"))


@given(st.lists(st.sampled_from(["{{", "}}", "{%", "%}", "{#", "#}", "'", '"', "ref('a')", "\n", " x ", "-"])))
def test_no_text_is_too_broken_and_no_line_is_lost(parts: list[str]) -> None:
    text = "".join(parts)

    assert read_template(text).sql.count("\n") == text.count("\n")
