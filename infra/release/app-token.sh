#!/usr/bin/env bash
# Prints a token of the GitHub App that may move the refs release/*: for an hour, this repository and its contents alone.
# Usage: app-token.sh <staging|prod> <region>. The App's key is in Secrets Manager, where the role of the job may read it; GitHub keeps none.
set -euo pipefail
environment=${1:?environment (staging, prod)}
region=${2:?region, as in infra/config/<environment>.yml}
: "${RELEASE_APP_ID:?id of the GitHub App}" "${GITHUB_REPOSITORY:?owner/name}"
api=${GITHUB_API_URL:-https://api.github.com}

# The first field of that name in an answer of GitHub's, text or number.
field() { tr -d '\n' | grep --only-matching "\"$1\": *\"\{0,1\}[^\",}]*" | head -n 1 | sed 's/^"[^"]*": *"\{0,1\}//'; }
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
# Asks GitHub; the token is read from standard input, because arguments of a process can be read by others.
ask() {
  printf 'header = "Authorization: Bearer %s"\n' "$1" |
    curl --fail --silent --show-error --config - --header 'Accept: application/vnd.github+json' "${@:2}"
}

key=$(aws secretsmanager get-secret-value --region "$region" --secret-id "epsilon/$environment/release-app-key" \
  --query SecretString --output text)
now=$(date +%s)
claim=$(printf '{"alg":"RS256","typ":"JWT"}' | base64url).$(
  printf '{"iat":%d,"exp":%d,"iss":"%s"}' $((now - 60)) $((now + 540)) "$RELEASE_APP_ID" | base64url
)
signed=$claim.$(printf '%s' "$claim" | openssl dgst -sha256 -sign <(printf '%s\n' "$key") | base64url)
installation=$(ask "$signed" "$api/repos/$GITHUB_REPOSITORY/installation" | field id)
[[ $installation =~ ^[0-9]+$ ]] || { echo "the GitHub App $RELEASE_APP_ID is not installed in $GITHUB_REPOSITORY" >&2; exit 1; }
token=$(ask "$signed" --request POST "$api/app/installations/$installation/access_tokens" \
  --data "{\"repositories\":[\"${GITHUB_REPOSITORY#*/}\"],\"permissions\":{\"contents\":\"write\"}}" | field token)
[ -n "$token" ] || { echo "GitHub gave no token for installation $installation" >&2; exit 1; }
echo "$token"
