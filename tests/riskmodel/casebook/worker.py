"""A process of its own that works on a casebook: one command a line in, one line of JSON a result out.

``open URL`` opens it and says how many cases it holds; ``keep URL PREFIX`` keeps cases until it is killed, and names
each once it is acknowledged.
"""

import itertools
import json
import sys

from riskmodel.casebook import Filters, open_casebook
from riskmodel.errors import CasebookError
from tests.riskmodel.casebook.made import make_rated


def say(result: object) -> None:
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()


def open_and_close(url: str) -> str:
    try:
        casebook = open_casebook(url)
    except CasebookError as error:
        return str(error)
    count = len(casebook.page(Filters()).cases)
    casebook.close()
    return f"{count} cases"


def keep_for_ever(url: str, prefix: str) -> None:
    casebook = open_casebook(url)
    for number in itertools.count():
        ids = [f"{prefix}-{number}-{place}" for place in range(1 + number % 5)]
        casebook.keep([make_rated(id_) for id_ in ids])
        say(ids)


def main() -> None:
    say("ready")
    for line in sys.stdin:
        match line.split():
            case ["open", url]:
                say(open_and_close(url))
            case ["keep", url, prefix]:
                keep_for_ever(url, prefix)


if __name__ == "__main__":
    main()
