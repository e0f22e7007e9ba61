"""What a BIDS name says: a PET image or not, its level, its kind."""

import itertools
import random

import pytest

from tfds_adni.sources.bids_names import (
    kind_of_name,
    level_of_name,
    parse_name,
    why_no_image,
)


def test_parts_of_a_name():
    assert parse_name("sub-01_ses-2_x_-y_z-_trc-18FFDG_pet") == {
        "sub": "01",
        "ses": "2",
        "trc": "18FFDG",
        "suffix": "pet",
    }
    assert parse_name("x_sub-01_pet") is None
    assert parse_name("sub-01") is None


def why(rest):
    return why_no_image(parse_name(f"sub-01_{rest}"))


IMAGES = (
    *("pet", "trc-18FFDG_pet", "desc-preproc_pet", "desc-mc_pvc-gtm_pet"),
    *("space-MNI152NLin6ASym_res-3mm_desc-CMRglc_pet", "desc-denoised_pet"),
    *("meas-SUVR_pet", "model-Patlak_meas-Ki_pet", "stat-mean_pet"),
    *("model-Patlak_desc-CMRglc_pet", "desc-signal_pet", "part-mag_pet"),
    *("desc-masked_pet", "desc-attenuationcorrected_pet", "desc-MoCo_pet"),
    *("rec-acstat_pet", "rec-acdyn1_run-2_pet", "acq-4dynamic_pet"),
    "space-Ixi549Space_suvr-pons_mask-brain_fwhm-8mm_pet",
    # of what is refused, the look-alikes
    *("desc-StdSpace_pet", "desc-stdImg_pet", "desc-coregAvgStd_pet"),
    *("desc-PETmap_pet", "desc-heatmap_pet", "desc-uptakeMap_pet"),
    *("desc-nomask_pet", "desc-unmasked_pet", "desc-PETstatic_pet"),
    *("desc-SUVRmap_pet", "desc-Kimap_pet", "parametric-Ki_pet"),
    *("desc-AC_pet", "rec-dynAC_pet", "rec-CTAC_pet", "desc-NACC_pet"),
    *("rec-acdyn_pet", "desc-corrected_pet", "desc-PVuncorrected_pet"),
    *("method-OSEM_pet", "acq-nomask_pet"),
)
_LABELS = (
    *("K1map", "R1map", "BPNDmap", "DVRmap", "dvrmap"),
    *("K1Image", "K1MAP", "BPNDmapSmoothed", "CTACmumap", "CBF"),
    *("rCBF", "CMRO2", "OEF", "CBV", "DV"),
    *("logan", "SRTM", "MRTM", "BPndSRTM", "VTlogan"),
    *("meanBPnd", "SUVRz", "SUVRSE", "CI95", "wscore"),
    *("AI", "laterality", "pctchange", "brainmask", "zmap"),
    *("tmap", "tstatMap"),
    *("attmap", "attnMap", "transmission", "BPf", "CBFflow", "Delta"),
)
OTHERS = (
    *("T1w", "desc-brain_mask", "dseg", "label-GM_probseg", "petref"),
    *("meas-BPND_mimap", "recording-autosampler_blood", "statmap"),
    *("desc-signcosts_pet", "desc-brainmask_pet", "desc-GMmask_pet"),
    *("desc-errormap_pet", "desc-SE_pet", "desc-variance_pet", "stat-se_pet"),
    *("stat-z_pet", "stat-pvalue_pet", "desc-zmap_pet", "desc-tstat_pet"),
    *("label-GM_pet", "seg-gtm_pet", "hemi-L_pet", "mask-brain_pet"),
    *("meas-BPND_pet", "meas-VT_pet", "param-K1_pet", "model-SRTM_pet"),
    *("desc-R1_pet", "desc-BPND_pet", "desc-probability_pet"),
    *("chunk-1_pet", "split-2_pet", "part-phase_pet", "rec-nacdyn_pet"),
    *("desc-mumap_pet", "atlas-AAL_pet", "desc-std_pet", "rec-mask_pet"),
    *(f"desc-{label}_pet" for label in _LABELS),
    *("acq-mask_pet", "roi-hippo_pet", "tissue-GM_pet", "est-k2_pet"),
    *("method-LoganVT_pet", "kin-SRTM_pet", "parametric-K1_pet"),
)
UNCORRECTED = (
    *("rec-nac", "rec-noac", "rec-NonAC", "rec-nonac", "rec-natt", "rec-NAC"),
    *("rec-uncorrected", "acq-NAC", "desc-NAC", "desc-noAC", "rec-nacstat"),
    *("desc-meanNAC", "rec-staticnac", "rec-OSEMNAC", "desc-withoutAC"),
    *("desc-nonAttenuationCorrected", "acq-staticNoAC"),
)


