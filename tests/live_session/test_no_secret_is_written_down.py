"""Whatever a log line would say, a loaded secret is `***` in it."""

from __future__ import annotations

import logging

from qf.live.redact import Redacted, secrets_of
from qf.project import open_project
from qf.project.scaffold import draft_project, write_project

CANARY = "c4n4ry-$ecret.value+"


def line(form, text, *values, error=None):
    record = logging.LogRecord("qf", logging.ERROR, "", 1, text, values, None)
    if error is not None:
        record.exc_info = (type(error), error, error.__traceback__)
    return form.format(record)


def test_values_are_hidden_in_messages_arguments_and_tracebacks():
    form = Redacted([CANARY, CANARY[:8], "abc", ""])
    assert CANARY not in line(form, f"key {CANARY}!") and "***!" in line(form, f"key {CANARY}!")
    assert CANARY not in line(form, "%s and %r", CANARY, {"key": CANARY})
    try:
        raise ValueError(f"refused: {CANARY}")
    except ValueError as error:
        shown = line(form, "it failed", error=error)
    assert "Traceback" in shown and CANARY not in shown and CANARY[:8] not in shown
    assert "abcdef" in line(form, "abcdef")


def test_every_secret_of_the_local_configuration_is_known(tmp_path, monkeypatch):
    folder = tmp_path / "quiet"
    write_project(folder, draft_project("quiet", "crypto"))
    (folder / ".local_config.yml").write_text(
        "feed_provider_credentials:\n"
        f'  - {{ provider: cryptohftdata, key: "{CANARY}", secret: "two-{CANARY}" }}\n'
        "engine:\n"
        "  - { name: duckdb }\n"
        f'  - {{ name: kafka, host: "localhost:1", username: u, password: "three-{CANARY}" }}\n'
    )
    (folder / ".local_config.yml").chmod(0o600)
    found = secrets_of(open_project(folder))
    assert {CANARY, f"two-{CANARY}", f"three-{CANARY}"} <= set(found)
