import pytest

from fakes import FakeModel, rambling
from kantor.verbs import _compose


@pytest.fixture
def network(monkeypatch):
    """A network of a few lines for the verbs that compose: ``network(rule)`` puts another in its place."""

    def use(rule=rambling):
        made = []

        def opened(bundle):
            made.append(FakeModel.of(bundle.representation, rule, chained=len(bundle.representation.fields) > 1))
            return made[-1]

        monkeypatch.setattr(_compose, "model_of", opened)
        return made

    use()
    return use
