#!/bin/sh
# Whether a release of something in uv.lock has a known weakness, asked of osv.dev. Called by `make audit`.
# Exit status 1: it has, or nobody could be asked; both are said.
set -eu
cd "$(dirname "$0")/.."
uv=.tools/bin/uv
[ -x "$uv" ] || uv=uv
said=$(mktemp)
trap 'rm -f "$said"' EXIT
if "$uv" audit --preview-features audit --frozen >"$said" 2>&1; then
    cat "$said"
    exit
fi
cat "$said" >&2
# A finding names its GHSA or PYSEC number; what names none is about the way there.
if ! grep -qE 'GHSA-|PYSEC-|CVE-' "$said"; then
    echo "Nothing was audited: https://api.osv.dev could not be asked. Run this where it can." >&2
fi
exit 1
