"""Every way in which a dbt project can break the field contract, with what must be said of it."""

from tests.support.projects import CLEAN, DESCRIPTIONS, MODEL, SOURCES, Break

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
            f"{_SECOND}:3: line_items: is read of shop/orders, which does not select it: "
            "add it to the fields of shop/orders.json, or don't read it"
        ),
        files=((_SECOND, _LINES),),
    ),
    Break(
        "known_field",
        (
            f"{MODEL}:8: lines: is read of shop/orders, which does not select it: "
            "add it to the fields of shop/orders.json: the source has it"
        ),
        ((MODEL, "        email,", "        lines,"),),
    ),
    Break(
        "misspelt_field",
        f'{MODEL}:8: emial: is read of shop/orders, which does not select it: did you mean "email"?',
        ((MODEL, "        email,", "        emial,"),),
    ),
    Break(
        "unknown_metadata",
        (
            f"{MODEL}:11: _airbyte_row_id: is read of shop/orders, which does not select it: "
            'did you mean "_airbyte_raw_id"?'
        ),
        ((MODEL, "_airbyte_raw_id", "_airbyte_row_id"),),
    ),
    Break(
        "unknown_member",
        (
            f"{MODEL}:20: address.town: is not among the properties that shop/orders.json declares: "
            "declare it there, or don't read it"
        ),
        ((MODEL, "$.city", "$.town"),),
    ),
    Break(
        "absent_column",
        f'{MODEL}:20: addresses: is read of "arrived", which has no such column: add it there, or don\'t read it',
        ((MODEL, "(address,", "(addresses,"),),
    ),
    Break(
        "undeclared_column",
        f"{MODEL}:8: email: is read of shop/orders, and not declared in {SOURCES}: add it to the columns there",
        ((SOURCES, "          - name: email\n", ""),),
    ),
    Break(
        "undeclared_table",
        f"{MODEL}:14: arrivals: shop/orders is declared in no sources file: add it to the tables of its source",
        files=((SOURCES, None),),
    ),
)
ENTRIES = (
    Break(
        "unselected_column",
        f'{SOURCES}:14: shop.orders.emails: is not among the fields of shop/orders.json: did you mean "email"?',
        ((SOURCES, "          - name: address\n", "          - name: emails\n          - name: address\n"),),
    ),
    Break(
        "other_prefix",
        (
            f"{SOURCES}:9: shop.orders.meta: has the prefix raw/shop/order/ where the files are in raw/shop/orders/: "
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
            "let it read …/raw/shop/orders/*/*/*/*.parquet"
        ),
        ((SOURCES, "/raw/shop/orders/*", "/raw/shop/order/*"),),
    ),
    Break(
        "table_of_no_stream",
        f'{SOURCES}:6: order: is no stream of the source "shop": did you mean "orders"?',
        ((SOURCES, "      - name: orders\n", "      - name: order\n      - name: orders\n"),),
    ),
    Break(
        "source_of_no_folder",
        f"{SOURCES}:4: books: is no source of the lake: delete the entry, or add the source's folder",
        ((SOURCES, "  - name: shop\n", "  - name: books\n  - name: shop\n"),),
    ),
    Break(
        "described_and_gone",
        f'{DESCRIPTIONS}:4: int_shop__order: is no model of the project: did you mean "int_shop__orders"?',
        ((DESCRIPTIONS, "  - name: int", "  - name: int_shop__order\n  - name: int"),),
    ),
    Break(
        "not_yaml",
        f"{DESCRIPTIONS}:8: (file): is not YAML: mend it",
        ((DESCRIPTIONS, "        data_tests: [unique, not_null]", "        data_tests: [unique"),),
    ),
)
MODELS = (
    Break(
        "no_model",
        (
            f"{DESCRIPTIONS}:4: int_shop__orders: is no model of the project: delete the entry, or add the model\n"
            "streams/shop/orders.json:1: (file): has no model int_shop__orders in the dbt project: "
            "run `lotus scaffold shop orders`"
        ),
        files=((MODEL, None),),
    ),
    Break(
        "arrivals_of_no_stream",
        f'{_SECOND}:3: arrivals: shop/order_lines is no stream of the lake: did you mean "shop/orders"?',
        files=((_SECOND, _LINES.replace("'orders'", "'order_lines'")),),
    ),
    Break(
        "named_after_no_stream",
        (
            "models/core/shop/int_shop__books.sql:1: (file): is named as the model of a stream that the lake does not "
            'have: did you mean "int_shop__orders"?'
        ),
        files=(("models/core/shop/int_shop__books.sql", "select 1 as id\n"),),
    ),
    Break(
        "reads_nothing",
        f"{MODEL}:1: (file): does not read what arrives of shop/orders: read it from {_ARRIVALS}",
        ((MODEL, _ARRIVALS, "{{ source('shop', 'orders') }}"),),
    ),
    Break(
        "reads_two_streams",
        (
            f"{MODEL}:27: arrivals: faker/users is no stream of the lake: add the stream, or delete this\n"
            f"{MODEL}:27: arrivals: reads faker/users beside shop/orders: "
            "read one stream in a model: it is remembered which files of one were read"
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
            f"{MODEL}:1: tags: lack shop__orders, by which Dagster finds the models of shop/orders: "
            "write tags=['shop__orders']"
        ),
        ((MODEL, ", tags=['shop__orders']", ""),),
    ),
    Break(
        "misspelt_tag",
        f'{MODEL}:1: tags: shop__order is the tag of no stream: did you mean "shop__orders"?',
        ((MODEL, "['shop__orders']", "['shop__orders', 'shop__order', 'nightly']"),),
    ),
    Break(
        "other_place",
        (
            "models/core/shop/old/int_shop__orders.sql:1: (file): is not where the model of shop/orders belongs: "
            f"move it to {MODEL}"
        ),
        files=((MODEL, None), ("models/core/shop/old/int_shop__orders.sql", CLEAN[MODEL])),
    ),
    Break(
        "outside_the_folder",
        (
            'models/marts/int_shop__emails.sql:1: (file): reads what arrives of "shop" from outside models/core/shop/: '
            "move it to models/core/shop/"
        ),
        files=(("models/marts/int_shop__emails.sql", _LINES.replace("line_items", "email")),),
    ),
    Break(
        "other_name",
        (
            'models/core/shop/shop_emails.sql:1: (file): reads what arrives of "shop" and is not named after it: '
            "name it int_shop__…"
        ),
        files=(("models/core/shop/shop_emails.sql", _LINES.replace("line_items", "email")),),
    ),
    Break(
        "other_unique_key",
        f"{MODEL}:1: unique_key: is email where shop/orders.json has the primary_key id: write unique_key='id'",
        ((MODEL, "unique_key='id'", "unique_key='email'"),),
    ),
    Break(
        "no_unique_key",
        f"{MODEL}:1: unique_key: is missing where shop/orders.json has the primary_key id: write unique_key='id'",
        ((MODEL, "unique_key='id', ", ""),),
    ),
    Break(
        "other_key",
        f"{MODEL}:24: key: is email where shop/orders.json has the primary_key id: write key='id'",
        ((MODEL, "key='id', cursor", "key=['email'], cursor"),),
    ),
    Break(
        "half_a_key",
        (
            f"{MODEL}:1: unique_key: is id where shop/orders.json has the primary_key id, email: "
            "write unique_key=['id', 'email']\n"
            f"{MODEL}:24: key: is id where shop/orders.json has the primary_key id, email: write key=['id', 'email']"
        ),
        stream={"primary_key": [["id"], ["email"]]},
    ),
    Break(
        "key_of_a_keyless_stream",
        (
            f"{MODEL}:1: unique_key: is id where shop/orders.json has no primary_key: "
            "write unique_key='_airbyte_raw_id'\n"
            f"{MODEL}:24: key: is id where shop/orders.json has no primary_key: write key='_airbyte_raw_id'"
        ),
        stream={"primary_key": []},
    ),
    Break(
        "other_cursor",
        f"{MODEL}:24: cursor: is email where that of shop/orders.json is updated_at: write cursor='updated_at'",
        ((MODEL, "cursor='updated_at'", "cursor='email'"),),
    ),
)
BREAKS = (*FIELDS, *ENTRIES, *MODELS)

NOTICES = (
    Break(
        "not_selected",
        (
            f"{MODEL}:14: arrivals: reads shop/orders, which is not selected: nothing new arrives: "
            "select it in shop/orders.json, or delete the model"
        ),
        stream={"selected": False},
    ),
    Break(
        "statement",
        (
            f"{MODEL}:22: (file): has {{% if is_incremental() %}} in it, so the fields that it reads are not all "
            "checked: look at them yourself, or write it without"
        ),
        ((MODEL, "from arrived\n", "from arrived\n    {% if is_incremental() %} where id > 1 {% endif %}\n"),),
    ),
    Break(
        "unknown_macro",
        (
            f"{MODEL}:8: (file): has {{{{ columns() }}}} in it, so the fields that it reads are not all checked: "
            "look at them yourself, or write it without"
        ),
        ((MODEL, "        email,", "        {{ columns() }},"),),
    ),
    Break(
        "not_sql",
        (
            f"{MODEL}:14: (file): can't be read as SQL (Expecting )), so the fields that it reads are not checked: "
            "look at them yourself, or write it without"
        ),
        ((MODEL, "id::bigint as id", "(id::bigint as id"),),
    ),
)
