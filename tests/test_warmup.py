import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from test_served import FACTS

from pet_dcgan.serving import warmup
from pet_dcgan.serving.model_info import SIGNATURES
from pet_dcgan.serving.warmup import WARMUP_FILE, write_warmup


@pytest.fixture
def records(tmp_path):
    write_warmup(tmp_path, FACTS)
    file = tmp_path / "assets.extra" / "tf_serving_warmup_requests"
    assert file == tmp_path / WARMUP_FILE
    return [each.numpy() for each in tf.data.TFRecordDataset(str(file))]


def requests(records):
    """Read by the official messages."""
    pytest.importorskip("tensorflow_serving", reason="the official messages")
    from tensorflow_serving.apis import prediction_log_pb2

    logs = [prediction_log_pb2.PredictionLog.FromString(r) for r in records]
    assert {log.WhichOneof("log_type") for log in logs} == {"predict_log"}
    return [log.predict_log.request for log in logs]


def test_a_row_for_every_signature(records):
    found = requests(records)
    assert [each.model_spec.name for each in found] == ["ad"] * len(SIGNATURES)
    signatures = [each.model_spec.signature_name for each in found]
    assert signatures == list(SIGNATURES)
    for each in found:
        ((name, proto),) = each.inputs.items()
        values = tf.make_ndarray(proto)
        if each.model_spec.signature_name == "serving_default":
            assert name == "latent"
            assert (values.shape, values.dtype) == ((1, 6), np.float32)
        else:
            assert name == "seed"
            assert (values.shape, values.dtype) == ((1,), np.int64)


def test_bytes_are_those_of_the_official_messages(records):
    for record, request in zip(records, requests(records), strict=True):
        from tensorflow_serving.apis import prediction_log_pb2

        log = prediction_log_pb2.PredictionLog()
        log.predict_log.request.CopyFrom(request)
        assert log.SerializeToString(deterministic=True) == record


def test_long_latents_and_names_are_written_whole(tmp_path):
    facts = dataclasses.replace(FACTS, latent_dim=5000, plane="sagittal" * 30)
    write_warmup(tmp_path, facts)
    file = tf.data.TFRecordDataset(str(tmp_path / WARMUP_FILE))
    found = requests([each.numpy() for each in file])
    assert found[0].model_spec.name == "ad_" + "sagittal" * 30
    assert tf.make_ndarray(found[0].inputs["latent"]).shape == (1, 5000)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, b"\0"), (127, b"\x7f"), (128, b"\x80\x01"), (300, b"\xac\x02")],
)
def test_varint_by_hand(value, expected):
    assert warmup._varint(value) == expected


def test_same_facts_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_warmup(tmp_path / name, FACTS)
    one, other = ((tmp_path / n / WARMUP_FILE).read_bytes() for n in "ab")
    assert one == other
