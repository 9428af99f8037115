"""make bench: each measurement beside its floor, as ratios. To run only some: python -m bench intake desk."""

import sys
from collections.abc import Callable

from bench import desk, dry_run, order, queue, reviewers

MEASUREMENTS: dict[str, Callable[[], None]] = {
    "intake": queue.intake,
    "queue": queue.claim_and_decide,
    "million": queue.a_million_waiting,
    "desk": desk.key_press_to_next_task,
    "people": desk.fifty_people,
    "order": order.order,
    "dry_run": dry_run.a_hundred_thousand,
    "reviewers": reviewers.five_hundred_reviewers,
}


def main(names: list[str]) -> None:
    unknown = set(names) - set(MEASUREMENTS)
    if unknown:
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; there is {', '.join(MEASUREMENTS)}")
    for name, measure in MEASUREMENTS.items():
        if not names or name in names:
            print(f"\n== {name}: {measure.__doc__}", flush=True)
            measure()


if __name__ == "__main__":
    main(sys.argv[1:])
