"""Every kind of secret that this project knows, planted in every place where a line can carry one."""

import json
import logging
import secrets

import pytest
from eth_account import Account

from apps.exchanges.credentials.paper import paper_key
from apps.monitor.access.tokens import MARK
from moondev.logs.lines import JsonLines, PlainLines
from moondev.logs.redaction import HIDDEN, Redaction, redaction

HEX = secrets.token_hex(32)
WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow"  # BIP-39's own test vector
KEY_BASE64 = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKjMzEfYyjiWA4R4b2c"
PEM = f"-----BEGIN EC PRIVATE KEY-----\n{KEY_BASE64}\n-----END EC PRIVATE KEY-----"
BOT = "1234567890:AAH9x_yDk3" + "b7Qw" * 6 + "e1"

# (the line, what must not be left of it)
PLANTED = [
    (f"signing with 0x{HEX}", HEX),
    (f"signing with {HEX.upper()}", HEX.upper()),
    (f"key={paper_key('a', 'orders')}", paper_key("a", "orders")[10:]),
    (f"{{'r': '0x{HEX}', 's': '0x{HEX}', 'v': 27}}", HEX),
    (f"0x{HEX}{HEX}1c", HEX),
    (f"phrase {WORDS}", "sausage"),
    (f"the words were {WORDS.upper().lower()}, he said", "sausage"),
    (f"words={WORDS.split()!r}", "sausage"),
    (f"words={WORDS.replace(' ', ',')}", "sausage"),
    ("mnemonic: 'one two three'", "two three"),
    (PEM, KEY_BASE64),
    (repr(PEM), KEY_BASE64),
    (f"loaded {KEY_BASE64}", KEY_BASE64),
    ("{'apiKey': 'KxYz-short', 'secret': 'hunter2-hunter2'}", "hunter2"),
    ('{"api_secret":"hunter2-hunter2","x":1}', "hunter2"),
    (json.dumps(json.dumps({"api_secret": "hunter2 and more"})), "hunter2"),
    ("Credentials(address='0x12', api_key=b'hunter2')", "hunter2"),
    ("password hunter2 no; password=hunter2", "password=hunter2"),
    ("passphrase => hunter2", "hunter2"),
    ("headers [('X-MBX-APIKEY', 'hunter2hunter2')]", "hunter2"),
    ("X-BAPI-API-KEY: hunter2, X-BAPI-SIGN: hunter3", "hunter"),
    ("{'x-phemex-access-token': 'hunter2', 'x-phemex-request-signature': 'hunter3'}", "hunter"),
    ("GET /fapi/v1/order?symbol=BTCUSDT&timestamp=1&signature=hunter2&recvWindow=5", "hunter2"),
    ("POST /fapi/v1/listenKey?listenKey=hunter2hunter2", "hunter2"),
    ("sign=hunter2&x=1", "hunter2"),
    ("Authorization: Bearer hunter2hunter2hunter2", "hunter2"),
    ("{'Authorization': 'Basic aHVudGVyMjpodW50ZXIy'}", "aHVudGVy"),
    ("sent Bearer hunter2hunter2hunter2 there", "hunter2"),
    (f"token {MARK}_0123456789ab_hunter2-hunter2_hunter2", "hunter2"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0", "dozjgNry"),
    ("postgres://moondev:hunter2@db:5432/moondev", "hunter2"),
    ("amqp://guest:hunt/er2@h@broker:5672//", "er2@h"),
    ("redis://:hunter2@cache:6379/0 is away", "hunter2"),
    ("https://hunter2hunter2hunter2@sentry.example/1", "hunter2"),
    (f"https://api.telegram.org/bot{BOT}/sendMessage", BOT[11:]),
    (f"TELEGRAM {BOT}", BOT[11:]),
    ("https://discord.com/api/webhooks/123456/hunter2-hunter2_x", "hunter2"),
    ("http://127.0.0.1:8009/api/v10/webhooks/1/hunter2", "hunter2"),
    ("https://hooks.slack.com/services/T0A/B0B/hunter2hunter2", "hunter2"),
    ("discord://123456/hunter2", "hunter2"),
    (f"tgram://{BOT}/-100", BOT[11:]),
    ("mailtos://me:hunter2@mail.example?to=x", "hunter2"),
    ("jsons://host/path?+X-Token=hunter2", "hunter2"),
    ("Cookie: sessionid=hunter2hunter2", "hunter2"),
    ("csrfmiddlewaretoken=hunter2", "hunter2"),
    ("FLOWER_BASIC_AUTH=operator:hunter2", "hunter2"),
    ("seed_phrase='correct horse battery'", "horse"),
]


def record(message, arguments=(), error=None, **extra):
    made = logging.LogRecord("urllib3.connectionpool", logging.ERROR, "f.py", 1, message, arguments, None)
    if error is not None:
        made.exc_info = (type(error), error, error.__traceback__)
    made.__dict__.update(extra)
    return made


def raised(text):
    try:
        secret_in_the_code = text
        raise ValueError(secret_in_the_code) from KeyError(text)
    except ValueError as error:
        return error


@pytest.mark.parametrize("lines", [JsonLines("s", "e", "h"), PlainLines()], ids=["json", "plain"])
# Numbered: keys are drawn anew each time, and every process of a run must know the tests by the same names.
@pytest.mark.parametrize(("text", "secret"), PLANTED, ids=[f"planted-{n}" for n in range(len(PLANTED))])
def test_a_planted_secret_is_in_no_line_wherever_it_was_planted(text, secret, lines):
    assert secret in text or secret in text.replace("\\", "")
    places = {
        "message": record(text.replace("%", "%%")),
        "argument": record("it was %s", (text,)),
        "bytes": record("it was %s", (text.encode(),)),
        "mapping": record("%(x)s", ({"x": text},)),
        "arguments that do not fit": record("%d", (text,)),
        "error": record("it failed", error=raised(text)),
        "stack": record("it is", stack_info=f"Stack:\n  {text}"),
        "formatted before": record("it was", exc_text=f"Traceback\n{text}"),
        "context": record("it was", about={"venue_order": text}),
    }
    for place, one in places.items():
        assert secret not in lines.format(one), place


@pytest.mark.parametrize(
    "text",
    [
        "order 5 approved -> sending, send: buy 0.5 BTC @ 50000.5",
        "client order id 0b8ff1b2-8c2f-4b7e-a3a3-5f0ff3a0f6c1 at 0x5e9ee1089755c3435139848e47e6635505d5a13a",
        "cloid 0x1234567890abcdef1234567890abcdef",
        "http://127.0.0.1:8001/info and postgres://moondev@db/x and redis://127.0.0.1:6379/0",
        "the signal of design: assigned; tokens of the bucket are used up, keys are three",
        "the accounts have changed and the streams end now because nobody could listen there any longer than that day",
        "wake-up exchanges.orders_send {'account_id': 7, 'venue': 'hyperliquid'} lost, the sweeper makes it good",
        "apps.exchanges.venues.ccxt_generic.session:/a/long/path/to/some_file_with_a_long_name_indeed.py",
    ],
)
def test_ordinary_lines_stay_as_they_are(text):
    assert Redaction()(text) == text


def test_what_is_around_a_secret_stays_readable():
    hide = Redaction()
    assert hide("postgres://moondev:hunter2@db:5432/x is away") == f"postgres://moondev:{HIDDEN}@db:5432/x is away"
    assert hide("GET /o?a=1&signature=abc&b=2") == f"GET /o?a=1&signature={HIDDEN}&b=2"
    assert hide("mdat_0123456789ab_zzz revoked") == f"mdat_0123456789ab_{HIDDEN} revoked"
    assert hide(f"so {WORDS} it was") == f"so {HIDDEN} it was"
    # A letter that becomes two when small must not move what is hidden.
    assert hide("İİİİ password=abc and more") == "???? password=*** and more"


def test_what_the_process_holds_is_hidden_in_any_disguise():
    hide = Redaction()
    for secret in ("operator:Open/Sesame+1", "postgres://u:p%40ssw0rdX@h/d", "shortie", "0xdeadbeefcafe"):
        hide.learn(secret)
        hide.learn(secret)
    assert hide("it is Open/Sesame+1 or Open%2FSesame%2B1") == f"it is {HIDDEN} or {HIDDEN}"
    assert hide("p@ssw0rdX, p%40ssw0rdX") == f"{HIDDEN}, {HIDDEN}"
    assert hide("deadbeefcafe") == HIDDEN
    assert hide("a shortie is left alone") == "a shortie is left alone"


def test_secrets_of_the_environment_are_learnt_when_they_are_read(monkeypatch, tmp_path):
    from moondev.settings.env import env_secret

    (tmp_path / "key").write_text("open-sesame-from-a-file\n")
    monkeypatch.setenv("PLANTED_A", "open-sesame-of-the-environment")
    monkeypatch.setenv("PLANTED_B_FILE", str(tmp_path / "key"))
    assert env_secret("PLANTED_A") == "open-sesame-of-the-environment"
    env_secret("PLANTED_B")
    env_secret("PLANTED_C", default="not-a-secret-at-all")
    told = redaction()("open-sesame-of-the-environment open-sesame-from-a-file not-a-secret-at-all")
    assert told == f"{HIDDEN} {HIDDEN} not-a-secret-at-all"


@pytest.mark.parametrize("length", [12, 15, 18, 24])
def test_phrases_of_wallets_are_hidden_whatever_their_length(length):
    Account.enable_unaudited_hdwallet_features()
    _, phrase = Account.create_with_mnemonic(num_words=length)
    assert Redaction()(f"imported: {phrase}.") == f"imported: {HIDDEN}."


def test_a_huge_hostile_text_is_dealt_with_in_bounded_steps():
    hide = Redaction()
    for piece in (
        "a" * 50_000,
        "://" * 20_000,
        "abandon " * 10_000,
        "key=" * 20_000,
        '\\"' * 30_000,
        "password='" * 9_000,
    ):
        hide(piece)
