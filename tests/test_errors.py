import re

import pytest

from kantor import errors
from kantor.errors import KantorError, MissingExtraError, OptionError, UnknownNameError


def drawn():
    """(name, name of its parent) of each line of the tree in the module's docstring."""
    trail, tree = {}, {}
    for line in errors.__doc__.splitlines():
        found = re.match(r"([\s│├└─]*)(\w+Error)\b", line)
        if found:
            depth = len(found[1]) // 4
            trail[depth] = found[2]
            tree[found[2]] = trail.get(depth - 1) if depth else None
    return tree


def real():
    """The same of the classes."""
    classes = {cls.__name__: cls for cls in vars(errors).values() if isinstance(cls, type)}
    return {
        name: next((base.__name__ for base in cls.__bases__ if issubclass(base, KantorError)), None)
        for name, cls in classes.items()
        if issubclass(cls, KantorError)
    }


def test_the_tree_that_the_docstring_draws_is_the_tree_there_is():
    assert drawn() == real()


def test_every_error_is_public():
    assert sorted(errors.__all__) == sorted(real())


@pytest.mark.parametrize("name", sorted(real()))
def test_every_error_can_be_caught_as_kantors(name):
    assert issubclass(getattr(errors, name), KantorError)


def test_bad_input_and_bad_options_are_value_errors_too():
    assert {name for name in real() if issubclass(getattr(errors, name), ValueError)} == {
        *("InputError", "FileFormatError", "ScoreError", "BundleError"),
        *("OptionError", "UnknownNameError", "RuleError", "UnsupportedRuleError"),
    }


def test_an_unknown_name_offers_the_nearest_and_the_list():
    error = UnknownNameError("rule", "pitch-rnage", ["range", "pitch-range"])
    assert str(error) == "no rule named 'pitch-rnage'. Did you mean 'pitch-range'? Available: pitch-range, range."
    assert isinstance(error, OptionError)


def test_an_unknown_name_among_none_says_so():
    assert str(UnknownNameError("model", "bach", [])) == "no model named 'bach'. Available: none."


def test_a_missing_extra_says_how_to_install_it():
    assert str(MissingExtraError("training", "train")).endswith('pip install "kantor[train]"')
