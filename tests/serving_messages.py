"""Messages of TensorFlow Serving that its Python package does not hold.

Made from the fields of `BatchingParameters` in
tensorflow_serving/servables/tensorflow/session_bundle_config.proto and of
tensorflow_serving/config/monitoring_config.proto, so that the official parser
of text protobufs reads the files of export/ as the server's does.
"""

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    wrappers_pb2,
)

_FIELD = descriptor_pb2.FieldDescriptorProto
_INT = ".google.protobuf.Int64Value"
_TEXT = ".google.protobuf.StringValue"
# message: field: (number, message type or scalar type, repeated)
_MESSAGES = {
    "BatchingParameters": {
        "max_batch_size": (1, _INT, False),
        "batch_timeout_micros": (2, _INT, False),
        "max_enqueued_batches": (3, _INT, False),
        "num_batch_threads": (4, _INT, False),
        "thread_pool_name": (5, _TEXT, False),
        "allowed_batch_sizes": (6, _FIELD.TYPE_INT64, True),
        "pad_variable_length_inputs": (7, _FIELD.TYPE_BOOL, False),
    },
    "PrometheusConfig": {
        "enable": (1, _FIELD.TYPE_BOOL, False),
        "path": (2, _FIELD.TYPE_STRING, False),
    },
    "MonitoringConfig": {
        "prometheus_config": (1, ".made_by_tests.PrometheusConfig", False)
    },
}


def message(name):
    """An empty message of `_MESSAGES`."""
    return message_factory.GetMessageClass(
        _pool().FindMessageTypeByName(f"made_by_tests.{name}")
    )()


def _pool():
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    file = descriptor_pb2.FileDescriptorProto(
        name="serving.proto",
        package="made_by_tests",
        syntax="proto3",
        dependency=["google/protobuf/wrappers.proto"],
    )
    for name, fields in _MESSAGES.items():
        described = file.message_type.add(name=name)
        for field, (number, kind, repeated) in fields.items():
            one = described.field.add(name=field, number=number)
            one.label = (
                _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
            )
            if isinstance(kind, str):
                one.type, one.type_name = _FIELD.TYPE_MESSAGE, kind
            else:
                one.type = kind
    pool.AddSerializedFile(file.SerializeToString())
    return pool
