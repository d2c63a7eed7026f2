"""What has moved since a preview was reviewed: an engine's plan alone doesn't tell.

A plan holds what each property would become, and not what it was. So a run that is constrained to it goes through where
somebody has changed the very property that the plan sets: the world ends as reviewed, but what happens to data on the
way is something else.
"""

import json
from collections import defaultdict

from lotus_infra.changes.digest import Preview, Step


def moved(reviewed: Preview, now: Preview) -> list[str]:
    """The resources that would be changed otherwise than was reviewed, such as `Connection shopify`, sorted.

    What a resource would become is not compared: the plan holds that, and random parts of names differ each time.
    """
    before, after = _starts(reviewed), _starts(now)
    names = {step.urn: f"{step.type.rsplit(':', maxsplit=1)[-1]} {step.name}" for step in (*reviewed.steps, *now.steps)}
    return sorted(names[urn] for urn in before.keys() | after.keys() if before[urn] != after[urn])


def _starts(preview: Preview) -> defaultdict[str, list[str]]:
    """What each changing resource starts from and where it differs, by URN."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for step in preview.steps:
        if not step.quiet:
            found[step.urn].append(_start(step))
    return found


def _start(step: Step) -> str:
    old = None if step.old is None else [step.old.id, step.old.protect, step.old.inputs]
    differs = {path: difference.kind for path, difference in step.detailed_diff.items()}
    return json.dumps([step.op, old, differs, sorted(step.replace_reasons)], sort_keys=True)
