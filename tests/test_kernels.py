"""What promises equal bits holds under other kernels than this machine's.

A setting that changes no bit here stands for no other processor, and there is
nothing to run again.
"""

from pathlib import Path

import kernels
import pytest

HERE = Path(__file__).parent


def digest_under(setting):
    found = kernels.under(setting, kernels.__file__)
    assert len(found.stdout.strip()) == 64, found.stderr
    return found.stdout


@pytest.fixture(scope="module")
def here():
    """The digest of this machine's own kernels."""
    return digest_under({})


@pytest.mark.slow
@pytest.mark.parametrize("setting", kernels.SETTINGS, ids=kernels.described)
def test_equal_bits_and_the_contract(setting, here):
    if digest_under(setting) == here:
        return
    tests = ("sampling", "generate", "serving_contract")
    files = [str(HERE / f"test_{name}.py") for name in tests]
    # a stub computes as the folder does
    options = ("-q", "-x", "-m", "not slow", "-k", "not stub")
    found = kernels.under(setting, "-m", "pytest", *options, *files)
    assert found.returncode == 0, found.stdout[-3000:]
    assert " passed" in found.stdout


def test_a_setting_replaces_that_of_the_environment(monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    ask = "import os; print(os.environ.get('TF_ENABLE_ONEDNN_OPTS'))"
    assert kernels.under({}, "-c", ask).stdout.strip() == "None"
    zero = {"TF_ENABLE_ONEDNN_OPTS": "0"}
    assert kernels.under(zero, "-c", ask).stdout.strip() == "0"
    # the first line of the tests' output names it, and the processor
    found = kernels.processor()
    assert "TF_ENABLE_ONEDNN_OPTS=1" in found
    assert "cores; flags" in found
    assert "\n" not in found
