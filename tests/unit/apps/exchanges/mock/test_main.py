"""The command line refuses what it cannot open, in one sentence, before anything listens."""

from __future__ import annotations

import pytest

from apps.exchanges.mock.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--feed", "/nowhere/at_all.parquet"], "/nowhere/at_all.parquet"),
        (["--coins", "BTC,BTC"], "each coin once"),
        (["--coins", ""], "1 to 200 coins"),
        (["--coins", "BT-C"], "letters and digits"),
        (["--limits", "maybe"], "invalid choice"),
        (["--deposit", "lots"], "must be a decimal string"),
        (["--speed", "0"], "above 0"),
        (["--feed", "none", "--account", "0x12"], "--account must be 0x and 40 hex digits"),
        (["--feed", "none", "--account", "0x" + "1" * 40 + ":-5"], "deposit"),
    ],
)
def test_a_bad_option_ends_with_a_sentence(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
