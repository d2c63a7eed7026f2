"""From a model's Jinja to SQL of the same lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_infra.dbt.sql import PLACEHOLDER
from lotus_infra.dbt.template import TemplateError, read_template


def test_arrivals_and_refs_are_tables_and_latest_is_a_query() -> None:
    template = read_template(
        "{{ config(tags=['a__b']) }}\nwith x as (select 1 from {{ arrivals('a', 'b') }} join {{ ref('c') }})\n"
        "{{ latest('x', key=['i', 'j'], cursor='t') }}\n"
    )

    assert template.sql == (
        f"\nwith x as (select 1 from {PLACEHOLDER}1 join {PLACEHOLDER}2)\n"
        "select * from x qualify row_number() over (partition by i, j order by t, _airbyte_raw_id, "
        "_airbyte_extracted_at, _airbyte_generation_id) = 1\n"
    )
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


def test_a_call_over_several_lines_keeps_them() -> None:
    template = read_template("a\n{{\n  config(\n    unique_key='id'\n  )\n}}\n{# a\nremark #}\n{{ ref('x') }}")

    assert template.sql.count("\n") == 8
    assert [(call.name, call.line) for call in template.calls] == [("config", 2), ("ref", 9)]


def test_a_line_end_in_an_argument_adds_no_line() -> None:
    template = read_template("{{ latest('x', key='a\\nb', cursor='c\nd') }}\n{{ ref('y') }}")

    assert template.sql.count("\n") == 2
    assert template.calls[-1].line == 3


def test_lines_that_whitespace_control_strips_are_kept() -> None:
    template = read_template("a\n\n{{- ref('x') -}}\n\n\nb\n\n{%- do x -%}\n\nc {{ y }}\n\n")

    assert template.sql.splitlines() == ["a", "", f"{PLACEHOLDER}0", "", "", "b", "", "", "", f"c {PLACEHOLDER}2", ""]
    assert template.unknown == ((8, "{%- do x -%}"), (10, "{{ y }}"))


def test_a_computed_argument_of_config_is_left_out_and_the_others_are_read() -> None:
    (call,) = read_template("{{ config(tags=['t'], pre_hook=hook(), enabled=true, post_hook='{{ x }}') }}").calls

    assert dict(call.arguments) == {"tags": ["t"], "enabled": True, "post_hook": "{{ x }}"}


@pytest.mark.parametrize(
    "argument", ["9 ** 9 ** 9", "'x' | upper", "'x' ~ y", "{[1]: 2}", "['a', y]", "-1", "(1,) * 9"]
)
def test_an_argument_that_is_no_literal_is_never_evaluated(argument: str) -> None:
    (call,) = read_template(f"{{{{ config(tags=['t'], x={argument}) }}}}").calls

    assert dict(call.arguments) == {"tags": ["t"]}


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
        "{{ ref('x').identifier }}",
        "{{ }}",
        "{{ a b }}",
        "{{ {'a': {'b': 1}}['a'] }}",
        "{{ arrivals(" + "(" * 1000 + "1" + ")" * 1000 + ") }}",
    ],
)
def test_any_other_expression_is_unknown_and_becomes_a_placeholder(tag: str) -> None:
    template = read_template(f"select\n{tag}")

    assert template.sql == f"select\n{PLACEHOLDER}0"
    assert template.unknown == ((2, tag),)
    assert not template.has_statements


def test_statements_are_listed() -> None:
    template = read_template("{%- if x %}\na\n{% endif -%}")

    assert template.has_statements
    assert template.unknown == ((1, "{%- if x %}"), (3, "{% endif -%}"))


def test_a_raw_block_has_no_tags() -> None:
    template = read_template("{% raw %}\n{{ ref('x') }}{% endraw %}\n{{ ref('y') }}")

    assert [(call.line, call.text("model")) for call in template.calls] == [(3, "y")]
    assert template.has_statements


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("select\n{{ ref('x }}", 2, "unexpected char"),
        ("select\n{{ (x }}", 2, "expected '\\)'"),
        ("select\n{# x", 2, "end of comment"),
        ("select\n{% raw %} x", 2, "end of raw"),
        ("select\n{{ ref('x')\nfrom y", 2, "'{{' is not closed"),
        ("select\n\n{%\nif x", 3, "'{%' is not closed"),
    ],
)
def test_a_text_that_jinja_can_not_split_is_an_error_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(TemplateError, match=message) as error:
        read_template(text)

    assert error.value.line == line


@given(st.lists(st.sampled_from(["{{", "}}", "{%", "%}", "{#", "#}", "'", '"', "ref('a')", "\n", " x ", "-"])))
def test_any_text_is_refused_with_a_line_of_its_own_or_keeps_its_lines(parts: list[str]) -> None:
    text = "".join(parts)
    lines = text.count("\n")

    try:
        assert read_template(text).sql.count("\n") == lines
    except TemplateError as error:
        assert 1 <= error.line <= lines + 1  # noqa: PT017, either outcome is right
