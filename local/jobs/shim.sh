#!/bin/sh
# Runs one job so that its fate is on disk whoever else dies.
# usage: shim.sh FOLDER COMMAND [ARGUMENT...]
# FOLDER/running is made first and only once: a second shim for the same job leaves at once.
folder=$1
shift
mkdir "$folder/running" 2>/dev/null || exit 0

finish() {
  printf '%s\n' "$1" > "$folder/exit.tmp"
  mv -f "$folder/exit.tmp" "$folder/exit.json"
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

"$@" < /dev/null >> "$folder/stdout.log" 2>> "$folder/stderr.log" &
job=$!
trap 'kill -TERM "$job" 2>/dev/null' TERM INT HUP
printf '{"shim":%s,"shimStart":"%s","job":%s}\n' "$$" "$(identity $$)" "$job" > "$folder/started.tmp"
mv -f "$folder/started.tmp" "$folder/started.json"

# A trapped signal interrupts wait: wait again until the job is really gone.
while :; do
  wait "$job"
  code=$?
  kill -0 "$job" 2>/dev/null || break
done
finish "{\"code\":$code}"
