"""Every way in which a dbt project can break the field contract, with the expected report."""

from tests.support.projects import CLEAN, DESCRIPTIONS, MART, MODEL, SOURCES, Break
from tests.support.projects import FIELDS as FIELDS_OF_STREAM

_ARRIVALS = "{{ arrivals('shop', 'orders') }}"
_LINES = """\
{{ config(unique_key='id', tags=['shop__orders']) }}

select id, line_items from {{ arrivals('shop', 'orders') }}
"""
_SECOND = "models/core/shop/int_shop__order_lines.sql"

FIELDS = (
    Break(
        "unselected_field",
        (
            f"{_SECOND}:3: line_items: the model reads it from shop/orders, which does not select it: "
            "add it to the fields of shop/orders.json, or don't read it"
        ),
        files=((_SECOND, _LINES),),
    ),
    Break(
        "known_field",
        (
            f"{MODEL}:8: lines: the model reads it from shop/orders, which does not select it: "
            "add it to the fields of shop/orders.json: the source has it"
        ),
        ((MODEL, "        email,", "        lines,"),),
    ),
    Break(
        "misspelt_field",
        f'{MODEL}:8: emial: the model reads it from shop/orders, which does not select it: did you mean "email"?',
        ((MODEL, "        email,", "        emial,"),),
    ),
    Break(
        "unknown_metadata",
        (
            f"{MODEL}:11: _airbyte_row_id: the model reads it from shop/orders, which does not select it: "
            'did you mean "_airbyte_raw_id"?\n'
            f'{MODEL}:24: _airbyte_raw_id: the model reads it from "typed", which has no such column: '
            "add it there, or don't read it"
        ),
        ((MODEL, "_airbyte_raw_id", "_airbyte_row_id"),),
    ),
    Break(
        "unknown_member",
        (
            f"{MODEL}:20: address.town: is not a property that shop/orders.json declares: "
            "declare it there, or don't read it"
        ),
        ((MODEL, "$.city", "$.town"),),
    ),
    Break(
        "absent_column",
        (
            f'{MODEL}:20: addresses: the model reads it from "arrived", which has no such column: '
            "add it there, or don't read it"
        ),
        ((MODEL, "(address,", "(addresses,"),),
    ),
    Break(
        "no_cursor",
        (
            f'{MODEL}:23: updated_at: the model reads it from "typed", which has no such column: '
            "add it there, or don't read it"
        ),
        ((MODEL, "        updated_at::timestamptz as updated_at,\n", ""),),
    ),
    Break(
        "field_of_all_files",
        (f'{MART}:1: emails: the model reads it from shop/orders, which does not select it: did you mean "email"?'),
        files=((MART, "select emails from {{ source('shop', 'orders') }}\n"),),
    ),
    Break(
        "undeclared_column",
        (
            f"{MODEL}:8: email: the model reads it from shop/orders, but {SOURCES} does not declare it: "
            "add it to the columns there"
        ),
        ((SOURCES, "          - name: email\n", ""),),
    ),
    Break(
        "undeclared_table",
        f"{MODEL}:14: arrivals: no sources file declares shop/orders: add it to the tables of its source",
        files=((SOURCES, None),),
    ),
)
DELETED = {"_ab_cdc_deleted_at": {"type": "string", "airbyte_type": "timestamp_with_timezone"}}
STREAMS = (
    Break(
        "deletions_not_told",
        (
            f"{MODEL}:25: deleted: is missing, but the source of shop/orders.json reports deletions in "
            "_ab_cdc_deleted_at: deleted rows stay: write deleted='_ab_cdc_deleted_at' in `latest`"
        ),
        (
            (
                SOURCES,
                "          - name: address\n",
                "          - name: address\n          - name: _ab_cdc_deleted_at\n",
            ),
            (MODEL, "        address,\n", "        address,\n        _ab_cdc_deleted_at,\n"),
        ),
        stream={"fields": FIELDS_OF_STREAM | DELETED},
    ),
    Break(
        "deletions_of_no_column",
        (
            f'{MODEL}:24: _ab_cdc_deleted_at: the model reads it from "typed", which has no such column: '
            "add it there, or don't read it"
        ),
        ((MODEL, "cursor='updated_at') }}", "cursor='updated_at', deleted='_ab_cdc_deleted_at') }}"),),
        stream={"fields": FIELDS_OF_STREAM | DELETED},
    ),
    Break(
        "two_cases",
        (
            "streams/shop/orders.json:35: fields.ID: differs from id by case alone, and DuckDB takes both for one "
            "column: select one of the two"
        ),
        stream={"fields": FIELDS_OF_STREAM | {"ID": {"type": "integer"}}},
    ),
    Break(
        "another_case",
        f'{SOURCES}:12: shop.orders.ID: is not a field of shop/orders.json: did you mean "id"?',
        ((SOURCES, "          - name: id\n", "          - name: ID\n"),),
    ),
)
ENTRIES = (
    Break(
        "unselected_column",
        f'{SOURCES}:14: shop.orders.emails: is not a field of shop/orders.json: did you mean "email"?',
        ((SOURCES, "          - name: address\n", "          - name: emails\n          - name: address\n"),),
    ),
    Break(
        "other_prefix",
        (
            f"{SOURCES}:9: shop.orders.meta: has the prefix raw/shop/order/, but the files are in raw/shop/orders/: "
            "write `prefix: raw/shop/orders/`"
        ),
        ((SOURCES, "prefix: raw/shop/orders/", "prefix: raw/shop/order/"),),
    ),
    Break(
        "no_prefix",
        f"{SOURCES}:6: shop.orders.meta: has no prefix: write `prefix: raw/shop/orders/`",
        ((SOURCES, "            prefix: raw/shop/orders/\n", ""),),
    ),
    Break(
        "other_location",
        (
            f"{SOURCES}:9: shop.orders.meta: has an external_location that is not in raw/shop/orders/: "
            "make it read …/raw/shop/orders/*/*/*/*.parquet"
        ),
        ((SOURCES, "/raw/shop/orders/*", "/raw/shop/order/*"),),
    ),
    Break(
        "table_of_no_stream",
        f'{SOURCES}:6: order: is not a stream of the source "shop": did you mean "orders"?',
        ((SOURCES, "      - name: orders\n", "      - name: order\n      - name: orders\n"),),
    ),
    Break(
        "source_of_no_folder",
        f"{SOURCES}:4: books: is not a source of the lake: delete the entry, or add the source's folder",
        ((SOURCES, "  - name: shop\n", "  - name: books\n  - name: shop\n"),),
    ),
    Break(
        "described_and_gone",
        f'{DESCRIPTIONS}:4: int_shop__order: is not a model of the project: did you mean "int_shop__orders"?',
        ((DESCRIPTIONS, "  - name: int", "  - name: int_shop__order\n  - name: int"),),
    ),
    Break(
        "not_yaml",
        f"{DESCRIPTIONS}:8: (file): is not YAML: correct its syntax",
        ((DESCRIPTIONS, "        data_tests: [unique, not_null]", "        data_tests: [unique"),),
    ),
    Break(
        "sources_not_yaml",
        f"{SOURCES}:2: (file): is not YAML: correct its syntax",
        files=((SOURCES, "sources: [\n"),),
    ),
)
MODELS = (
    Break(
        "not_jinja",
        f"{MODEL}:24: (file): is not a Jinja template ('{{{{' is not closed): correct its syntax",
        ((MODEL, "cursor='updated_at') }}", "cursor='updated_at')"),),
    ),
    Break(
        "no_model",
        (
            f"{DESCRIPTIONS}:4: int_shop__orders: is not a model of the project: delete the entry, or add the model\n"
            "streams/shop/orders.json:1: (file): has no model int_shop__orders in the dbt project: "
            "run `lotus scaffold shop orders`"
        ),
        files=((MODEL, None),),
    ),
    Break(
        "arrivals_of_no_stream",
        f'{_SECOND}:3: arrivals: shop/order_lines is not a stream of the lake: did you mean "shop/orders"?',
        files=((_SECOND, _LINES.replace("'orders'", "'order_lines'")),),
    ),
    Break(
        "named_after_no_stream",
        (
            "models/core/shop/int_shop__books.sql:1: (file): is named after a stream that the lake does not have: "
            'did you mean "int_shop__orders"?'
        ),
        files=(("models/core/shop/int_shop__books.sql", "select 1 as id\n"),),
    ),
    Break(
        "reads_nothing",
        f"{MODEL}:1: (file): does not read the arrivals of shop/orders: read it from {_ARRIVALS}",
        ((MODEL, _ARRIVALS, "{{ source('shop', 'orders') }}"),),
    ),
    Break(
        "reads_two_streams",
        (
            f"{MODEL}:27: arrivals: faker/users is not a stream of the lake: add the stream, or delete this\n"
            f"{MODEL}:27: arrivals: reads faker/users in addition to shop/orders: "
            "read one stream in a model: the lake records the files that it has read of one stream only"
        ),
        (
            (
                MODEL,
                "cursor='updated_at') }}\n",
                "cursor='updated_at') }}\nunion all\n\nselect * from {{ arrivals('faker', 'users') }}\n",
            ),
        ),
    ),
    Break(
        "no_tag",
        (
            f"{MODEL}:1: tags: lack shop__orders, by which Dagster selects the models of shop/orders: "
            "write tags=['shop__orders']"
        ),
        ((MODEL, ", tags=['shop__orders']", ""),),
    ),
    Break(
        "misspelt_tag",
        f'{MODEL}:1: tags: shop__order is not the tag of any stream: did you mean "shop__orders"?',
        ((MODEL, "['shop__orders']", "['shop__orders', 'shop__order', 'nightly']"),),
    ),
    Break(
        "other_place",
        (
            "models/core/shop/old/int_shop__orders.sql:1: (file): is in the wrong folder for the model of shop/orders: "
            f"move it to {MODEL}"
        ),
        files=((MODEL, None), ("models/core/shop/old/int_shop__orders.sql", CLEAN[MODEL])),
    ),
    Break(
        "outside_the_folder",
        (
            'models/marts/int_shop__emails.sql:1: (file): reads arrivals of "shop" from outside models/core/shop/: '
            "move it to models/core/shop/"
        ),
        files=(("models/marts/int_shop__emails.sql", _LINES.replace("line_items", "email")),),
    ),
    Break(
        "other_name",
        (
            'models/core/shop/shop_emails.sql:1: (file): reads arrivals of "shop", but is not named after it: '
            "name it int_shop__…"
        ),
        files=(("models/core/shop/shop_emails.sql", _LINES.replace("line_items", "email")),),
    ),
    Break(
        "other_unique_key",
        f"{MODEL}:1: unique_key: is email, but shop/orders.json has the primary_key id: write unique_key='id'",
        ((MODEL, "unique_key='id'", "unique_key='email'"),),
    ),
    Break(
        "no_unique_key",
        f"{MODEL}:1: unique_key: is missing, but shop/orders.json has the primary_key id: write unique_key='id'",
        ((MODEL, "unique_key='id', ", ""),),
    ),
    Break(
        "other_key",
        f"{MODEL}:24: key: is email, but shop/orders.json has the primary_key id: write key='id'",
        ((MODEL, "key='id', cursor", "key=['email'], cursor"),),
    ),
    Break(
        "half_a_key",
        (
            f"{MODEL}:1: unique_key: is id, but shop/orders.json has the primary_key id, email: "
            "write unique_key=['id', 'email']\n"
            f"{MODEL}:24: key: is id, but shop/orders.json has the primary_key id, email: write key=['id', 'email']"
        ),
        stream={"primary_key": [["id"], ["email"]]},
    ),
    Break(
        "key_of_a_keyless_stream",
        (
            f"{MODEL}:1: unique_key: is id, but shop/orders.json has no primary_key: "
            "write unique_key='_airbyte_raw_id'\n"
            f"{MODEL}:24: key: is id, but shop/orders.json has no primary_key: write key='_airbyte_raw_id'"
        ),
        stream={"primary_key": []},
    ),
    Break(
        "other_cursor",
        f"{MODEL}:24: cursor: is email, but the cursor of shop/orders.json is updated_at: write cursor='updated_at'",
        ((MODEL, "cursor='updated_at'", "cursor='email'"),),
    ),
)
BREAKS = (*FIELDS, *STREAMS, *ENTRIES, *MODELS)

