"""`.env` as people write it: which forms are taken, that compose takes them alike, and what is said of the others."""

import os
from pathlib import Path

import pytest

from pipeline import dotenv_file
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings
from pipeline_tests.deployment.compose import services


def given(folder: Path, text: str, **environment: str) -> Settings:
    (folder / ".env").write_bytes(text.encode())
    return Settings(dotenv_file.read(folder / ".env", environment))


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("{}=abc", "abc"),
        ("{} = abc", "abc"),
        ("export {}=abc", "abc"),
        ("{}=abc   ", "abc"),
        ("{}=abc\t", "abc"),
        ("{}=abc # a comment", "abc"),
        ("{}=abc#def", "abc#def"),
        ("{}='abc'", "abc"),
        ('{}="abc"', "abc"),
        ("{}='abc' # a comment", "abc"),
        ("{}='a b#c $d ${{HOME}}'", "a b#c $d ${HOME}"),
        ('{}="a b # c"', "a b # c"),
        ('{}="a\\"b"', 'a"b'),
        ("{}=' abc '", "abc"),
        ("{}=a=b==", "a=b=="),
        ("{}=a$b", "a$b"),  # here; compose takes $b for a variable, hence single quotes around it
        ("OTHER=abc\n{}=${{OTHER}}def", "abcdef"),
        ("{}=${{FROM_THE_SHELL}}/x", "shell/x"),
        ("{}=first\n{}=abc", "abc"),
        ("# a comment\n\n{}=abc\n\n", "abc"),
        ("{}=naïef-€", "naïef-€"),
        ("\ufeff{}=abc", "abc"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["unix", "windows"])
def test_a_value_is_taken_as_it_was_meant(tmp_path: Path, line: str, value: str, newline: str):
    text = line.format(*["EXACT_CLIENT_SECRET"] * 2) + "\nEXACT_CLIENT_ID=next\n"
    found = given(tmp_path, text.replace("\n", newline), FROM_THE_SHELL="shell")
    assert (found.required("EXACT_CLIENT_SECRET"), found.required("EXACT_CLIENT_ID")) == (value, "next")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("EXACT_CLIENT_ID=a\nEXACT_CLIENT_SECRET='sw0rdfish\n", 2),
        ('EXACT_CLIENT_ID=a\n\n# a comment\nEXACT_CLIENT_SECRET="sw0rdfish\n', 4),
        ('EXACT_CLIENT_SECRET="sw0rdfish" sw0rdfish\n', 1),
        ("EXACT_CLIENT_ID=a\r\n\r\n'sw0rdfish'=1\r\nX 'Y'='sw0rdfish\r\n", 4),
        ("EXACT_CLIENT_SECRET sw0rdfish\n", 1),
    ],
)
def test_a_line_that_cannot_be_read_is_named_by_its_number_and_never_shown(tmp_path: Path, text: str, line: int):
    with pytest.raises(ConfigurationError, match=rf"\.env, line {line}, can't be read: write NAME=value") as raised:
        given(tmp_path, text)
    assert "sw0rdfish" not in str(raised.value)


def test_what_is_no_file_or_no_text_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    dotenv_file.load(tmp_path / "none")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigurationError, match=r"folder can't be read: Is a directory\. \.env\.example shows"):
        dotenv_file.load(tmp_path / "folder")
    (tmp_path / "latin").write_bytes(b"EXACT_CLIENT_ID=caf\xe9\n")
    with pytest.raises(ConfigurationError, match="latin can't be read: it is no UTF-8 text"):
        dotenv_file.load(tmp_path / "latin")
    monkeypatch.setenv("EXACT_CLIENT_ID", "of the shell")
    (tmp_path / ".env").write_text("EXACT_CLIENT_ID=a\nEXACT_CLIENT_SECRET=b\n")
    monkeypatch.delenv("EXACT_CLIENT_SECRET", raising=False)
    dotenv_file.load(tmp_path / ".env")
    assert Settings(os.environ).required("EXACT_CLIENT_ID") == "of the shell"


@pytest.mark.parametrize("value", ['"sandbox"', "'sandbox'", ' "sandbox" ', '"sandbox"\r'])
@pytest.mark.parametrize("name", ["EXACT_CLIENT_SECRET", "PIPEDRIVE_API_TOKEN", "WAREHOUSE_URL"])
def test_quotes_that_came_along_are_named_with_their_variable(name: str, value: str):
    with pytest.raises(ConfigurationError, match=f"^{name} has quotation marks around it.*take them off") as raised:
        Settings({name: value}).required(name)
    assert "sandbox" not in str(raised.value)


def test_compose_hands_on_what_the_same_file_says_here(tmp_path: Path):
    text = (
        "PUBLIC_URL=https://pipeline.example.nl\nALERT_EMAIL=you@example.nl\nPOSTGRES_PASSWORD=0123\n"
        "EXACT_WEBHOOK_SECRET='a b#c $d'   # in the App Centre\r\nPIPEDRIVE_API_TOKEN=\"t\"\n"
    )
    found = services(text)
    here = given(tmp_path, text)
    assert found["webhooks"].environment["EXACT_WEBHOOK_SECRET"] == here.required("EXACT_WEBHOOK_SECRET") == "a b#c $d"
    assert found["code"].environment["PIPEDRIVE_API_TOKEN"] == here.required("PIPEDRIVE_API_TOKEN") == "t"
    assert found["code"].environment["WAREHOUSE_URL"] == "postgresql://pipeline:0123@postgres:5432/pipeline"
