"""Answers requests by TensorFlow's C library alone, for serving_contract.

    python c_api.py LIBRARY_FOLDER SAVED_MODEL

reads requests from stdin and writes answers to stdout in the form that
`model_process` describes. Neither tensorflow nor keras is imported: this is
what any program in any language sees of a model.
"""

import ctypes

# before TensorFlow's library, whose BoringSSL would answer for OpenSSL
import hashlib  # noqa: F401
import math
import os
import ssl  # noqa: F401
import sys

FLOAT, STRING, INT64 = 1, 7, 9
WIDTHS = {FLOAT: 4, INT64: 8}
STRING_STRUCT = 24  # sizeof(TF_TString), core/platform/ctstring_internal.h
POINTERS = (
    "TF_AllocateTensor",
    "TF_GraphOperationByName",
    "TF_LoadSessionFromSavedModel",
    "TF_Message",
    "TF_NewBuffer",
    "TF_NewGraph",
    "TF_NewSessionOptions",
    "TF_NewStatus",
    "TF_StringGetDataPointer",
    "TF_TensorData",
)
SIZES = "TF_Dim", "TF_StringGetSize", "TF_TensorByteSize"


class Output(ctypes.Structure):
    _fields_ = [("operation", ctypes.c_void_p), ("index", ctypes.c_int)]


class Buffer(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("length", ctypes.c_size_t),
        ("release", ctypes.c_void_p),
    ]


def library(folder):
    """The C library, whose functions know what they give."""
    ctypes.CDLL(
        os.path.join(folder, "libtensorflow_framework.so.2"), ctypes.RTLD_GLOBAL
    )
    found = ctypes.CDLL(os.path.join(folder, "libtensorflow_cc.so.2"))
    for name in POINTERS:
        getattr(found, name).restype = ctypes.c_void_p
    for name in SIZES:
        getattr(found, name).restype = ctypes.c_int64
    return found


def pointer(value):
    return ctypes.c_void_p(value)


class Model:
    """A loaded SavedModel."""

    def __init__(self, tf, path):
        self.tf = tf
        self.status = pointer(tf.TF_NewStatus())
        self.graph = pointer(tf.TF_NewGraph())
        tags = (ctypes.c_char_p * 1)(b"serve")
        meta = pointer(tf.TF_NewBuffer())
        self.session = pointer(
            tf.TF_LoadSessionFromSavedModel(
                pointer(tf.TF_NewSessionOptions()),
                None,
                os.fsencode(path),
                tags,
                1,
                self.graph,
                meta,
                self.status,
            )
        )
        self.check()
        buffer = Buffer.from_address(meta.value)
        text = ctypes.string_at(buffer.data, buffer.length)
        self.signatures = signatures(text)

    def check(self):
        if self.tf.TF_GetCode(self.status):
            message = self.tf.TF_Message(self.status)
            raise ValueError(ctypes.string_at(message).decode())

    def place(self, tensor_name):
        name, _, index = tensor_name.partition(":")
        found = self.tf.TF_GraphOperationByName(self.graph, name.encode())
        return Output(found, int(index))

    def run(self, signature, inputs):
        """`{output: (type, shape, bytes)}` for `{input: the same}`."""
        if signature not in self.signatures:
            raise ValueError(f"no signature {signature}")
        wanted, given = self.signatures[signature]
        if set(inputs) != set(wanted):
            raise ValueError(f"inputs {set(inputs)}, wanted {set(wanted)}")
        names = sorted(wanted)
        places = (Output * len(names))(*(self.place(wanted[n]) for n in names))
        tensors = (ctypes.c_void_p * len(names))(
            *(self.tensor(*inputs[n]) for n in names)
        )
        keys = sorted(given)
        where = (Output * len(keys))(*(self.place(given[k]) for k in keys))
        found = (ctypes.c_void_p * len(keys))()
        self.tf.TF_SessionRun(
            *(self.session, None, places, tensors, len(names)),
            *(where, found, len(keys), None, 0, None, self.status),
        )
        for tensor in tensors:
            self.tf.TF_DeleteTensor(pointer(tensor))
        self.check()
        return {k: self.content(v) for k, v in zip(keys, found, strict=True)}

    def tensor(self, dtype, shape, content):
        sizes = (ctypes.c_int64 * len(shape))(*shape)
        length = ctypes.c_size_t(len(content))
        made = self.tf.TF_AllocateTensor(dtype, sizes, len(shape), length)
        data = self.tf.TF_TensorData(pointer(made))
        if content:
            ctypes.memmove(data, content, len(content))
        return made

    def content(self, tensor):
        tensor = pointer(tensor)
        dtype = self.tf.TF_TensorType(tensor)
        rank = self.tf.TF_NumDims(tensor)
        shape = [self.tf.TF_Dim(tensor, axis) for axis in range(rank)]
        data = self.tf.TF_TensorData(tensor)
        if dtype == STRING:
            content = [
                self.text(data + STRING_STRUCT * row)
                for row in range(math.prod(shape))
            ]
        else:
            size = self.tf.TF_TensorByteSize(tensor)
            content = ctypes.string_at(data, size) if size else b""
        self.tf.TF_DeleteTensor(tensor)
        return dtype, shape, content

    def text(self, address):
        start = self.tf.TF_StringGetDataPointer(pointer(address))
        return ctypes.string_at(
            start, self.tf.TF_StringGetSize(pointer(address))
        )


