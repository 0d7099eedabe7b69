# What is the same for every cloud: join once, say what came of it, and leave no copy of the code.
# A run that is cut off leaves this script to the next boot; any other takes it away.
set -u
umask 077
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/bin
LC_ALL=C
export PATH LC_ALL

# Where cloud-init keeps the user data, which holds this script.
boot_places='/var/lib/cloud /run/cloud-init /var/log/cloud-init.log /var/log/cloud-init-output.log'
stars=$(printf '%s' "$code" | sed 's/./*/g')

tell() {
    printf 'pulumi-hybrid: %s\n' "$1" >&2
    logger -t pulumi-hybrid -- "$1" 2>/dev/null
}

# A text with stars in place of the code.
hidden() {
    rest=$1
    shown=
    while [ "$rest" != "${rest#*"$code"}" ]; do
        shown=$shown${rest%%"$code"*}$stars
        rest=${rest#*"$code"}
    done
    printf '%s' "$shown$rest"
}

# The files that hold the code. It travels by pipes: arguments are for all to see.
holding() {
    printf '%s\n' "$code" | grep -rlF -f /dev/stdin -- "$@" 2>/dev/null
}

# As many stars as the code is long leave every file's form as it is, cloud-init's pickled one's
# too; a file that is written to, and not replaced, goes on being written to by who has it open.
forget() {
    forget_more
    pattern=$(printf '%s' "$code" | sed 's/[][\.*^$|]/\\&/g')
    # shellcheck disable=SC2086 # lists of paths without spaces
    holding $boot_places $agent_places | while IFS= read -r file; do
        printf 's|%s|%s|g\n' "$pattern" "$stars" | sed -f /dev/stdin -- "$file" >"$scratch/clean" &&
            cat "$scratch/clean" >"$file"
    done
    # shellcheck disable=SC2086
    left=$(holding $boot_places $agent_places)
    [ -z "$left" ] || tell "the code is still in $left"
}

finish() {
    [ -z "$(holding "$0")" ] || rm -f -- "$0"
    forget
    exit "$1"
}

fail() {
    tell "this machine did not join $region: $1"
    finish 1
}

download() {
    if command -v curl >/dev/null; then
        curl -fsSL --retry 3 -o "$2" "$1"
    else
        wget -q -O "$2" "$1"
    fi
}

# Any answer will do, an error too.
reachable() {
    if command -v curl >/dev/null; then
        curl -s -o /dev/null -m 10 "https://$host/"
    else
        getent hosts "$host" >/dev/null
    fi
}

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

if [ -n "$(identity)" ]; then
    tell "this machine had joined before, as $(identity): nothing was registered"
    finish 0
fi

tries=0
until reachable; do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || fail "$host could not be reached"
    sleep 10
done

if ! find_agent; then
    (install_agent) || fail "its agent could not be installed"
    find_agent || fail "its agent is not where it was to be installed"
fi

# A refusal is repeated: the first seconds of a network are not its best.
tries=0
until register; do
    tries=$((tries + 1))
    tell "the agent said: $(hidden "$said")"
    [ "$tries" -lt 3 ] || fail "its agent could not register, see above"
    sleep 10
done
tell "this machine joined $region as $(identity)"
if ! take_effect; then
    tell "its agent could not be restarted, and works as what it was until then"
    finish 1
fi
finish 0
