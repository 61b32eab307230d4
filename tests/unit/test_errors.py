"""How commands fail."""

import pytest

from errors import ExitCode, UserError, reported


def test_an_error_names_its_key_what_is_wrong_and_what_to_do() -> None:
    """In one line for a log, and in two for the user."""
    error = UserError("got 'x'; allowed: an https:// URL", "Set Rancher's address", key="mcsps:rancher.url")
    assert str(error) == "mcsps:rancher.url: got 'x'; allowed: an https:// URL. Set Rancher's address"
    assert str(UserError("no answer")) == "no answer"


def test_an_error_ends_a_command_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, with the code for what could not be done."""
    with pytest.raises(SystemExit) as ended, reported():
        raise UserError("The lab is down", "Run: make up", key="mcsps:clusters")
    assert ended.value.code is ExitCode.ERROR
    assert capsys.readouterr() == ("", "error: mcsps:clusters: The lab is down\nRun: make up\n")
    assert ended.value.__suppress_context__


def test_an_interrupt_ends_a_command_with_its_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    """As a shell's own."""
    with pytest.raises(SystemExit) as ended, reported():
        raise KeyboardInterrupt
    assert (ended.value.code, capsys.readouterr().err) == (130, "interrupted\n")


def test_any_other_error_is_a_defect_and_keeps_its_traceback() -> None:
    """A text without it would hide where."""
    with pytest.raises(ZeroDivisionError), reported():
        _ = 1 / 0
