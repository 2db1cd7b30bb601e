#!/usr/bin/env bash
# Installs Pulumi for a job of CI, checked against its published sums. Usage: install-pulumi.sh <version> <folder>
set -euo pipefail
version=${1:?version}
folder=${2:?folder}
base=https://github.com/pulumi/pulumi/releases/download/v$version
file=pulumi-v$version-linux-x64.tar.gz
cd "$folder"
curl -fsSLO "$base/$file"
curl -fsSL "$base/pulumi-$version-checksums.txt" | grep " $file\$" | sha256sum --check --strict
tar -xzf "$file"
if [ -n "${GITHUB_PATH:-}" ]; then echo "$folder/pulumi" >> "$GITHUB_PATH"; fi
