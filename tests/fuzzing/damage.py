"""Damage to any bytes, and odd numbers, texts and JSON values."""

import copy
import functools
import gzip
import json
import zlib
from random import Random

# that parsers of numbers stumble over
NUMBERS = (
    *(
        "nan",
        "inf",
        "-inf",
        "-1",
        "0",
        "-0",
        "1e308",
        "1e999",
        "-1e999",
        "0x1F",
    ),
    *(
        "9" * 5000,
        "9" * 30,
        "1_000",
        "1,5",
        "１２",
        "٣",
        "1e",
        ".",
        "+-1",
        "1.0",
    ),
    *("2147483648", "9223372036854775808", "-9223372036854775809", "1e-320"),
)
TEXTS = (
    *(
        "",
        " ",
        "\x00",
        "\x1b[2J\x1b]0;x\x07",
        "a" * 200_000,
        "é" * 300,
        "\u202e",
    ),
    *(
        "'",
        '"',
        '"' * 51,
        "../../etc/passwd",
        "/dev/zero",
        "=1+1",
        "a\nb",
        "\r",
    ),
    *(
        "{{7*7}}",
        "{0.__class__}",
        "%s%n%d",
        "<script>x</script>",
        "[red]x[/red]",
    ),
    *("None", "NULL", "True", "\ud800", "\ufeff", "\u2028", "İ", "ß" * 40),
    *("I" * 50, "𝟗𝟗𝟗", "999_S_9001", "sub-01", "-4", "2012-02-30", "5/5/2012"),
    *("0000-00-00", "99999-01-01", "29/02/2011", "(" * 500, "\\" * 99, "MC1"),
)
_WORDS = (0, 1, 2**7, 2**8 - 1, 2**15, 2**16 - 1, 2**31, 2**31 - 1, 2**32 - 1)
_VALUES = (
    *(None, True, False, 0, 1, -1, 2**31, 2**63, 2**64, -(2**63), 1e308, -0.0),
    *(float("nan"), float("inf"), -float("inf"), 0.5, 10**400, "", [], {}),
    *([[]], [None], {"": None}, [0] * 1000, {"b64": "AA=="}, 1e-320, "1", "x"),
)


def odd_text(dice: Random) -> str:
    """A number or a text that a parser may stumble over."""
    return dice.choice(dice.choice((NUMBERS, TEXTS)))


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def damaged(content: bytes, dice: Random, *others: bytes) -> bytes:
    """Bytes after one to three kinds of damage; parts may be of others."""
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        content = dice.choice(_DAMAGE)(content, dice, others)
    return content


def _part(content: bytes, dice: Random, most: int = 4096) -> tuple[int, int]:
    start = dice.randrange(len(content) + 1)
    return start, min(len(content), start + dice.randrange(1, most))


def _flip(content, dice, _):
    changed = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 8, 64)) if content else 0):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _word(content, dice, _):
    size = dice.choice((1, 2, 4, 8))
    value = dice.choice(_WORDS) % 2 ** (8 * size)
    at = dice.randrange(len(content) + 1)
    word = value.to_bytes(size, dice.choice(("little", "big")))
    return content[:at] + word + content[at + size :]


def _cut(content, dice, _):
    return content[: dice.randrange(len(content) + 1)]


def _drop(content, dice, _):
    start, end = _part(content, dice)
    return content[:start] + content[end:]


def _repeat(content, dice, _):
    start, end = _part(content, dice)
    times = dice.choice((2, 2, 3, 100))
    return content[:start] + content[start:end] * times + content[end:]


def _insert(content, dice, _):
    at = dice.randrange(len(content) + 1)
    filler = (
        dice.randbytes(8),
        bytes(300),
        b"\xff" * 9,
        encoded(odd_text(dice)),
    )
    return content[:at] + dice.choice(filler) + content[at:]


def _swap(content, dice, _):
    start, end = _part(content, dice)
    return content[end:] + content[start:end] + content[:start]


def _blank(content, dice, _):
    start, end = _part(content, dice)
    return content[:start] + bytes(end - start) + content[end:]


def _splice(content, dice, others):
    other = dice.choice(others or (content,))
    at = dice.randrange(len(content) + 1)
    share = at / max(1, len(content))
    return content[:at] + other[int(share * len(other)) :]


def _replace(content, dice, others):
    empty = (b"", b"\n", bytes(500), b"<html>404</html>", b"\x80" * 40, b"{}")
    return dice.choice((*empty, *others))


_DAMAGE = (
    *(_flip, _flip, _word, _word, _cut, _drop, _repeat, _insert, _swap),
    *(_blank, _splice, _replace),
)


@functools.cache
def zeros_packed(megabytes: int) -> bytes:
    """Gzip members that unpack to so many zeros."""
    return gzip.compress(bytes(2**26), 9, mtime=0) * (megabytes // 64)


@functools.cache
def zeros_deflated(megabytes: int) -> bytes:
    """The same as one deflate stream without a check sum."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(bytes(2**26)) + packer.flush(zlib.Z_FULL_FLUSH)
    return first * (megabytes // 64)


def damaged_json(content: bytes, dice: Random, *others: bytes) -> bytes:
    """JSON with an odd value, key or shape, or damaged as text."""
    if dice.random() < 0.25:
        return damaged(content, dice, *others)
    if dice.random() < 0.15:
        return _odd_shape(content, dice)
    value = json.loads(content)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        value = _changed(value, dice)
    return encoded(json.dumps(value, ensure_ascii=dice.random() < 0.5))


def _odd_shape(content: bytes, dice: Random) -> bytes:
    depth = dice.choice((50, 900, 100_000))
    return dice.choice(
        (
            b"[" * depth,
            b'{"a":' * depth + b"1" + b"}" * depth,
            b"[" * depth + b"]" * depth,
            b'{"a": ' + b"9" * 5000 + b"}",
            b"[" + content + b"]",
            b"\xef\xbb\xbf" + content,
            content.decode("utf-8", "replace").encode("utf-16"),
            b"null",
            b'"' + b"x" * 2**20 + b'"',
            b"{" + b'"a": 1,' * 100_000 + b'"b": 2}',
            bytes(2**24 + 2**16),
        )
    )


def _changed(value, dice: Random):
    """A value with one node replaced, at any depth."""
    nodes = list(_nodes(value))
    if not nodes or dice.random() < 0.03:
        return dice.choice(_VALUES)
    value = copy.deepcopy(value)
    holder, key = dice.choice(list(_nodes(value)))
    kind = dice.random()
    if kind < 0.12:
        del holder[key]
    elif kind < 0.2 and isinstance(holder, dict):
        holder[odd_text(dice)] = holder.pop(key)
    elif kind < 0.3:
        other, name = dice.choice(list(_nodes(value)))
        holder[key] = copy.deepcopy(other[name])
    elif kind < 0.55:
        holder[key] = odd_text(dice)
    elif kind < 0.65:
        # a thousand times a thousand is more than a case may make
        many = 1000 if len(nodes) < 1000 else 3
        holder[key] = [holder[key]] * dice.choice((0, 1, 2, many))
    else:
        holder[key] = copy.deepcopy(dice.choice(_VALUES))
    return value


def _nodes(value):
    """Yields each holder and key below a value."""
    items = ()
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, below in items:
        yield value, key
        yield from _nodes(below)
