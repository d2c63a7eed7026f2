"""A secret is removed from a message in whatever way it is written there."""

import base64
import html
import json
from collections.abc import Callable
from html.entities import codepoint2name
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from pulumi_airbyte.client.redactor import NOT_SHOWN, Redactor

SECRET = 'p@ss "w/rd"+é\\n&<1>%41'
KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq/hkiG9w0\nBAQEFAASC+BKcwggSj\nshort=\n-----END PRIVATE KEY-----\n"
KEY_FILE = json.dumps(
    {
        "type": "service_account",
        "private_key_id": "0a1b2c3d4e5f",
        "private_key": KEY,
        "nested": {"list": ["in a list", 7, None]},
    }
)


def cleaned(message: str, *secrets: str) -> str:
    redactor = Redactor()
    redactor.learn(secrets)
    return redactor.clean(message)


def basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def url_safe(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def wrapped(text: str) -> str:
    return base64.encodebytes(text.encode()).decode()


def units(text: str) -> list[bytes]:
    encoded = text.encode("utf-16-be")
    return [encoded[index : index + 2] for index in range(0, len(encoded), 2)]


WHOLE: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "URL": quote,
    "URL, every mark": lambda text: quote(text, safe=""),
    "URL, lower case": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "form": quote_plus,
    "form, twice": lambda text: quote_plus(quote_plus(text)),
    "form, four times": lambda text: quote_plus(quote_plus(quote_plus(quote_plus(text)))),
    "URL in Latin-1": lambda text: quote(text, encoding="latin-1"),
    "HTML": html.escape,
    "HTML, twice": lambda text: html.escape(html.escape(text)),
    "HTML, decimal": lambda text: "".join(f"&#{ord(each)};" for each in text),
    "HTML, padded": lambda text: "".join(f"&#000{ord(each)};" for each in text),
    "HTML, hexadecimal": lambda text: "".join(f"&#x{ord(each):X};" for each in text),
    "HTML, named": lambda text: "".join(
        f"&{codepoint2name[ord(each)]};" if ord(each) in codepoint2name else each for each in text
    ),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON, accents as they are": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON, slashes escaped": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON, all escaped": lambda text: "".join(f"\\u{unit.hex()}" for unit in units(text)),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "JSON for scripts": lambda text: json.dumps(text)[1:-1].replace("&", "\\u0026").replace("<", "\\u003c"),
    "JSON in HTML": lambda text: html.escape(json.dumps(text)[1:-1]),
    "HTML in JSON": lambda text: json.dumps(html.escape(text))[1:-1].replace("&", "\\u0026"),
    "JSON in a URL": lambda text: quote(json.dumps(text)[1:-1], safe=""),
    "a URL in HTML in JSON": lambda text: json.dumps(html.escape(quote(text)))[1:-1],
    "repr": lambda text: repr(text)[1:-1],
    "base64": basic,
    "base64 for URLs": url_safe,
    "base64 in lines": lambda text: wrapped(f"{'x' * 70}: {text} and more of it {'y' * 70}"),
    "base64 in lines in JSON": lambda text: json.dumps(wrapped(f"{'x' * 71}: {text} {'y' * 70}"))[1:-1],
    "base64 of JSON": lambda text: basic(json.dumps({"password": text})),
    "base64 in base64": lambda text: basic(json.dumps({"auth": basic(f"user:{text}")})),
    "base64 in a URL": lambda text: quote(basic(f"user:{text}"), safe=""),
    "base64 behind a word": lambda text: "Basic" + basic(text),
}


