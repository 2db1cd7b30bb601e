#!/usr/bin/env bash
# Installs Argo CD and hands it the add-ons. Usage: bootstrap.sh <dev|staging|prod> <region>. May be repeated.
# The cluster may still be in the making: waits for its name, for access to it, and, once all is applied, for its first node,
# for BOOTSTRAP_SECONDS (25 minutes) in all.
set -euo pipefail
environment=${1:?environment (dev, staging, prod)}
region=${2:?region, as in infra/config/<environment>.yml}
here=$(cd "$(dirname "$0")" && pwd)

# Runs a command every BOOTSTRAP_PAUSE seconds until it succeeds; what it is waited for comes first.
wait_for() {
  local what=$1
  shift
  until "$@" > /dev/null 2>&1; do
    if [ "$SECONDS" -ge "${BOOTSTRAP_SECONDS:-1500}" ]; then
      echo "gave up waiting for $what" >&2
      exit 1
    fi
    sleep "${BOOTSTRAP_PAUSE:-5}"
  done
}
has_ready_node() {
  kubectl get nodes --selector workload=general --output jsonpath='{.items[*].status.conditions[?(@.type=="Ready")].status}' |
    grep --quiet --word-regexp True
}
parameter() {
  wait_for "parameter $1" aws ssm get-parameter --region "$region" --name "/epsilon/$environment/$1"
  aws ssm get-parameter --region "$region" --name "/epsilon/$environment/$1" --query Parameter.Value --output text
}
cluster=$(parameter eks/cluster-name)
network=$(parameter network/vpc-id)
alerts=$(parameter alerts/topic-arn)
host=$(parameter argocd/host)
repository=$(parameter github/repository)

# Before anything is changed: the manifest of Argo CD as it was when its sum was committed, or nothing.
argo=$(mktemp -d)
trap 'rm -rf "$argo"' EXIT
cp "$here"/argo-cd/* "$argo"
sed -i "s|argocd\.invalid|$host|" "$argo/dex.yaml"
sed -i "s|yourorg/embeddings-saas|$repository|" "$argo/rbac.yaml"
curl --fail --silent --show-error --location --retry 3 --output "$argo/install.yaml" "$(cat "$here/argo-cd/install.url")"
(cd "$argo" && sha256sum --check --strict --quiet install.sha256)

wait_for "the cluster" aws eks wait cluster-active --region "$region" --name "$cluster"
aws eks update-kubeconfig --region "$region" --name "$cluster" --alias "epsilon-$environment"
kubectl config use-context "epsilon-$environment"
wait_for "access to the cluster" kubectl get --raw /readyz
# Before there are nodes: what is applied now is there when the first one comes, and its images are pulled at once.
# Server-side: the custom resource definitions are too large for the annotation of a client-side apply.
kubectl apply --server-side --force-conflicts -k "$argo"
kubectl wait --for condition=Established --timeout 2m crd/applications.argoproj.io crd/applicationsets.argoproj.io
kubectl apply --server-side -f - <<SECRET
apiVersion: v1
kind: Secret
metadata:
  name: in-cluster
  namespace: argocd
  labels:
    argocd.argoproj.io/secret-type: cluster
    epsilon/addons: "true"
  annotations:
    epsilon/environment: "$environment"
    epsilon/cluster-name: "$cluster"
    epsilon/region: "$region"
    epsilon/vpc-id: "$network"
    epsilon/alerts-topic-arn: "$alerts"
stringData:
  name: in-cluster
  server: https://kubernetes.default.svc
SECRET
kubectl apply --server-side -f "$here/sets"
wait_for "a node that is ready" has_ready_node
kubectl --namespace argocd rollout status deployment/argocd-applicationset-controller --timeout 10m
