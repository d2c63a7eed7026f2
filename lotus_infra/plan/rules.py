"""Rules that compare a property's old and new value: what a change of it loses or exposes.

Each rule takes the value before and after, as JSON, None for none, and yields findings. It knows the forms that are
harmless; it reports every other form as a loss or an exposure. `lotus_infra.plan.verdicts` says which property has
which rule.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Self

from pydantic import JsonValue

from lotus_infra.config.database import BARMAN_PLUGIN
from lotus_infra.config.pods import amount
from lotus_infra.lake.diagnostics import pluralize
from lotus_infra.plan.impact import Finding

SHORTEST_UPLOAD_DAYS: Final = 7
"""No upload of a sync takes longer. A rule that aborts uploads earlier may abort one that is running."""
READABLE_CLASSES: Final = frozenset(
    {"STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "REDUCED_REDUNDANCY"}
)
"""Storage classes of S3 whose objects can be read without being restored first."""
_NAMES_PLACE: Final = re.compile(r"url|host|endpoint|server|domain|proxy", re.IGNORECASE)
"""In the keys of a connector's manifest whose values say where requests go (airbyte-python-cdk, declarative models)."""
_RETENTION: Final = {"d": 1, "w": 7, "m": 30}
"""Days of a unit of a backup's retention, as CloudNativePG writes it: `30d`, `4w`, `6m`."""

_STORE: Final = ("destinationPath", "s3Credentials", "endpointURL")
"""The keys of a place of backups that are understood."""


def destroys(what: str) -> Finding:
    """A loss."""
    return Finding("destroys", what)


def exposes(what: str) -> Finding:
    """An exposure."""
    return Finding("exposes", what)


def look(what: str) -> Finding:
    """A change that is not known to be harmless."""
    return Finding("look", what)


def touches(what: str) -> Finding:
    """A change of the rows that land, or of where they land."""
    return Finding("touches data", what)


# The lifecycle of objects


class _NotUnderstoodError(Exception):
    """A value has a form that a rule does not know."""


@dataclass(frozen=True, slots=True)
class _Scope:
    """The objects of a bucket that a lifecycle rule applies to.

    Attributes:
        prefix: of their keys; empty for all.
        tags: that they must have.
        above: bytes that they must exceed; None for no limit.
        below: bytes that they must not reach; None for no limit.
    """

    prefix: str = ""
    tags: frozenset[tuple[str, str]] = frozenset()
    above: float | None = None
    below: float | None = None

    @classmethod
    def of(cls, rule: Mapping[str, JsonValue]) -> Self:
        """The scope of a rule; a rule without a filter applies to the whole bucket."""
        given = _object(rule.get("filter"))
        if rule.get("prefix"):
            if any(given.values()):
                raise _NotUnderstoodError
            return cls(prefix=_text(rule["prefix"]))
        inner = _only(given, "prefix", "tag", "objectSizeGreaterThan", "objectSizeLessThan", "and")
        both = _only(_object(inner.pop("and", None)), "prefix", "tags", "objectSizeGreaterThan", "objectSizeLessThan")
        if inner and both:
            raise _NotUnderstoodError
        tags = both.get("tags") or ([inner["tag"]] if "tag" in inner else [])
        if isinstance(tags, list):
            pairs = frozenset((_text(_object(tag).get("key")), _text(_object(tag).get("value"))) for tag in tags)
        else:
            pairs = frozenset((key, _text(value)) for key, value in _object(tags).items())
        found = both or inner
        above, below = found.get("objectSizeGreaterThan"), found.get("objectSizeLessThan")
        return cls(
            prefix=_text(found.get("prefix") or ""),
            tags=pairs,
            above=None if above is None else _number(above),
            below=None if below is None else _number(below),
        )

    def contains(self, other: Self) -> bool:
        """Whether every object of another scope is in this one."""
        return (
            other.prefix.startswith(self.prefix)
            and self.tags <= other.tags
            and (self.above is None or (other.above is not None and other.above >= self.above))
            and (self.below is None or (other.below is not None and other.below <= self.below))
        )

    @property
    def text(self) -> str:
        """The scope in words, with a blank before; empty for a whole bucket."""
        narrowed = self.tags or self.above is not None or self.below is not None
        below = f" below {self.prefix}" if self.prefix else ""
        return f"{below} (some of it, by tag or size)" if narrowed else below


