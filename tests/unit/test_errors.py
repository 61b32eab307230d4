"""The errors and exit codes of all commands."""

import pytest

from errors import ExitCode, UserError, reported


def test_an_error_names_its_key_what_is_wrong_and_what_to_do() -> None:
    """A log shows the error on one line, and the user sees it on two."""
    error = UserError("got 'x'; allowed: an https:// URL", "Set Rancher's address", key="mcsps:rancher.url")
    assert str(error) == "mcsps:rancher.url: got 'x'; allowed: an https:// URL. Set Rancher's address"
    assert str(UserError("no answer")) == "no answer"


def test_an_error_ends_a_command_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """The error is on standard error, and the exit code is ERROR."""
    with pytest.raises(SystemExit) as ended, reported():
        raise UserError("The lab is down", "Run: make up", key="mcsps:clusters")
    assert ended.value.code is ExitCode.ERROR
    assert capsys.readouterr() == ("", "error: mcsps:clusters: The lab is down\nRun: make up\n")
    assert ended.value.__suppress_context__


def test_an_interrupt_ends_a_command_with_its_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is the one that shells use."""
    with pytest.raises(SystemExit) as ended, reported():
        raise KeyboardInterrupt
    assert (ended.value.code, capsys.readouterr().err) == (130, "interrupted\n")


def test_any_other_error_is_a_defect_and_keeps_its_traceback() -> None:
    """Without the traceback, the user could not see where the defect is."""
    with pytest.raises(ZeroDivisionError), reported():
        _ = 1 / 0
