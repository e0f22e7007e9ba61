"""XML files of the archive for random trees, in their two forms."""

from xml.sax.saxutils import escape

_TRACER = (
    '<protocolTerm><protocol term="Radiopharmaceutical">{radiopharmaceutical}'
    "</protocol></protocolTerm>"
)
_RAW_GROUP = "<researchGroup>{group}</researchGroup>"
_RAW_IMAGE = (
    "<imagingProtocol><imageUID>{image_id}</imageUID><description>{description}"
    f"</description>{_TRACER}</imagingProtocol>"
)
_GROUP = '<subjectInfo item="DX Group">{group}</subjectInfo>'
# The image it was made from has an id too.
_IMAGE = (
    "<seriesLevelMeta><derivedProduct><imageUID>{image_id}</imageUID>"
    "<processedDataLabel>{description}</processedDataLabel></derivedProduct>"
    "<relatedImageDetail><originalRelatedImage><imageUID>{original}</imageUID>"
    f"{_TRACER}</originalRelatedImage></relatedImageDetail></seriesLevelMeta>"
)
_FILE = """<?xml version="1.0" encoding="UTF-8"?>
<idaxs xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><project>
<projectIdentifier>ADNI</projectIdentifier><siteKey>999</siteKey>
<subject><subjectIdentifier>{subject}</subjectIdentifier>
%s<subjectSex>{sex}</subjectSex>
<visit><visitIdentifier>{prefix}{visit}</visitIdentifier></visit>
<study><studyIdentifier>1</studyIdentifier><subjectAge>71.3</subjectAge>
<series><seriesIdentifier>36</seriesIdentifier><modality>PET</modality>
<dateAcquired>{date} 09:08:07.0</dateAcquired>%s</series>
</study></subject></project></idaxs>
"""


def xml(rng, cells: dict[str, str]) -> str:
    """The sidecar of a raw image, or of a processed one."""
    raw = cells["level"] == "raw"
    parts = (_RAW_GROUP, _RAW_IMAGE) if raw else (_GROUP, _IMAGE)
    known = {key: escape(value) for key, value in cells.items()}
    prefix = rng.choice(("ADNI2 visit ", ""))
    return (_FILE % parts).format(prefix=prefix, **known)