NOTICES = (
    Break(
        "not_selected",
        (
            f"{MODEL}:14: arrivals: reads shop/orders, which is not selected, so no new rows arrive: "
            "select it in shop/orders.json, or delete the model"
        ),
        stream={"selected": False},
    ),
    Break(
        "statement",
        (
            f"{MODEL}:22: (file): has {{% if is_incremental() %}} in it, so the fields that it reads are not all "
            "checked: check them by hand, or write the model without it"
        ),
        ((MODEL, "from arrived\n", "from arrived\n    {% if is_incremental() %} where id > 1 {% endif %}\n"),),
    ),
    Break(
        "unknown_macro",
        (
            f"{MODEL}:8: (file): has {{{{ columns() }}}} in it, so the fields that it reads are not all checked: "
            "check them by hand, or write the model without it"
        ),
        ((MODEL, "        email,", "        {{ columns() }},"),),
    ),
    Break(
        "computed_arrivals",
        (
            f"{_SECOND}:1: (file): has {{{{ arrivals(source, 'orders') }}}} in it, so the fields that it reads are "
            "not all checked: check them by hand, or write the model without it\n"
            f"{MODEL}:14: (file): has {{{{ arrivals(var('shop'), 'orders') }}}} in it, so the fields that it reads are "
            "not all checked: check them by hand, or write the model without it"
        ),
        ((MODEL, "arrivals('shop', ", "arrivals(var('shop'), "),),
        files=((_SECOND, "select id from {{ arrivals(source, 'orders') }}\n"),),
    ),
    Break(
        "not_sql",
        (
            f"{MODEL}:14: (file): can't be read as SQL (Expecting )), so the fields that it reads are not checked: "
            "check them by hand, or write the model without it"
        ),
        ((MODEL, "id::bigint as id", "(id::bigint as id"),),
    ),
)
