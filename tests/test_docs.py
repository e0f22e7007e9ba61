"""Commands, Python and spelling of the pages, and the script for the API.

Every command is read by the real command line, and every block of Python is
compiled. On tiny scans those commands run that take seconds (`scan` and what
has `--dry-run`, in blocks marked `console`), and the Python; all but one dry
run and what trains are marked slow.
"""

import contextlib
import importlib.util
import pkgutil
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import adni_tables
import ida_tree
import matplotlib as mpl
import pytest
import typer
from matplotlib import pyplot
from pages import PAGES, ROOT, blocks, blocks_of, spans
from typer.testing import CliRunner

import tfds_adni
from pet_dcgan.cli.main import app
from pet_dcgan.config import check_overrides
from pet_dcgan.models.networks import build_generator
from pet_dcgan.presets import LEAST_STEPS, PRESETS, parse_overrides
from pet_dcgan.runs.run import Run
from tfds_adni import Builder

SUBJECTS = 6  # of each stage; enough slices to train for a batch of 64
PEOPLE = (
    "participant_id\tsex\tage\tdiagnosis\n"
    "sub-01\tF\t71\tCN\nsub-02\tM\t68\tAD\n"
)
COMMANDS = [
    pytest.param(words, id=f"{block.place} {' '.join(words)}"[:90])
    for block in blocks("", "console", "bash", "sh", "text")
    for words in block.commands()
]
RUN = [
    pytest.param(
        words,
        id=f"{block.place} {' '.join(words)}"[:90],
        marks=[pytest.mark.slow] if "--preset" in words else [],
    )
    for block in blocks("console")
    for words in block.commands()
    if words[0] == "scan" or "--dry-run" in words
]
# these have a test of their own, or need a model that is served
ELSEWHERE = {"docs/extending.md", "export/README.md"}
# blocks of a page build on those above them
PAGES_OF_PYTHON = [
    pytest.param(page, id=str(page.relative_to(ROOT)))
    for page in PAGES
    if any(block.language == "python" for block in blocks_of(page))
    and str(page.relative_to(ROOT)) not in ELSEWHERE
]
LONG = re.compile(r"\.fit\(|\btrain\(|\bevaluate\(|\bwrite_cohort\(")
TARGET = re.compile(r"^([a-z-]+):.*##", re.M)
# at the start of a line of code, or of a span
MAKE = re.compile(r"(?:^|`)make ([a-z-]+)", re.M)
OPTION = re.compile(r"--[a-z][a-z-]*")


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """What the pages speak of: scans, tables, a data set and a run."""
    home = tmp_path_factory.mktemp("pages")
    rows = ida_tree.cohort_rows(SUBJECTS)
    ida_tree.write_tree(home / "ADNI_PET", rows)
    numbers = [int(row["Image Data ID"][1:]) - 900000 for row in rows]
    groups = {"CN": "CN", "MCI": "MCI", "AD": "Dementia"}
    adni_tables.write(
        home / "ADNIMERGE.csv",
        *(
            adni_tables.adnimerge_row(number, DX=groups[row["Group"]])
            for number, row in zip(numbers, rows, strict=True)
        ),
    )
    _write_bids(home / "my_cohort")
    _write_open_data(home / "ds004513")
    with contextlib.chdir(home):
        from tfds_adni import prepare

        for name in ("axial_128", "axial_64", "volume_64"):
            prepare("ADNI_PET", "data", config=name, jobs=1)
        _finished_run()
    return home


def _write_bids(folder):
    """The cohort of other-cohorts.md."""
    names = (
        "sub-01/pet/sub-01_trc-18FFDG_pet.nii.gz",
        "sub-02/ses-M000/pet/sub-02_ses-M000_trc-18FFDG_pet.nii.gz",
    )
    for number, name in enumerate(names):
        ida_tree.save_las(ida_tree.head(number), folder / name)
    (folder / "participants.tsv").write_text(PEOPLE)


def _write_open_data(folder):
    """The cohort of open-data.md: three subjects, one of them twice."""
    for number, session in (
        (3, "open"),
        (4, "open"),
        (5, "closed"),
        (5, "open"),
    ):
        subject = f"sub-s{number:03}"
        stem = f"{subject}_ses-{session}_task-rest"
        space = "space-MNI152NLin6ASym_res-3mm"
        home = folder / "derivatives" / "energetic-costs" / subject
        for desc in ("CMRglc", "signcosts"):
            name = f"{stem}_{space}_desc-{desc}_pet.nii.gz"
            path = home / f"ses-{session}" / "pet" / name
            ida_tree.save_las(ida_tree.head(number), path)
    people = "participant_id\tage\tsex\nsub-s003\t40\tF\n"
    (folder / "participants.tsv").write_text(people)


def _finished_run():
    """`runs/ad` with a generator that was never trained."""
    from pet_dcgan.data.prepared_set import subjects_of
    from pet_dcgan.training.train import resolve_config

    data = {"data_dir": "data", "dataset": "axial_128"}
    small = {"width": 4, "epochs": 2}
    config = resolve_config("demo", stage="AD", overrides=small, **data)
    trained_on = subjects_of("data", "axial_128", split="train", stage="AD")
    run = Run.create("runs/ad", config, sorted(trained_on))
    generator = build_generator(channels=1, width=4)
    generator.set_weights([w * 12 for w in generator.get_weights()])
    run.save_generator(generator)
    log = "epoch,d_loss,g_loss,real_accuracy,fake_accuracy\n1,1.2,1,0.8,0.7\n"
    (run.path / "log.csv").write_text(log)


