#!/usr/bin/env bash
# Releases a commit to an environment, and takes it back when it is bad.
# Usage: release.sh <production|staging> <commit> <images> <url>
#   <images>  what build-images.sh printed      <url>  of backend-api, for the smoke tests
# Moves release/<environment> forward by one commit: the tree of <commit> with these images. Ends with 0 when both applications
# are live and healthy. Otherwise release/<environment> gets another commit, with the tree that was there before; the message says why,
# and the exit code is 1. Never `argocd app rollback` and never `--revision`: both are refused while Argo CD syncs by itself.
set -euo pipefail
environment=${1:?environment (production, staging)}
commit=${2:?commit}
images=$(realpath "${3:?file with the images}")
url=${4:?URL of backend-api}
here=$(cd "$(dirname "$0")" && pwd)
ref=release/$environment
app=embeddings-saas-$environment
: "${ARGOCD_SERVER:?host of Argo CD}"
pause=${RELEASE_PAUSE:-5}

# A runner of CI has no identity of its own.
export GIT_AUTHOR_NAME=${GIT_AUTHOR_NAME:-epsilon-release} GIT_AUTHOR_EMAIL=${GIT_AUTHOR_EMAIL:-epsilon-release@users.noreply.github.com}
export GIT_COMMITTER_NAME=${GIT_COMMITTER_NAME:-$GIT_AUTHOR_NAME} GIT_COMMITTER_EMAIL=${GIT_COMMITTER_EMAIL:-$GIT_AUTHOR_EMAIL}

say() {
  echo "$*" >&2
  if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then echo "$*" >> "$GITHUB_STEP_SUMMARY"; fi
}

# Points the ref to a new commit; the push fails when somebody else moved it meanwhile.
move() {
  local tree=$1 message=$2 made
  # A push of nothing would delete the ref.
  made=$(git commit-tree "$tree" -p "$head" -m "$message") && [ -n "$made" ] || return 1
  git push --quiet origin "$made:refs/heads/$ref" || return 1
  head=$made
}

sync() { argocd app sync "$app" --server "$ARGOCD_SERVER" --grpc-web --timeout 120; }

# Whether a Rollout has seen what was applied and is live or healthy; `why` says what it is. 2: it was aborted, waiting is no use.
is() {
  local what=$1 name=$2 generation observed aborted hash active phase
  IFS='|' read -r generation observed aborted hash active phase < <(
    kubectl --namespace "$environment" get rollout "$name" --output 'jsonpath={.metadata.generation}|{.status.observedGeneration}|{.status.abort}|{.status.currentPodHash}|{.status.blueGreen.activeSelector}|{.status.phase}'
    echo
  )
  why="$name is not $what (phase ${phase:-unknown}, new colour ${hash:-unknown}, live ${active:-unknown})"
  # Until then it says what was before.
  if [ -z "$generation" ] || [ "$generation" != "$observed" ]; then return 1; fi
  if [ "$aborted" = true ]; then
    why="$name was aborted: its analysis failed, or it did not start"
    return 2
  fi
  case $what in
    live) [ -n "$hash" ] && [ "$hash" = "$active" ] ;;
    healthy) [ "$phase" = Healthy ] && [ "$hash" = "$active" ] ;;
  esac
}

# Waits so many seconds for both applications.
await() {
  local what=$1 until=$((SECONDS + $2)) name code
  for name in backend-api ml-engine; do
    until
      code=0
      is "$what" "$name" || code=$?
      [ "$code" = 0 ]
    do
      if [ "$code" = 2 ] || [ "$SECONDS" -ge "$until" ]; then return 1; fi
      sleep "$pause"
    done
  done
}

smoke() {
  local path
  for path in /health /ready; do
    if ! curl --fail --silent --show-error --retry 2 --max-time 10 --output /dev/null "$url$path"; then
      why="$url$path does not answer with success"
      return 1
    fi
  done
}

# Each step says by `why` what was wrong with it.
go() {
  sync || { why="Argo CD could not sync"; return 1; }
  # Five minutes, as the specification has it.
  await live "${RELEASE_WAIT:-300}" || return 1
  smoke || return 1
  # The analysis after the promotion takes five minutes more.
  await healthy "${RELEASE_WATCH:-480}" || return 1
  smoke
}

# In the environment, not in an argument: arguments of a process can be read by others.
if [ -n "${RELEASE_TOKEN:-}" ]; then
  basic=$(printf 'x-access-token:%s' "$RELEASE_TOKEN" | base64 --wrap 0)
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=http.https://github.com/.extraheader
  export GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $basic"
fi

git fetch --quiet --prune origin "+refs/heads/release/*:refs/remotes/origin/release/*"
head=$(git rev-parse --verify "refs/remotes/origin/$ref")
# What was good last: a release that died half-way left its own tree on the ref.
before=$(git rev-parse --verify --quiet "refs/remotes/origin/$ref-good^{tree}" || git rev-parse "$head^{tree}")
commit=$(git rev-parse --verify "$commit^{commit}")
file=infra/k8s/serving/$environment/images/kustomization.yaml
written=$("$here/write-images.sh" "$environment" < "$images")
# The tree of the commit with that file, made beside the working copy, which stays as it is.
GIT_INDEX_FILE=$(mktemp --dry-run)
export GIT_INDEX_FILE
git read-tree "$commit"
git update-index --add --cacheinfo "100644,$(git hash-object -w --stdin <<< "$written"),$file"
after=$(git write-tree)
rm -f "$GIT_INDEX_FILE"
unset GIT_INDEX_FILE
# One token a release: it outlives the twenty minutes that this takes at most.
ARGOCD_AUTH_TOKEN=${ARGOCD_AUTH_TOKEN:-$("$here/argocd-token.sh")}
export ARGOCD_AUTH_TOKEN
why=
move "$after" "Release $commit to $environment"
if go; then
  git push --quiet --force origin "$head:refs/heads/$ref-good"
  say "Released $commit to $environment ($head)."
  exit 0
fi
say "The release of $commit to $environment failed: ${why:-unknown}. Going back."
if ! move "$before" "Roll back $commit in $environment: ${why:-unknown}"; then
  say "$ref could not be moved back: somebody else moved it. $environment has the bad release. Look at it now (docs/deploy.md)."
  exit 1
fi
if sync && await healthy "${RELEASE_WAIT:-300}" && smoke; then
  say "$environment is back on what was there before ($head)."
else
  say "$environment is NOT well after going back: ${why:-Argo CD could not sync}. Look at it now (docs/operate.md)."
fi
exit 1
