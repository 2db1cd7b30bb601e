#!/usr/bin/env bash
# Creates or updates one environment: `pulumi up`, and beside it the add-ons, which begin as soon as the cluster has nodes
# and not after the database. Usage: provision.sh <dev|staging|prod> <region>, the stack being selected. May be repeated;
# fails when either part fails.
set -euo pipefail
# Each part in a process group of its own, so that a part can be ended with all it started.
set -m
environment=${1:?environment (dev, staging, prod)}
region=${2:?region, as in infra/config/<environment>.yml}
here=$(cd "$(dirname "$0")" && pwd)

(cd "$here/pulumi" && exec pulumi up --yes --non-interactive --policy-pack policy) &
up=$!
"$here/argocd/addons/bootstrap.sh" "$environment" "$region" &
addons=$!
# Add-ons need not wait for resources that will not come; `pulumi up` is never cut short, whatever became of the add-ons.
trap 'kill -- "-$addons" 2>/dev/null || true' EXIT
wait "$up"
wait "$addons"
# How long it took, beside the target of thirty minutes (alert ProvisioningSlow). What cannot be noted is no failure of what was made.
aws cloudwatch put-metric-data --region "$region" --namespace Epsilon/Infrastructure --metric-name ProvisioningSeconds \
  --dimensions "environment=$environment" --unit Seconds --value "$SECONDS" ||
  echo "provision.sh: the duration, $SECONDS s, could not be noted in CloudWatch" >&2
