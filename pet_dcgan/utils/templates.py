"""HTML pages and notebook cards from jinja2 templates."""

import base64
import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2


def render(template: str, **values: Any) -> str:
    """Fills a jinja2 template of an HTML page or a notebook card.

    Every value is escaped: paths, ids and table texts are users' data. No
    template has a script, so that untrusted notebooks show cards, too.

    Args:
        template: Its path in `pet_dcgan`, such as `"utils/card.html"`.
        **values: What the template uses; its first comment lists them.
    """
    return _templates().get_template(template).render(values)


@functools.cache
def _templates() -> "jinja2.Environment":
    """The package's templates; their filter `png_url` embeds a PNG file."""
    # imported late: the command line starts without it
    import jinja2

    def png_url(content: bytes) -> str:
        if not content.startswith(b"\x89PNG\r\n\x1a\n"):
            return ""
        encoded = base64.b64encode(content).decode("ascii")
        return f"data:image/png;base64,{encoded}"

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pet_dcgan", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["png_url"] = png_url
    return environment
