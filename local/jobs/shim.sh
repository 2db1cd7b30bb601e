#!/bin/sh
# Runs one job so that its fate is on disk whoever else dies.
# usage: shim.sh FOLDER COMMAND [ARGUMENT...]
# FOLDER/running is made first and only once: a second shim for the same job leaves at once.
folder=$1
shift
mkdir "$folder/running" 2>/dev/null || exit 0

# A file is there whole or not at all: with a full disk printf fails, and nothing takes the file's name.
record() {
  { printf '%s\n' "$2" > "$folder/$1.tmp"; } 2>/dev/null && mv -f "$folder/$1.tmp" "$folder/$1.json"
}

# The job is over but not yet on record: as long as this shim lives it counts as running. Wait for room on the disk.
finish() {
  until record exit "$1"; do
    [ -d "$folder" ] || exit 1
    sleep 1
  done
}

if [ -e "$folder/cancel.json" ]; then
  finish '{"neverStarted":true}'
  exit 0
fi

identity() {
  if [ -r "/proc/$1/stat" ]; then
    read -r line < "/proc/$1/stat"
    # The name stands in brackets and may hold spaces: count fields behind it. Field 22 is the start time.
    rest=${line##*) }
    set -- $rest
    shift 19
    printf '%s' "$1"
  else
    ps -o lstart= -p "$1" | tr -d '\n'
  fi
}

# Who runs it is on record before anything runs. Where that cannot be written nothing is started, and the job counts as lost.
record started "{\"shim\":$$,\"shimStart\":\"$(identity $$)\"}" || exit 1

"$@" < /dev/null >> "$folder/stdout.log" 2>> "$folder/stderr.log" &
job=$!
trap 'kill -TERM "$job" 2>/dev/null' TERM INT HUP

# A trapped signal interrupts wait: wait again until the job is really gone.
while :; do
  wait "$job"
  code=$?
  kill -0 "$job" 2>/dev/null || break
done
finish "{\"code\":$code}"
