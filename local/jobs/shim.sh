#!/bin/sh
# Runs one job so that its fate is on disk whoever else dies.
# usage: shim.sh FOLDER COMMAND [ARGUMENT...]; FOLDER is absolute
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

# Everything that the job starts inherits this, whatever group or session it moves to; this shell does not have it.
mark=EPSILON_PROGRESS_PATH=$folder/progress.jsonl

{ export "$mark"; exec "$@"; } < /dev/null >> "$folder/stdout.log" 2>> "$folder/stderr.log" &
job=$!
trap 'kill -TERM "$job" 2>/dev/null' TERM INT HUP

# A trapped signal interrupts wait: wait again until the job is really gone.
while :; do
  wait "$job"
  code=$?
  kill -0 "$job" 2>/dev/null || break
done

# Kills what is left of the job and counts it: nothing outlives its attempt, as on the cluster, where the container goes.
end_left() {
  found=0
  [ -d /proc/self ] || return
  for left in $(env -i PATH="$PATH" grep -lszxF -e "$mark" /proc/[0-9]*/environ 2>/dev/null); do
    left=${left#/proc/}
    kill -KILL "${left%/environ}" 2>/dev/null && found=$((found + 1))
  done
  for stat in /proc/[0-9]*/stat; do
    { read -r line < "$stat"; } 2>/dev/null || continue
    rest=${line##*) }
    set -- $rest
    # State, parent, group: of this group, but not this shell, and not dead.
    [ "$3" = $$ ] && [ "$1" != Z ] && [ "${line%% *}" != $$ ] || continue
    kill -KILL "${line%% *}" 2>/dev/null && found=$((found + 1))
  done
}

total=0
rounds=0
end_left
# What is being killed may have forked meanwhile. What even SIGKILL does not end (it waits for a device) keeps nobody for ever.
while [ "$found" -gt 0 ] && [ "$rounds" -lt 50 ]; do
  [ "$rounds" -gt 0 ] || total=$found
  rounds=$((rounds + 1))
  end_left
done
finish "{\"code\":$code,\"left\":$total}"
