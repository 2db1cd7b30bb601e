#!/usr/bin/env bash
# Does one act of a release, as `epsilon release work --with infra/release/act.sh` has it done.
# Usage: act.sh <move|smoke|watch|keep|back|deploy|restore> <production|staging>
# API_URL is that of backend-api, for the smoke tests. Reads RELEASE_COMMIT and RELEASE_IMAGES (a file, as build-images.sh prints it), and RELEASE_REPLACES with RELEASE_REPLACES_IMAGES: what
# is returned to, where something was kept before. Ends with 0 when the act is done; else its last line says why not. Doing one again is
# safe: what is there already is left as it is.
set -euo pipefail
act=${1:?act}
environment=${2:?environment (production, staging)}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ref=release/$environment
app=embeddings-saas-$environment
pause=${RELEASE_PAUSE:-5}
url=${API_URL:-}
. "$here/steps.sh"

fail() { say "${why:-$*}"; exit 1; }

# Moves the ref to a tree, unless it is there.
to() {
  [ "$(git rev-parse "$head^{tree}")" = "$1" ] || move "$1" "$2" || { why="$ref could not be moved: somebody else moved it"; return 1; }
}

# Deploys the control plane of a commit, from a checkout of its own, whose scripts of packages do not run.
deploy() {
  local stage=${environment/production/prod} folder
  folder=$(mktemp -d)
  git fetch --quiet origin "$1" || true
  git worktree add --quiet --detach "$folder" "$1" || { why="there is no commit $1"; return 1; }
  (cd "$folder" && npm ci --ignore-scripts && npm audit signatures && npx serverless deploy --stage "$stage") >&2 ||
    { why="the control plane of $1 could not be deployed"; return 1; }
  git worktree remove --force "$folder"
}

# The token with which a ref is moved: of the GitHub App, for an hour; none where RELEASE_APP_ID names no App.
take_ref_token() {
  if [ -z "${RELEASE_APP_ID:-}" ]; then return 0; fi
  RELEASE_TOKEN=$("$here/app-token.sh" "${environment/production/prod}" "${AWS_REGION:?}")
  echo "::add-mask::$RELEASE_TOKEN"
  use_ref_token
}

# A deploy that still moves aliases would move them on.
stop_deploy() {
  local stack=epsilon-${environment/production/prod} status
  status=$(aws cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].StackStatus' --output text) || return 0
  [ "$status" = UPDATE_IN_PROGRESS ] || return 0
  aws cloudformation cancel-update-stack --stack-name "$stack"
  aws cloudformation wait stack-rollback-complete --stack-name "$stack" || { why="$stack could not be rolled back"; return 1; }
}

why=
case $act in
  move)
    take_token
    take_ref_token
    fetch
    after=$(tree_of "$RELEASE_COMMIT" "$RELEASE_IMAGES") || fail "the images or the commit are not what a release takes"
    to "$after" "Release $RELEASE_COMMIT to $environment" || fail
    sync || fail "Argo CD could not sync"
    # Five minutes, as the specification has it.
    await live "${RELEASE_WAIT:-300}" || fail
    ;;
  smoke) smoke || fail ;;
  watch)
    # The analysis after the promotion takes five minutes.
    await healthy "${RELEASE_WATCH:-480}" || fail
    smoke || fail
    ;;
  keep)
    take_ref_token
    fetch
    git push --quiet --force origin "$head:refs/heads/$ref-good" || fail "$ref-good could not be moved"
    ;;
  back)
    take_token
    take_ref_token
    fetch
    if [ -n "${RELEASE_REPLACES:-}" ]; then
      before=$(tree_of "$RELEASE_REPLACES" "$RELEASE_REPLACES_IMAGES") || fail "there is nothing to go back to"
    fi
    message="Roll back $RELEASE_COMMIT in $environment"
    # Asked again, it is there already, and what was before the newest commit is the bad one.
    if [ "$(git log -1 --format=%s "$head")" != "$message" ]; then to "$before" "$message" || fail; fi
    # Without hooks: the way back changes no schema, and waits for no job.
    sync --strategy apply || fail "Argo CD could not sync"
    await healthy "${RELEASE_WAIT:-300}" || fail
    smoke || fail
    ;;
  deploy) deploy "$RELEASE_COMMIT" || fail ;;
  restore)
    stop_deploy || fail
    if [ -n "${RELEASE_REPLACES:-}" ]; then deploy "$RELEASE_REPLACES" || fail; fi
    ;;
  *)
    echo "there is no act \"$act\"" >&2
    exit 2
    ;;
esac
say "$act of $environment is done."
