from pet_dcgan.utils.progress import say


def test_a_notice_is_one_line_on_stderr(capsys):
    say("3 subjects of AD")
    out, err = capsys.readouterr()
    assert (out, err) == ("", "pet-dcgan: 3 subjects of AD\n")
