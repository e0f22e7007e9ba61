"""What was written for TensorBoard."""

import tensorflow as tf


def events(folder):
    """Every value in the files of a folder, with its step."""
    for path in sorted(folder.iterdir()):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            yield from ((value, event.step) for value in event.summary.value)


def tags(folder):
    """Every tag in the files below a folder."""
    folders = {path.parent for path in folder.rglob("*tfevents*")}
    return {value.tag for each in folders for value, _ in events(each)}


def tags_and_steps(folder):
    """(tag, step) of everything in the files of a folder."""
    return [(value.tag, step) for value, step in events(folder)]
