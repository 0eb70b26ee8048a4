# bash completion for vmctl: commands, options and names of domains, networks and so on, from vmctl itself.

_vmctl()
{
    local word=${COMP_WORDS[COMP_CWORD]} i=1 global=()
    # Options of vmctl itself stand before the command; those that say which daemon are passed on.
    while [ $i -lt "$COMP_CWORD" ]; do
        case ${COMP_WORDS[i]} in
        -c | --connect)
            global=(-c "${COMP_WORDS[i + 1]}")
            i=$((i + 2))
            ;;
        -d | -e | -k | -K | -l | -o | --debug | --escape | --log | --output) i=$((i + 2)) ;;
        -*) i=$((i + 1)) ;;
        *) break ;;
        esac
    done
    local IFS=$'\n'
    # The words are completed by vmctl; the shell only quotes them.
    mapfile -t COMPREPLY < <(vmctl -q "${global[@]}" complete -- "${COMP_WORDS[@]:i:COMP_CWORD-i}" "$word" 2>/dev/null)
    [ ${#COMPREPLY[@]} -eq 0 ] || mapfile -t COMPREPLY < <(printf '%q\n' "${COMPREPLY[@]}")
}

complete -o default -F _vmctl vmctl
