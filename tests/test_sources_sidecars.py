import pytest

from tfds_adni.sources import sidecars as room
from tfds_adni.sources.record import Label
from tfds_adni.sources.sidecars import Sidecar, read_sidecars
from tfds_adni.sources.tree import walk

# The two forms: a scan as acquired, and processed PET.
ACQUIRED = """<?xml version="1.0" encoding="UTF-8" standalone="no" ?>
<idaxs xmlns="http://ida.loni.usc.edu"><project xmlns="">
  <projectIdentifier>ADNI</projectIdentifier><siteKey>999</siteKey>
  <subject><subjectIdentifier>999_S_9001</subjectIdentifier>
    <researchGroup>EMCI</researchGroup><subjectSex>F</subjectSex>
    <visit><visitIdentifier>ADNI2 Month 6</visitIdentifier></visit>
    <study><studyIdentifier>7</studyIdentifier>
      <subjectAge>71.4</subjectAge><weightKg>70.0</weightKg>
      <series><seriesIdentifier>900036</seriesIdentifier>
        <modality>MRI</modality><dateAcquired>2012-05-05 09:08:07.0
        </dateAcquired>
        <imagingProtocol><imageUID>900015</imageUID>
          <description>MPRAGE</description>
          <protocolTerm><protocol term="Field Strength">3</protocol>
          </protocolTerm></imagingProtocol>
      </series></study></subject></project></idaxs>
"""
PROCESSED = """<?xml version="1.0" encoding="UTF-8"?>
<idaxs><project><subject><subjectIdentifier>999_s_9002</subjectIdentifier>
  <researchGroup>Patient</researchGroup><subjectSex>M</subjectSex>
  <subjectInfo item="DX Group">AD</subjectInfo>
  <subjectInfo item="APOE A1">3</subjectInfo>
  <study><subjectAge>80</subjectAge><series>
    <modality>PET</modality><dateAcquired>5/6/2013</dateAcquired>
    <seriesLevelMeta><annotation><text>x</text></annotation>
      <derivedProduct><imageUID>I900016</imageUID>
        <processedDataLabel>Coreg, Avg</processedDataLabel></derivedProduct>
      <relatedImageDetail><originalRelatedImage><imageUID>900017</imageUID>
        <description>ADNI Brain PET: Raw</description><protocolTerm>
        <protocol term="Radiopharmaceutical">18F-FDG</protocol>
        </protocolTerm></originalRelatedImage></relatedImageDetail>
    </seriesLevelMeta></series></study></subject></project></idaxs>
"""
LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE idaxs [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<idaxs><project><subject><subjectIdentifier>&c;</subjectIdentifier>
<study><series><imagingProtocol><imageUID>1</imageUID></imagingProtocol>
</series></study></subject></project></idaxs>
"""
FILE = """<!DOCTYPE idaxs [<!ENTITY a SYSTEM "file:///etc/hostname">]>
<idaxs>&a;</idaxs>"""


def read(folder, data, name="ADNI_999_S_9001_S1_I900015.xml"):
    data = data.encode() if isinstance(data, str) else data
    (folder / name).write_bytes(data)
    return read_sidecars(walk(folder))


def test_scan_as_acquired(tmp_path):
    assert read(tmp_path, ACQUIRED) == {
        "900015": Sidecar(
            subject="999_S_9001",
            sex="F",
            age="71.4",
            visit="ADNI2 Month 6",
            modality="MRI",
            description="MPRAGE",
            date="2012-05-05 09:08:07.0",
            labels=(Label("EMCI", "XML DX Group"),),
        )
    }


def test_processed_pet(tmp_path):
    assert read(tmp_path, PROCESSED) == {
        "900016": Sidecar(
            subject="999_S_9002",
            sex="M",
            age="80",
            modality="PET",
            description="Coreg, Avg",
            date="5/6/2013",
            tracer="18F-FDG",
            labels=(Label("AD", "XML DX Group"),),
        )
    }


def test_protocol_beside_the_series(tmp_path):
    start = ACQUIRED.index("<imagingProtocol>")
    end = ACQUIRED.index("</series>")
    moved = (
        ACQUIRED[:start]
        + "</series>"
        + ACQUIRED[start:end]
        + ACQUIRED[end + len("</series>") :]
    )
    (sidecar,) = read(tmp_path, moved).values()
    assert (sidecar.modality, sidecar.description) == ("MRI", "MPRAGE")


def test_two_series_of_a_study_stay_apart(tmp_path):
    start = ACQUIRED.index("<series>")
    end = ACQUIRED.index("</series>") + len("</series>")
    second = ACQUIRED[start:end].replace("900015", "900018")
    second = second.replace("MPRAGE", "Raw")
    found = read(tmp_path, ACQUIRED[:end] + second + ACQUIRED[end:])
    assert {i: s.description for i, s in found.items()} == {
        "900015": "MPRAGE",
        "900018": "Raw",
    }


def test_the_first_of_two_files_counts(tmp_path):
    read(tmp_path, ACQUIRED)
    found = read(tmp_path, ACQUIRED.replace("EMCI", "AD"), "z_I900015.xml")
    assert found["900015"].labels[0].text == "EMCI"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (LAUGHS, "it declares a document type"),
        (FILE, "it declares a document type"),
        (LAUGHS.encode("utf-16"), "it is no XML"),
        (LAUGHS.encode("utf-32"), "it is no XML"),
        ("<idaxs>", "it is no XML"),
        ("", "it is no XML"),
        ("x" * (1024 * 1024 + 1), "larger than 1024 KiB"),
    ],
)
def test_files_that_cannot_be_believed(tmp_path, data, reason):
    (sidecar,) = read(tmp_path, data).values()
    assert sidecar.problem == f"its XML file cannot be read ({reason})"


def test_a_file_nobody_may_read(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(room, "_parse", refuse)
    assert "Permission denied" in read(tmp_path, "")["900015"].problem


@pytest.mark.parametrize(
    "data",
    [
        '<metadata><image uid="I900015"/></metadata>',
        ACQUIRED.replace("<imageUID>900015</imageUID>", ""),
        ACQUIRED.replace("idaxs", "atlas"),
    ],
)
def test_xml_of_others_is_passed_over(tmp_path, data):
    assert read(tmp_path, data) == {}


def test_broken_xml_of_others_is_passed_over(tmp_path):
    assert read(tmp_path, "<", "atlas.xml") == {}


def test_without_a_group_there_is_no_label(tmp_path):
    text = ACQUIRED.replace("EMCI", " ")
    assert read(tmp_path, text)["900015"].labels == ()
