#!/usr/bin/env bash
# Builds and pushes the images of a release. Usage: build-images.sh <dev|staging|prod> <region> <commit> > images
# Prints a line for each: its name and, by digest, where it is. Needs NODE_IMAGE (node@sha256:...) and a role that may push.
set -euo pipefail
environment=${1:?environment (dev, staging, prod)}
region=${2:?region, as in infra/config/<environment>.yml}
commit=${3:?commit that is built}
: "${NODE_IMAGE:?the base image, by digest}"

repository() {
  aws ssm get-parameter --region "$region" --name "/epsilon/$environment/ecr/$1-url" --query Parameter.Value --output text
}
registry=$(repository ml-engine)
registry=${registry%%/*}
aws ecr get-login-password --region "$region" | docker login --username AWS --password-stdin "$registry" >&2

digest_of() {
  aws ecr describe-images --region "$region" --repository-name "${1#*/}" --image-ids "imageTag=$2" \
    --query 'imageDetails[0].imageDigest' --output text
}

# Name, repository, Dockerfile, program. The training image of ml-engine is in the same repository as the one that serves.
while read -r name kept file program; do
  repository=$(repository "$kept")
  tag=$name-$commit
  # So that no run takes it for an image of a training stage, which may be in the same repository.
  if [[ $file = serving/* ]]; then tag=serving-$tag; fi
  # Tags never move: what a run before this one pushed is taken as it is.
  if ! digest_of "$repository" "$tag" > /dev/null 2>&1; then
    docker build --file "$file" --build-arg "NODE_IMAGE=$NODE_IMAGE" --build-arg "PROGRAM=$program" \
      --tag "$repository:$tag" . >&2 < /dev/null
    docker push "$repository:$tag" >&2 < /dev/null
  fi
  # What the registry says of it, not what this host thinks it built.
  digest=$(digest_of "$repository" "$tag")
  if ! [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]]; then
    echo "$name: the registry gave no digest but \"$digest\"" >&2
    exit 1
  fi
  echo "$name $repository@$digest"
done << 'IMAGES'
backend-api backend-api serving/Dockerfile main
ml-engine ml-engine serving/ml-engine/Dockerfile -
smoke backend-api serving/Dockerfile smoke
job-watcher job-watcher watcher/Dockerfile -
stage-data-pipeline data-pipeline workload/data-pipeline/Dockerfile -
stage-ml-engine ml-engine workload/ml-engine/Dockerfile -
stage-deployer deployer workload/deployer/Dockerfile -
IMAGES