@dataclass(frozen=True, slots=True)
class _Action:
    """One action of a lifecycle rule on the objects of a scope.

    Attributes:
        kind: such as `expire`; a transition has its storage class too.
        scope: the objects.
        after: days after which it happens, or the date as text.
        kept: newer noncurrent versions that are kept.
        finding: what it does.
    """

    kind: str
    scope: _Scope
    after: float | str
    kept: float
    finding: Finding

    def covers(self, other: Self) -> bool:
        """Whether this action happens to the same objects, at least as early as another one."""
        if self.kind != other.kind or not self.scope.contains(other.scope) or self.kept > other.kept:
            return False
        if isinstance(self.after, str) or isinstance(other.after, str):
            return self.after == other.after
        return self.after <= other.after


def lifecycle(before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Destroys if a rule expires or archives more than before, or earlier, or is not understood."""
    known = {_canonical(rule) for rule in _items(before)}
    had = [action for rule in _items(before) for action in _understood_actions(rule) or ()]
    for rule in sorted(_items(after), key=_rule_name):
        if _canonical(rule) in known:
            continue
        actions = _understood_actions(rule)
        if actions is None:
            yield destroys(
                f"has a lifecycle rule that is not understood, so it may delete anything: {_rule_name(rule)}"
            )
            continue
        yield from (action.finding for action in actions if not any(earlier.covers(action) for earlier in had))


def _understood_actions(rule: JsonValue) -> list[_Action] | None:
    """The actions of a rule; none of a disabled one, None of one that is not understood."""
    try:
        return list(_actions(_object(rule)))
    except _NotUnderstoodError:
        return None


def _actions(rule: Mapping[str, JsonValue]) -> Iterator[_Action]:
    parts = _only(
        dict(rule), "id", "status", "filter", "prefix", "expiration", "noncurrentVersionExpiration",
        "abortIncompleteMultipartUpload", "transitions", "noncurrentVersionTransitions",
    )  # fmt: skip
    if parts.get("status") == "Disabled":
        return
    scope, name = _Scope.of(rule), f" (lifecycle rule {_rule_name(rule)})"
    yield from _expirations(_object(parts.get("expiration")), scope, name)
    old = _only(_object(parts.get("noncurrentVersionExpiration")), "noncurrentDays", "newerNoncurrentVersions")
    if old:
        days, kept = _number(old.get("noncurrentDays") or 0), _number(old.get("newerNoncurrentVersions") or 0)
        what = f"deletes old versions of data{scope.text} after {_days(days)}{name}"
        yield _Action("old versions", scope, days, kept, destroys(what))
    upload = _only(_object(parts.get("abortIncompleteMultipartUpload")), "daysAfterInitiation")
    if upload:
        days = _number(upload.get("daysAfterInitiation"))
        made = look if days >= SHORTEST_UPLOAD_DAYS else destroys
        yield _Action("upload", scope, days, 0, made(f"aborts uploads{scope.text} after {_days(days)}{name}"))
    for key, days_key in (("transitions", "days"), ("noncurrentVersionTransitions", "noncurrentDays")):
        for each in _items(parts.get(key)):
            yield _transition(_object(each), key, days_key, scope, name)


def _expirations(expiration: dict[str, JsonValue], scope: _Scope, name: str) -> Iterator[_Action]:
    found = _only(expiration, "days", "date", "expiredObjectDeleteMarker")
    if found.get("date"):
        date = _text(found["date"])
        yield _Action("expire", scope, date, 0, destroys(f"expires data{scope.text} at {date}{name}"))
    if found.get("days"):
        days = _number(found["days"])
        what = f"expires data{scope.text} older than {_days(days)}{name}"
        yield _Action("expire", scope, days, 0, destroys(what))
    if found.get("expiredObjectDeleteMarker"):
        yield _Action("markers", scope, 0, 0, look(f"removes the records of deleted objects{scope.text}{name}"))


def _transition(given: dict[str, JsonValue], key: str, days_key: str, scope: _Scope, name: str) -> _Action:
    found = _only(given, days_key, "date", "storageClass", "newerNoncurrentVersions")
    storage = _text(found.get("storageClass"))
    after: float | str = _text(found["date"]) if found.get("date") else _number(found.get(days_key) or 0)
    kept = _number(found.get("newerNoncurrentVersions") or 0)
    if storage in READABLE_CLASSES:
        finding = look(f"moves data{scope.text} to the storage class {storage}{name}")
    else:
        finding = destroys(f"archives data{scope.text} as {storage}: it can't be read until it is restored{name}")
    return _Action(f"{key} {storage}", scope, after, kept, finding)


def _rule_name(rule: object) -> str:
    return str(rule.get("id")) if isinstance(rule, Mapping) else str(rule)


def _days(days: float) -> str:
    return pluralize(int(days), "day") if days == int(days) else f"{days} days"


# Other settings of a bucket


def versioning(before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Destroys if versions are no longer kept, or may be deleted without the second factor."""
    try:
        old, new = (_only(_object(value), "status", "mfaDelete") for value in (before, after))
    except _NotUnderstoodError:
        yield destroys("has a versioning that is not understood: replaced and deleted objects may be lost")
        return
    if new.get("status") != "Enabled":
        yield destroys("keeps no versions any more: what is replaced or deleted can't be restored")
    if old.get("mfaDelete") == "Enabled" and new.get("mfaDelete") != "Enabled":
        yield destroys("allows the deletion of versions without a second factor")


def access_block(_before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Exposes if the flag is not true."""
    if after is not True:
        yield exposes("no longer blocks public access completely")


def ownership(_before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Exposes unless the owner of the bucket owns every object: otherwise ACLs decide who may read."""
    if after != {"objectOwnership": "BucketOwnerEnforced"}:
        yield exposes("accepts ACLs, by which single objects can be made public")


def encryption(before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Exposes if new objects are not encrypted, or no longer with a KMS key; look for another encryption."""
    old, new = (_algorithms(value) for value in (before, after))
    if not new or "" in new:
        yield exposes("no longer encrypts new objects by a rule of its own")
    elif any(each.startswith("aws:kms") for each in old) and not all(each.startswith("aws:kms") for each in new):
        yield exposes("no longer encrypts new objects with a key that decides who may read them")
    elif before is not None:
        yield look("encrypts new objects in another way: readers may need a key")


def _algorithms(rules: JsonValue) -> list[str]:
    try:
        defaults = [_object(_object(rule).get("applyServerSideEncryptionByDefault")) for rule in _items(rules)]
        found = [str(each.get("sseAlgorithm") or "") for each in defaults]
    except _NotUnderstoodError:
        return [""]
    return [each if each in {"AES256", "aws:kms", "aws:kms:dsse"} else "" for each in found]


def canned_acl(_before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Exposes if the ACL is not private."""
    if after not in (None, "", "private"):
        yield exposes("gives others access by its ACL")


# IAM policies


@dataclass(frozen=True, slots=True)
class _Statement:
    """A statement of a policy.

    Attributes:
        effect: `Allow`, or `Deny`. Any other text counts as `Allow`.
        actions: that it is about.
        resources: that it is about.
        rest: everything else as canonical text: principals, conditions, negated actions.
        name: its `Sid`; empty without one.
    """

    effect: str
    actions: frozenset[str]
    resources: frozenset[str]
    rest: str
    name: str

    @property
    def key(self) -> tuple[str, frozenset[str], frozenset[str], str]:
        """Everything but the name, which has no meaning."""
        return self.effect, self.actions, self.resources, self.rest


def bucket_policy(before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Exposes if a statement allows something, or no longer denies it; look for other changes."""
    try:
        old, new = _statements(before), _statements(after)
    except _NotUnderstoodError:
        yield exposes("has a policy that is not understood: it may allow anything to anyone")
        return
    had, has = {each.key for each in old}, {each.key for each in new}
    for each in new:
        if each.key not in had and each.effect == "Allow":
            yield exposes(f"allows others {_shown(each.actions)} by its policy{_named(each)}")
        elif each.key not in had:
            yield look(f"denies more by its policy{_named(each)}")
    for each in old:
        if each.key not in has and each.effect == "Deny":
            yield exposes(f"no longer denies {_shown(each.actions)} by its policy{_named(each)}")
        elif each.key not in has:
            yield look(f"allows less by its policy{_named(each)}")


def user_policy(before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Exposes if an action on a resource is allowed that was not; look for fewer rights."""
    try:
        old, new = _statements(before), _statements(after)
    except _NotUnderstoodError:
        yield exposes("has a policy that is not understood: it may allow anything")
        return
    allowed = [each for each in old if each.effect == "Allow"]
    for each in new:
        if each.effect == "Allow":
            yield from _more_allowed(each, allowed)
    has = {each.key for each in new}
    for each in old:
        if each.effect == "Deny" and each.key not in has:
            yield exposes(f"is no longer denied {_shown(each.actions)}{_named(each)}")
    if not _is_covered_by(old, new):
        yield look("may do less than before, or is denied more")


def wide_policy(_before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Exposes if a new user may do anything, or in any bucket; look for other rights."""
    try:
        statements = _statements(after)
    except _NotUnderstoodError:
        yield exposes("has a policy that is not understood: it may allow anything")
        return
    for each in statements:
        anything = not each.actions or any("*" in action for action in each.actions)
        anywhere = not each.resources or any(_is_everywhere(resource) for resource in each.resources)
        if each.effect == "Allow" and (anything or anywhere):
            yield exposes(f"may do {_shown(each.actions)} on {_shown(each.resources)}{_named(each)}")
        elif each.effect == "Allow":
            yield look(f"may do {_shown(each.actions)} on {_shown(each.resources)}")


def _more_allowed(each: _Statement, allowed: list[_Statement]) -> Iterator[Finding]:
    """The rights of a statement that no earlier one gives, each pair of action and resource by itself."""
    if any(each.key == old.key for old in allowed):
        return
    pairs = [(action, resource) for action in sorted(each.actions) for resource in sorted(each.resources)]
    more = [pair for pair in pairs if not any(_allows(old, *pair, each.rest) for old in allowed)]
    if more or not pairs:
        actions, resources = (frozenset(part) for part in zip(*more, strict=True)) if more else (frozenset(),) * 2
        yield exposes(f"may do {_shown(actions)} on {_shown(resources)} from now on{_named(each)}")


def _allows(old: _Statement, action: str, resource: str, rest: str) -> bool:
    """Whether an earlier statement gives a right; a condition of it must be the same, or there must be none."""
    return (
        old.rest in {"{}", rest}
        and any(_matches(pattern.lower(), action.lower()) for pattern in old.actions)
        and any(_matches(pattern, resource) for pattern in old.resources)
    )


def _matches(pattern: str, text: str) -> bool:
    """Whether a pattern of a policy contains a text, which may be a pattern itself."""
    if pattern == text or "*" not in pattern.replace("?", "*"):
        return pattern == text
    # `?` is one character; a pattern's `*` in its place would be any number of them.
    return not ("?" in pattern and "*" in text) and fnmatchcase(text, pattern.replace("[", "[[]"))


def _is_covered_by(old: list[_Statement], new: list[_Statement]) -> bool:
    """Whether everything that was allowed still is, and nothing is denied in addition."""
    allowed = [each for each in new if each.effect == "Allow"]
    more_denied = {each.key for each in new if each.effect == "Deny"} - {each.key for each in old}
    return not more_denied and not any(
        True for each in old if each.effect == "Allow" for _ in _more_allowed(each, allowed)
    )


def _is_everywhere(resource: str) -> bool:
    """Whether a resource is no bucket or path by name: `*`, or an ARN with a pattern in the bucket's name."""
    bucket = resource.rpartition(":::")[2].partition("/")[0]
    return not resource.startswith("arn:") or not bucket or "*" in bucket or "?" in bucket


def _statements(policy: JsonValue) -> list[_Statement]:
    """The statements of a policy document, given as JSON text or as an object.

    Raises:
        _NotUnderstoodError: it is not of the form of a policy.
    """
    if policy is None:
        return []
    try:
        document = json.loads(policy, object_pairs_hook=_unique) if isinstance(policy, str) else policy
    except (ValueError, RecursionError):
        raise _NotUnderstoodError from None
    parts = _only(_object(document), "Version", "Id", "Statement")
    given = parts.get("Statement")
    return [_statement(_object(each), parts.get("Version")) for each in (given if isinstance(given, list) else [given])]


def _unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    """An object without duplicate keys; of duplicates, AWS may use another one than Python."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _NotUnderstoodError
    return found


def _statement(given: dict[str, JsonValue], version: JsonValue) -> _Statement:
    rest = {key: value for key, value in given.items() if key not in {"Sid", "Effect", "Action", "Resource"}}
    if "${" in _canonical(given):
        # The version decides whether this is a variable or plain text.
        rest["Version"] = version
    return _Statement(
        effect="Deny" if given.get("Effect") == "Deny" else "Allow",
        actions=_texts(given.get("Action")),
        resources=_texts(given.get("Resource")),
        rest=json.dumps(rest, sort_keys=True),
        name=str(given.get("Sid") or ""),
    )


def _texts(given: JsonValue) -> frozenset[str]:
    if given is None:
        return frozenset()
    return frozenset(_text(each) for each in (given if isinstance(given, list) else [given]))


def _shown(texts: frozenset[str]) -> str:
    return ", ".join(sorted(texts)) or "everything but a list"


def _named(statement: _Statement) -> str:
    return f" (statement {statement.name})" if statement.name else ""


# Databases on the cluster


def backups(before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Compare the specifications of a database's cluster: destroys if its backups end, shrink or go astray.

    CloudNativePG has two forms: `backup`, with the place itself, and a plugin that refers to an object with the place.
    """
    try:
        old, new = (_object(each) for each in (before, after))
        was, becomes = (_archiver(each) for each in (old, new))
        yield from _backup(old.get("backup"), new.get("backup"), was, becomes)
    except _NotUnderstoodError:
        yield destroys("has backups that are not understood: it may not be possible to restore it")


def _backup(
    before: JsonValue, after: JsonValue, was: Mapping[str, JsonValue] | None, becomes: Mapping[str, JsonValue] | None
) -> Iterator[Finding]:
    """Compare backups by CloudNativePG itself, and by a plugin with its parameters; None for neither."""
    if becomes is None:
        yield from _in_tree_backup(before, after)
    elif after is not None:
        raise _NotUnderstoodError
    elif was is None:
        place = f"the object store {becomes.get('barmanObjectName')}, as {becomes.get('serverName')}"
        yield look(f"is backed up by the Barman Cloud plugin to {place}")
    elif was != becomes:
        yield destroys("is backed up to another archive, and its earlier backups stay behind")


def _archiver(spec: Mapping[str, JsonValue]) -> Mapping[str, JsonValue] | None:
    """The parameters of the plugin that archives; None without plugins."""
    if not spec.get("plugins"):
        return None
    [only, *others] = _items(spec["plugins"])
    plugin = _only(_object(only), "name", "enabled", "isWALArchiver", "parameters")
    is_active = plugin.get("enabled") in {None, True} and plugin.get("isWALArchiver") is True
    if others or plugin.get("name") != BARMAN_PLUGIN or not is_active:
        raise _NotUnderstoodError
    parameters = _only(_object(plugin.get("parameters")), "barmanObjectName", "serverName")
    if not parameters.get("barmanObjectName"):
        raise _NotUnderstoodError
    return parameters


def _in_tree_backup(before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    if after is None:
        yield destroys("is no longer backed up")
        return
    old, new = (_only(_object(each), "barmanObjectStore", "retentionPolicy") for each in (before, after))
    was, becomes = (_object(each.get("barmanObjectStore")) for each in (old, new))
    if not becomes.get("destinationPath"):
        yield destroys("is no longer backed up")
    elif before is None:
        _only(becomes, *_STORE)
        yield look(f"is backed up to {becomes['destinationPath']}, which gets a copy of all its data")
    else:
        yield from _store_changes(was, becomes)
    if before is not None:
        yield from retention(old.get("retentionPolicy"), new.get("retentionPolicy"))


def object_store(before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Destroys if the place of backups ends or is not understood; exposes if it is another; look for a new one."""
    try:
        was, becomes = (_object(each) for each in (before, after))
        if not _only(becomes, *_STORE).get("destinationPath"):
            yield destroys("has no place for backups")
        elif before is None:
            yield look(f"is at {becomes['destinationPath']}, which gets a copy of all data of its databases")
        else:
            yield from _store_changes(was, becomes)
    except _NotUnderstoodError:
        yield destroys("has backups that are not understood: it may not be possible to restore them")


def _store_changes(was: dict[str, JsonValue], becomes: dict[str, JsonValue]) -> Iterator[Finding]:
    _only(was, *_STORE)
    _only(becomes, *_STORE)
    if any(was.get(key) != becomes.get(key) for key in ("destinationPath", "endpointURL")):
        yield exposes(
            f"is backed up to another place, {becomes['destinationPath']}: that gets a copy of all its data, "
            "and its earlier backups stay behind"
        )
    if was.get("s3Credentials") != becomes.get("s3Credentials"):
        yield look("uses other credentials for its backups")


def retention(before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Destroys if backups are kept shorter."""
    if _retention_days(after) < _retention_days(before):
        yield destroys(f"keeps its backups for {after} instead of {before}")


def _retention_days(policy: JsonValue) -> float:
    """Days for which backups are kept; forever without a policy, and 0 for one that is not understood."""
    if policy is None:
        return float("inf")
    found = re.fullmatch(r"([1-9][0-9]*)([dwm])", str(policy))
    return int(found[1]) * _RETENTION[found[2]] if found else 0


def suspended(_before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Destroys if backups are suspended."""
    if not (after is None or after is False):
        yield destroys("makes no backups any more: it is suspended")


def instances(before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Destroys if there are fewer instances: each has a copy of the data."""
    old, new = (_number_or_none(each) for each in (before, after))
    if new is None or new < 1 or (old is not None and new < old):
        yield destroys("has fewer instances, which are deleted with their copies of the data")


def volume_size(before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Destroys if a volume gets smaller: it can't in place; look for a larger one."""
    old, new = (amount(str(each)) for each in (before, after))
    if new is None or (old is not None and new < old):
        yield destroys("has a smaller volume, or one of a size that is not understood: a volume can't shrink in place")
    else:
        yield look("has a larger volume: not every storage class can grow one")


def postgres_image(before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Touches data if the major version changes: Postgres converts its files for good; look for a minor one."""
    old, new = (re.search(r":([0-9]+)[.-]", str(each)) for each in (before, after))
    if old is None or new is None or old[1] != new[1]:
        yield touches("may run another major version of Postgres, which converts the files of the database for good")
    else:
        yield look("runs another version of Postgres after a restart")


# Dagster's release


def ingress(before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Exposes if the UI opens, loses TLS, or gets other annotations, paths or another class; look for the rest."""
    try:
        new = _object(after)
        becomes = _object(new.get("dagsterWebserver"))
        tls = _object(becomes.get("tls"))
        changes = list(_ingress_changes(_object(before), new)) if before is not None else []
    except _NotUnderstoodError:
        yield exposes("has an ingress that is not understood: its UI may be open to others")
        return
    if new.get("enabled") is None or new.get("enabled") is False:
        yield look("has no ingress")
        return
    if tls.get("enabled") is not True:
        yield exposes("serves its UI without TLS")
    yield from changes


def _ingress_changes(old: dict[str, JsonValue], new: dict[str, JsonValue]) -> Iterator[Finding]:
    if old.get("enabled") is not True:
        yield exposes("has an ingress from now on: its UI can be reached from outside of the cluster")
        return
    was, becomes = (_object(each.get("dagsterWebserver")) for each in (old, new))
    if was.get("host") != becomes.get("host"):
        yield look(f"serves its UI at {becomes.get('host')}")
    notes, new_notes = (_outside(_object(each.get("annotations"))) for each in (old, new))
    known: dict[str, JsonValue] = {"annotations": None, "dagsterWebserver": None, "apiVersion": None}
    rest, new_rest = ((each | known, ui | {"host": None, "tls": None}) for each, ui in ((old, was), (new, becomes)))
    if (notes, rest) != (new_notes, new_rest):
        yield exposes("has an ingress with other annotations, paths or class, which may decide who can reach its UI")
    else:
        yield look("has another ingress")


def _outside(annotations: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Annotations without those of cert-manager, which only ask for a certificate."""
    return {key: value for key, value in annotations.items() if not key.startswith("cert-manager.io/")}


def service(_before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Exposes if the type is not `ClusterIP`: others can be reached from outside of the cluster."""
    if after not in (None, "ClusterIP"):
        yield exposes("has a service that can be reached from outside of the cluster")
    else:
        yield look("has another type of service")


# Airbyte


def schedule(_before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Look if no sync starts by itself any more."""
    kind = after.get("scheduleType") if isinstance(after, dict) else None
    if kind not in ("cron", "basic"):
        yield look("no sync starts by itself any more")


def status(_before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Touches data if syncs stop or start; look for a status that is not known."""
    if after in (None, "active"):
        yield touches("syncs again")
    elif after == "inactive":
        yield touches("stops syncing: no new rows land")
    else:
        yield look(f"has another status, {after}")


def manifest(before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Exposes if requests may go to another place; look for every other change of a connector's manifest."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        yield exposes("has a manifest that is not understood: the secrets of its sources may go to another place")
        return
    old, new = (set(_places_in(value)) for value in (before, after))
    if old == new:
        yield look("runs other code: its manifest changes")
        return
    gone, come = (sorted(text for _, text in each) for each in (old - new, new - old))
    where = f"{', '.join(gone) or 'none'} → {', '.join(come) or 'none'}"
    yield exposes(f"may send the secrets of its sources to another place: {where}")


def _places_in(value: JsonValue, key: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of a manifest that name a server or may do so, with their keys."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _places_in(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _places_in(inner, key)
    elif isinstance(value, str) and ("//" in value or _NAMES_PLACE.search(key)):
        yield key, value


def refresh_mode(_before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Touches data if a refresh deletes existing rows."""
    if after not in (None, "merge"):
        yield touches("a refresh deletes the existing rows from now on, once it has succeeded")


# Any type


def force_destroy(before: JsonValue, after: JsonValue) -> Iterator[Finding]:
    """Destroys if a later deletion goes on although the object is not empty."""
    if not (after is None or after is False or before is True):
        yield destroys("can be deleted from now on even if it is not empty")


# JSON


def _object(value: JsonValue) -> dict[str, JsonValue]:
    """A JSON object, without the keys that a provider adds for itself; empty for none."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _NotUnderstoodError
    return {key: item for key, item in value.items() if key != "__defaults"}


def _only(value: dict[str, JsonValue], *keys: str) -> dict[str, JsonValue]:
    """An object that has no other keys, without those that mean nothing."""
    found: dict[str, JsonValue] = {key: item for key, item in value.items() if item is not None}
    if not found.keys() <= set(keys):
        raise _NotUnderstoodError
    return found


def _items(value: JsonValue) -> list[JsonValue]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _text(value: JsonValue) -> str:
    if not isinstance(value, str):
        raise _NotUnderstoodError
    return value


def _number(value: JsonValue) -> float:
    """A number. A preview may show an integer as a float, because the schemas of providers have numbers."""
    found = _number_or_none(value)
    if found is None:
        raise _NotUnderstoodError
    return found


def _number_or_none(value: JsonValue) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _canonical(value: JsonValue) -> str:
    return json.dumps(value, sort_keys=True)
