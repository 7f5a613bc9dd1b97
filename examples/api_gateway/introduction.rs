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
  kubectl wait --for=condition=Available deployment --all
  kubectl wait --for=condition=Programmed gateway/tcp-gateway
  export GATEWAY_HOST=$(kubectl get gateway/tcp-gateway -o jsonpath='{{.status.addresses[0].value}}')
  nc -zv $GATEWAY_HOST 8088
  curl -i http://$GATEWAY_HOST:8088
  curl -i http://$GATEWAY_HOST:8089
  kubectl edit tcproute
  kubectl describe gateway/tcp-gateway

Ctrl-C stops.

",
        kubeconfig.display(),
        data.display(),
        kubeconfig.display(),
    )
}
