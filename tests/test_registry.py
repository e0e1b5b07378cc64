import subprocess
import sys

import pytest

from kantor import registry
from kantor.errors import UnknownNameError

ROOMS = ("metrics", "representations", "models", "presets", "corpora", "baselines")


@pytest.mark.parametrize("room", ROOMS)
def test_every_name_of_a_room_bears_a_part(room):
    assert registry.names(room)
    for name in registry.names(room):
        assert registry.part(room, name) is not None


@pytest.mark.parametrize("room", ROOMS)
def test_names_are_sorted_and_spelt_with_hyphens(room):
    names = registry.names(room)
    assert list(names) == sorted(names)
    assert not [name for name in names if "_" in name or name.startswith("-")]


def test_private_files_are_no_parts():
    assert "voices" not in registry.names("representations")
    assert "embedding" not in registry.names("models")


def test_a_file_with_an_underscore_is_found_by_its_name_with_a_hyphen():
    assert registry.part("presets", "seed-000").name == "seed-000"


@pytest.mark.parametrize("name", ["seed_000", "seed-00", "Chorale", "", "__init__", "..io"])
def test_a_name_that_no_file_bears_is_refused_with_the_whole_list(name):
    with pytest.raises(UnknownNameError, match=f"no preset named '{name}'.*Available: {registry.names('presets')[0]}"):
        registry.part("presets", name)


@pytest.mark.parametrize(("typo", "meant"), [("choral", "chorale"), ("CHORALE", "chorale"), ("seed-0001", "seed-001")])
def test_a_slip_is_answered_with_the_nearest_name(typo, meant):
    with pytest.raises(UnknownNameError, match=f"Did you mean '{meant}'"):
        registry.part("presets", typo)


@pytest.mark.parametrize("room", ROOMS)
def test_a_preset_or_representation_calls_itself_what_its_file_is_called(room):
    for name in registry.names(room):
        part = registry.part(room, name)
        assert getattr(part, "name", name) == name


def test_listing_what_exists_imports_no_part():
    code = (
        "import sys\n"
        "from kantor import registry\n"
        "registry.names('models'), registry.names('corpora')\n"
        "assert 'kantor.corpora.bach' not in sys.modules, 'a part was imported'\n"
        "assert 'kantor.models.lstm' not in sys.modules, 'a part was imported'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
