"""Which values of an existing configuration a file of the lake may hold.

A connector's specification says of each of its settings whether it is secret. Where no specification describes a
value, only a closed grammar of key and value calls it harmless: `start_date` with a date, `port` with a small number.
Any other value may be a secret, because a secret can have any key and any form. Where a specification describes a
value as not secret, it may still be a credential in the wrong place, such as a URL with a password.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, Self
from zoneinfo import available_timezones

from airbyte_model.secrets import MASK, described, is_stored, schemas_at
from airbyte_model.specifications import Specification
from pydantic import JsonValue

from lotus_infra.lake.diagnostics import JsonPath
from lotus_infra.lake.references import walk_leaves

SecretReason = Literal["specified", "masked", "undescribed", "credential"]
"""`specified`: the connector's specification calls it secret. `masked`: Airbyte hides it. `undescribed`: no
specification describes it, and it is not plainly harmless. `credential`: it is a credential, and the specification does
not call it secret."""
HIDDEN: Final = "[hidden]"
"""Stands for a credential in a message."""
_LARGEST: Final = 1_000_000
"""Larger numbers may be codes or ids."""
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")
_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,59}")
_KEY_PART: Final = re.compile(r"[A-Za-z]{0,20}[0-9]{0,4}[A-Za-z]?")
"""A word with a number behind it, as `http2` or `oauth2p`; a random text mixes both."""


@dataclass(frozen=True, slots=True)
class Secrecy:
    """What a file may hold of one configuration.

    Attributes:
        spec: The connector's specification; None if unknown.
        described: The paths of the leaves that it describes.
    """

    spec: Specification | None
    described: frozenset[JsonPath]

    @classmethod
    def of(cls, configuration: Mapping[str, JsonValue], spec: Specification | None) -> Self:
        """The secrecy of a whole configuration, of which all paths are."""
        return cls(spec, described(spec.schema, configuration) if spec is not None else frozenset())

    def shows(self, path: JsonPath, value: JsonValue) -> bool:
        """Whether a file may hold a value, which may be an object or a list."""
        if isinstance(value, dict) and value:
            return all(self.shows_key((*path, key)) and self.shows((*path, key), item) for key, item in value.items())
        if isinstance(value, list) and value:
            return all(self.shows((*path, index), item) for index, item in enumerate(value))
        return self.reason(path, value) is None

    def shows_key(self, path: JsonPath) -> bool:
        """Whether a file may hold the last key of a path, and can: a reference's key begins with `$`."""
        key = str(path[-1])
        known = self.spec is not None and bool(schemas_at(self.spec.schema, path))
        return not key.startswith("$") and (known or is_plain_key(key))

    def reason(self, path: JsonPath, leaf: JsonValue) -> SecretReason | None:
        """Why a leaf is a secret; None if a file may hold it."""
        # The coordinate of a stored secret is no secret itself.
        if leaf is None or isinstance(leaf, bool) or leaf in ({}, []) or is_stored(leaf):
            return None
        if isinstance(leaf, str) and MASK in leaf:
            return "masked"
        if self.spec is not None and self.spec.is_secret(path):
            return "specified"
        if path in self.described:
            return "credential" if isinstance(leaf, str) and holds_credential(leaf) else None
        key = next((step for step in reversed(path) if isinstance(step, str)), "")
        return None if is_harmless(key, leaf) else "undescribed"


def hidden_texts(configuration: Mapping[str, JsonValue], spec: Specification | None) -> Iterator[str]:
    """The values of a configuration that no message may repeat, as texts; masks are left out."""
    secrecy = Secrecy.of(configuration, spec)
    for path, leaf in walk_leaves(dict(configuration)):
        if leaf != MASK and not secrecy.shows(path, leaf):
            yield leaf if isinstance(leaf, str) else json.dumps(leaf)


def is_harmless(key: str, value: JsonValue) -> bool:
    """Whether a leaf that no specification describes is plainly no secret.

    Args:
        key: The key of the leaf; for an item of a list, that of the list.
        value: The leaf.
    """
    if value is None or isinstance(value, bool) or value in ({}, []):
        return True
    words = words_of(key)
    if isinstance(value, int | float):
        return _has_last(words, _NUMBER_WORDS) and abs(value) <= _LARGEST and round(value, 3) == value
    if not isinstance(value, str):
        return False
    return value in {"", "true", "false"} or any(kind.covers(words) and kind.fits(value) for kind in _KINDS)


