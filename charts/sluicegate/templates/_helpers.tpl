{{- define "sluicegate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of the release if it contains the name of the chart, else both names. The limit of 52 allows for suffixes. */}}
{{- define "sluicegate.fullname" -}}
{{- $name := include "sluicegate.name" . }}
{{- $both := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $both .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "sluicegate.serviceAccount" -}}
{{- default (include "sluicegate.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{- define "sluicegate.selector" -}}
app.kubernetes.io/name: {{ include "sluicegate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "sluicegate.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "sluicegate.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "sluicegate.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{/* Returns "true" if the pods use the network of the node, else an empty string. */}}
{{- define "sluicegate.hostNetwork" -}}
{{- if kindIs "invalid" .Values.hostNetwork }}
{{- if ne .Values.addresses.mode "service" }}true{{ end }}
{{- else if .Values.hostNetwork }}true{{ end }}
{{- end }}

{{/* Returns "true" if the cluster has the definitions of Gateway API, else an empty string. */}}
{{- define "sluicegate.hasGatewayApi" -}}
{{- if .Capabilities.APIVersions.Has "gateway.networking.k8s.io/v1/GatewayClass" }}true{{ end }}
{{- end }}

{{/* Rules for namespaced objects: in the ClusterRole, or in a Role in each watched namespace. */}}
{{- define "sluicegate.namespacedRules" -}}
# Gateways, routes and grants, read only.
- apiGroups: [gateway.networking.k8s.io]
  resources: [gateways, tcproutes, referencegrants]
  verbs: [get, list, watch]
# Status of Gateways and routes.
- apiGroups: [gateway.networking.k8s.io]
  resources: [gateways/status, tcproutes/status]
  verbs: [update]
# Backends of routes.
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch]
# Events.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}
