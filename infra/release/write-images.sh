#!/usr/bin/env bash
# Prints the one file of an environment that names digests. Usage: write-images.sh <production|staging> < images
# Each line: a name, and where the image is, by digest. Ends with 2 when a line is anything else, or an image is missing.
set -euo pipefail
environment=${1:?environment (production, staging)}
made=$(mktemp)
trap 'rm -f "$made"' EXIT
cat > "$made" <<HEAD
# Written whole by a release (infra/release/write-images.sh): the only place of $environment that names a digest.
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
images:
HEAD
names=
while read -r name image; do
  [[ $name =~ ^[a-z][a-z0-9-]*$ && $image =~ ^([a-z0-9./:_-]+)@(sha256:[0-9a-f]{64})$ ]] ||
    { echo "not an image by digest: $name $image" >&2; exit 2; }
  printf -- '- name: %s\n  newName: %s\n  digest: %s\n' "$name" "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" >> "$made"
  names="$names $name"
done
for wanted in backend-api ml-engine smoke; do
  [[ " $names " == *" $wanted "* ]] || { echo "no image of $wanted" >&2; exit 2; }
done
cat "$made"
