import pydantic
import pytest

from pipeline.training.material.kinds import Content, Package, Split
from pipeline.training.material.packages import read_packages


@pytest.mark.parametrize(
    ("name", "path", "content"),
    [
        ("ufoai-sound", "/usr/base/sound/soldiers/a.ogg", Content.SPEECH),
        ("ufoai-sound", "/usr/base/sound/ui/a.ogg", Content.UNUSED),
        ("ufoai-sound", "/usr/base/sound/footsteps/a.ogg", Content.EFFECTS),
        ("lincity-ng-data", "/usr/share/sounds/Click.wav", Content.UNUSED),
        ("xmoto-data", "/usr/share/Musics/a.ogg", Content.MUSIC),
        ("xmoto-data", "/usr/share/a.ogg", Content.UNUSED),
    ],
)
def test_patterns_decide_what_a_file_holds(name: str, path: str, content: Content) -> None:
    (package,) = (package for package in read_packages() if package.name == name)
    assert package.content(path) is content


def test_each_package_is_used_for_something() -> None:
    assert {package.split for package in read_packages()} == set(Split)
    for package in read_packages():
        assert package.speech or package.music or package.effects, package.name


def test_a_word_that_no_row_has_is_an_error() -> None:
    row = {"name": "a", "split": "train", "licence": "CC0-1.0", "efects": ["*"]}
    with pytest.raises(pydantic.ValidationError, match="efects"):
        Package.model_validate(row)
