import pytest

from fakes import FakeModel, rambling
from kantor.verbs import _compose


@pytest.fixture
def network(monkeypatch):
    """A network of a few lines for the verbs that compose: ``network(rule)`` puts another in its place."""

    def use(rule=rambling):
        made = []

        def opened(bundle):
            made.append(FakeModel(bundle.representation.fields[0].size, rule))
            return made[-1]

        monkeypatch.setattr(_compose, "Runtime", opened)
        return made

    use()
    return use
