from pet_dcgan.utils.progress import status


def test_a_notice_is_one_line_on_stderr(capsys):
    status("3 subjects of AD")
    out, err = capsys.readouterr()
    assert (out, err) == ("", "pet-dcgan: 3 subjects of AD\n")
