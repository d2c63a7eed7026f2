"""A soak: arrivals with faults for as long as asked, then counts: `python -m tests.soak --minutes 60 --seed 1`.

`dagster dev` with its daemon, DuckLake on Postgres, the landing zone on S3. Files land, late and twice, are replaced,
deleted, broken and repaired; shells and Dagster run the same models at once; runs, the daemon and everything are
killed; Postgres and S3 stop and start. In the end the tables must equal the reckoning of `tests.soak.world`. The exit
code is 1 when they do not.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.soak.soak import Soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60, help="how long files land and faults happen (60)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same files and faults (1)")
    parser.add_argument("--patience", type=float, default=15, help="minutes until the tables must be right (15)")
    parser.add_argument("--calm", action="store_true", help="kill and stop nothing")
    parser.add_argument(
        "--pictures",
        type=Path,
        help="a folder for pictures of Dagster's pages, by Chromium, with a check that fails and is repaired",
    )
    parser.add_argument("--folder", type=Path, help="where everything is kept; a temporary folder by default")
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="lotus-soak-"))
    print(f"everything is kept in {folder}", flush=True)
    os.environ.pop("LOTUS_PARTITIONS", None)
    with Soak(folder.resolve(), asked.seed) as soak:
        soak.run(asked.minutes * 60, calm=asked.calm)
        settled = soak.settle(asked.patience * 60)
        if asked.pictures:
            key = soak.fail_a_check(asked.patience * 60)
            soak.take_pictures(asked.pictures)
            soak.repair_the_check(key)
            settled = soak.settle(asked.patience * 60) and settled
        wrong = soak.report(settled=settled)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
