"""The help of every command, and what is said to a wrong value."""

import re
import typing

import pytest
import typer
from typer.testing import CliRunner

from pet_dcgan.cli.help import expected_among, shortened
from pet_dcgan.cli.main import app

PROGRAM = typer.main.get_command(app)
COMMANDS = list(PROGRAM.commands)
# of Python or of typer, and not of a reader's language
ARTEFACTS = re.compile(
    r"<[a-z]|\bTEXT\b|\bPATH\.|INTEGER|BOOLEAN|\[\[|list\[|[{}]|x>=|:\d+:|None"
)
TRAIN = ("train", "--data-dir", "d", "--run", "r", "--stage", "AD")


def shown(*words, width=80):
    result = CliRunner().invoke(app, words, env={"COLUMNS": str(width)})
    assert result.exit_code == 0, result.output
    return result.output


def error(*words):
    """The last line of a command that is not understood."""
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    return result.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_is_what_a_reader_types(command, width):
    words = [command] if command else []
    text = shown(*words, "-h", width=width)
    assert text == shown(*words, "--help", width=width)
    assert not ARTEFACTS.search(text)
    assert "\x1b" not in text
    assert "\xa0" not in text
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0].startswith(f"Usage: pet-dcgan {command or 'COMMAND'}")
    assert re.search(r"^  -h, --help +Show this", text, re.M)
    # a default is not torn apart
    assert text.count("[default: ") == text.count("[default:")


@pytest.mark.parametrize("command", COMMANDS)
def test_an_example_can_be_pasted_and_is_understood(command):
    _, _, examples = shown(command, "-h").partition("\nExample")
    whole = examples.replace(" \\\n      ", " ").splitlines()[1:]
    assert whole
    for example in whole:
        program, name, *words = example.split()
        assert (program, name) == ("pet-dcgan", command)
        assert PROGRAM.commands[command].make_context(name, words).params


@pytest.mark.parametrize("command", COMMANDS)
def test_every_parameter_is_explained(command):
    for parameter in PROGRAM.commands[command].params:
        if not parameter.hidden:
            assert parameter.help, parameter.name
            assert parameter.metavar or parameter.is_flag, parameter.name


@pytest.mark.parametrize("command", COMMANDS)
def test_choices_are_shown_as_they_are(command):
    """They are written twice, since versions of typer show them unlike."""
    function = PROGRAM.commands[command].callback
    hints = typing.get_type_hints(function, include_extras=False)
    for parameter in PROGRAM.commands[command].params:
        kinds = [hints[parameter.name], *typing.get_args(hints[parameter.name])]
        for kind in kinds:
            if typing.get_origin(kind) is typing.Literal:
                choices = "|".join(typing.get_args(kind))
                assert parameter.metavar == choices, parameter.name


def test_what_must_be_given_is_in_the_first_line():
    (usage,) = [x for x in shown("generate", "-h").splitlines() if "Usage" in x]
    assert (
        usage
        == "Usage: pet-dcgan generate MODEL --count N --out FOLDER [OPTIONS]"
    )
    assert (
        "Usage: pet-dcgan study --data-dir FOLDER --out FOLDER [OPTIONS]\n"
        in (shown("study", "-h"))
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("train", "--stage", "CN"),
            "'--stage': expected NC, MCI, AD; found 'CN': write NC",
        ),
        (("train", "--stage", "xx"), "expected NC, MCI, AD; found 'xx'"),
        (
            (*TRAIN, "--plane=axail"),
            "expected axial, coronal, sagittal; found 'axail': write axial",
        ),
        (
            (*TRAIN, "--epochs", "0"),
            "'--epochs': expected a whole number of at least 1; found '0'",
        ),
        (
            (*TRAIN, "--seed", "1", "--seed", "-2"),
            "expected a whole number that is not negative; found '-2'",
        ),
        (
            ("generate", "m", "--count", "many", "--out", "o"),
            "expected a whole number of at least 1; found 'many'",
        ),
        (
            ("generate", "m", "--timeout", "0"),
            "expected a number of at least 0.1; found '0'",
        ),
        (
            ("prepare", "scans", "--data-dir", "d", "--config", "axial128"),
            "found 'axial128': write axial_128",
        ),
        ((*TRAIN, "--set", "epochs", "5"), ": write --set epochs=5"),
        (
            (*TRAIN, "--set", "stage=NC"),
            "expected a setting, found stage: it has an option, --stage",
        ),
        (
            (*TRAIN, "--set", "size=32"),
            "that is a fact of the set, choose its --config",
        ),
        (
            (*TRAIN, "--set", "recipe=1"),
            "that is a fact of the set, choose its --config",
        ),
        (
            (*TRAIN, "--set", "zzzz=1"),
            "xla, found zzzz: correct the name, see pet-dcgan train "
            "--list-settings",
        ),
        (
            ("study", "--data-dir", "d", "--out", "o", "coronal"),
            "found coronal: name runs after --runs, and planes and "
            "percentages with commas between",
        ),
        (("train",), "Missing option '--data-dir'."),
        (("evaluate",), "Missing argument 'RUN'."),
    ],
)
def test_the_error_names_what_is_meant(words, message):
    assert error(*words).endswith(message)


def test_a_misspelt_command_names_the_nearest():
    assert re.search("'trainn'.*'train'", error("trainn"))


def test_a_long_or_strange_value_stays_one_line():
    line = expected_among(["axial"], "\x1b[2J\n" * 99)
    assert line.isprintable()
    assert len(line) < 120


def test_what_a_shell_shows_is_short():
    assert shortened("A run.") == "A run."
    assert shortened("a word " * 20).endswith(" ...")
    assert len(shortened("a word " * 20)) <= 60
