"""Tables of counterpoint rest until the end of a training, and then learn faster than the network."""

import pytest

from kantor.errors import OptionError
from kantor.models import build
from kantor.networks import AttentiveLstm
from kantor.representations import columns
from kantor.representations.choir import Choir
from kantor.training.learner import Learner
from kantor.training.recipe import Recipe

NETWORK = AttentiveLstm(embedding=4, hidden=4, layers=1, attention=4, memory=4, head=4, counterpoint=True)


class At(Learner):
    """A learner that is so far on its way."""

    progress = 0.0


def rates(progress: float, **recipe: float) -> tuple[float, float]:
    """Learning rates of the network and of the tables at ``progress``."""
    learner = At(build(NETWORK, *columns(Choir(inputs=("last",)))), Recipe(**recipe))
    optimizer = learner.configure_optimizers()
    learner.optimizers = lambda: optimizer
    learner.progress = progress
    learner.on_train_batch_start((), 0)
    network, tables = optimizer.param_groups
    assert [id(one) for one in tables["params"]] == [id(learner.network.heads.motions)]
    assert tables["weight_decay"] == 0
    return network["lr"], tables["lr"]


def test_tables_rest_until_the_last_tenth_and_then_have_a_cycle_of_their_own():
    assert rates(0.1) == (pytest.approx(3e-3), 0.0)
    assert rates(0.9)[1] == 0.0
    assert rates(0.91)[1] == pytest.approx(0.015)  # a tenth of the last tenth: as fast as it goes
    assert rates(0.91)[0] < 1e-4
    assert rates(1.0)[1] < 1e-5


def test_when_and_how_fast_tables_learn_can_be_set():
    assert rates(0.55, tables_after=0.5, tables_rate=0.2)[1] == pytest.approx(0.2)
    assert rates(0.1, tables_after=0.0)[1] == pytest.approx(0.015)


@pytest.mark.parametrize("value", [-0.1, 1.0])
def test_tables_must_have_some_time_to_learn(value):
    with pytest.raises(OptionError, match="tables_after from 0 up to but not including 1"):
        Recipe(tables_after=value)


def test_a_network_without_tables_has_one_rate():
    plain = build(AttentiveLstm(embedding=4, hidden=4, layers=1, attention=4, memory=4, head=4), *columns(Choir()))
    assert len(Learner(plain, Recipe()).configure_optimizers().param_groups) == 1