@pytest.mark.parametrize("rest", IMAGES)
def test_images_of_uptake(rest):
    assert why(rest) == ""


@pytest.mark.parametrize("rest", OTHERS)
def test_what_is_none_is_refused_with_a_reason(rest):
    assert why(rest).startswith(("not PET (", "not a PET image (", "not corr"))


def test_the_reason_names_the_entity():
    assert why("trc-18FFDG_desc-signcosts_pet") == (
        "not a PET image (differences): desc-signcosts"
    )
    assert why("desc-brain_mask") == "not a PET image (a mask): mask"
    assert why("stat-se_pet") == "not a PET image (statistics): stat-se"


def test_other_entities_change_nothing():
    """Whatever stands beside the entity that tells."""
    rng = random.Random(2)
    extra = ("ses-1", "trc-18FFDG", "space-T1w", "res-2", "run-1", "task-rest")
    for rest in (*IMAGES, *OTHERS):
        beside = rng.sample(extra, rng.randint(1, len(extra)))
        known = {part.split("-")[0] for part in rest.split("_")}
        beside = [e for e in beside if e.split("-")[0] not in known]
        assert why("_".join([*beside, rest])) == why(rest), rest


@pytest.mark.parametrize(
    ("rest", "level"),
    [
        ("rec-coregiso_pet", "uniform_8mm"),
        ("rec-acstat_pet", "raw"),
        (
            "rec-coregiso_space-MNI152NLin2009cSym_desc-Crop_res-1x1x1_"
            "suvr-cerebellumPons2_pet",
            "pet_linear",
        ),
        ("space-MNI152NLin2009cSym_res-1x1x1_suvr-pons_pet", "pet_linear"),
        # of Clinica's pet-volume, and of others
        ("space-Ixi549Space_suvr-pons_mask-brain_fwhm-8mm_pet", "unknown"),
        ("space-MNI152NLin6Asym_res-2_desc-preproc_suvr-pons_pet", "unknown"),
        ("suvr-pons_pet", "unknown"),
        ("rec-osem_pet", "unknown"),
    ],
)
def test_level(rest, level):
    stem = f"sub-01_{rest}"
    assert level_of_name(stem, parse_name(stem)) == level


def kind(rest, level="unknown"):
    entities = parse_name(f"sub-01_{rest}")
    del entities["suffix"]
    return kind_of_name(entities, level)


def test_who_when_and_what_was_injected_are_no_kind():
    assert kind("ses-2_task-rest_trc-18FFDG_run-3_pet") == ()
    assert kind("acq-FDG_pet") == ()
    assert kind("rec-coregiso_pet", "uniform_8mm") == ()


def test_all_else_is_a_kind_in_any_order():
    parts = ("acq-static", "rec-acdyn", "space-T1w", "pvc-MG", "desc-preproc")
    found = {kind(f"{'_'.join(p)}_pet") for p in itertools.permutations(parts)}
    assert found == {parts}
    assert kind("proc-x_desc-y_pet") == ("proc-x", "desc-y")


@pytest.mark.parametrize("rest", UNCORRECTED)
def test_no_correction_for_attenuation(rest):
    assert why(f"{rest}_pet") == f"not corrected for attenuation: {rest}"


@pytest.mark.parametrize(
    ("label", "several"),
    [
        *((n, True) for n in ("average", "template", "all", "group")),
        *((n, True) for n in ("GroupAverage", "meanAD", "allsubjects")),
        *((n, False) for n in ("01", "AD01", "control", "NC", "allen", "ad")),
        *((n, False) for n in ("group1", "M001")),
    ],
)
def test_an_average_is_no_subject(label, several):
    reason = f"an average of subjects: sub-{label}" if several else ""
    assert why_no_image(parse_name(f"sub-{label}_pet")) == reason
