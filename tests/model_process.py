"""A model in a process of its own, asked over a pipe.

A request is a line `signature count` and for each input a line
`name type size...` (the number of TensorFlow's DataType) with its bytes
behind. An answer is a line `outputs count` and the same for each output, a
text being a line with its length and its bytes; or a line `error length` and
the message.
"""

import contextlib
import math
import subprocess

import numpy as np
from serving_contract import Refused

FLOAT, STRING, INT64 = 1, 7, 9
TYPES = {np.dtype(np.float32): FLOAT, np.dtype(np.int64): INT64}
DTYPES = {number: dtype for dtype, number in TYPES.items()}


@contextlib.contextmanager
def model_process(*command):
    """A call of `serving_contract` that a process answers."""
    process = subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield lambda signature, inputs: _asked(process, signature, inputs)
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()


def _asked(process, signature, inputs):
    words = f"{signature} {len(inputs)}\n".encode()
    for name, values in inputs.items():
        header = [name, TYPES[values.dtype], *values.shape]
        words += " ".join(map(str, header)).encode() + b"\n" + values.tobytes()
    process.stdin.write(words)
    process.stdin.flush()
    kind, number = process.stdout.readline().decode().split()
    if kind == "error":
        raise Refused(process.stdout.read(int(number)).decode())
    return dict(_output(process.stdout) for _ in range(int(number)))


def _output(stream):
    name, dtype, *shape = stream.readline().decode().split()
    shape = [int(size) for size in shape]
    count = math.prod(shape)
    if int(dtype) == STRING:
        texts = [stream.read(int(stream.readline())) for _ in range(count)]
        return name, np.array([*texts, None], object)[:-1].reshape(shape)
    dtype = DTYPES[int(dtype)]
    content = stream.read(count * dtype.itemsize)
    return name, np.frombuffer(content, dtype).reshape(shape)
