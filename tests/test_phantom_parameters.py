"""The tables of the phantom's numbers, and how they are read."""

import csv
from importlib import resources

import pytest

from tfds_adni.phantom.parameters import read_numbers, read_rows

DATA = resources.files("tfds_adni.phantom") / "data"


@pytest.fixture
def toy(monkeypatch, tmp_path):
    """Writes a table where the package's are looked for, and its name."""
    monkeypatch.setattr(resources, "files", lambda _: tmp_path)
    (tmp_path / "data").mkdir()

    def write(text):
        name = f"{abs(hash(text))}.csv"  # numbers are read once for a name
        (tmp_path / "data" / name).write_text(text, encoding="utf-8")
        return name

    return write


def test_rows_and_numbers_of_a_table(toy):
    name = toy(
        'region,value,source\npons,1.5,"ours, rounded"\ncuneus,-2,ours\n'
    )
    first = {"region": "pons", "value": "1.5", "source": "ours, rounded"}
    assert read_rows(name)[0] == first
    assert read_numbers(name) == {"pons": 1.5, "cuneus": -2.0}


@pytest.mark.parametrize("row", ["pons", "pons,1,ours, rounded", ""])
def test_a_row_of_too_many_or_too_few_cells(toy, row):
    name = toy(f"region,value,source\ncuneus,1,ours\n{row}\nlingual,1,ours\n")
    with pytest.raises(
        ValueError, match=f"expected 3 cells in row 3 of {name}"
    ):
        read_numbers(name)


@pytest.mark.parametrize("cell", ["", "one", "1;5"])
def test_a_cell_that_is_no_number(toy, cell):
    name = toy(f"region,value,source\npons,{cell},ours\n")
    wanted = f"expected a number under value for 'pons' in {name}"
    with pytest.raises(ValueError, match=wanted):
        read_numbers(name)


@pytest.mark.parametrize(
    "name", ["difficulty.csv", "people.csv", "acquisition.csv"]
)
def test_each_number_has_a_unit_and_a_source(name):
    for row in read_rows(name):
        assert row["unit"], row["name"]
        assert row["source"], row["name"]


@pytest.mark.parametrize("name", ["people.csv", "acquisition.csv"])
def test_each_number_is_used(name):
    code = "\n".join(
        path.read_text(encoding="utf-8") for path in DATA.parent.glob("*.py")
    )
    for number in read_numbers(name):
        # `raw_x_turn` and the like are put together from their parts
        assert number.startswith("raw_") or f'"{number}"' in code, number


def test_each_table_is_described_with_its_columns():
    text = (DATA / "README.md").read_text(encoding="utf-8")
    for path in DATA.glob("*.csv"):
        (part,) = (p for p in text.split("\n## ") if f"`{path.name}`:" in p)
        with path.open(encoding="utf-8") as file:
            columns = next(csv.reader(file))
        for column in columns:
            assert f"`{column}`" in part, (path.name, column)
