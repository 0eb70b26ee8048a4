#!/bin/bash
# Every thread of the VMM takes the seccomp filter of its role before anything else: a source that makes
# threads says which role theirs is. Speaks TAP.
set -uo pipefail

top=${VMCTL_TOP_SRCDIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}

# roleless DIR: sources that make threads without a role.
roleless() { grep -rlE --include='*.c' '\bpthread_create\(&' "$1" | xargs -r grep -LE '\bconfine_thread\(CONFINE_' | sort; }

check() {
    if [ "$3" = "$4" ]; then
        echo "ok $1 - $2"
    else
        echo "not ok $1 - $2"
        echo "# ${3//$'\n'/$'\n# '}"
    fi
}

echo 1..2
check 1 "threads take the filters of their roles" "$(roleless "$top/qemu-kvm-backend")" ''

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo 'pthread_create(&thread, NULL, work, NULL);' >"$work/bad.c"
printf '%s\n' 'pthread_create(&thread, NULL, work, NULL);' 'confine_thread(CONFINE_IO);' >"$work/good.c"
check 2 "one without is seen" "$(roleless "$work")" "$work/bad.c"
