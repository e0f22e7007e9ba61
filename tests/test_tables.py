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
        ("RID", ""),
        ("", ""),
    ],
)
def test_kind_by_columns(columns, kind):
    assert kind_of(columns.split(",")) == kind