def signatures(meta_graph):
    """`{name: (inputs, outputs)}`, each `{name: tensor}`, of a MetaGraphDef.

    Field numbers of core/protobuf/meta_graph.proto.
    """
    found = {}
    for entry in fields(meta_graph, 5):
        name, definition = map_entry(entry)
        found[name] = tuple(
            {
                key: next(fields(info, 1)).decode()
                for key, info in map(map_entry, fields(definition, number))
            }
            for number in (1, 2)
            if not name.startswith("__")
        )
    return found


def map_entry(entry):
    return next(fields(entry, 1)).decode(), next(fields(entry, 2))


def fields(message, wanted):
    """What stands under a number in a protobuf message."""
    at = 0
    while at < len(message):
        tag, at = varint(message, at)
        kind = tag & 7
        if kind == 2:
            length, at = varint(message, at)
            if tag >> 3 == wanted:
                yield message[at : at + length]
            at += length
        elif kind == 0:
            _, at = varint(message, at)
        else:
            at += {1: 8, 5: 4}[kind]


def varint(message, at):
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        shift, at = shift + 7, at + 1
        if byte < 128:
            return value, at


def read_request(stream):
    """A signature's name and its inputs, or None at the end."""
    line = stream.readline().decode()
    if not line:
        return None
    signature, count = line.split()
    inputs = {}
    for _ in range(int(count)):
        name, dtype, *shape = stream.readline().decode().split()
        shape, dtype = [int(size) for size in shape], int(dtype)
        content = stream.read(math.prod(shape) * WIDTHS[dtype])
        inputs[name] = dtype, shape, content
    return signature, inputs


def write_answer(stream, outputs):
    stream.write(b"outputs %d\n" % len(outputs))
    for name, (dtype, shape, content) in outputs.items():
        stream.write(" ".join(map(str, [name, dtype, *shape])).encode() + b"\n")
        if dtype != STRING:
            content = [content]
        for each in content:
            if dtype == STRING:
                stream.write(b"%d\n" % len(each))
            stream.write(each)


def main():
    folder, path = sys.argv[1:]
    model = Model(library(folder), path)
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while request := read_request(source):
        if {"tensorflow", "keras"} & set(sys.modules):
            raise ImportError("found tensorflow or keras, expected neither")
        try:
            outputs = model.run(*request)
        except ValueError as error:
            message = str(error).encode()
            target.write(b"error %d\n" % len(message) + message)
        else:
            write_answer(target, outputs)
        target.flush()


if __name__ == "__main__":
    main()
