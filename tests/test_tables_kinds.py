import adni_tables
import pytest

from tfds_adni.tables import kind_of


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ("RID,VISCODE,EXAMDATE,DXCHANGE", "DXSUM"),
        ("rid,viscode,diagnosis", "DXSUM"),
        ("RID,DIAGNOSIS,CENROLL", ""),
        ("RID,PTID,EXAMDATE,DX_bl,DXCHANGE,DX", "ADNIMERGE"),
        ("RID,PASS,LONIUID", "PETQC"),
        ("PTID,SCANQLTY,PASS", "PETC3"),
        ("Image Data ID,Subject,Group", ""),
        ("DIAGNOSIS,DXCHANGE", ""),
        ("", ""),
    ],
)
def test_kind_by_columns(tmp_path, columns, kind):
    path = tmp_path / "DXSUM.csv"
    path.write_text(f"{columns}\n")
    assert kind_of(path) == kind


def test_what_is_no_table_has_no_kind(tmp_path):
    assert kind_of(tmp_path) == ""
    path = adni_tables.write(tmp_path / "t.csv", {"RID": "1"})
    assert kind_of(path) == ""
