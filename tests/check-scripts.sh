#!/bin/bash
# check-scripts: shellcheck finds nothing in the tree's shell scripts. Speaks TAP.
set -euo pipefail
cd "${VMCTL_TOP_SRCDIR:-$(dirname "$0")/..}"

mapfile -t scripts < <(find bootstrap .ci/run tests -type f ! -name '*.c' ! -name '*.log' ! -name '*.trs' \
    -exec awk 'FNR == 1 && /^#!\/bin\/(ba)?sh|^# shellcheck shell/ { print FILENAME }' {} + | sort)
if ! command -v shellcheck >/dev/null; then
    echo "1..0 # SKIP shellcheck is not installed"
    exit
fi
echo "1..$((${#scripts[@]} + 1))"
n=0
for script in "${scripts[@]}"; do
    n=$((n + 1))
    if found=$(shellcheck -x "$script"); then
        echo "ok $n - $script"
    else
        echo "not ok $n - $script"
        printf '# %s\n' "${found//$'\n'/$'\n# '}"
    fi
done
# That nothing was found must not mean that nothing was looked at.
n=$((n + 1))
# shellcheck disable=SC2016 # the very mistake
if printf '#!/bin/sh\nrm $1/*\n' | shellcheck - >/dev/null; then
    echo "not ok $n - catches an unquoted word"
else
    echo "ok $n - catches an unquoted word"
fi
