#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# run.sh PROGRAM: lets PROGRAM (report_program.cpp) write reports of an audit, and reads them as others would: JSON
# by our schema, SARIF by the published one, CSV by Python, and the pages in a headless Chromium. Exits with 77
# where Python, its jsonschema or Chromium is not installed, unless PALETTE_KEYS_NO_SKIP is set.
#
# The schema of SARIF 2.1.0 is no part of this tree. PALETTE_SARIF_SCHEMA names a file that has it; otherwise it is
# taken from the package @microsoft/jest-sarif, where npm can get that. Without it, SARIF is not validated.
set -euo pipefail

(($# == 1)) || { echo "usage: run.sh PROGRAM" >&2; exit 2; }
program=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

source "$here/../support/servers.sh"
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome || echo chromium)
exit_unless_installed python3 "$chromium"
if ! python3 -c 'import jsonschema' 2>/dev/null; then
    echo "skipped: not installed here: jsonschema for Python"
    [[ -z ${PALETTE_KEYS_NO_SKIP:-} ]] || exit 1
    exit 77
fi
begin_scratch
export PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore

sarif_schema() {
    if [[ -n ${PALETTE_SARIF_SCHEMA:-} ]]; then
        echo "$PALETTE_SARIF_SCHEMA"
    elif command -v npm >/dev/null && (cd "$scratch" && npm pack --silent @microsoft/jest-sarif@1.0.0-beta.0) \
        >/dev/null 2>&1; then
        tar -xzf "$scratch"/microsoft-jest-sarif-*.tgz -C "$scratch" package/lib/schemas/sarif-2.1.0-rtm.5.json
        echo "$scratch/package/lib/schemas/sarif-2.1.0-rtm.5.json"
    else
        echo "SARIF is not validated: its schema is not here, and npm cannot get it" >&2
    fi
}

mkdir "$scratch/reports"
"$program" "$scratch/reports"
schema=$(sarif_schema)
python3 "$here/check_files.py" "$scratch/reports" "$here/../../docs/audit-report.schema.json" ${schema:+"$schema"}
timeout 240 python3 "$here/check_page.py" "$chromium" "$scratch/reports"
