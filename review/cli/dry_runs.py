"""How the command line tells of a dry run."""

from review.domain.dry_runs import DryRun, Outcome, Tally, Told


def told(found: DryRun) -> str:
    """The figures as lines for people."""
    table = [
        _row("", f"version {found.version}", "draft"),
        *(_row(each.value, *(f"{tally.n_by_outcome[each]:,}" for tally in _both(found))) for each in Outcome),
        _row("tasks a day", *(f"{found.a_day(tally.n_tasks):,.1f}" for tally in _both(found))),
        _row("condition failed", *(f"{tally.n_failed:,}" for tally in _both(found))),
    ]
    return "\n".join([f"{found.n:,} outputs of {found.days:,.1f} days.", *table, "", *_sentences(found)])


def _row(name: str, *figures: str) -> str:
    return f"{name:<18}" + "".join(f"{figure:>14}" for figure in figures)


def _both(found: DryRun) -> tuple[Tally, Tally]:
    return found.active, found.draft


def _sentences(found: DryRun) -> list[str]:
    """What the table does not hold: known errors, rules, and what changes."""
    slipped = [
        f"{name} {tally.slipped().sentence()}" for name, tally in zip(("now", "draft"), _both(found), strict=True)
    ]
    rules = [
        f"  {n:>10,}  {rule or 'no rule'}: {each.value}" for (rule, each), n in found.draft.n_by_rule.most_common()
    ]
    moved = [f"  {n:>10,}  {before.value} → {after.value}" for (before, after), n in found.n_moved.most_common()]
    return [
        f"Known errors that would pass: {'; '.join(slipped)}.",
        "By rule of the draft:", *rules,
        f"{found.n_changed:,} outputs would go another way:" if moved else "No output would go another way.", *moved,
        *(f"  {_line(each)}" for each in found.changed[:10]),
    ]  # fmt: skip


def _line(one: Told) -> str:
    verdict = f" ({one.verdict})" if one.verdict else ""
    return f"{one.external_id}: {one.before.value} → {one.after.value} by {one.rule_after or 'no rule'}{verdict}"
