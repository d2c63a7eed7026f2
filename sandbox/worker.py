"""The process of the lake, `python -m sandbox.worker PID`: runs Dagster and reads the tables (`lakehouse.Lakehouse`).

PID is the process of Dagster's interface, whose daemon runs what arrives too; 0 where none runs.
"""

import os
import sys

from lotus_dagster.environment import Warehouse

from lotus_infra.errors import LotusError
from sandbox.dagster_runs import STDERR, STDOUT, Runner
from sandbox.lakehouse import Answer, Question
from sandbox.marts import contents


def main() -> int:
    """Answer until there is no further question; 130 after Ctrl-C."""
    # What others print must not get between the answers.
    answers = os.fdopen(os.dup(STDOUT), "w")
    os.dup2(STDERR, STDOUT)
    try:
        runner = Runner(int(sys.argv[1]))
        for line in sys.stdin:
            print(_answer(Question.model_validate_json(line), runner).model_dump_json(), file=answers, flush=True)
    except KeyboardInterrupt:
        return 130
    return 0


def _answer(question: Question, runner: Runner) -> Answer:
    os.environ.update(question.variables)
    try:
        if question.part == "contents":
            return Answer(contents=contents(Warehouse.read()))
        return Answer(report=runner.run())
    except LotusError as error:
        return Answer(error=str(error))


if __name__ == "__main__":
    sys.exit(main())
