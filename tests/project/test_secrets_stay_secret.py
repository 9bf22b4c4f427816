"""A secret has no rendering but `***`, its file is private, and the environment may bring it."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from qf.project.local import read_local
from qf.project.secret import Secret

CANARY = "canary-7d1f0c"


def read(folder, environment=None):
    problems = []
    local = read_local(folder, environment or {}, problems)
    return local, problems


def write(folder, text, mode=0o600):
    path = folder / ".local_config.yml"
    path.write_text(text)
    path.chmod(mode)


def test_every_rendering_of_a_secret_is_stars():
    secret = Secret(CANARY)
    shown = [str(secret), repr(secret), f"{secret}", f"{secret:>20}", repr([secret])]
    assert all(CANARY not in text and "***" in text for text in shown)
    assert secret.reveal() == CANARY
    assert secret == Secret(CANARY) and secret != Secret("other") and secret != CANARY
    assert copy.deepcopy(secret) is secret


def test_a_secret_is_not_written_anywhere():
    with pytest.raises(TypeError):
        pickle.dumps(Secret(CANARY))
    with pytest.raises(TypeError):
        json.dumps({"key": Secret(CANARY)})


def test_the_environment_brings_values_and_wins(tmp_path):
    write(
        tmp_path,
        "engine:\n  - { name: duckdb, database: a.duckdb }\nlocal_cache: { path: here }\n",
    )
    local, problems = read(
        tmp_path,
        {
            "QF__ENGINE__DUCKDB__DATABASE": "b.duckdb",
            "QF__ENGINE__DUCKDB__THREADS": "2",
            "QF__LOCAL_CACHE__PATH": "there",
            "QF__FEED_PROVIDER_CREDENTIALS__VENDOR__KEY": "007",
        },
    )
    assert problems == []
    engine = local.engine("duckdb")
    assert engine is not None
    assert engine.options["database"] == "b.duckdb" and engine.options["threads"] == 2
    assert local.cache_path == "there"
    assert local.credentials["vendor"]["key"].reveal() == "007", "a secret stays text"


def test_the_environment_is_enough_without_a_file(tmp_path):
    local, problems = read(tmp_path, {"QF__ENGINE__KAFKA__HOST": "localhost:9092"})
    assert problems == []
    assert [engine.name for engine in local.engines] == ["kafka"]


def test_a_file_that_others_can_read_is_refused(tmp_path):
    write(tmp_path, "local_cache: { path: x }\n", 0o640)
    _, problems = read(tmp_path)
    assert [error.code for error in problems] == ["QF260"]


@pytest.mark.parametrize(
    "text",
    [
        f"feed_provider_credentials:\n  - {{ provider: v, kye: {CANARY} }}\n",
        f"feed_provider_credentials:\n  - {{ provider: v, key: [{CANARY}] }}\n",
        f"feed_provider_credentials:\n  - {{ provider: v, key: {CANARY} }}\n  - }}\n",
        f"feed_provider_credentials: {CANARY}\n",
        f"{CANARY}\n",
        f"engine:\n  - {{ name: kafka, host: h, password: 1, username: {CANARY}, x: 1 }}\n",
    ],
)
def test_no_error_about_the_file_quotes_it(tmp_path, text):
    write(tmp_path, text)
    _, problems = read(tmp_path)
    assert problems and all(CANARY not in str(error) for error in problems)


def test_an_error_about_the_environment_does_not_quote_the_value(tmp_path):
    _, problems = read(tmp_path, {"QF__FEED_PROVIDER_CREDENTIALS__VENDOR__KYE": CANARY})
    assert problems and all(CANARY not in str(error) for error in problems)
    assert "QF__FEED_PROVIDER_CREDENTIALS__VENDOR__KYE" in str(problems[0])
