import ida_tree
import pytest

from tfds_adni.sources.ida_image import ImageMetadata
from tfds_adni.sources.ida_xml import read_sidecars
from tfds_adni.sources.record import Label
from tfds_adni.sources.tree import walk

# Of a scan as acquired; ida_tree has that of processed PET.
SERIES = """<series><seriesIdentifier>900036</seriesIdentifier>
  <modality>MRI</modality><dateAcquired>2012-05-05 09:08:07.0
  </dateAcquired>{protocol}</series>"""
PROTOCOL = """<imagingProtocol><imageUID>900015</imageUID>
  <description>MPRAGE</description><protocolTerm>
  <protocol term="Field Strength">3</protocol></protocolTerm>
  </imagingProtocol>"""
STUDY = """<?xml version="1.0" encoding="UTF-8" standalone="no" ?>
<idaxs xmlns="http://ida.loni.usc.edu"><project xmlns="">
  <projectIdentifier>ADNI</projectIdentifier><siteKey>999</siteKey>
  <subject><subjectIdentifier>999_S_9001</subjectIdentifier>
    <researchGroup>EMCI</researchGroup><subjectSex>F</subjectSex>
    <visit><visitIdentifier>ADNI2 Month 6</visitIdentifier></visit>
    <study><studyIdentifier>7</studyIdentifier>
      <subjectAge>71.4</subjectAge><weightKg>70.0</weightKg>
      {series}</study></subject></project></idaxs>
"""
SCAN = SERIES.format(protocol=PROTOCOL)
OTHER = SCAN.replace("900015", "900018").replace("MPRAGE", "Raw")
ACQUIRED = STUDY.format(series=SCAN)
LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE idaxs [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<idaxs><project><subject><subjectIdentifier>&b;</subjectIdentifier>
<study><series><imagingProtocol><imageUID>1</imageUID></imagingProtocol>
</series></study></subject></project></idaxs>
"""
OUTSIDE = """<!DOCTYPE idaxs [<!ENTITY a SYSTEM "file:///etc/hostname">]>
<idaxs>&a;</idaxs>"""


def deny(*_, **__):
    raise PermissionError(13, "Permission denied")


def sidecars(folder, data, name="ADNI_999_S_9001_S1_I900015.xml"):
    data = data.encode() if isinstance(data, str) else data
    (folder / name).write_bytes(data)
    return read_sidecars(walk(folder), {})[0]


def test_xml_of_a_scan_as_acquired(tmp_path):
    assert sidecars(tmp_path, ACQUIRED) == {
        "900015": ImageMetadata(
            subject="999_S_9001",
            sex="F",
            age="71.4",
            visit="ADNI2 Month 6",
            modality="MRI",
            description="MPRAGE",
            date="2012-05-05",
            labels=(Label("EMCI", "XML DX Group"),),
        )
    }


def test_xml_of_processed_pet(tmp_path):
    row = ida_tree.row(2, "AD", Subject="999_s_9002")
    xml = ida_tree.xml(row, age="80", tracer="18F-FDG")
    xml = xml.replace("<imageUID>900002", "<imageUID>I900002")
    assert sidecars(tmp_path, xml) == {
        "900002": ImageMetadata(
            subject="999_S_9002",
            sex="M",
            age="80",
            visit="bl",
            modality="PET",
            description=ida_tree.DESCRIPTION,
            date="2012-05-05",
            tracer="18F-FDG",
            labels=(Label("AD", "XML DX Group"),),
        )
    }


@pytest.mark.parametrize(
    ("series", "descriptions"),
    [
        # a protocol beside its series
        (SERIES.format(protocol="") + PROTOCOL, {"900015": "MPRAGE"}),
        # two series of a study stay apart
        (SCAN + OTHER, {"900015": "MPRAGE", "900018": "Raw"}),
    ],
)
def test_series_of_a_study(tmp_path, series, descriptions):
    found = sidecars(tmp_path, STUDY.format(series=series))
    assert {i: s.description for i, s in found.items()} == descriptions
    assert {s.modality for s in found.values()} == {"MRI"}


def test_first_of_two_files_counts_and_a_blank_group_is_no_label(tmp_path):
    sidecars(tmp_path, ACQUIRED.replace("EMCI", " "))
    found = sidecars(tmp_path, ACQUIRED, "z_I900015.xml")
    assert found["900015"].labels == ()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        *((text, "it declares a document type") for text in (LAUGHS, OUTSIDE)),
        ("<!DOCTYPE idaxs><idaxs/>", "it declares a document type"),
        (LAUGHS.encode("utf-16"), "it is not XML"),
        (LAUGHS.encode("utf-32"), "it is not XML"),
        *((text, "it is not XML") for text in ("<idaxs>", "")),
        ("x" * (1024 * 1024 + 1), "larger than 1024 KiB"),
    ],
)
def test_files_that_cannot_be_trusted(tmp_path, data, reason):
    (image,) = sidecars(tmp_path, data).values()
    assert image.problem == f"its XML file cannot be read ({reason})"


def test_unreadable_file_has_its_reason(tmp_path, monkeypatch):
    sidecars(tmp_path, ACQUIRED)
    monkeypatch.setattr("builtins.open", deny)
    (image,) = read_sidecars(walk(tmp_path), {})[0].values()
    assert "Permission denied" in image.problem


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ('<metadata><image uid="I900015"/></metadata>', "x_I900015.xml"),
        (ACQUIRED.replace("<imageUID>900015</imageUID>", ""), "x_I900015.xml"),
        (ACQUIRED.replace("idaxs", "atlas"), "x_I900015.xml"),
        ("<", "atlas.xml"),
    ],
)
def test_other_xml_is_skipped(tmp_path, data, name):
    assert sidecars(tmp_path, data, name) == {}
