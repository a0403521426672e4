#!/bin/sh
# Makes .venv from uv.lock, in the project folder and nowhere else, on a machine that has Python and perhaps nothing more.
# Called by `make`; `setup.sh fuzz` makes .cache/fuzz instead, with what only `make fuzz` needs. uv is taken from PATH or else installed into .tools with pip.
set -eu
cd "$(dirname "$0")/.."
here=$(pwd -P)

UV_VERSION=0.13.8
# The lock's format is read by every uv since this one.
UV_OLDEST=0.7

# Whatever the caller has set for other projects must not move the environment out of this folder.
unset VIRTUAL_ENV PYTHONHOME PYTHONPATH UV_PYTHON UV_SYSTEM_PYTHON
export UV_PROJECT_ENVIRONMENT="$here/.venv"
export UV_CACHE_DIR="${UV_CACHE_DIR:-$here/.cache/uv}"
# uv would rather download a Python of its own, into the home folder.
export UV_PYTHON_DOWNLOADS=never
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore PIP_USER=0

die() {
    echo "$*" >&2
    exit 1
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    die "Python 3.11, 3.12, 3.13 or 3.14 is needed and none was found: install one (sudo apt-get install python3)."
}

recent_enough() { # "uv 0.13.8 (...)" on standard input
    "$python" -c '
import re, sys
found, oldest = (re.findall(r"\d+", text)[:3] for text in (sys.stdin.read().partition("(")[0], sys.argv[1]))
sys.exit(not found or [int(n) for n in found] < [int(n) for n in oldest])' "$UV_OLDEST"
}

has_venv() { "$python" -c 'import venv, ensurepip' 2>/dev/null; }

install_uv() {
    echo "Installing uv $UV_VERSION into .tools ..." >&2
    rm -rf .tools
    # Debian leaves venv out of Python; without it and without pip nothing can be installed but by apt-get.
    if ! has_venv && ! "$python" -m pip --version >/dev/null 2>&1; then
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
            die "$python has neither venv nor pip: run 'sudo apt-get install $package', then this again."
        fi
        echo "$python has neither venv nor pip: installing $package with apt-get ..." >&2
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$package"; } >&2 </dev/null
    fi
    if has_venv; then
        "$python" -m venv .tools
        .tools/bin/python -m pip install --quiet "uv==$UV_VERSION" >&2
    else
        "$python" -m pip install --quiet --target .tools "uv==$UV_VERSION" >&2
    fi
}

python=$(find_python)
if [ -x .tools/bin/uv ] && [ "$(.tools/bin/uv --version 2>/dev/null | cut -d' ' -f2)" = "$UV_VERSION" ]; then
    uv=.tools/bin/uv
elif command -v uv >/dev/null && uv --version 2>/dev/null | recent_enough; then
    uv=uv
else
    install_uv
    uv=.tools/bin/uv
fi

if [ "${1:-}" = fuzz ]; then
    export UV_PROJECT_ENVIRONMENT="$here/.cache/fuzz"
    exec "$uv" sync --quiet --locked --all-extras --no-default-groups --group fuzz --python "$python"
fi

# Scripts name their interpreter by its full path: an environment that was moved here would look for it at the old one.
if [ -e .venv ] && ! grep -qF -e "!$here/.venv/" -e "'$here/.venv/" .venv/bin/dagster 2>/dev/null; then
    rm -rf .venv
fi
echo "Installing what uv.lock names into .venv ..." >&2
"$uv" sync --quiet --locked --all-extras --python "$python"
# Read once, what is used lies there compiled, in a shell that lets Python keep none too: else every process compiles
# Dagster anew, which takes three seconds.
env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -W ignore -c 'import pandas, pipeline.cli, pipeline.definitions'
echo "$here" >.venv/.ready