def is_plain_key(key: str) -> bool:
    """Whether a key that no specification has reads as a setting's name, and not as data."""
    parts = re.split(r"[_.-]", key)
    return _KEY.fullmatch(key) is not None and all(_KEY_PART.fullmatch(part) for part in parts)


def holds_credential(text: str) -> bool:
    """Whether a text is plainly a credential or has one inside, whatever a specification says about its place."""
    return any(pattern.search(text) for pattern in _CREDENTIALS) or _json_holds_credential(text)


def without_credentials(text: str) -> str:
    """A message without the credentials that are plainly in it."""
    for pattern in _CREDENTIALS:
        text = pattern.sub(HIDDEN, text)
    return text


def words_of(key: str) -> tuple[str, ...]:
    """The words of a key, lower-case: `startDate` and `start_date` are `start`, `date`."""
    return tuple(word.lower() for word in _WORD.findall(key))


def _has_last(words: tuple[str, ...], known: frozenset[str]) -> bool:
    return bool(words) and words[-1] in known


# The closed grammar: docs/how-to/leave-terraform.md lists it.


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of harmless text.

    Attributes:
        last: The last words of its keys.
        fits: Whether a text is of the kind.
        only: If given, all words of a key must be among these.
    """

    last: frozenset[str]
    fits: Callable[[str], object]
    only: frozenset[str] | None = None

    def covers(self, words: tuple[str, ...]) -> bool:
        """Whether a key with these words takes values of this kind."""
        return _has_last(words, self.last) and (self.only is None or self.only.issuperset(words))


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NUMBER_WORDS: Final = _set(
    "port days day hours hour minutes minute seconds second secs sec ms millis milliseconds weeks months years size "
    "count limit max maximum min minimum timeout interval window threads workers parallelism concurrency retries retry "
    "attempts batch rows records pages items files streams connections requests bytes kb mb gb percent ratio delay lag "
    "depth width lookback offset frequency"
)
_DATE_WORDS: Final = _set("date datetime time timestamp day at from since until start end begin after before cutoff")
_DURATION_WORDS: Final = _set(
    "duration interval window period timeout lookback delay lag retention frequency age step slice"
)
_HOST_WORDS: Final = _set("host hostname hosts server servers domain fqdn endpoint brokers")
_URL_WORDS: Final = _set("url uri endpoint host server domain")
_URL_KEY: Final = _URL_WORDS | _set(
    "api base site instance token auth oauth oauth2 authorization refresh login root service s 3 s3 http https rest web"
)
"""The words of a URL's key; a webhook's or a signed URL is a secret as a whole."""
_ENUM_WORDS: Final = _set(
    "type mode method format compression codec encoding protocol sslmode level strategy policy granularity order "
    "environment edition behavior charset dialect engine option flattening"
)
_ENUM_VALUES: Final = _set(
    "0 1 2 3 4 5 6 7 8 9 10 12 16 32 64 128 256 384 512 access account all allow always any api append asc "
    "ascii assign auth authentication authorization auto avro azure basic bearer binary brotli bzip bzip2 ca "
    "cbc cdc certificate client code compression consumer credentials csv cursor daily day debug dedup "
    "default deflate delta desc detect digest direct disable disabled error excel false fixed flatten "
    "flattening full gcs group gzip header high hmac hour hourly http https iam iceberg id identity "
    "incremental info inline iso json jsonl kerberos key keypair latin level log low lz4 lzo manual md5 "
    "method minute mode month monthly mutual nest never no none normalization normalize normalized oauth "
    "oauth2 off on only optional orc overwrite parquet password plain plaintext polling post prefer preferred "
    "private prod production public quarter read refresh replication require required role root s3 sandbox "
    "sasl scram service session sftp sha sha1 sha256 sha512 single snappy ssh ssl staging standard std strict "
    "string subscribe tcp text tls token tsv tunnel type uncompressed update url user username userpass utf "
    "utf8 verify warn week weekly windows with write xmin xml xz year yearly yes you zip zlib zstandard zstd"
)
_REGION: Final = re.compile(
    r"(af|ap|ca|cn|eu|il|me|mx|sa|us)(-gov|-iso[a-z]?)?-(central|(north|south)?(east|west)|north|south)-\d[a-z]?"
    r"|(africa|asia|australia|europe|me|northamerica|southamerica|us)-(central|(north|south)?(east|west)|north|south)"
    r"\d\d?(-[a-f])?"
    r"|(east|west|central|northcentral|southcentral|westcentral)us[23]?|(north|west)europe|uk(south|west)|francecentral"
    r"|germanywestcentral|swedencentral|norwayeast|switzerlandnorth|japan(east|west)|koreacentral|(south)?eastasia"
    r"|australiaeast|brazilsouth|canada(central|east)|(central|south|west)india|uaenorth|southafricanorth"
    r"|us|usa|eu|uk|gb|ca|au|jp|in|cn|ap|na|emea|apac|latam|global",
    re.IGNORECASE,
)
_DATE: Final = re.compile(
    r"(19|20)\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
    r"([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)
_DURATION: Final = re.compile(
    r"P(\d{1,4}[YMWD])*(T(\d{1,4}[HMS])+)?"
    r"|\d{1,4} ?(ms|s|m|h|d|w|sec(ond)?s?|min(ute)?s?|hours?|days?|weeks?|months?|years?)",
    re.ASCII,
)
_CRON_NAME: Final = "(SUN|MON|TUE|WED|THU|FRI|SAT|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC|[0-9]{1,4})"
_CRON_FIELD: Final = rf"([*?LW]|{_CRON_NAME})([-/,#]({_CRON_NAME}|[*LW])|[LW])*"
_CRON: Final = re.compile(rf"{_CRON_FIELD}( {_CRON_FIELD}){{4,6}}")
# Each text fits in one way only: with two, a long one would take exponential time.
_LABEL_WORD: Final = r"[a-z]{1,20}([0-9]{1,3}[a-z]?)?"
_LABEL: Final = rf"{_LABEL_WORD}(-({_LABEL_WORD}|[0-9]{{1,3}}))*"
_HOST: Final = rf"(localhost|[0-9]{{1,3}}(\.[0-9]{{1,3}}){{3}}|({_LABEL}\.){{1,7}}[a-z]{{2,12}})(:[0-9]{{1,5}})?"
_HOSTS: Final = re.compile(rf"{_HOST}(, ?{_HOST}){{0,20}}")
_URL: Final = re.compile(
    rf"https?://{_HOST}(/(api|rest|v[0-9]{{1,2}}(\.[0-9])?|oauth2?|token|authorize|auth|login|graphql|services|data))*/?"
)
_LOCALE: Final = re.compile(r"[a-z]{2}([-_][A-Z]{2})?|[A-Z]{2}")


def _is_cron(text: str) -> bool:
    return len(text) <= 100 and _CRON.fullmatch(text) is not None


def _is_duration(text: str) -> bool:
    return text not in {"P", ""} and _DURATION.fullmatch(text) is not None


def _is_choice(text: str) -> bool:
    """Whether a text consists of words that options of connectors have: a closed vocabulary."""
    words = [part for word in re.split(r"[ ._/+-]", text) for part in _words_of_choice(word)]
    return bool(words) and len(text) <= 60 and _ENUM_VALUES.issuperset(words)


def _words_of_choice(word: str) -> tuple[str, ...]:
    if word.lower() in _ENUM_VALUES:
        return (word.lower(),)
    # A character that is no letter or digit makes a word that no vocabulary has.
    return words_of(word) if word.isascii() and word.isalnum() else (word,)


def _is_time_zone(text: str) -> bool:
    return text in _time_zones()


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _is_small_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 6


_KINDS: Final = (
    _Kind(_NUMBER_WORDS, _is_small_number),
    _Kind(_DATE_WORDS, _DATE.fullmatch),
    _Kind(_DURATION_WORDS, _is_duration),
    _Kind(_set("cron schedule expression"), _is_cron),
    _Kind(_set("timezone tz zone"), _is_time_zone),
    _Kind(_set("region location zone datacenter"), _REGION.fullmatch),
    _Kind(_set("locale language lang country"), _LOCALE.fullmatch),
    _Kind(_HOST_WORDS, _HOSTS.fullmatch),
    _Kind(_URL_WORDS, _URL.fullmatch, only=_URL_KEY),
    _Kind(_ENUM_WORDS, _is_choice),
    _Kind(_set("delimiter separator quote char character"), re.compile(r"[^A-Za-z0-9]|\\t").fullmatch),
)


# Credentials in described values


_SECRET_WORD: Final = (
    r"(pass(word|wd|phrase)?|pwd|secret|token|sig|signature|credentials?|sas|jwt|(api|access|account|secret|private|shared"
    r"|sharedaccess|subscription|auth)[_-]?key|sharedaccesssignature)"
)
_TYPE_NAMES: Final = _set("string integer number boolean object array null text int float date datetime timestamp")
"""Values that a JSON text has under a secret's key if it is a schema."""
_TOKEN_STARTS: Final = (
    r"gh[pousr]_|github_pat_|glpat-|xox[a-z]-|xapp-|shp(at|ca|pa|ss)_|(sk|pk|rk)_(live|test)_|whsec_|npm_|hf_|dop_v1_|sk-"
    r"|ya29\.|SG\.|AIza|dapi|lin_api_|PMAK-|NRAK-|AGE-SECRET-KEY-"
)
_CAPABILITY_HOSTS: Final = (
    r"hooks\.slack\.com|discord(app)?\.com/api/webhooks|[a-z0-9.]{0,40}webhook\.office\.com|hooks\.zapier\.com"
)
_CREDENTIALS: Final = (
    re.compile(r"(?s)-----BEGIN.*"),
    # A URL with a user or a password, whatever characters the password has.
    re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}:/?/[^\s/?#@]{0,500}@\S*"),
    re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/?#:@]{0,200}:\S{0,500}@\S*"),
    # A parameter of a URL or of a connection string.
    re.compile(rf"(?i)(?<![a-z0-9])([a-z0-9]{{1,20}}[_.-]){{0,4}}{_SECRET_WORD}\s?=\s?[^\s&;,=]\S*"),
    re.compile(rf"(?i)(?<![a-z])(client|account|shared){_SECRET_WORD}=[^\s&;,=]\S*"),
    # A key of a JSON text; a schema has the name of a type there.
    re.compile(
        rf'(?i)"[a-z0-9_.-]{{0,40}}{_SECRET_WORD}\\*"\s?:\s?\\*"(?!({"|".join(sorted(_TYPE_NAMES))})\\*")[^"\\]+[^"]*"?'
    ),
    # Headers.
    re.compile(r"(?i)(?<![a-z])(bearer|negotiate|apikey)[ :]+[A-Za-z0-9_.~+/=-]{8,}"),
    re.compile(r"(?i)(?<![a-z])(basic|token|digest) +(?=[A-Za-z0-9_.~+/:=-]*[0-9=])[A-Za-z0-9_.~+/:=-]{8,}"),
    re.compile(r"(?i)(?<![a-z-])((proxy-)?authorization|(set-)?cookie) ?: ?\S.*"),
    re.compile(r"(?i)(?<![a-z-])x-[a-z-]{0,40}(key|token|secret|auth)[a-z-]{0,20} ?: ?\S.*"),
    # Addresses that are credentials themselves.
    re.compile(rf"(?i)({_CAPABILITY_HOSTS})/\S+|api\.telegram\.org/bot\S+"),
    # Tokens with a known form.
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\S*"),
    re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{12,}"),
    re.compile(rf"\b({_TOKEN_STARTS})[A-Za-z0-9_.-]{{12,}}"),
)
_SECRET_KEY: Final = re.compile(
    rf"(?i)(^|[a-z0-9_.-]*[_.-]|client|account|shared){_SECRET_WORD}$|^(authorization|cookie)$"
)


def _json_holds_credential(text: str) -> bool:
    if text.lstrip()[:1] not in {"{", "["}:
        return False
    try:
        found = json.loads(text)
        return any(_is_credential(key, leaf) for key, leaf in _texts(found, ""))
    except ValueError:
        return False
    except RecursionError:
        # Too deep to be looked through.
        return True


def _texts(value: JsonValue, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, key)
    elif isinstance(value, str):
        yield key, value


def _is_credential(key: str, text: str) -> bool:
    named = _SECRET_KEY.match(_snake(key)) is not None and text != "" and text.lower() not in _TYPE_NAMES
    return named or holds_credential(text)


def _snake(key: str) -> str:
    return "_".join(words_of(key)) or key
