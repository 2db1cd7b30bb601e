#!/usr/bin/env bash
# Prints a token of Argo CD: GitHub's own for this job, exchanged at Argo CD's Dex (connector `github-actions`). Nothing is stored.
# Needs ARGOCD_SERVER, and what GitHub gives a job with the right `id-token: write`.
set -euo pipefail
: "${ARGOCD_SERVER:?host of Argo CD}" "${ACTIONS_ID_TOKEN_REQUEST_URL:?needs id-token: write}"
# Tokens are read from files, not from arguments, which others can read.
identity=$(curl --fail --silent --show-error --config <(printf 'header = "Authorization: bearer %s"\n' "$ACTIONS_ID_TOKEN_REQUEST_TOKEN") \
  "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=argo-cd-cli" | jq --exit-status --raw-output .value)
curl --fail --silent --show-error --user argo-cd-cli: "https://$ARGOCD_SERVER/api/dex/token" \
  --data-urlencode grant_type=urn:ietf:params:oauth:grant-type:token-exchange \
  --data-urlencode connector_id=github-actions \
  --data-urlencode "scope=openid groups federated:id" \
  --data-urlencode requested_token_type=urn:ietf:params:oauth:token-type:access_token \
  --data-urlencode subject_token_type=urn:ietf:params:oauth:token-type:id_token \
  --data-urlencode "subject_token@"<(printf %s "$identity") | jq --exit-status --raw-output .access_token
