"""TensorBoard's charts: what belongs together is drawn into one.

By itself TensorBoard draws a chart for each scalar. A layout for its tab
*Custom Scalars* gathers them.
"""

from contextlib import closing
from pathlib import Path

import keras
import tensorflow as tf
from tensorboard.plugins.custom_scalar import layout_pb2, summary

# Title of each chart, and its tags: as in `log.csv`, those of a validation
# with `val_` before, and with Keras's `epoch_` before
CHARTS = {
    "losses": "(d|g)_loss",
    "recognised by the discriminator": "(real|fake)_accuracy",
    "KID": "kid",
    "health": "health/(diversity|distinctness|misfit)",
}
_CATEGORY = "Training"


def write_charts(writer: tf.summary.SummaryWriter) -> None:
    """Writes the layout of the charts into TensorBoard's log.

    Args:
        writer: TensorBoard's writer.
    """
    charts = [
        layout_pb2.Chart(
            title=title,
            multiline=layout_pb2.MultilineChartContent(
                tag=[f"^(epoch_|val_)?{tags}$"]
            ),
        )
        for title, tags in CHARTS.items()
    ]
    category = layout_pb2.Category(title=_CATEGORY, chart=charts)
    layout = summary.pb(layout_pb2.Layout(category=[category]))
    with writer.as_default(step=0):
        tf.summary.experimental.write_raw_pb(layout.SerializeToString())
    writer.flush()


class TensorBoard(keras.callbacks.TensorBoard):
    """Keras's callback, with both losses in one chart.

    Everything else is that of `keras.callbacks.TensorBoard`: scalars under
    `train` and `validation`. The charts are in the tab *Custom Scalars*.

    Args:
        log_dir: TensorBoard's folder.
        **options: As of `keras.callbacks.TensorBoard`.
    """

    def __init__(self, log_dir: str | Path = "logs", **options) -> None:
        super().__init__(str(log_dir), **options)

    def set_model(self, model: keras.Model) -> None:
        """Writes the layout before Keras writes anything."""
        folder = str(Path(self.log_dir) / "train")
        with closing(tf.summary.create_file_writer(folder)) as writer:
            write_charts(writer)
        super().set_model(model)
