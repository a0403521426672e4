#!/bin/sh
# Tests that look at the user interface need a browser. Without one they fail: this only says so beforehand.
set -eu

works() { command -v "$1" >/dev/null && "$1" --version >/dev/null 2>&1; }

for browser in "${CHROMIUM:-chromium}" chromium-browser google-chrome; do
    if works "$browser"; then
        exit 0
    fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Chromium with apt-get for the browser tests ..." >&2
    if apt-get update -qq >&2 </dev/null && apt-get install -y -qq --no-install-recommends chromium >/dev/null </dev/null; then
        exit 0
    fi
fi
echo "No Chromium: tests that need a browser will fail. Install it (sudo apt-get install chromium), or name it in CHROMIUM." >&2
