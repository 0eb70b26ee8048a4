#!/bin/bash
# test-messages: every source with text that vmctl's user reads is known to gettext, and all texts can be
# extracted. Speaks TAP.
set -uo pipefail
cd "${VMCTL_TOP_SRCDIR:?}" || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

n=0
result() {
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

echo 1..3
grep -lE '\<N?_\("' cli/*.[ch] | sort >"$work/marked"
grep -v '^#' po/POTFILES.in | sort >"$work/listed"
diff "$work/marked" "$work/listed" | sed 's/^/# /'
result $((PIPESTATUS[0])) "po/POTFILES.in lists what has marked texts"

xgettext --from-code=UTF-8 --keyword=_ --keyword=N_ --flag=_:1:pass-c-format -f "$work/listed" -o "$work/all.pot" 2>"$work/err"
status=$?
sed 's/^/# /' "$work/err"
[ $status -eq 0 ] && [ ! -s "$work/err" ] && [ "$(grep -c '^msgid' "$work/all.pot")" -gt 100 ]
result $? "they are extracted without a remark"

# A text that reaches the user through these functions stands in _() or is a format of others.
grep -nE '\<(output_error|cli_fail)\(([a-z]+, )?"[^%]' cli/*.c | sed 's/^/# /' >"$work/unmarked"
cat "$work/unmarked"
[ ! -s "$work/unmarked" ]
result $? "no error is said without it"
