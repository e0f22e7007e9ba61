"""BIDS folders for random trees: Clinica's, older ones, pet-linear, others."""

import shutil
from pathlib import Path

import tree_files
from tree_plan import GROUPS, Scan, plan_exams, plan_scans

REC = {
    "averaged": "_rec-coregavg",
    "uniform_8mm": "_rec-coregiso",
    "standardised": "_rec-coregstd",
    "dynamic": "_rec-coregdyn",
    "unknown": "",
    "pet_linear": "_space-MNI152NLin2009cSym_desc-Crop_res-1x1x1_suvr-pons2",
}
_ISOTOPE = {"PIB": "11C"}
_SOUND = ("gz", "gz", "nii", "big_float", "series", "singleton", "qform")
_FAULTY = ("html", "one_byte", "empty", "flat", "huge", "broken_link")


def write(tree, rng) -> None:
    """Plans a BIDS folder and writes it into the tree's."""
    clinica = rng.random() < 0.7  # or as its first versions wrote it
    visits = ("M000", "M012", "M024") if clinica else ("M00", "M12", "M24")
    linear = rng.random() < 0.2  # a kind of its own, never beside others
    levels = [lv for lv in REC if (lv == "pet_linear") == linear]
    tree.scans = plan_scans(rng, (visits,), tuple(levels))
    tree.selection["qc"] = ()  # its tables know image ids of the archive only
    named = rng.random() < 0.7  # by the ids of ADNI
    with_sessions = rng.random() < 0.8
    for number, scan in enumerate(tree.scans):
        if not named:
            scan.subject = f"sub-ab{scan.subject[6:]}"
        if not with_sessions:
            scan.date = ""
        _write_scan(tree, rng, scan, f"_run-{1 + number:02}", acq=not clinica)
        if not scan.visit.strip("M0"):
            folder = f"{participant(scan)}/ses-{scan.visit}/anat"
            name = f"{participant(scan)}_ses-{scan.visit}_T1w"
            path = tree_files.write_image(tree.folder / folder / name, "gz")
            tree.loose[tree.name(path)] = "modality"
        if not scan.faults and rng.random() < 0.1:
            _copy(tree, rng, scan)
    if with_sessions:
        _write_sessions(tree, rng)
    _write_participants(tree, clinica)
    if named:
        plan_exams(tree, rng)
    tree_files.write_options(tree, rng)


def participant(scan: Scan) -> str:
    """`sub-ADNI999S9001` for 999_S_9001; other ids as they are."""
    if scan.subject.startswith("sub-"):
        return scan.subject
    return f"sub-ADNI{scan.subject.replace('_', '')}"


def _write_scan(tree, rng, scan: Scan, run: str, *, acq: bool) -> None:
    """Writes a scan; its image id is the name of its file."""
    subject, session = participant(scan), f"ses-{scan.visit}"
    isotope = _ISOTOPE.get(scan.tracer, "18F")
    trc = f"_acq-{scan.tracer}" if acq else f"_trc-{isotope}{scan.tracer}"
    folder = Path(subject, session, "pet")
    if scan.level == "pet_linear":
        top = rng.choice(("subjects", "derivatives/clinica/subjects"))
        folder = Path(top, subject, session, "pet_linear")
        trc, run = trc + run, ""
    scan.image_id = f"{subject}_{session}{trc}{REC[scan.level]}{run}_pet"
    scan.form = rng.choice(_FAULTY if scan.faults else _SOUND)
    stem = tree.folder / folder / scan.image_id
    scan.paths.append(tree.name(tree_files.write_image(stem, scan.form)))
    stem.with_name(f"{scan.image_id}.json").write_text('{"Units": "SUVR"}')


def _copy(tree, rng, scan: Scan) -> None:
    """Copies a scan into a folder of sources, or zips it beside itself."""
    path = tree.folder / scan.paths[0]
    if path.suffix == ".nii" and rng.random() < 0.5:
        copy = path.with_name(f"{path.name}.gz")
        copy.write_bytes(tree_files.zipped(path.read_bytes()))
    else:
        copy = tree.folder / "sourcedata" / scan.paths[0]
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    scan.copies.append([tree.name(copy)])


def _write_sessions(tree, rng) -> None:
    """Writes `sub-*_sessions.tsv` with date and diagnosis of each session."""
    texts: dict[tuple[str, str], str] = {}
    lines: dict[str, dict[str, str]] = {}
    for scan in tree.scans:
        subject = participant(scan)
        stage = rng.choice(("CN", "MCI", "AD", "Dementia", "n/a"))
        text = texts.setdefault((subject, scan.visit), stage)
        scan.labels.append(("sessions", text))
        line = f"ses-{scan.visit}\t{scan.date}\t71.2\t{text}\n"
        lines.setdefault(subject, {})[scan.visit] = line
    for subject, sessions in lines.items():
        path = tree.folder / subject / f"{subject}_sessions.tsv"
        path.parent.mkdir(exist_ok=True)
        header = "session_id\texamination_date\tage\tdiagnosis\n"
        path.write_text(header + "".join(sessions.values()))


def _write_participants(tree, clinica: bool) -> None:
    """Writes participants.tsv; its diagnosis is the one at screening."""
    column = "diagnosis_sc" if clinica else "diagnosis_bl"
    lines = {}
    for scan in tree.scans:
        text = scan.group if scan.group in GROUPS[:7] else "n/a"
        subject = participant(scan)
        lines[subject] = f"{subject}\t{scan.subject}\tF\t71.2\t{text}\n"
        scan.labels.append(("participants", text))
    header = f"participant_id\talternative_id_1\tsex\tage_bl\t{column}\n"
    path = tree.folder / "participants.tsv"
    path.write_text(header + "".join(lines.values()))