@pytest.fixture
def at_home(world, monkeypatch, tmp_path):
    """A copy of the world as the working folder, where the demo is short."""
    monkeypatch.delitem(LEAST_STEPS, "demo")
    home = shutil.copytree(world, tmp_path / "home")
    monkeypatch.chdir(home)


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_is_one(words):
    program = typer.main.get_command(app)
    if words[0] in program.commands:
        _read(program, words)
    else:
        assert words[0].startswith("--"), words[0]
        assert words[0] in _options(program), words[0]


def _read(program, words):
    """Has the real command line read a command, without running it."""
    name, *rest = words
    # an ellipsis stands for what is told elsewhere; --dry-run for nothing
    if "..." in rest:
        known = _options(program.commands[name])
        assert {w for w in rest if w.startswith("--")} <= known
        return
    parsed = program.commands[name].make_context(name, rest)
    options = parsed.params
    preset = options.get("preset") or "robust"
    assert preset in PRESETS
    if options.get("config"):
        assert options["config"] in Builder.builder_configs
    check_overrides(preset, parse_overrides(options.get("settings") or []))


def _options(command):
    """Every option of a command, and of those below it."""
    found = {"--help"}
    for parameter in command.params:
        found |= {*parameter.opts, *parameter.secondary_opts}
    for below in getattr(command, "commands", {}).values():
        found |= _options(below)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_option_in_the_text_is_one(page):
    known = _options(typer.main.get_command(app))
    named = {
        option
        for span in spans(page)
        if span.startswith(("pet-dcgan", "--"))
        for option in OPTION.findall(span.split("--runner")[0])
    }
    # of other programs: benchmarks' own, TFDS's, Beam's, the server's
    place = page.relative_to(ROOT).as_posix()
    assert named - known <= OTHERS.get(place, set())


OTHERS = {
    "docs/reading-the-data.md": {
        "--imports",
        "--manual",
        "--max",
        "--register",
    },
    "docs/training-curves.md": {"--figure"},
    "docs/scaling-out.md": {"--direct", "--job", "--environment"},
    "export/README.md": {
        "--allow",
        "--batching",
        "--enable",
        "--keep-alive",
        "--suvr",
    },
}


def test_targets_of_make_are_described_and_exist():
    targets = set(TARGET.findall((ROOT / "Makefile").read_text()))
    described = {
        target
        for page in PAGES
        for target in MAKE.findall(page.read_text(encoding="utf-8"))
    }
    assert described <= targets
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert targets - {"help"} == set(MAKE.findall(contributing))


@pytest.mark.parametrize("words", RUN)
def test_short_commands_run(words, at_home):
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output


def test_scan_of_the_pages_uses_every_scan(at_home):
    done = CliRunner().invoke(app, ["scan", "my_cohort"])
    assert "2 found, 2 used" in done.output


def test_scan_of_open_data_takes_one_map_of_each_subject(at_home):
    words = ["scan", "ds004513", "--stage", "NC", "--assume-tracer", "FDG"]
    done = CliRunner().invoke(app, words)
    assert "8 found, 3 used" in done.output


def test_python_compiles():
    for block in blocks("python"):
        compile(block.text, block.place, "exec")


@pytest.mark.parametrize(
    "with_long", [False, pytest.param(True, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("page", PAGES_OF_PYTHON)
def test_python_runs(page, with_long, at_home):
    names = {}
    with mpl.rc_context({"backend": "agg"}):
        for block in blocks_of(page):
            if block.language != "python" or block.marked:
                continue
            if LONG.search(block.text) and not with_long:
                continue
            exec(compile(block.text, block.place, "exec"), names)
        pyplot.close("all")


# --- spelling, and the pages that docstrings become ---------------------------

SPELLED = (
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "setup.cfg"),
    *("docs", "export", "pet_dcgan", "tfds_adni", "tests", "benchmarks"),
    "notebooks",
)


def test_nothing_is_misspelt():
    """By codespell's list of common slips."""
    command = [sys.executable, "-m", "codespell_lib"]
    done = subprocess.run(
        [*command, "--skip=models,api,output,*.png", *SPELLED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def write_api(monkeypatch):
    """The script; what it sets on the packages is undone."""
    place = ROOT / "docs" / "write_api.py"
    spec = importlib.util.spec_from_file_location("write_api", place)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for package in map(importlib.import_module, script.PACKAGES):
        below = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        inner = [importlib.import_module(m.name) for m in below if m.ispkg]
        for module in (package, *inner):
            for name in getattr(module, "__all__", ()):
                value = getattr(module, name)
                # unlike setattr it knows names that are loaded lazily
                monkeypatch.setitem(vars(module), name, value)
            if hasattr(module, "__all__"):
                monkeypatch.setattr(module, "__all__", module.__all__)
    return script


def test_pdoc_gets_every_public_module(write_api, monkeypatch, tmp_path):
    given, listed, opening = {}, [], write_api.open_packages
    monkeypatch.setattr(
        write_api, "open_packages", lambda: listed.extend(opening())
    )
    pdoc = types.ModuleType("pdoc")
    pdoc.Path = Path
    pdoc.render = types.SimpleNamespace(configure=given.update)
    pdoc.pdoc = lambda *names, **options: given.update(options, names=names)
    monkeypatch.setitem(sys.modules, "pdoc", pdoc)
    write_api.write(str(tmp_path / "api"))
    assert given == {
        "names": write_api.PACKAGES,
        "docformat": "google",
        "output_directory": tmp_path / "api",
    }
    assert {"Builder", "cohort", "sources"} <= set(tfds_adni.__all__)
    assert {"ScanRecord", "bids"} <= set(tfds_adni.sources.__all__)
    assert isinstance(vars(tfds_adni)["Builder"], type)
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(
            ".__init__"
        )
        for package in write_api.PACKAGES
        for path in ROOT.glob(f"{package}/**/*.py")
    }
    assert set(listed) == {name for name in names if "._" not in name}
