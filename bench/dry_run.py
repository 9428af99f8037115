"""A dry run over outputs that came in by the real intake."""

import resource
import tempfile
import time
from pathlib import Path

from bench.figures import ratio
from bench.floors import PAYLOAD
from bench.program import POLICY, prepared
from bench.queue import fill
from review.domain.actors import HOLDPOINT
from review.domain.dry_runs import DryRun
from review.queries import dry_runs

N_OUTPUTS, AT_MOST_SECONDS = 100_000, 20
DRAFT = POLICY.replace("confidence < 0.35", "confidence < 0.5").replace(
    "rules:", "rules:\n  - {name: long, when: \"kind == 'answer' && size(output) > 5000\", route: review}"
)


def a_hundred_thousand() -> None:
    """A dry run of a policy over 100,000 recorded outputs of 2 KB, beside the version in force."""
    with tempfile.TemporaryDirectory() as name:
        program = prepared(Path(name), 2, POLICY)
        fill(program, N_OUTPUTS, PAYLOAD)
        before, told = _peak_mib(), []
        begun, worked = time.perf_counter(), time.process_time()
        with program.store.snapshot() as session:
            found = dry_runs.run(
                session, HOLDPOINT, "sys", DRAFT, last=N_OUTPUTS, on_progress=lambda done, _total: told.append(done)
            )
        took, cpu = time.perf_counter() - begun, time.process_time() - worked
        program.store.close()
    _tell(found)
    print(f"progress was told {len(told):,} times; memory grew by {_peak_mib() - before:.0f} MiB at most", flush=True)
    ratio(f"seconds of processor for {found.n:,} outputs", cpu, "the rest is others' on this machine")
    ratio(f"seconds for {found.n:,} outputs", took, f"under {AT_MOST_SECONDS}")


def _tell(found: DryRun) -> None:
    for name, tally in (("in force", found.active), ("draft", found.draft)):
        outcomes = ", ".join(f"{outcome.value} {n:,}" for outcome, n in sorted(tally.n_by_outcome.items()))
        print(f"{name:<10} {outcomes}; tasks {tally.n_tasks:,}", flush=True)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
