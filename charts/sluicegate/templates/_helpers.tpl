{{- define "sluicegate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The release's name, where it says what it is a release of; else both names. Room is left for suffixes. */}}
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

{{/* "true", or nothing. */}}
{{- define "sluicegate.hostNetwork" -}}
{{- if kindIs "invalid" .Values.hostNetwork }}
{{- if ne .Values.addresses.mode "service" }}true{{ end }}
{{- else if .Values.hostNetwork }}true{{ end }}
{{- end }}

{{/* "true" where the cluster has Gateway API, or nothing. */}}
{{- define "sluicegate.hasGatewayApi" -}}
{{- if .Capabilities.APIVersions.Has "gateway.networking.k8s.io/v1/GatewayClass" }}true{{ end }}
{{- end }}

{{/* What is done with objects that live in namespaces: everywhere, or in those that are watched. */}}
{{- define "sluicegate.namespacedRules" -}}
# What is declared. It is read only.
- apiGroups: [gateway.networking.k8s.io]
  resources: [gateways, tcproutes, referencegrants]
  verbs: [get, list, watch]
# What is said of it.
- apiGroups: [gateway.networking.k8s.io]
  resources: [gateways/status, tcproutes/status]
  verbs: [update]
# Where connections lead.
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch{{ if eq .Values.addresses.mode "service" }}, create, update, delete{{ end }}]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch{{ if eq .Values.addresses.mode "service" }}, create, update, delete{{ end }}]
# What a person should notice.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}
