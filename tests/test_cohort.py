import ida_tree
import pytest

from tfds_adni.cohort import gather, is_phantom


def reasons(cohort):
    return {v.record.image_id: v.reason for v in cohort.verdicts}


def write(tmp_path, *rows):
    return ida_tree.write_tree(tmp_path / "scans", list(rows))


def test_stage_by_subject(tmp_path):
    rows = [
        ida_tree.row(1, "CN"),
        ida_tree.row(2, "LMCI"),
        ida_tree.row(3, "AD"),
    ]
    cohort = gather(write(tmp_path, *rows))
    assert cohort.stage_of_subject == {
        "999_S_9001": "NC",
        "999_S_9002": "MCI",
        "999_S_9003": "AD",
    }


def test_later_visits_are_skipped(tmp_path):
    later = ida_tree.row(
        1, "AD", **{"Image Data ID": "I800000", "Acq Date": "5/5/2013"}
    )
    cohort = gather(write(tmp_path, later, ida_tree.row(1, "AD")))
    assert reasons(cohort) == {
        "900001": "",
        "800000": "later visit (baseline is used)",
    }


def test_best_level_then_newest_image_of_a_visit(tmp_path):
    def scan(image_id, description):
        cells = {"Image Data ID": image_id, "Description": description}
        return ida_tree.row(1, "AD", **cells)

    cohort = gather(
        write(
            tmp_path,
            scan("I5", ida_tree.DESCRIPTION),
            scan("I6", ida_tree.DESCRIPTION),
            scan("I7", "Co-registered, Averaged"),
        )
    )
    (used,) = cohort.used
    assert used.record.image_id == "6"
    assert reasons(cohort)["7"] == "another level of the same visit is used"


def test_another_tracer_and_unknown_stage_are_skipped(tmp_path):
    cohort = gather(
        write(
            tmp_path,
            ida_tree.row(1, "AD", Description="AV45 Co-registered, Averaged"),
            ida_tree.row(2, "Patient"),
            ida_tree.row(3, ""),
            ida_tree.row(4, "AD"),
        )
    )
    assert reasons(cohort) == {
        "900001": "another tracer (AV45)",
        "900002": "no stage (Group is Patient)",
        "900003": "no stage (Group is empty)",
        "900004": "",
    }


def test_unreadable_scan_is_skipped_and_the_next_visit_used(tmp_path):
    bad = ida_tree.row(1, "AD", **{"Acq Date": "5/5/2011"})
    good = ida_tree.row(1, "AD", **{"Image Data ID": "I8"})
    root = write(tmp_path, bad, good)
    ida_tree.image_path(root, bad).write_bytes(b"<html>not found</html>")
    cohort = gather(root)
    assert cohort.used[0].record.image_id == "8"
    assert reasons(cohort)["900001"].startswith("unreadable header")


def test_nothing_left_gives_reasons_and_counts(tmp_path):
    root = write(
        tmp_path, ida_tree.row(1, "Patient"), ida_tree.row(2, "Patient")
    )
    with pytest.raises(ValueError, match=r"2 x no stage .* pet-dcgan scan"):
        gather(root)


def test_account_has_a_row_for_every_file(tmp_path):
    root = write(tmp_path, ida_tree.row(1, "AD"), ida_tree.row(2, "SMC"))
    account = gather(root).account(root)
    assert list(account["used"]) == [True, False]
    assert list(account["stage"]) == ["AD", ""]
    assert not account["path"].str.startswith("/").any()
    assert len(account) == len(list(root.rglob("*.nii")))


def test_reasons_from_pixels_join_the_account(tmp_path):
    root = write(tmp_path, ida_tree.row(1, "AD"), ida_tree.row(2, "AD"))
    cohort = gather(root).with_reasons({"900001": "constant volume"})
    assert list(cohort.stage_of_subject) == ["999_S_9002"]
    assert cohort.summary()["constant volume"]["AD"] == 1


def test_phantom_only_when_all_are():
    assert is_phantom(["999_S_9001", "999_S_9002"])
    assert not is_phantom(["999_S_9001", "998_S_0001"])
    assert not is_phantom([])
