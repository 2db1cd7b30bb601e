# Steps of a release, for act.sh, which sets environment, ref, app, pause, url and here.
# shellcheck shell=bash disable=SC2154

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

sync() { argocd app sync "$app" --server "$ARGOCD_SERVER" --grpc-web --timeout 120 "$@"; }

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

# In the environment, not in an argument: arguments of a process can be read by others.
use_ref_token() {
  local basic
  basic=$(printf 'x-access-token:%s' "$RELEASE_TOKEN" | base64 --wrap 0)
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=http.https://github.com/.extraheader
  export GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $basic"
}

# Reads the ref, and the tree to return to: what was kept last, or else what was there before the newest commit.
fetch() {
  git fetch --quiet --prune origin "+refs/heads/release/*:refs/remotes/origin/release/*"
  head=$(git rev-parse --verify "refs/remotes/origin/$ref")
  before=$(git rev-parse --verify --quiet "refs/remotes/origin/$ref-good^{tree}" || git rev-parse --verify --quiet "$head~1^{tree}" || git rev-parse "$head^{tree}")
}

# Prints the tree of a commit with the file that names these images, made beside the working copy, which stays as it is.
tree_of() {
  local commit written
  commit=$(git rev-parse --verify "$1^{commit}") || return 1
  written=$("$here/write-images.sh" "$environment" < "$2") || return 2
  GIT_INDEX_FILE=$(mktemp --dry-run)
  export GIT_INDEX_FILE
  git read-tree "$commit"
  git update-index --add --cacheinfo "100644,$(git hash-object -w --stdin <<< "$written"),infra/k8s/serving/$environment/images/kustomization.yaml"
  git write-tree
  rm -f "$GIT_INDEX_FILE"
  unset GIT_INDEX_FILE
}

# One token a process: it outlives the twenty minutes that a release takes at most.
take_token() {
  ARGOCD_AUTH_TOKEN=${ARGOCD_AUTH_TOKEN:-$("$here/argocd-token.sh")}
  export ARGOCD_AUTH_TOKEN
}
