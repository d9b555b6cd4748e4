"""What a bag of words knows of each task, per source: the table behind `neurosteer ls tasks`, as CSV.

python recipes/task_baselines.py --data FOLDER_OF_BLIMP_FILES > neurosteer/pairs/known.csv
"""

from __future__ import annotations

import argparse
import csv
import sys

import neurosteer as ns
from neurosteer.meaning import MEANING_TASKS
from neurosteer.pairs import TASKS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="blimp", help="as in neurosteer find")
    places = {"blimp": parser.parse_args().data, "builtin": "builtin", "builtin:balanced": "builtin:balanced"}
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["task", "source", "last_word", "unigram"])
    asked = [(task.uid, source, place) for task in TASKS for source, place in places.items()]
    asked += [(task, "builtin:meaning", "builtin:meaning") for task in MEANING_TASKS]
    for task, source, place in asked:
        found = ns.load_pairs(task, source=place).baselines()
        table.writerow([task, source, f"{found.last_word:.3f}", f"{found.unigram:.3f}"])


if __name__ == "__main__":
    main()