@pytest.mark.parametrize("encode", WHOLE.values(), ids=WHOLE)
def test_a_secret_is_removed_in_every_encoding(encode: Callable[[str], str]) -> None:
    message = cleaned(f"The login <{encode(SECRET)}> was refused.", SECRET)
    assert "[secret]" in message
    assert encode(SECRET) not in message
    assert SECRET not in message
    assert message.startswith("The login <")
    assert message.endswith("> was refused.")


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("after", ["", ",", "};", ", and"])
@pytest.mark.parametrize("encode", [basic, url_safe])
@pytest.mark.parametrize("secret", ["abcd", "key", SECRET])
def test_a_secret_is_removed_at_any_place_in_a_text_in_base64(
    before: str, after: str, encode: Callable[[str], str], secret: str
) -> None:
    message = cleaned(f"Header: {encode(before + secret + after)}.", secret)
    if len(secret) < 4:
        assert message == f"Header: {encode(before + secret + after)}."
    else:
        assert encode(secret)[2:-3] not in message
        assert "[secret]" in message


def test_white_space_around_a_secret_is_no_part_of_it() -> None:
    assert cleaned("no user abc-def here", " abc-def\n") == "no user [secret] here"


@pytest.mark.parametrize("line", ["MIIEvQIBADANBgkq/hkiG9w0", "BAQEFAASC+BKcwggSj"])
@pytest.mark.parametrize("secret", [KEY, KEY.replace("\n", "\r\n"), KEY.replace("\n", "\\n"), KEY_FILE])
def test_each_line_of_a_key_is_a_secret(line: str, secret: str) -> None:
    assert cleaned(f"bad line {line}!", secret) == "bad line [secret]!"
    assert cleaned(f"bad line {quote_plus(line)}!", secret) == "bad line [secret]!"


def test_what_names_a_key_and_short_lines_of_it_are_no_secrets() -> None:
    assert cleaned("-----BEGIN PRIVATE KEY----- expected, short= found", KEY).startswith("-----BEGIN PRIVATE KEY-----")
    assert "short=" in cleaned("short= found", KEY)


def test_lines_are_joined_after_secrets_are_removed() -> None:
    redactor = Redactor()
    redactor.learn(["ab\ncd"])
    assert redactor.line("found ab\ncd\n  here") == "found [secret] here"


@pytest.mark.parametrize("text", ["0a1b2c3d4e5f", "in a list", "service_account"])
def test_each_text_in_a_key_file_is_a_secret(text: str) -> None:
    assert cleaned(f"found {text}.", KEY_FILE) == "found [secret]."


def test_a_secret_that_only_looks_like_json_is_one_text() -> None:
    assert cleaned("{not json} and [[[[", "{not json}") == "[secret] and [[[["


@pytest.mark.parametrize("secret", ["", "on", "abc", "\\\\\\\\"])
def test_short_words_stay(secret: str) -> None:
    assert cleaned("the reason: abc on\\", secret) == "the reason: abc on\\"


def test_what_is_no_secret_stays_as_it_is_written() -> None:
    text = 'a%20b &amp; \\u0041 "\\n" aGVsbG8gd29ybGQ= &nosuch; %zz \\uzzzz &#99999999; \\ud83d'
    assert cleaned(text, "another-secret") == text


def test_secrets_that_touch_or_overlap_are_all_removed() -> None:
    assert cleaned("abcdefgh", "abcd", "efgh") == "[secret][secret]"
    assert cleaned("abcdefgh", "abcdef", "defgh") == "[secret]"
    assert cleaned("aaaaaa", "aaaa") == "[secret]"


def test_expected_secrets_are_learned_once_and_only_for_a_servers_text() -> None:
    redactor = Redactor()
    loads: list[str] = []

    def load() -> list[str]:
        loads.append("")
        return [SECRET]

    redactor.expect(load)
    assert redactor.clean("nothing yet") == "nothing yet"
    assert loads == []
    assert redactor.clean_answer(f"refused {SECRET}") == "refused [secret]"
    assert redactor.quote(f"refused\n{SECRET}") == "refused [secret]"
    assert loads == [""]


def test_a_connectors_message_is_not_shown_if_secrets_that_it_may_quote_are_unknown() -> None:
    redactor = Redactor()
    redactor.expect(lambda: None)
    assert redactor.quote(f"refused {SECRET}") == NOT_SHOWN
    assert redactor.quote("") == ""
    assert redactor.clean_answer("the server's own words") == "the server's own words"


