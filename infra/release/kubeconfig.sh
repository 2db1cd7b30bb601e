#!/usr/bin/env bash
# Points kubectl at the cluster of an environment. Usage: kubeconfig.sh <dev|staging|prod> <region>
set -euo pipefail
environment=${1:?environment (dev, staging, prod)}
region=${2:?region, as in infra/config/<environment>.yml}
cluster=$(aws ssm get-parameter --region "$region" --name "/epsilon/$environment/eks/cluster-name" \
  --query Parameter.Value --output text)
aws eks update-kubeconfig --region "$region" --name "$cluster" --alias "epsilon-$environment"
