//! The text printed after the start: the kubeconfig, and commands to try.

use std::path::Path;

pub(crate) fn text(url: &str, kubeconfig: &Path, data: &Path, is_temporary: bool) -> String {
    let kept = match is_temporary {
        true => "deleted at the end; --data DIR keeps them",
        false => "kept",
    };
    format!(
        "\
API at {url}
Kubeconfig: {}
Objects in {} ({kept})

In another terminal, try:

  export KUBECONFIG={}
  kubectl apply -f examples/tcp-routing
  kubectl wait --timeout=5m deployment/backend-1 deployment/backend-2 --for=condition=Available
  kubectl wait --timeout=5m gateway/tcp-gateway --for=condition=Programmed
  export GATEWAY_HOST=$(kubectl get gateway/tcp-gateway -o jsonpath='{{.status.addresses[0].value}}')
  nc -zv $GATEWAY_HOST 8088
  nc -zv $GATEWAY_HOST 8089
  curl -i http://$GATEWAY_HOST:8088
  curl -i http://$GATEWAY_HOST:8089

Then change a weight, and look at the result:

  kubectl edit tcproute
  kubectl describe gateway/tcp-gateway

Ctrl-C stops.

",
        kubeconfig.display(),
        data.display(),
        kubeconfig.display(),
    )
}
