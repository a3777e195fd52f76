"""How lines are gathered and kept: no Filebeat and no Elasticsearch runs here, so what they read is held to rules."""

import json
import logging
import re
import shutil
import subprocess

import pytest

from moondev.logs.context import KEYS
from moondev.logs.lines import FIELDS, JsonLines
from tests.support.config_files import DOCKER, complaints, documents

LOGGING = DOCKER / "logging"
# What Filebeat puts beside a line's own fields, and we keep.
OF_FILEBEAT = {"log.file.path", "agent.name", "agent.version", "container.id", "stream"}
KINDS = {"date": {"date"}, "keyword": {"keyword"}, "long": {"long"}, "text": {"match_only_text", "wildcard"}}


def document(name):
    return documents(LOGGING / name)[0]


def flat(properties, before=""):
    """Return the leaves of a mapping, or of a line as Elasticsearch sees it, by their dotted names."""
    found = {}
    for name, inner in properties.items():
        if isinstance(inner, dict) and "properties" in inner:
            found |= flat(inner["properties"], f"{before}{name}.")
        else:
            found[before + name] = inner
    return found


def mapped():
    return flat(document("index-template.json")["template"]["mappings"]["properties"])


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("filebeat.yml", "filebeat.json"),
        ("index-template.json", "index-template.json"),
        ("lifecycle.json", "lifecycle.json"),
    ],
)
def test_what_is_configured_is_what_is_documented(name, schema):
    assert complaints(document(name), schema) == []


def test_the_schemas_refuse_what_they_do_not_know():
    filebeat = document("filebeat.yml")
    filebeat["filebeat.inputs"][0]["parsers"][1]["ndjson"]["overwrite_key"] = True
    assert complaints(filebeat, "filebeat.json")
    template = document("index-template.json")
    template["template"]["mappings"]["properties"]["tick"] = {"type": "keywords"}
    assert complaints(template, "index-template.json")


def test_every_field_that_lines_carry_is_mapped_and_nothing_else_is():
    fields = mapped()
    assert set(fields) == set(FIELDS) | OF_FILEBEAT
    for name, kind in FIELDS.items():
        assert fields[name]["type"] in KINDS[kind], name


def line_of(**about):
    try:
        raise LookupError("no")
    except LookupError as error:
        triple = (type(error), error, error.__traceback__)
    record = logging.LogRecord("a.logger", logging.ERROR, "f", 1, "message", None, triple)
    record.about = about
    return JsonLines("ticks", "production", "host").format(record)


def test_a_real_line_is_read_as_the_parser_is_set_up():
    every = line_of(**dict.fromkeys(KEYS, "1"))
    assert "\n" not in every
    said = json.loads(every)
    for source in document("filebeat.yml")["filebeat.inputs"]:
        ndjson = source["parsers"][-1]["ndjson"]
        # At the root, dots made into objects, and our time instead of that of reading.
        assert (ndjson["target"], ndjson["expand_keys"], ndjson["overwrite_keys"]) == ("", True, True)
        assert isinstance(said[ndjson["message_key"]], str)
    # Beats reads the time of a line as RFC 3339.
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", said["@timestamp"])
    # Dots become objects: no name may be both a value and an object.
    names = set(said)
    assert not {name for name in names if any(other.startswith(f"{name}.") for other in names)}
    assert set(said) | {"trace.id"} == set(FIELDS)
    for name, value in said.items():
        assert isinstance(value, int if FIELDS[name] == "long" else str), name
    limits = {name: field["ignore_above"] for name, field in mapped().items() if "ignore_above" in field}
    # Longer values would not be found; ours are cut below that.
    assert min(limits.values()) > 203


def test_only_our_lines_are_kept():
    (dropped,) = [p["drop_event"] for p in document("filebeat.yml")["processors"] if "drop_event" in p]
    (by_field, by_path) = [condition["not"] for condition in dropped["when"]["and"]]
    assert set(by_field["has_fields"]) <= set(json.loads(line_of()))
    assert by_path == {"contains": {"log.file.path": "moondev"}}


def test_the_pieces_name_each_other():
    template, policy = document("index-template.json"), "moondev-logs"
    assert template["template"]["settings"]["index"]["lifecycle"]["name"] == policy
    index = document("filebeat.yml")["output.elasticsearch"]["index"]
    assert index.startswith(template["index_patterns"][0].rstrip("*"))
    setup = (LOGGING / "setup.sh").read_text(encoding="utf-8")
    assert f"_ilm/policy/{policy} " in setup.replace('"', " ")
    for path in ("lifecycle.json", "index-template.json", "kibana.ndjson"):
        assert f"@{path}" in setup
        assert (LOGGING / path).is_file()
    subprocess.run(["sh", "-n", str(LOGGING / "setup.sh")], check=True)


def test_kibana_s_dashboard_hangs_together_and_asks_for_fields_that_there_are():
    objects = [json.loads(line) for line in (LOGGING / "kibana.ndjson").read_text(encoding="utf-8").splitlines()]
    ids = {(one["type"], one["id"]) for one in objects}
    for one in objects:
        assert {(ref["type"], ref["id"]) for ref in one["references"]} <= ids
        for name, text in one["attributes"].items():
            if name.endswith("JSON"):
                json.loads(text)
    (pattern,) = [one for one in objects if one["type"] == "index-pattern"]
    assert [pattern["attributes"]["title"]] == document("index-template.json")["index_patterns"]
    for search in (one for one in objects if one["type"] == "search"):
        source = json.loads(search["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
        assert source["indexRefName"] == search["references"][0]["name"]
        asked = set(re.findall(r"([\w.@]+):", source["query"]["query"])) | set(search["attributes"]["columns"])
        assert asked <= set(FIELDS), search["id"]
    (dashboard,) = [one for one in objects if one["type"] == "dashboard"]
    panels = json.loads(dashboard["attributes"]["panelsJSON"])
    named = {f"{panel['panelIndex']}:{panel['panelRefName']}" for panel in panels}
    assert named == {ref["name"] for ref in dashboard["references"]}


def test_rotation_leaves_files_where_their_writers_hold_them(tmp_path):
    rules = (LOGGING / "logrotate.conf").read_text(encoding="utf-8")
    assert "copytruncate" in rules
    logrotate = shutil.which("logrotate") or shutil.which("logrotate", path="/usr/sbin")
    if logrotate is None:
        pytest.skip("no logrotate here")
    log = tmp_path / "ticks.log"
    log.write_text("a line\n")
    with log.open("a") as writer:
        (tmp_path / "rules").write_text(rules.replace("/var/log/moondev/", f"{tmp_path}/"))
        subprocess.run([logrotate, "--force", "--state", tmp_path / "state", tmp_path / "rules"], check=True)
        writer.write("another\n")
    assert log.read_text() == "another\n"
    assert [old.read_text() for old in tmp_path.glob("ticks.log-*")] == ["a line\n"]
