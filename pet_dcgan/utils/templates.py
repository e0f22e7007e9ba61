"""HTML pages and notebook cards, from the package's jinja2 templates.

Every value is escaped: paths, ids and table texts are users' data. No template
has a script, so that untrusted notebooks show cards, too.
"""

import base64
import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2

_PNG = b"\x89PNG\r\n\x1a\n"


def render(template: str, **values: Any) -> str:
    """Fills a template.

    Args:
        template: Its path in `pet_dcgan`, such as `"utils/card.html"`.
        **values: What the template uses; its first comment lists them.

    Returns:
        HTML.
    """
    return _environment().get_template(template).render(values)


@functools.cache
def _environment() -> "jinja2.Environment":
    """Where templates are found, and how they are filled."""
    # imported late: the command line starts without it
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pet_dcgan", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["png_url"] = _png_url
    return environment


def _png_url(content: bytes) -> str:
    """The bytes of a PNG file as a URL; `""` for any other bytes."""
    if not content.startswith(_PNG):
        return ""
    return f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}"
