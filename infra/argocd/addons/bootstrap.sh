#!/usr/bin/env bash
# Installs Argo CD and hands it the add-ons. Usage: bootstrap.sh <dev|staging|prod> <region>. May be repeated.
set -euo pipefail
environment=${1:?environment (dev, staging, prod)}
region=${2:?region, as in infra/config/<environment>.yml}
here=$(cd "$(dirname "$0")" && pwd)

parameter() {
  aws ssm get-parameter --region "$region" --name "/epsilon/$environment/$1" --query Parameter.Value --output text
}
cluster=$(parameter eks/cluster-name)
network=$(parameter network/vpc-id)

aws eks update-kubeconfig --region "$region" --name "$cluster" --alias "epsilon-$environment"
kubectl config use-context "epsilon-$environment"
# Server-side: the custom resource definitions are too large for the annotation of a client-side apply.
kubectl apply --server-side --force-conflicts -k "$here/argo-cd"
kubectl --namespace argocd rollout status deployment/argocd-applicationset-controller --timeout 10m
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
stringData:
  name: in-cluster
  server: https://kubernetes.default.svc
SECRET
kubectl apply --server-side -f "$here/sets"
