{{- define "backstay.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* What everything of the release is called. */}}
{{- define "backstay.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "backstay.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "backstay.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* A Service may have no longer name than a label. */}}
{{- define "backstay.metricsName" -}}
{{- printf "%s-metrics" (include "backstay.fullname" . | trunc 55 | trimSuffix "-") }}
{{- end }}

{{/* These find the Pod, and can't change in an upgrade. */}}
{{- define "backstay.selector" -}}
app.kubernetes.io/name: {{ include "backstay.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "backstay.labels" -}}
{{ include "backstay.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "backstay.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "backstay.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "backstay.image" -}}
{{- $repository := required "image.repository is required: no image of Backstay is published yet. Build one whose entrypoint is backstay, push it to a registry of yours, and name it: --set image.repository=registry.example.com/backstay" .Values.image.repository }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* The file that the operator reads its grants from. */}}
{{- define "backstay.grants" -}}
{{- toYaml .Values.grants }}
{{- end }}

{{/* Where it is: named by what is in it, so that it can be immutable, and other grants are another Pod. */}}
{{- define "backstay.grantsName" -}}
{{- printf "%s-grants-%s" (include "backstay.fullname" .) (include "backstay.grants" . | sha256sum | trunc 8) }}
{{- end }}

{{/* Two entries for one namespace would be one Role, and one of them lost. */}}
{{- define "backstay.once" -}}
{{- $seen := dict }}
{{- range .in }}
{{- if hasKey $seen .namespace }}
{{- fail (printf "%s has the namespace %s twice: put its names into one entry" $.of .namespace) }}
{{- end }}
{{- $_ := set $seen .namespace true }}
{{- end }}
{{- end }}

{{/* Gives the operator the Role that is called by this word, in this namespace: a list of the root, the word and the namespace. */}}
{{- define "backstay.roleBinding" -}}
{{- $root := index . 0 -}}
{{- $name := printf "%s-%s" (include "backstay.fullname" $root) (index . 1) -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $name }}
  namespace: {{ index . 2 }}
  labels:
    {{- include "backstay.labels" $root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "backstay.serviceAccount" $root }}
    namespace: {{ $root.Release.Namespace }}
{{- end }}
