"""What TFDS's private constants do here; another TFDS may have others."""

import pytest
import tensorflow_datasets as tfds
from tensorflow_datasets.core import shuffle
from tensorflow_datasets.proto import tf_example_pb2

from tfds_adni import writer
from tfds_adni.writer import SteadyWriter, bounded_shuffling


def test_fields_are_written_in_the_order_of_their_names(tmp_path):
    names = [f"field_{n}" for n in range(30)]
    example = tf_example_pb2.Example()
    for name in names:
        example.features.feature[name].int64_list.value.append(1)
    steady = SteadyWriter(tfds.core.FileFormat.TFRECORD)
    steady.write(tmp_path / "a", [(0, example.SerializeToString())])
    record = (tmp_path / "a").read_bytes()
    places = [record.index(name.encode()) for name in sorted(names)]
    assert places == sorted(places)


def test_a_small_memory_gives_the_same_order(tmp_path, monkeypatch):
    """Fails where TFDS's shuffler no longer reads the constants."""
    orders = []
    for bound in (2**30, 1000):
        monkeypatch.setitem(writer._BOUNDS, "MAX_MEM_BUFFER_SIZE", bound)
        with bounded_shuffling():
            shuffler = shuffle.Shuffler(str(tmp_path), "salt")
            for n in range(500):
                shuffler.add(str(n), bytes([n % 256]) * 100)
            assert len(shuffler.bucket_lengths) == (1 if bound > 2**20 else 64)
            orders.append(list(shuffler))
    assert orders[0] == orders[1]
    assert len(orders[0]) == 500


def test_tfds_keeps_its_own_settings_afterwards():
    def settings():
        return shuffle.MAX_MEM_BUFFER_SIZE, shuffle.BUCKETS_NUMBER

    def fail():
        assert settings() == (2**27, 64)
        raise KeyError

    before = settings()
    with pytest.raises(KeyError), bounded_shuffling():
        fail()
    assert settings() == before != (2**27, 64)
