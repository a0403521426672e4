"""No file that goes along with the project has a secret in it: an offline scan, on every `make check`."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {
    ".git",
    ".venv",
    ".tools",
    ".cache",
    ".local",
    ".hypothesis",
    ".pytest_cache",
    ".ruff_cache",
    "dist",
    "node_modules",
}
# Whole lines of hexadecimal are checksums of packages there.
NOT_READ = {"uv.lock", "package-lock.json"}
PICTURES = {".png", ".jpg", ".ico"}

SECRETS = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a key of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a token of GitHub or GitLab": r"\b(?:gh[pousr]_\w{36,}|github_pat_\w{22,}|glpat-[\w-]{20,})",
    "a webhook of Slack or Teams": r"https://(?:hooks\.slack\.com/services/T\w+/B|[\w.]+\.webhook\.office\.com/webhookb2/)\w",
    "a token of Slack": r"\bxox[abeprs]-[\w-]{10,}",
    "a token of Pipedrive": r"(?i)(?:api[_-]?token|x-api-token)\W{1,6}[0-9a-f]{40}\b",
    "an access or refresh token of Exact Online": r"\b(?:stampNL|gAAAA)[\w.!-]{40,}",
    "a JSON web token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    "a Fernet key": r"(?<![\w/+-])[\w-]{43}=(?![\w=])",
    # Not what stands for one: USER:PASSWORD@, user:password@, or the one word of the sandbox.
    "a password in an address": (
        r"\b[a-z+]{3,12}://[^\s:/@\"'<>{}$]+"
        r":(?!(?:[A-Z_]+|password|sandbox)@|[\w-]*(?:password|geheim|secret)|ge%2Fheim)[^\s@/\"'{}<>$]{6,}@[\w.-]+"
    ),
    "a password that is set": (
        r"(?im)^\s*(?:export )?\w*(?:PASSWORD|SECRET|TOKEN|API_KEY)"
        r"\s*=\s*(?![\s\"'$])(?!sandbox\b|0123456789)[\w+/=-]{12,}\s*$"
    ),
}


def files() -> list[Path]:
    """Those that are under version control; without git, all that aren't made by tools."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        found = [path for path in ROOT.rglob("*") if not NOT_OURS & set(path.relative_to(ROOT).parts)]
    return sorted(
        path for path in found if path.is_file() and path.name not in NOT_READ and path.suffix not in PICTURES
    )


def found_in(text: str) -> list[tuple[str, str]]:
    """What kind of secret, and how it begins."""
    return [(kind, hit[0].strip()[:24]) for kind, pattern in SECRETS.items() for hit in re.finditer(pattern, text)]


def test_no_file_of_the_project_has_a_secret_in_it():
    texts = {path: path.read_bytes().decode("utf-8", "replace") for path in files()}
    assert len(texts) > 300
    hits = {str(path.relative_to(ROOT)): found for path, text in texts.items() if (found := found_in(text))}
    assert hits == {}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("a private key", "-----BEGIN " + "RSA PRIVATE KEY-----"),
        ("a key of AWS", "AKIA" + "IOSFODNN7EXAMPLE"),
        ("a token of GitHub or GitLab", "ghp_" + "a1B2" * 9),
        ("a webhook of Slack or Teams", "https://hooks.slack.com/services/" + "T012/B345/x"),
        ("a token of Slack", "xoxb-" + "1234567890"),
        ("a token of Pipedrive", "x-api-token: " + "0123456789" * 4),
        ("an access or refresh token of Exact Online", "stampNL" + "001.gAAA!" * 6),
        ("a JSON web token", "eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxMjM0In0.c2lnbmF0dXJl"),
        ("a Fernet key", "k=" + "Zm9v" * 10 + "YmE="),
        ("a password in an address", "postgresql://pipeline:" + "Correct-Horse-9@db.example.nl/x"),
        ("a password that is set", "POSTGRES_PASSWORD=" + "6f1e0c5b9a7d4e32"),
    ],
)
def test_each_kind_is_recognised(kind: str, text: str):
    assert kind in {found for found, _ in found_in(text)}


def test_what_holds_secrets_is_kept_out_of_version_control_and_out_of_the_image():
    ignored = set((ROOT / ".gitignore").read_text().splitlines())
    assert {".env", "/.local/", "/deploy/logins", "/deploy/offsite.env", "*.dump"} <= ignored
    shown = {line for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines()
    assert not [line for line in shown if ".env" in line or "logins" in line or ".local" in line]
