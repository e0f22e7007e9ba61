"""What promises equal bits holds under other kernels than this machine's.

A setting that changes no bit here stands for no other processor, and there is
nothing to run again.
"""

from pathlib import Path

import kernels
import pytest

HERE = Path(__file__).parent


SETTINGS = pytest.mark.parametrize(
    "setting", kernels.SETTINGS, ids=kernels.described
)


@pytest.fixture(scope="module")
def here():
    """The digest of this machine's own kernels."""
    return digest_under({})


def digest_under(setting):
    found = kernels.under(setting, kernels.__file__)
    assert len(found.stdout.strip()) == 64, found.stderr
    return found.stdout


def require_pass(setting, *tests):
    """Runs tests under a setting."""
    files = [str(HERE / name) for name in tests]
    # a stub computes as the folder does
    options = ("-q", "-x", "-m", "not slow", "-k", "not stub")
    found = kernels.under(setting, "-m", "pytest", *options, *files)
    assert found.returncode == 0, found.stdout[-3000:]
    assert " passed" in found.stdout


@pytest.mark.slow
@SETTINGS
def test_equal_bits_and_the_contract(setting, here):
    if digest_under(setting) != here:
        require_pass(
            setting,
            "test_sampling.py",
            "test_generate.py",
            "test_serving_contract.py",
        )


def test_the_head_of_the_tests_names_the_processor():
    found = kernels.processor()
    assert "cores" in found
    assert "flags" in found
    assert "\n" not in found


def test_a_setting_replaces_that_of_the_environment(monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    ask = "import os; print(os.environ.get('TF_ENABLE_ONEDNN_OPTS'))"
    assert kernels.under({}, "-c", ask).stdout.strip() == "None"
    zero = {"TF_ENABLE_ONEDNN_OPTS": "0"}
    assert kernels.under(zero, "-c", ask).stdout.strip() == "0"
    assert "TF_ENABLE_ONEDNN_OPTS=1" in kernels.processor()
