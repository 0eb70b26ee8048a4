#!/bin/bash
# test-messages: every text that vmctl's user reads is known to gettext, and each language in po/LINGUAS has all of
# them: whole, with the same arguments, and such that vmctl speaks it. Speaks TAP.
#
# What is missing in a catalog is printed. To put it there, in po/ of a build: make vmctl.pot-update update-po, and
# translate what has an empty msgstr.
set -uo pipefail

top=${VMCTL_TOP_SRCDIR:?}
vmctl=${VMCTL_TOP_BUILDDIR:?}/vmctl
cd "$top" || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C.UTF-8
unset LANGUAGE LANG

n=0
result() {
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

# none WHAT FILE: the file, which has what is wrong, is empty.
none() {
    sed 's/^/# /' "$2"
    [ ! -s "$2" ]
    result $? "$1"
}

# messages [OPTION...] FILE: the texts of a catalog, one a line, as they are written in the source.
messages() {
    msgattrib --no-wrap "$@" 2>/dev/null | awk '
        /^#/ { next }
        /^msgid / { text = substr($0, 7); reading = 1; next }
        /^msgstr/ { if (text != "\"\"") print text; reading = 0; next }
        reading && /^"/ { text = substr(text, 1, length(text) - 1) substr($0, 2) }'
}

# The marked texts.
grep -lE '\<N?_\("' cli/*.[ch] | sort >"$work/marked"
grep -v '^#' po/POTFILES.in | sort >"$work/listed"
diff "$work/marked" "$work/listed" >"$work/wrong"
none "po/POTFILES.in lists what has marked texts" "$work/wrong"

xgettext --from-code=UTF-8 --keyword=_ --keyword=N_ --flag=_:1:pass-c-format -f "$work/listed" -o "$work/all.pot" 2>"$work/wrong"
none "they are extracted without a remark" "$work/wrong"
[ "$(grep -c '^msgid' "$work/all.pot")" -gt 900 ]
result $? "there are many of them"

# Those that are not. A text that reaches the user through these functions stands in _() or is a format of others.
grep -nE '\<(output_error|cli_fail)\(([a-z]+, )?"[^%]' cli/*.c >"$work/wrong"
none "no error is said without a mark" "$work/wrong"

# is_for_programs: what has two words and is yet nothing to translate.
is_for_programs() {
    grep -vE -e '^"(sudo|modprobe|echo|man) ' -e '^"vmctl [a-z-]+( %[sq])?( --[a-z-]+)?"$' -e '^"<' -e "='" -e '^"(unsigned )?(int|long long)"' -e '^"unsigned ' \
        -e '^"file dev dir name' -e '^"metadata not found: "' -e '^"does not have a current snapshot"' -e '^"unsupported flags"' -e '^"revert requires force"' \
        -e '^"no polkit agent available'
}
mkdir "$work/plain"
# xgettext stops at bytes that are no text. What a hint is for may be the daemon's words, and the log has virsh's.
for file in cli/*.[ch]; do sed -E 's/\\x[0-9a-f]{2}//g; s/log_say\(([A-Z_]+), "[^"]*"/log_say(\1, ""/' "$file" >"$work/plain/${file#cli/}"; done
sed -i -E 's/^    \{ "[^"]*",/    {/' "$work/plain/hint.c"
(cd "$work/plain" && ls >"$work/files" && xgettext --from-code=UTF-8 --extract-all -f "$work/files" -o "$work/every.pot" 2>/dev/null)
messages "$work/all.pot" | sort -u >"$work/marked-texts"
messages "$work/every.pot" | sort -u >"$work/every-text"
comm -13 "$work/marked-texts" "$work/every-text" | grep -E '[A-Za-z]{2,}[,:;]? +[A-Za-z]{2,}' | is_for_programs >"$work/wrong"
none "no sentence is without a mark" "$work/wrong"

# The catalogs.
has_all() {
    local language=$1
    cp "po/$language.po" "$work/$language.po"
    mkdir -p "$work/catalogs/$language/LC_MESSAGES"
    msgfmt --check -o "$work/catalogs/$language/LC_MESSAGES/vmctl.mo" "$work/$language.po" 2>"$work/wrong"
    none "$language: arguments and line ends of each text are those of the original" "$work/wrong"
    messages --translated --no-fuzzy --no-obsolete "$work/$language.po" | sort -u >"$work/translated"
    comm -23 "$work/marked-texts" "$work/translated" >"$work/wrong"
    none "$language: nothing is missing" "$work/wrong"
    {
        messages --only-fuzzy "$work/$language.po"
        messages --untranslated "$work/$language.po"
        messages --only-obsolete --clear-obsolete "$work/$language.po"
        comm -13 "$work/marked-texts" <(messages --no-obsolete "$work/$language.po" | sort -u)
    } >"$work/wrong"
    none "$language: nothing is left of before, or half done" "$work/wrong"
}

languages=$(grep -v '^#' po/LINGUAS)
for language in $languages; do has_all "$language"; done

# vmctl in them. The C library translates nothing in its locales C and C.UTF-8, and a clean machine has no other;
# under another name the second of them is one of another language.
mkdir "$work/locales"
for language in $languages; do
    case $language in *_*) name=$language ;; *) name=${language}_${language^^} ;; esac
    ln -s /usr/lib/locale/C.utf8 "$work/locales/$name.UTF-8"
done
export LOCPATH=$work/locales VMCTL_LOCALES=$work/catalogs XDG_RUNTIME_DIR=$work \
    DBUS_SESSION_BUS_ADDRESS=unix:path=$work/none

# says LOCALE TEXT WORD...: vmctl with these words says that line, wherever it says it.
says() {
    local locale=$1 text=$2 said
    shift 2
    said=$(LC_ALL=$locale timeout 60 "$vmctl" -c test:///default "$@" 2>&1)
    grep -qxF -- "$text" <<<"$said" || {
        printf '# %s\n' "${said//$'\n'/$'\n# '}"
        false
    }
    result $? "$locale: vmctl $* says: $text"
}

# columns TEXT: how many cells of a terminal it takes.
columns() { printf '%s' "$1" | wc -L; }

# values_align LOCALE WORD...: the last words of all lines begin in one column.
values_align() {
    local locale=$1 line column='' status=0
    shift
    while IFS= read -r line; do
        line=${line% [KM]*}
        [ -n "$line" ] || continue
        : "${column:=$(columns "${line% *}")}"
        [ "$(columns "${line% *}")" -eq "$column" ] || { status=1 && echo "# $line"; }
    done < <(LC_ALL=$locale timeout 60 "$vmctl" -q -c test:///default "$@")
    [ -n "$column" ] && [ "$status" -eq 0 ]
    result $? "$locale: what vmctl $* says stands in one column"
}

# table_aligns LOCALE NAME: the name in the list of domains stands below its title, and the ruler is as long.
table_aligns() {
    local locale=$1 title=$2 titles ruler row
    { IFS= read -r titles && IFS= read -r ruler && IFS= read -r row; } < <(LC_ALL=$locale timeout 60 "$vmctl" -c test:///default list)
    [ "$(columns "${titles%%"$title"*}")" -eq "$(columns "${row%%test*}")" ] &&
        [ "$(columns "$ruler")" -ge "$(columns "$titles")" ] && [ "$(columns "$ruler")" -ge "$(columns "$row")" ]
    result $? "$locale: the columns of a table are below their titles"
}

says C "error: failed to get domain 'nope'" domstate nope
says de_DE.UTF-8 "Fehler: die Domain 'nope' war nicht zu bekommen" domstate nope
says de_DE.UTF-8 "Domain 'test' angehalten" suspend test
says de_DE.UTF-8 "Fehler: unbekannter Befehl: 'frob'" frob
says de_DE.UTF-8 "    domstate <domain> [--reason]" help domstate
says de_DE.UTF-8 "    domstate - den Zustand einer Domain ausgeben" help domstate
says de_DE.UTF-8 '    "state": "running"' list --output json
says zh_CN.UTF-8 "错误：获取域 'nope' 失败" domstate nope
says zh_CN.UTF-8 "域 'test' 已挂起" suspend test
says zh_CN.UTF-8 "运行" domstate test
says zh_CN.UTF-8 "    domstate - 输出域的状态" help domstate
says zh_CN.UTF-8 " 域管理（help 关键字 'domain'）：" help domain
table_aligns de_DE.UTF-8 Name
table_aligns zh_CN.UTF-8 名称
values_align de_DE.UTF-8 dominfo test
values_align zh_CN.UTF-8 dominfo test
values_align zh_CN.UTF-8 nodeinfo

echo "1..$n"
