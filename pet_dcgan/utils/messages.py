"""Protocol buffers of others, defined as far as they are needed.

The packages that hold them are large, and no dependencies.
"""

from typing import Any

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

Messages = dict[str, dict[str, tuple[int, str]]]


def message_classes(messages: Messages) -> dict[str, Any]:
    """Builds protobuf messages from a table, in a pool of their own.

    Args:
        messages: Name of each message to its fields: name to number and type,
            which is a scalar's or a message's name, with `*` if repeated.

    Returns:
        A class for each message.
    """
    file = descriptor_pb2.FileDescriptorProto(name="table", syntax="proto3")
    field_type = descriptor_pb2.FieldDescriptorProto.Type
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            label, kind = 3 if kind.endswith("*") else 1, kind.rstrip("*")
            described = message.field.add(name=field, number=number)
            described.label = label
            if kind in messages:
                described.type_name = f".{kind}"
            else:
                described.type = field_type.Value(f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
        for name in messages
    }
