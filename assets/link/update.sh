#!/bin/sh
# Writes append.ld anew: which functions an append calls, found by following one.
# Needs valgrind and nm. Run from the project's root, after `cargo build --release`:
#
#     sh assets/link/update.sh > append.ld && mv append.ld assets/link/append.ld
set -eu
program=${1:-target/release/chronoscope}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
program=$(realpath "$program")

# What is followed: an event from flags, one from standard input, one from inside a repository.
append() {
    valgrind --tool=callgrind --demangle=no --callgrind-out-file="$work/calls.$1" \
        "$program" --append --store "$work/events" --issue A-1 --actor agent:a@m \
        --session 5e551000-0000-4000-8000-000000000000 $2 >"$work/out" 2>"$work/log" \
        || { cat "$work/log" >&2; exit 1; }
}
flags="--type AgentProgressed --meta agent_name=a --meta progress:=7"
mkdir -p "$work/repository/.git/refs/heads"
echo "ref: refs/heads/main" >"$work/repository/.git/HEAD"
echo 0123456789012345678901234567890123456789 >"$work/repository/.git/refs/heads/main"
cd "$work"
append first "$flags"
rm "$work/calls.first"
append flags "$flags"
echo '{"event_type":"AgentProgressed","metadata":{"agent_name":"a","progress":7}}' >"$work/event"
append input "" <"$work/event"
cd "$work/repository"
append git "$flags"

sed -n 's/^c\{0,1\}fn=([0-9]*) //p' "$work"/calls.* | sed "s/'[0-9]*$//" | sort -u >"$work/called"
nm --defined-only -S -t d "$program" \
    | awk 'NF == 4 && $3 ~ /[tTwWi]/ { print $4, $2 + 0 }' >"$work/symbols"
nm -A --defined-only "$(cc -print-file-name=libc.a)" 2>"$work/log" \
    | awk -F: '{ split($NF, part, " "); print part[3], $2 }' >"$work/members"

cat <<'TEXT'
/* The functions that an append calls, one behind the other: it is over in about a millisecond, and
   each part of the program that it touches has to be mapped. Written by update.sh; a name that is
   no more does no harm. */
SECTIONS {
  .text.append : {
TEXT
# Instances of one generic function differ only in their hash, which is not the same everywhere:
# the more of a name's instances are not called, the later it stands.
awk -v symbols="$work/symbols" -v members="$work/members" '
function pattern(name) {
    gsub(/17h[0-9a-f]+E$/, "17h*E", name)
    gsub(/17h[0-9a-f]+E\./, "17h*E.", name)
    while (match(name, /Cs[0-9A-Za-z]+_/))
        name = substr(name, 1, RSTART - 1) "C\001*_" substr(name, RSTART + RLENGTH)
    gsub(/\001/, "s", name)
    return name
}
BEGIN {
    while ((getline line < symbols) > 0) {
        split(line, part, " ")
        size[part[1]] = part[2]
        all[pattern(part[1])] += part[2]
    }
    while ((getline line < members) > 0) {
        split(line, part, " ")
        member[part[1]] = part[2]
    }
}
/^_(ZN|R)/ { called[pattern($1)] += size[$1]; next }
$1 in member { library[member[$1]] = 1 }
END {
    for (name in library) printf "0 *libc.a:%s(.text .text.*)\n", name
    for (name in called) {
        rest = all[name] - called[name]
        if (rest < 65536) printf "%d *(.text.%s)\n", rest < 2048 ? 1 : rest, name
    }
}' "$work/called" | LC_ALL=C sort -k1,1n -k2 | sed 's/^[0-9]* /    /'
cat <<'TEXT'
  }
} INSERT BEFORE .text;
TEXT
