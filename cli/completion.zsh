#compdef vmctl
# zsh completion for vmctl: commands, options and names of domains, networks and so on, from vmctl itself.

local -a proposed
local i=2
local -a global
while (( i < CURRENT )); do
    case ${words[i]} in
        -c|--connect) global=(-c "${words[i+1]}"); (( i += 2 )) ;;
        -d|-e|-k|-K|-l|-o|--debug|--escape|--log|--output) (( i += 2 )) ;;
        -*) (( i += 1 )) ;;
        *) break ;;
    esac
done
proposed=("${(@f)$(vmctl -q "${global[@]}" complete -- "${(@)words[i,CURRENT]}" 2>/dev/null)}")
proposed=("${(@)proposed:#}")
if (( ${#proposed} )); then
    compadd -a proposed
else
    _files
fi
