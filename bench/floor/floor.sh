#!/usr/bin/env bash
# Installs the mesh as Istio's documentation describes it, with openssl, kubectl, helm and istioctl, as fast as possible:
# the clusters in parallel, and on each cluster independent steps in parallel.
#
# It uses helm instead of `istioctl install`, because istioctl has its own charts, whose images and filters the lab does
# not have. helm installs the same charts with the same values as the program.
#
# floor.sh CHARTS: the current folder contains a folder for each cluster with its kubeconfig, network (a name), versions
# (of helloworld) and Helm values by release.
set -euo pipefail

charts=$1
manifests=$(dirname "$(realpath "$0")")
timeout=180s
clusters=(*/)
clusters=("${clusters[@]%/}")

on() { KUBECONFIG=$1/kubeconfig "${@:2}"; }

# Wait for every job; `wait` alone would ignore the failure of one.
all() { for job in "$@"; do wait "$job"; done; }

# Run a function for all clusters in parallel.
each() {
  local jobs=()
  for cluster in "${clusters[@]}"; do "$1" "$cluster" & jobs+=($!); done
  all "${jobs[@]}"
}

make_root() {
  openssl ecparam -genkey -name secp384r1 -noout -out root-key.pem
  openssl req -new -x509 -key root-key.pem -out root-cert.pem -days 3650 -subj "/O=mesh/CN=Root CA" \
    -addext "keyUsage=critical,digitalSignature,keyCertSign,cRLSign"
}

make_intermediate() {
  openssl ecparam -genkey -name prime256v1 -noout -out "$1/ca-key.pem"
  openssl req -new -key "$1/ca-key.pem" -subj "/O=mesh/L=$1/CN=Intermediate CA $1" |
    openssl x509 -req -CA root-cert.pem -CAkey root-key.pem -days 365 -out "$1/ca-cert.pem" -extfile <(
      echo "basicConstraints = critical, CA:true, pathlen:0"
      echo "keyUsage = critical, digitalSignature, keyCertSign, cRLSign"
      echo "subjectAltName = DNS:istiod.istio-system.svc"
    )
  cat "$1/ca-cert.pem" root-cert.pem >"$1/cert-chain.pem"
}

# Namespaces, labels and the CA together.
prepare() {
  make_intermediate "$1"
  {
    sed "s/NETWORK/$(<"$1/network")/" "$manifests/namespaces.yaml"
    echo ---
    kubectl create secret generic cacerts --namespace istio-system --from-file="$1/ca-cert.pem" \
      --from-file="$1/ca-key.pem" --from-file="$1/cert-chain.pem" --from-file=root-cert.pem \
      --dry-run=client --output=yaml
  } | on "$1" kubectl apply --filename -
}

install() {
  on "$1" helm install "$2" "$charts/$3" --namespace istio-system --values "$1/$2.yaml" --wait --timeout "$timeout"
}

install_gateways() {
  local jobs=()
  for gateway in istio-ingressgateway istio-egressgateway istio-eastwestgateway; do
    install "$1" "$gateway" gateway & jobs+=($!)
  done
  on "$1" kubectl apply --filename "$manifests/cross-network-gateway.yaml"
  all "${jobs[@]}"
}

install_app() {
  on "$1" kubectl apply --filename "$manifests/helloworld.yaml" --filename "$manifests/routing.yaml"
  for version in $(<"$1/versions"); do
    sed "s/vN/$version/g" "$manifests/helloworld-version.yaml" | on "$1" kubectl apply --filename -
    on "$1" kubectl rollout status "deployment/helloworld-$version" --namespace sample --timeout "$timeout"
  done
}

link() {
  on "$1" istioctl create-remote-secret --name "$1" | on "$2" kubectl apply --filename -
}

# A remote secret needs the source's reader, which istiod's chart creates, and the target's namespace, which exists.
install_mesh() {
  install "$1" base base
  install "$1" istiod istiod
  install_gateways "$1" & local jobs=($!)
  install_app "$1" & jobs+=($!)
  for peer in "${clusters[@]}"; do
    if [[ $peer != "$1" ]]; then link "$1" "$peer" & jobs+=($!); fi
  done
  all "${jobs[@]}"
}

make_root
each prepare
each install_mesh
