"""XML sidecars of the IDA: nested, repeated, with entities, damaged."""

from pathlib import Path
from random import Random

import ida_tree
import tree_files

from fuzzing.damage import damaged, encoded, odd_text
from fuzzing.folders import look
from fuzzing.plan import Files
from tfds_adni import Selection

_TAGS = (
    *("subject", "study", "series", "derivedProduct", "imageUID", "visit"),
    *("imagingProtocol", "protocol", "project", "subjectInfo", "modality"),
)
_DOCTYPES = (
    '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]>',
    '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
    '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x">%p;]>',
    "<!DOCTYPE idaxs>",
    '<?xml-stylesheet href="x"?>',
)
_ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-7", "utf-8-sig")
_MOST = 2**20  # bytes that are read of a file


def prepare(base: Path) -> None:
    for number in range(3):
        row = ida_tree.row(number, ("CN", "MCI", "AD")[number])
        path = ida_tree.image_path(base, row)
        path.parent.mkdir(parents=True)
        path.write_bytes(tree_files.nifti())
        ida_tree.write_xml(base, row, age="71", tracer="18F-FDG")


def mutate(base: Path, dice: Random) -> Files:
    paths = sorted(base.rglob("*.xml"))
    path = dice.choice(paths)
    text = path.read_text()
    change = dice.choice(_CHANGES)
    content = encoded(change(text, dice))
    kind = dice.random()
    if kind < 0.2:
        content = damaged(content, dice, *(p.read_bytes() for p in paths))
    elif kind < 0.3:
        content = content.decode("utf-8", "replace").encode(
            dice.choice(_ENCODINGS), "replace"
        )
    return {str(path.relative_to(base)): content}


def _nested(text: str, dice: Random) -> str:
    """Elements in elements, as many as fit or some."""
    tag = dice.choice(_TAGS)
    most = _MOST // (2 * len(tag) + 5) - 100
    depth = dice.choice((10, 100, 450, 900, 3000, 30_000, most))
    inside = dice.choice(("", "1", "<imageUID>900001</imageUID>"))
    filled = f"<{tag}>" * depth + inside + f"</{tag}>" * depth
    return text.replace("<study>", f"<study>{filled}", 1)


def _siblings(text: str, dice: Random) -> str:
    """A part of the tree again and again."""
    tag = dice.choice(("subject", "study", "series", "imageUID", "protocol"))
    start = text.find(f"<{tag}")
    end = text.find(f"</{tag}>", start) + len(tag) + 3
    part = dice.choice((text[start:end], f"<{tag}/>", f"<{tag}>1</{tag}>"))
    most = (_MOST - len(text)) // len(part)
    count = min(most, dice.choice((2, 30, 1000, 11_000, most)))
    return text[:start] + part * count + text[start:]


def _wide(text: str, dice: Random) -> str:
    """Many subjects, each with many studies and series."""
    count = dice.choice((5, 20))
    ids = [f"<imageUID>{number}</imageUID>" for number in range(count)]
    protocol = "<imagingProtocol>{}</imagingProtocol>"
    series = "".join(f"<series>{protocol.format(i)}</series>" for i in ids)
    study = f"<study>{series}</study>" * count
    whole = f"<subject>{study}</subject>" * (count // 2)
    return text.replace("<subject>", whole + "<subject>", 1)


def _texts(text: str, dice: Random) -> str:
    """Odd text in an element."""
    tag = dice.choice((*_TAGS, "dateAcquired", "subjectAge", "subjectSex"))
    start = text.find(f"<{tag}")
    start = text.find(">", start) + 1
    odd = dice.choice((odd_text(dice), f"<![CDATA[{odd_text(dice)}]]>", "&#0;"))
    odd = dice.choice((odd, odd.replace("<", "&lt;").replace("&", "&amp;")))
    return text[:start] + odd + text[start:]


def _attributes(text: str, dice: Random) -> str:
    count = dice.choice((2, 1000, 60_000))
    kinds = (
        " ".join(f'a{n}="1"' for n in range(count)),
        " ".join(f'xmlns:n{n}="u{n}"' for n in range(count)),
        'item="' + "x" * min(count * 15, 900_000) + '"',
        'item="1" item="2"',
    )
    return text.replace("<study", f"<study {dice.choice(kinds)}", 1)


def _declared(text: str, dice: Random) -> str:
    declared = dice.choice(_DOCTYPES)
    if dice.random() < 0.3:
        names = [f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 9)]
        declared = f'<!DOCTYPE x [<!ENTITY e0 "lol">{"".join(names)}]>'
        text = text.replace("<study>", "<study>&e8;", 1)
    start = text.find("<idaxs")
    return text[:start] + declared + text[start:]


def _marks(text: str, dice: Random) -> str:
    """Comments, instructions and unclosed marks."""
    count = dice.choice((1, 50_000))
    mark = dice.choice(
        ("<!-- x -->", "<?p d?>", "<![CDATA[", "<a", "&amp;", "]]>")
    )
    at = dice.randrange(len(text) + 1)
    return text[:at] + mark * count + text[at:]


_CHANGES = (
    *(_nested, _nested, _siblings, _siblings, _wide, _texts, _texts),
    *(_attributes, _declared, _marks),
)


def run(folder: Path, attempt) -> None:
    look(folder, Selection(), attempt)
