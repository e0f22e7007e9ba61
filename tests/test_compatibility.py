"""The tables of docs/compatibility.md and their tests say the same."""

import re
from pathlib import Path

import pytest
import test_compatibility_callbacks as callbacks
import test_compatibility_compile as compiling
import test_compatibility_inputs as inputs
import test_compatibility_saving as saving
from compatibility import Row

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/compatibility.md"
TABLES = {
    rows.title: rows
    for rows in (
        callbacks.ROWS,
        compiling.ROWS,
        inputs.INPUTS,
        inputs.OPTIONS,
        saving.ROWS,
    )
}
OUTCOMES = ("works", "refused")


def tables():
    """The page's rows by the heading above them, each a list of cells."""
    found, title = {}, ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            title = line.removeprefix("## ")
        if line.startswith("| ") and not line.startswith("| what |"):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            found.setdefault(title, []).append(cells)
    return found


@pytest.mark.parametrize("title", TABLES)
def test_each_row_has_its_test_and_each_test_its_row(title):
    rows = TABLES[title]
    assert len({row.name for row in rows}) == len(rows)
    written = dict(tables()[title])
    tested = {row.name: OUTCOMES[row.refusal is not None] for row in rows}
    assert list(written) == list(tested)
    for name, outcome in written.items():
        assert outcome.startswith(tested[name])
        # a refusal has its reason
        assert outcome != "refused"


def test_rows_of_other_tests_name_them():
    for title, rows in tables().items():
        if title in TABLES:
            continue
        for _, outcome, place in rows:
            assert outcome.startswith(OUTCOMES)
            files = re.findall(r"`(test_\w+\.py)::(\w+)`", place)
            # what needs a package that the tests do not have
            assert files or place.startswith("by hand")
            for file, name in files:
                text = (ROOT / "tests" / file).read_text()
                assert re.search(rf"(def|class) {name}\(", text)


def test_a_row_notices_what_it_should(tmp_path):
    def fail(folder):
        raise ValueError("one line\nand another")

    Row("works", lambda folder: None).run(tmp_path)
    with pytest.raises(AssertionError):
        Row("two lines", fail, refusal="one line").run(tmp_path)
    Row("Keras's lines", fail, refusal="one", by_keras=True).run(tmp_path)
    with pytest.raises(pytest.fail.Exception):
        Row("accepted", lambda folder: None, refusal="one").run(tmp_path)