def test_a_message_may_quote_only_objects_whose_secrets_are_known() -> None:
    redactor = Redactor()
    redactor.learn([SECRET])
    redactor.cover("a-source")
    assert redactor.quote(SECRET, "a-source") == "[secret]"
    assert redactor.quote("a text", "a-source", "a-destination") == NOT_SHOWN


HARD = "%&\\;#+/=\"'<>nux0469aAfF \n\t"
CHARACTERS = st.one_of(st.sampled_from(HARD), st.characters(exclude_categories=["Cs"]))
SECRETS = st.text(CHARACTERS, min_size=6, max_size=40).filter(
    # One backslash more at the end, which may stay in the message, says nothing.
    lambda text: len(text.replace("\\", "")) >= 6 and not text.endswith("\\")
)


def spellings(character: str) -> list[str]:
    """How a message may hold a character."""
    code, sent = ord(character), "".join(f"%{byte:02X}" for byte in character.encode())
    found = [character, sent, sent.lower(), sent.replace("%", "%25"), sent.replace("%", "%2525")]
    found += [f"&#{code};", f"&#x{code:x};", f"&#0{code};", quote(f"&#{code};", safe=""), f"&amp;#{code};"]
    found += [f"&{codepoint2name[code]};"] if code in codepoint2name else []
    escaped = json.dumps(character)[1:-1]
    found += [escaped, escaped.replace("\\", "\\\\"), html.escape(escaped), quote(escaped, safe="")]
    found += [f"\\u{code:04X}", f"\\\\u{code:04x}"] if code < 0x10000 else []
    return [*found, *{" ": ["+"], "/": ["\\/"], "'": ["\\'"]}.get(character, [])]


@st.composite
def mixed(draw: st.DrawFn) -> tuple[str, str]:
    """A secret, and a spelling of it in which each character is encoded in a way of its own."""
    secret = draw(SECRETS)
    return secret, "".join(draw(st.sampled_from(spellings(each))) for each in secret)


@given(mixed())
@settings(deadline=None, max_examples=settings().max_examples * 4)
def test_a_secret_with_each_character_in_another_encoding_is_removed_and_nothing_else(both: tuple[str, str]) -> None:
    secret, spelt = both
    assert cleaned(f"before: <{spelt}> after", secret) == "before: <[secret]> after"


@given(SECRETS, st.binary(max_size=7), st.binary(max_size=7), st.sampled_from(sorted(WHOLE)))
@settings(deadline=None, max_examples=settings().max_examples * 2)
def test_a_secret_in_a_text_in_base64_is_removed(secret: str, before: bytes, after: bytes, name: str) -> None:
    inner = (secret if {"base64", "Latin-1", "repr"} & set(name.split()) else WHOLE[name](secret)).encode()
    sent = base64.b64encode(before + b"<" + inner + b">" + after).decode()
    assert "[secret]" in cleaned(f"header: {sent.rstrip('=')}", secret)


@given(SECRETS, st.text(st.sampled_from(HARD), max_size=4), st.text(st.sampled_from(HARD), max_size=4))
@settings(deadline=None, max_examples=settings().max_examples * 2)
@example("41abcd", "100%", "")
@example("abcd%4", "", "1")
def test_a_secret_does_not_survive_beside_what_looks_like_half_an_escape(secret: str, before: str, after: str) -> None:
    assume(secret not in "[secret]")
    assert secret not in cleaned(f"{before}{secret}{after}", secret)


@pytest.mark.parametrize("piece", ["%25", "\\", "&amp;", "aaaa", "\\u005c", "QUFB", "&#", "%", "\\u", "x&#0"])
def test_a_long_text_is_read_once_and_not_once_for_each_of_its_characters(piece: str) -> None:
    redactor = Redactor()
    redactor.learn(["a" * 40 + "b", SECRET, *(f"secret-number-{number}" for number in range(50))])
    text = piece * (200_000 // len(piece))
    assert redactor.clean(text + " secret-number-7") == text + " [secret]"
