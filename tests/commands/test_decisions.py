from tests.support.world import World, output


def test_a_decision_releases_what_it_approved(world: World) -> None:
    world.submit(output())
    task = world.claim()
    assert task is not None
    decision = world.decide(task)
    assert decision.verdict == "approve"
