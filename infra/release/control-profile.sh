#!/usr/bin/env bash
# Writes the profile `control`: the role that begins releases and answers their acts, taken with GitHub's own identity of this job.
# Usage: control-profile.sh <role ARN>. A job acts with another role, so that what is answered and what acts cannot be mixed up.
set -euo pipefail
role=${1:?ARN of the role}
: "${ACTIONS_ID_TOKEN_REQUEST_URL:?needs id-token: write}" "${ACTIONS_ID_TOKEN_REQUEST_TOKEN:?needs id-token: write}"
[[ $role =~ ^arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$ ]] || { echo "no ARN of a role: $role" >&2; exit 2; }
folder=${AWS_CONFIG_FOLDER:-$HOME/.aws}
mkdir -p "$folder"
umask 077
# Tokens are read from files, not from arguments, which others can read.
curl --fail --silent --show-error --config <(printf 'header = "Authorization: bearer %s"\n' "$ACTIONS_ID_TOKEN_REQUEST_TOKEN") \
  "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=sts.amazonaws.com" | jq --exit-status --raw-output .value > "$folder/control-token"
cat >> "$folder/config" << PROFILE
[profile control]
role_arn = $role
web_identity_token_file = $folder/control-token
role_session_name = epsilon-release
duration_seconds = 14400
PROFILE
